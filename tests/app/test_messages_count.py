"""`baton messages count`: how many messages each person got on each day."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select
from typer.testing import CliRunner, Result

from agreements.roster import read_roster
from app.cli import app as cli
from storage import deliveries, message_counts, roster
from storage.tables import Delivery, DeliveryState
from tasks.wiring.toolbox import Toolbox
from tests.conftest import MONDAY, ROSTER


def sent(box: Toolbox, person: str, *, hours: float = 0, channel: str = "email", state: str = "confirmed") -> None:
    """A message that went to that person so long after Monday at nine."""

    def work(session: Session, now: datetime) -> None:
        at = MONDAY + timedelta(hours=hours)
        key = f"{person}:{hours}:{channel}:{state}"
        deliveries.queue(session, None, deliveries.Message("told"), deliveries.Copy(key, channel, person), now=at)
        row = session.exec(select(Delivery).where(Delivery.key == key)).one()
        row.state, row.sent_at = state, at

    box.write_now(work)


def counted(box: Toolbox, **bounds: date) -> Counter[tuple[str, date]]:
    people = read_roster(ROSTER.replace("timezone: Europe/London, phone: \"+44 20 7946 0101\"",
                                                                           "timezone: Asia/Tokyo"))  # fmt: skip
    return box.read_now(lambda session, now: message_counts.messages_per_day(session, people, **bounds))


def test_messages_are_counted_by_person_and_by_the_day_where_the_person_is(box: Toolbox) -> None:
    for hours in (0, 1, 7):
        sent(box, "ana", hours=hours)
        sent(box, "ben", hours=hours)

    assert counted(box) == {("ana", date(2027, 2, 1)): 2, ("ana", date(2027, 2, 2)): 1, ("ben", date(2027, 2, 1)): 3}


@pytest.mark.parametrize("state", [one.value for one in DeliveryState])
def test_only_what_was_sent_is_counted(box: Toolbox, state: str) -> None:
    sent(box, "ben", state=state)

    assert sum(counted(box).values()) == (1 if state in ("sent", "confirmed", "bounced") else 0)


def test_what_is_written_into_the_crm_interrupts_nobody(box: Toolbox) -> None:
    sent(box, "ben", channel="crm")
    sent(box, "ben", channel="chat")

    assert counted(box) == {("ben", date(2027, 2, 1)): 1}


def test_days_can_be_left_out(box: Toolbox) -> None:
    for day in range(4):
        sent(box, "ben", hours=24 * day)

    assert [day.day for _, day in counted(box, first=date(2027, 2, 2), last=date(2027, 2, 3))] == [2, 3]


def test_the_summary_says_the_most_and_the_usual() -> None:
    found = message_counts.summary({("a", date(2027, 2, 1)): 5, ("a", date(2027, 2, 2)): 1, ("b", date(2027, 2, 1)): 2})

    assert found == {"max": 5, "median": 2, "people": {"a": {"2027-02-01": 5, "2027-02-02": 1}, "b": {"2027-02-01": 2}}}
    assert message_counts.summary({}) == {"max": 0, "median": 0, "people": {}}


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Toolbox]:
    """An installation of its own, with people."""
    from app import terminal
    from tasks.wiring import toolbox

    monkeypatch.setenv("BATON_HOME", str(tmp_path / "baton"))
    box = terminal.open_box()
    box.write_now(lambda session, now: roster.load(session, ROSTER, now=now))
    yield box
    toolbox.use(None)
    box.database.close()


def ask(*words: str) -> Result:
    return CliRunner().invoke(cli, ["messages", "count", *words], env={"COLUMNS": "160"})


def test_the_command_tells_it_in_words_and_as_json(installation: Toolbox) -> None:
    for hours in (0, 1, 24):
        sent(installation, "ben", hours=hours)

    said = ask()
    assert said.exit_code == 0, said.output
    assert said.output.splitlines() == ["Ben Carter: at most 2 a day, 3 in 2 days", "At most 2 a person and day, usually 1.5."]
    assert json.loads(ask("--json", "--to", "2027-02-01").output) == {"max": 2, "median": 2, "people": {"ben": {"2027-02-01": 2}}}


@pytest.mark.parametrize(("words", "problem"), [
    (["--from", "monday"], "--from monday: write a day as 2027-02-01."),
    (["--from", "2027-02-02", "--to", "2027-02-01"], "--from 2027-02-02 is after --to 2027-02-01"),
])  # fmt: skip
def test_a_day_that_is_none_is_named(installation: Toolbox, words: list[str], problem: str) -> None:
    said = ask(*words)

    assert said.exit_code == 2
    assert problem in said.output
