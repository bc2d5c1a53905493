"""`baton bounces read`: what lies in a Maildir is noted once, moved on, and what cannot be read is named and left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from notifications.bounce_marks import BounceMarks
from storage import deliveries
from storage.database import Database
from storage.tables import Delivery, DeliveryState
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tests.conftest import MONDAY
from tests.present import the
from tests.returned import returned
from tests.rows import a_handoff

SECRET = "a-key-for-tests-only"


@pytest.fixture
def mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maildir, beside an installation with one message that has arrived, as it seems."""
    monkeypatch.setenv("BATON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BATON_SECRETS", SECRET)
    for name in ("new", "cur", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    yield tmp_path / "mail"
    toolbox.use(None)


@pytest.fixture
def database(mail: Path) -> Iterator[Database]:
    from app import terminal

    database = terminal.open_box(Settings()).database
    with database.write() as session:
        deliveries.queue(
            session, a_handoff(session, MONDAY), deliveries.Message("told"), deliveries.Copy("told", "email", "ana"), now=MONDAY
        )
        deliveries.claim(session, 1)
        deliveries.succeeded(session, the(session.get(Delivery, 1)), None, proof="250 OK", now=MONDAY)
    yield database
    database.close()


def put(mail: Path, name: str, raw: bytes) -> None:
    (mail / "new" / name).write_bytes(raw)


def files(mail: Path, folder: str) -> list[str]:
    return sorted(path.name for path in (mail / folder).iterdir())


def read(mail: Path) -> Result:
    return CliRunner().invoke(app, ["bounces", "read", str(mail)])


def test_a_bounce_is_noted_and_moved_to_what_was_seen(database: Database, mail: Path) -> None:
    put(mail, "1.host", returned(mark=BounceMarks([SECRET]).of(1)))
    put(mail, "2.host", returned("delayed", mark=BounceMarks([SECRET]).of(1)))
    put(mail, "3.host", returned("newsletter"))
    put(mail, "4.host", returned(key="of another installation"))

    done = read(mail)

    assert done.exit_code == 0
    assert (
        "1 bounced, 0 were known, 0 were read before, 0 say that somebody is away, 1 temporary, 1 not ours, "
        "0 complaints, 0 doubtful, 1 no bounces, 0 unreadable." in done.stdout
    )
    assert (files(mail, "new"), files(mail, "cur")) == ([], ["1.host:2,S", "2.host:2,S", "3.host:2,S", "4.host:2,S"])
    with database.read() as session:
        assert the(session.get(Delivery, 1)).state == DeliveryState.BOUNCED


def test_the_same_bounce_twice_is_one(database: Database, mail: Path) -> None:
    put(mail, "1.host", returned(mark=BounceMarks([SECRET]).of(1)))
    read(mail)
    put(mail, "2.host", returned("qmail", mark=BounceMarks([SECRET]).of(1)))

    assert "0 bounced, 1 were known" in read(mail).stdout


def test_what_cannot_be_read_is_named_and_stays(database: Database, mail: Path) -> None:
    put(mail, "1.host", b"")
    put(mail, "2.host", returned(mark=BounceMarks([SECRET]).of(1)))

    done = read(mail)

    assert done.exit_code == 3
    assert "1.host: it has no headers" in done.stderr
    assert "1 bounced" in done.stdout
    assert files(mail, "new") == ["1.host"]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["bounces", *words])


def test_what_nothing_explains_is_listed_until_somebody_has_looked_at_it(database: Database, mail: Path) -> None:
    mark = BounceMarks([SECRET]).of(1)
    put(mail, "1.host", returned("newsletter", mark=mark))

    assert "1 doubtful" in read(mail).stdout
    assert "ana: mail that is no bounce" in run("list").stdout
    assert mark in run("list").stdout
    assert run("settle", "1", "--by", "oscar").exit_code == 0
    assert run("list").stdout == "Nothing to look at.\n"


@pytest.mark.parametrize("number", ["1", "0", "-- -1"])
def test_a_line_that_is_not_open_is_named(database: Database, mail: Path, number: str) -> None:
    done = run("settle", *number.split())

    assert done.exit_code == 2
    assert "is not open" in done.stderr


def test_an_empty_maildir_is_read_in_peace(database: Database, mail: Path) -> None:
    assert read(mail).exit_code == 0


@pytest.mark.parametrize("name", ["nowhere", "mail/new"])
def test_a_folder_that_is_no_maildir_is_refused(database: Database, mail: Path, name: str) -> None:
    done = read(mail.parent / name)

    assert done.exit_code == 2
    assert "no Maildir" in done.stderr
