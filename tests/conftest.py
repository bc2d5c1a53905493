"""Fixtures for all tests: a database for each test, people, an agreement in force, and channels that keep every letter."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as searches
from sqlmodel import Session

from agreements.lead import IncomingLead
from agreements.words import ChannelName
from notifications.letter import Channel
from storage import contracts, roster, schema
from storage.crm.local import LocalCrm
from storage.database import Database
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.certificates import share_certificates
from tests.compiled import share_compiled_statements
from tests.disk import wait_for_no_disk
from tests.examples import examples, same_each_time
from tests.fakes import KeepingChannel
from tests.order import in_another_order
from tests.patience import wait_for_locks

if TYPE_CHECKING:
    import psycopg

    from tests.crm.salesforce_stand_in import StandIn as Salesforce
    from tests.crm.stand_in import StandIn as HubSpot
    from tests.driver import Driver

    Admin = psycopg.Connection[tuple[Any, ...]]

#: The command line keeps the width that it finds when it is imported. Where it finds none, it asks for the width each time.
#: So it is imported here, before any test sets a width.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)
import_module("app.terminal")

#: The time of one example depends on the machine, not on the code.
searches.register_profile(
    "baton", max_examples=examples(), derandomize=same_each_time(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
searches.load_profile("baton")
gc.disable()  # while all tests are imported and collected
wait_for_locks()
wait_for_no_disk()
share_compiled_statements()
share_certificates()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, leave out the tests that ask for no database: they would only do the same once more."""
    in_another_order(items)
    if os.environ.get("BATON_TEST_POSTGRESQL"):
        config.hook.pytest_deselected(items=[one for one in items if not asks_for_a_database(one)])
        items[:] = [one for one in items if asks_for_a_database(one)]


def asks_for_a_database(item: pytest.Item) -> bool:
    """Return whether the test runs on the database that BATON_TEST_POSTGRESQL names."""
    return "database_url" in getattr(item, "fixturenames", ())


def pytest_collection_finish() -> None:
    """Freeze everything imported and collected, and collect garbage seldom: it took a tenth of the time of all tests."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


ROOT = Path(__file__).resolve().parents[1]
#: The example agreement for a company whose reps work in the CRM: chat is only the fallback.
AGREEMENT = (
    (ROOT / "agreements/examples/b2b-saas.yaml")
    .read_text(encoding="utf-8")
    .replace("{name: normal, channels: [email, chat, crm]}", "{name: normal, channels: [email, crm]}")
    .replace("channels: [email, chat, crm], fallback: [manager-email]", "channels: [email, crm], fallback: [chat, manager-email]")
)
ROSTER = (ROOT / "examples/roster.yaml").read_text(encoding="utf-8")
#: A Monday morning on which nobody except Emil is away.
MONDAY = datetime.fromisoformat("2027-02-01T09:00:00+00:00")


@pytest.fixture
def database_url(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new database: on SQLite, or on the PostgreSQL server that BATON_TEST_POSTGRESQL names.

    The fixture `database` makes it there, from a template.
    """
    server = os.environ.get("BATON_TEST_POSTGRESQL")
    if not server:
        yield f"sqlite:///{tmp_path / 'baton.db'}"
        return
    name = f"baton_{uuid4().hex[:12]}"
    admin: Admin = request.getfixturevalue("postgresql_admin")
    if "database" not in request.fixturenames:
        admin.execute(f"CREATE DATABASE {name}")
    yield f"{server.rpartition('/')[0]}/{name}"
    admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql_admin() -> Iterator[Admin]:
    """A connection to the tests' PostgreSQL server, which makes and drops their databases."""
    import psycopg

    with psycopg.connect(os.environ["BATON_TEST_POSTGRESQL"], autocommit=True) as admin:
        yield admin


@pytest.fixture(scope="session")
def empty_postgresql(postgresql_admin: Admin) -> Iterator[str]:
    """The name of an empty PostgreSQL database with the current schema, as a template to copy."""
    name = f"baton_empty_{uuid4().hex[:12]}"
    postgresql_admin.execute(f"CREATE DATABASE {name}")
    opened = Database(f"{os.environ['BATON_TEST_POSTGRESQL'].rpartition('/')[0]}/{name}")
    schema.upgrade(opened)
    opened.close()
    yield name
    postgresql_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql_in_force(postgresql_admin: Admin, empty_postgresql: str, home_in_force: Path) -> Iterator[str]:
    """The name of a PostgreSQL database with an agreement in force, as a template to copy: reading is slow."""
    name = f"baton_in_force_{uuid4().hex[:12]}"
    postgresql_admin.execute(f"CREATE DATABASE {name} TEMPLATE {empty_postgresql}")
    url = f"{os.environ['BATON_TEST_POSTGRESQL'].rpartition('/')[0]}/{name}"
    opened = Database(url, trail_key=Settings(home=home_in_force).seal_key())
    with opened.write() as session:
        put_in_force(session, MONDAY)
    opened.close()
    yield name
    postgresql_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite file with the current schema, to copy: migrations would take most of the time of a short test."""
    path = tmp_path_factory.mktemp("empty") / "baton.db"
    opened = Database(f"sqlite:///{path}")
    schema.upgrade(opened)
    opened.close()
    return path


@pytest.fixture(scope="session")
def home_in_force(empty_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an installation with an agreement in force: its keys and its SQLite file. Tests copy it: reading is slow."""
    home = tmp_path_factory.mktemp("in-force")
    shutil.copyfile(empty_sqlite, home / "baton.db")
    settings = Settings(home=home)
    opened = Database(f"sqlite:///{home / 'baton.db'}", trail_key=settings.seal_key())
    with opened.write() as session:
        put_in_force(session, MONDAY)
    opened.close()
    return home


@pytest.fixture
def database(database_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """The test's database with the current schema. If the test uses `box`, it has an agreement in force."""
    in_force = "box" in request.fixturenames
    if database_url.startswith("sqlite:///"):
        ready = request.getfixturevalue("home_in_force") / "baton.db" if in_force else request.getfixturevalue("empty_sqlite")
        shutil.copyfile(ready, database_url.removeprefix("sqlite:///"))
    else:
        name, ready = database_url.rpartition("/")[2], request.getfixturevalue("postgresql_in_force" if in_force else "empty_postgresql")
        request.getfixturevalue("postgresql_admin").execute(f"CREATE DATABASE {name} TEMPLATE {ready}")
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def time() -> SteppedTime:
    """The stepped time: Monday, nine o'clock, until a test moves it."""
    return SteppedTime(MONDAY)


@pytest.fixture(scope="session")
def empty_crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a local CRM without records, to copy: making its tables waits for the disk."""
    return LocalCrm(tmp_path_factory.mktemp("empty-crm") / "crm.db").path


@pytest.fixture
def box(database: Database, time: SteppedTime, tmp_path: Path, home_in_force: Path, empty_crm: Path) -> Iterator[Toolbox]:
    """A toolbox on real storage with an agreement in force. Its channels keep every message."""
    from notifications.channels.crm import CrmChannel
    from notifications.links import Links

    home = shutil.copytree(home_in_force, tmp_path / "home", ignore=shutil.ignore_patterns("baton.db"))
    settings = Settings(home=home, undo_minutes=0, crm_poll_seconds=0.0001, crm_people=True)
    crm = LocalCrm(shutil.copyfile(empty_crm, tmp_path / "crm.db"), read_by_people=True)
    channels: dict[ChannelName, Channel] = {
        "email": KeepingChannel("email"),
        "chat": KeepingChannel("chat"),
        "manager-email": KeepingChannel("manager-email"),
        "crm": CrmChannel(crm),
    }
    made = Toolbox(settings, database, crm, channels, Links(["a-key-for-tests-only"], "http://baton.test"), time)
    toolbox.use(made)
    yield made
    toolbox.use(None)


@pytest.fixture(scope="session")
def hubspot() -> Iterator[HubSpot]:
    """The stand-in for HubSpot, in a process of its own. HubSpotWorld makes a new account there."""
    from tests.crm.stand_in import running

    with running("tests.crm.hubspot_server") as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def salesforce() -> Iterator[Salesforce]:
    """The stand-in for Salesforce, in a process of its own."""
    from tests.crm.salesforce_stand_in import serving

    with serving() as stand_in:
        yield stand_in


@pytest.fixture
def org(salesforce: Salesforce) -> Salesforce:
    """The stand-in for Salesforce with an empty org."""
    salesforce.reset()
    return salesforce


def put_in_force(session: Session, now: datetime) -> None:
    """Load the example roster and put the example agreement in force."""
    roster.load(session, ROSTER, now=now)
    row = contracts.publish(session, AGREEMENT, now=now)
    contracts.sign(session, row, contracts.NewSignature("marketing", "Mina Okoro", "cli"), now=now)
    contracts.sign(session, row, contracts.NewSignature("sales", "Maria Keller", "cli"), now=now)
    contracts.mark_deployed(session, row, deployment_id="00000000-0000-0000-0000-000000000001", now=now)


@pytest.fixture
def driver(box: Toolbox, time: SteppedTime) -> Driver:
    """The driver on that toolbox."""
    from tests.driver import Driver  # imports Prefect, which the process that only hands out the tests does not need

    return Driver(box, time)


@pytest.fixture
def make_lead() -> Callable[..., IncomingLead]:
    """Return an inquiry that qualifies as it is. changes: fields that matter to the test."""
    from tests.fakes import make_lead as make

    return make
