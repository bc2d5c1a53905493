"""Deploying: what is refused is refused before anything has changed, and a server that is away leaves everything as it was."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session, SQLModel
from typer.testing import CliRunner, Result

from agreements.checks import Installed
from agreements.errors import AgreementError, InvalidAgreement
from agreements.roster import Roster
from agreements.words import InFlightPolicy
from app import stack
from app.cli import app as cli
from app.deploy_plan import plan
from app.deploying import deploy
from storage import contracts, roster, time_offset
from storage.claims import Claimed
from storage.tables import AgreementVersion, Claim
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tests.conftest import AGREEMENT, ROOT, ROSTER
from tests.driver import Driver
from tests.in_flight import FREE, UNANSWERED, everywhere, published, text_of
from tests.patience import PATIENCE_SECONDS
from tests.present import the
from tests.stage import capture

FUTURE = "2027-06-01"


def anywhere(people: Roster) -> Installed:
    """An installation whose channels all prove something."""
    return Installed()


def everything(box: Toolbox) -> dict[str, list[Any]]:
    """All that the database holds."""
    with box.database.engine.connect() as connection:
        return {table.name: list(connection.execute(table.select())) for table in SQLModel.metadata.sorted_tables}


def publish(box: Toolbox, text: str, *, deployed: bool = False) -> None:
    box.write_now(lambda session, now: published(session, text, now, deployed=deployed))


def change(box: Toolbox, version: int, **values: object) -> None:
    """Changes the stored row behind the back of the code."""

    def work(session: Session, now: datetime) -> None:
        row = contracts.get(session, "b2b-saas", version)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)

    box.write_now(work)


@pytest.fixture
def nobody_there() -> Iterator[None]:
    """A Prefect server's address at which nobody listens."""
    with stack.talking_to(f"http://127.0.0.1:{stack.free_port()}"):
        yield


@pytest.fixture
def baton(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line on the same database and at the same time; nobody sits at its terminal, and there is no Prefect server."""
    box.write_now(lambda session, now: time_offset.leap_to(session, now))
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("BATON_CRM_PEOPLE", "true")
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)

    def run(*words: str) -> Result:
        with stack.talking_to(f"http://127.0.0.1:{stack.free_port()}"):
            done = CliRunner().invoke(cli, list(words))
        toolbox.current().database.close()
        toolbox.use(box)
        return done

    return run


@pytest.mark.usefixtures("nobody_there")
def test_while_the_prefect_server_is_away_nothing_is_deployed_and_nothing_is_claimed(box: Toolbox) -> None:
    publish(box, text_of(2, "2027-01-01"))
    before = everything(box)

    with pytest.raises(httpx.HTTPError):
        asyncio.run(deploy(box, "b2b-saas", 2, by="mina"))

    assert everything(box) == before
    with pytest.raises(httpx.HTTPError):  # and not: somebody else is at it
        asyncio.run(deploy(box, "b2b-saas", 2, by="maria"))


def claimed(box: Toolbox, seconds: float) -> None:
    """Somebody began to deploy so long before the end of the claim, and was never heard of again."""
    real = datetime.now(UTC)
    row = Claim(name="deploy", token="t", by="mina", about="deploying b2b-saas@2", since=real, until=real + timedelta(seconds=seconds))
    box.write_now(lambda session, now: session.add(row))


@pytest.mark.usefixtures("nobody_there")
def test_while_somebody_else_deploys_it_is_said_who_and_what(box: Toolbox) -> None:
    publish(box, text_of(2, "2027-01-01"))
    claimed(box, 24 * 3600)
    before = everything(box)

    with pytest.raises(Claimed, match=r"mina has been deploying b2b-saas@2 since .* UTC. Repeat the command when that is done"):
        asyncio.run(deploy(box, "b2b-saas", 2, by="maria"))

    assert everything(box) == before


@pytest.mark.usefixtures("nobody_there")
def test_a_deploy_that_died_gives_way(box: Toolbox) -> None:
    publish(box, text_of(2, "2027-01-01"))
    claimed(box, -1)

    with pytest.raises(httpx.HTTPError):  # it came as far as the server
        asyncio.run(deploy(box, "b2b-saas", 2, by="maria"))


def refused(box: Toolbox, version: int, policy: InFlightPolicy | None = None) -> str:
    """What deploying this version is refused with; nothing has changed, and nobody spoke to the server."""
    before = everything(box)
    with pytest.raises(AgreementError) as error:
        box.read_now(lambda session, now: plan(session, "b2b-saas", version, policy=policy, now=now, here=anywhere))
    if policy is None:
        with pytest.raises(type(error.value)):
            asyncio.run(deploy(box, "b2b-saas", version))
    assert everything(box) == before
    return str(error.value)


@pytest.mark.usefixtures("nobody_there")
class TestRefused:
    def test_what_is_not_signed_by_both(self, box: Toolbox) -> None:
        box.write_now(lambda session, now: contracts.publish(session, text_of(2, "2027-01-01"), now=now))

        assert "b2b-saas@2 is not signed by marketing and sales" in refused(box, 2)

    def test_a_stored_text_that_was_changed(self, box: Toolbox) -> None:
        publish(box, text_of(2, "2027-01-01"))
        change(box, 2, text=text_of(2, "2027-01-01", ("total: 60", "total: 10")))

        assert "The stored text of b2b-saas@2 is not the one that was published" in refused(box, 2)

    def test_a_team_that_the_roster_does_not_have(self, box: Toolbox) -> None:
        publish(box, text_of(2, "2027-01-01", ("    - {team: emea}", "    - {team: apac}")))

        assert "there is no team 'apac' in the roster" in refused(box, 2)

    def test_a_roster_that_does_not_fit_any_more(self, box: Toolbox) -> None:
        publish(box, text_of(2, "2027-01-01"))
        text = ROSTER.replace("dora: {", "dana: {", 1)
        box.write_now(lambda session, now: roster.load(session, text, now=now))

        with pytest.raises(InvalidAgreement, match="nobody in the roster is called 'dora'"):
            box.read_now(lambda session, now: plan(session, "b2b-saas", 2, policy=None, now=now, here=anywhere))

    def test_an_older_version(self, box: Toolbox) -> None:
        publish(box, text_of(2, "2027-01-01"))
        publish(box, text_of(3, "2027-01-02"), deployed=True)

        assert "b2b-saas@2 is older than b2b-saas@3, which is deployed" in refused(box, 2)

    def test_a_version_that_overlaps(self, box: Toolbox) -> None:
        publish(box, text_of(2, "2026-01-01"))

        assert "b2b-saas@2 begins on 2026-01-01, as b2b-saas@1 does. Write a later day" in refused(box, 2)

    def test_an_agreement_for_a_lead_that_has_one(self, box: Toolbox) -> None:
        text = text_of(1, "2027-01-01", ("agreement: b2b-saas\n", "agreement: other\n"))
        publish(box, text)
        with pytest.raises(AgreementError, match="two agreements would be for one lead"):
            box.read_now(lambda session, now: plan(session, "other", 1, policy=None, now=now, here=anywhere))

    def test_what_is_deployed_already_unless_a_policy_is_named(self, box: Toolbox) -> None:
        assert "was deployed on 2027-02-01 at 09:00 UTC already. With --in-flight only the policy" in refused(box, 1)
        assert box.read_now(lambda session, now: plan(session, "b2b-saas", 1, policy="recall", now=now, here=anywhere)).is_deployed

    @pytest.mark.parametrize("policy", ["requalify", "recall"])
    def test_a_policy_for_a_version_that_has_not_begun(self, box: Toolbox, policy: InFlightPolicy) -> None:
        publish(box, text_of(2, FUTURE))

        said = refused(box, 2, policy)

        assert f"b2b-saas@2 begins on {FUTURE}: until then nothing can start anew under it. Deploy it with --in-flight finish;" in said
        assert said.endswith(f"run: baton agreement deploy b2b-saas@2 --in-flight {policy}")
        assert box.read_now(lambda session, now: plan(session, "b2b-saas", 2, policy=None, now=now, here=anywhere)).policy == "finish"

    def test_a_policy_for_a_version_that_gave_way(self, box: Toolbox) -> None:
        publish(box, text_of(2, "2027-01-01"), deployed=True)

        assert "b2b-saas@1 is not in force now: b2b-saas@2 is." in refused(box, 1, "recall")


def test_the_policy_is_that_of_the_agreement_unless_another_is_named(box: Toolbox) -> None:
    publish(box, text_of(2, "2027-01-01", ("legs: [sdr]", "legs: [sdr]\nin_flight: {default: requalify}")))

    plans = box.read_now(
        lambda session, now: [plan(session, "b2b-saas", 2, policy=one, now=now, here=anywhere) for one in (None, "recall")]
    )

    assert [one.policy for one in plans] == ["requalify", "recall"]


async def test_preview_lists_what_is_touched_and_how_many_there_are(driver: Driver, box: Toolbox, baton: Callable[..., Result]) -> None:
    found = await everywhere(driver, box)
    publish(box, text_of(3, "2027-02-01"))
    before = everything(box)

    table, facts = await asyncio.to_thread(both, baton, "agreement", "preview", "b2b-saas@3", "--in-flight", "recall")

    assert everything(box) == before
    touched = [found[name].lead_id for name in FREE + UNANSWERED]
    assert [(one["lead_id"], one["under"]) for one in facts if one["happens"] != "stays"] == [
        (one, "b2b-saas@3") for one in sorted(touched)
    ]
    assert "acceptance, 01 Feb 14:00 │ is recalled: b2b-saas@3" in table
    assert table.endswith(
        "b2b-saas@3, recall: 14 in flight under earlier versions: inquiry 2 to start anew; mql 1 to stay (a decision is asked for),"
        " 2 to start anew; assigned 3 to be recalled, 1 to stay (a decision is asked for); accepted 2 to stay; working 2 to stay;"
        " stuck 1 to stay."
    )


def both(baton: Callable[..., Result], *words: str) -> tuple[str, list[Any]]:
    """What the command says to people, on one line, and as JSON."""
    table, facts = baton(*words), baton(*words, "--json")
    assert (table.exit_code, facts.exit_code) == (0, 0), table.output + facts.output
    return " ".join(table.stdout.split()), json.loads(facts.stdout)


def test_a_refusal_is_exit_code_1_and_an_absent_server_4(box: Toolbox, baton: Callable[..., Result]) -> None:
    publish(box, text_of(2, "2027-01-01"))

    again, away, unknown = (baton("agreement", "deploy", ref) for ref in ("b2b-saas@1", "b2b-saas@2", "b2b-saas@9"))

    assert (again.exit_code, away.exit_code, unknown.exit_code) == (1, 4, 1)
    assert "already" in again.stderr
    assert "The Prefect server does not answer" in away.stderr
    assert "b2b-saas@9 is not published here" in unknown.stderr


def test_signing_at_the_command_line_says_on_whose_behalf_and_only_once(box: Toolbox, baton: Callable[..., Result]) -> None:
    box.write_now(lambda session, now: contracts.publish(session, text_of(2, "2027-01-01"), now=now))
    words = ("agreement", "sign", "b2b-saas@2", "--as", "sales", "--on-behalf")

    first, second = baton(*words, "Cleo Roth"), baton(*words, "Maria Keller")

    assert (first.exit_code, second.exit_code) == (0, 1)
    assert "b2b-saas@2 is signed for sales already, by Cleo Roth on 2027-02-01 at " in second.stderr


def test_at_a_terminal_it_asks_before_anything_is_touched(box: Toolbox, baton: Callable[..., Result]) -> None:
    """A no changes nothing; without a terminal, and with --yes, nobody is asked."""
    capture(box)
    publish(box, text_of(2, "2027-01-01"))
    before = everything(box)
    command = [sys.executable, "-m", "app.cli", "agreement", "deploy", "b2b-saas@2", "--in-flight", "requalify"]
    environment = {**os.environ, "PREFECT_API_URL": f"http://127.0.0.1:{stack.free_port()}/api"}
    ours, theirs = pty.openpty()

    running = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    os.write(ours, b"n\n")
    said, _ = running.communicate(timeout=PATIENCE_SECONDS)
    os.close(ours)
    os.close(theirs)

    assert running.returncode == 1
    assert "Deploy b2b-saas@2? [y/N]:" in said
    assert "Nothing was changed." in said
    assert everything(box) == before
    assert baton("agreement", "deploy", "b2b-saas@2", "--in-flight", "requalify").exit_code == 4


def test_what_changed_while_we_spoke_to_the_server_is_seen(box: Toolbox) -> None:
    """What was claimed and checked is looked at anew when the server has answered."""
    from app.deploying import _claim, _mark

    publish(box, text_of(2, "2027-01-01"))
    token = box.write_now(lambda session, now: _claim(session, "b2b-saas", 2, "mina", now, anywhere))
    publish(box, text_of(3, "2027-01-02"), deployed=True)

    with pytest.raises(AgreementError, match="b2b-saas@2 is older than b2b-saas@3"):
        box.write_now(lambda session, now: _mark(session, "b2b-saas", 2, token, "d", now, anywhere))
    with pytest.raises(Claimed, match="somebody else has taken over"):
        box.write_now(lambda session, now: _mark(session, "b2b-saas", 2, "another", "d", now, anywhere))
    assert the(box.read_now(lambda session, now: session.get(AgreementVersion, ("b2b-saas", 2)))).deployed_at is None


@pytest.mark.parametrize(
    ("version", "first", "said"),
    [
        (2, "2026-01-01", "b2b-saas@2 begins on 2026-01-01, as b2b-saas@1 does. Write a later day under `effective: from`."),
        (2, "2025-06-01", "b2b-saas@2 begins on 2025-06-01, before b2b-saas@1"),
        (2, "2025-06-01, until: 2025-07-01", "b2b-saas@2 ended on 2025-07-01: it would never be in force."),
    ],
)
def test_what_no_signature_can_bring_in_force_is_refused_before_anybody_is_asked_to_sign_it(
    box: Toolbox, baton: Callable[..., Result], tmp_path: Path, version: int, first: str, said: str
) -> None:
    before, file = everything(box), tmp_path / "next.yaml"
    file.write_text(text_of(version, first))

    done = baton("agreement", "publish", str(file))

    assert (done.exit_code, done.stdout) == (1, "")
    assert said in " ".join(done.stderr.split())
    assert everything(box) == before

    publish_only(box, file.read_text())
    kept = everything(box)
    asked = baton("agreement", "send-for-signature", f"b2b-saas@{version}")

    assert (asked.exit_code, asked.stdout) == (1, "")
    assert said in " ".join(asked.stderr.split())
    assert everything(box) == kept


def publish_only(box: Toolbox, text: str) -> None:
    box.write_now(lambda session, now: contracts.publish(session, text, now=now))


def test_a_version_in_force_may_be_published_again_and_is_the_same(box: Toolbox, baton: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "same.yaml"
    file.write_text(AGREEMENT)

    done = baton("agreement", "publish", str(file))

    assert (done.exit_code, done.stdout.split()[0]) == (0, "b2b-saas@1")
