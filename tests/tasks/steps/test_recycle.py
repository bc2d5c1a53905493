"""Every reason leads where the agreement says, whether a lead is rejected or returned; marketing hears of each."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from agreements.loading import read_agreement
from agreements.words import GivenAnswer
from storage import leads, suppressions
from tasks.replies.answering import ChoiceRefused
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import AGREEMENT
from tests.deal import answer_by_duty, letters, news, tenures, until_working, wait_if_any, wait_of
from tests.driver import Driver
from tests.stage import answer_by_link, capture, events_of, kept_by, newest

DAY = timedelta(days=1)

#: reason, where it leads, the track or the end's reason, days until the revisit (None: none), whom it counts against
TABLE = [
    ("not-now", "nurturing", "not-now", 60, "nobody"),
    ("no-response", "nurturing", "reactivation", 90, "nobody"),
    ("no-authority", "nurturing", "find-authority", 90, "marketing"),
    ("no-budget", "nurturing", "value", 120, "nobody"),
    ("not-icp", "disqualified", "", None, "marketing"),
    ("uses-competitor", "nurturing", "competitor", 270, "nobody"),
    ("customer-or-open-deal", "attached", "", None, "routing"),
    ("wrong-rep", "assigned", "", None, "routing"),
    ("bad-data", "mql", "", None, "marketing"),
    ("duplicate", "assigned", "", None, "routing"),
    ("do-not-contact", "suppressed", "", None, "nobody"),
    ("other", "assigned", "", None, "nobody"),
]
#: What a rep has to say beside the reason.
ALSO = {"wrong-rep": {"colleague": "cleo"}, "other": {"text": "They laughed."}, "customer-or-open-deal": {"into": "Harbour"}}


def test_the_table_has_every_reason_of_the_example_agreement() -> None:
    assert [row[0] for row in TABLE] == [reason.code for reason in read_agreement(AGREEMENT).reasons]


#: A returned lead takes the same way as a rejected one: a reason of each kind shows it.
CASES = [("rejected", *row) for row in TABLE]
CASES += [("returned", *row) for row in TABLE if row[0] in ("not-now", "not-icp", "wrong-rep", "bad-data", "other")]


@pytest.mark.parametrize(
    ("said", "code", "stage", "track", "days", "counts_against"), CASES, ids=[f"{said} {code}" for said, code, *_ in CASES]
)
async def test_a_reason_leads_where_the_agreement_says(
    driver: Driver,
    box: Toolbox,
    time: SteppedTime,
    said: GivenAnswer,
    code: str,
    stage: str,
    track: str,
    days: int | None,
    counts_against: str,
) -> None:
    if said == "returned":
        taken = await until_working(driver, box)
    else:
        taken = capture(box)
        await driver.settle()

    answer_by_link(box, taken, said, reason=code, **ALSO.get(code, {}))
    await driver.settle()

    handoff = newest(box, taken)
    expected = "working" if (code, said) == ("other", "returned") else stage
    assert (handoff.stage, handoff.reason) == (expected, code)
    assert tenures(box, taken)[0].ended_because == ("note-returned" if code == "bad-data" else said)
    [line] = [event for event in events_of(box, taken) if event.kind == said]
    assert line.data["counts_against"] == counts_against
    told = [said] * len(letters(box, "feedback")) + [outcome for outcome, _ in news(box) if outcome != "accepted"]
    assert told == ([] if stage == "suppressed" else [said]), "nobody is told about somebody who opted out"
    if days is not None:
        wait = wait_of(box, taken)
        assert (handoff.track, wait.kind, wait.due_at) == (track, "revisit", time.at + days * DAY)
    elif handoff.ended_at:
        assert wait_if_any(box, taken) is None


async def test_a_lead_goes_to_the_colleague_it_belongs_to(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()

    answer_by_link(box, taken, "rejected", reason="wrong-rep", colleague="cleo")
    await driver.settle()

    assert [(one.rep, one.cause) for one in tenures(box, taken)] == [("ana", "next in turn"), ("cleo", "asked for")]
    assert letters(box, "withdrawn") == []


async def test_a_lead_is_handed_to_a_colleague_of_another_team(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()

    answer_by_link(box, taken, "handed", colleague="dan")
    await driver.settle()

    assert [one.rep for one in tenures(box, taken)] == ["ana", "dan"]
    assert wait_of(box, taken).holder == "dan"


async def test_who_handed_a_lead_on_does_not_get_it_back_when_the_colleague_lets_it_lapse(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "handed", colleague="ben")

    await driver.run(until=time.at + timedelta(minutes=35))

    assert [one.rep for one in tenures(box, taken)] == ["ana", "ben", "cleo"]


async def test_a_reason_that_marketing_must_look_at_is_laid_before_marketing(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="other", text="They laughed.")
    await driver.settle()
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder, wait_of(box, taken).about) == ("decision", "mina", "triage")
    assert letters(box, "decision-asked") == ["mina"]

    answer_by_duty(box, taken, "decided", choice="reassign")
    await driver.settle()

    assert [one.rep for one in tenures(box, taken)] == ["ana", "ben"]


async def test_who_asked_not_to_be_contacted_is_on_the_list_from_then_on(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, phone="+44 20 7946 0001")
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="do-not-contact")
    await driver.settle()

    listed = box.read_now(lambda session, now: suppressions.is_suppressed(session, taken.incoming.email, ""))
    again = capture(box, phone="+44 20 7946 0001")
    await driver.settle()

    assert listed
    assert newest(box, again).stage == "suppressed"


async def test_the_day_that_a_lead_asked_for_is_the_day_it_is_looked_at_again(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()

    answer_by_link(box, taken, "rejected", reason="not-now", revisit_on="2027-06-14")
    await driver.settle()

    assert wait_of(box, taken).due_at == datetime.fromisoformat("2027-06-14T09:00:00+01:00")


@pytest.mark.parametrize("asked", ["2026-12-31", ""])
async def test_a_day_that_has_passed_or_none_gives_the_agreed_time(driver: Driver, box: Toolbox, time: SteppedTime, asked: str) -> None:
    taken = capture(box)
    await driver.settle()

    answer_by_link(box, taken, "rejected", reason="not-now", revisit_on=asked)
    await driver.settle()

    assert wait_of(box, taken).due_at == time.at + 60 * DAY


@pytest.mark.parametrize(
    ("fields", "asks"),
    [
        ({}, "Please choose one of the agreed reasons"),
        ({"reason": "because"}, "Please choose one of the agreed reasons"),
        ({"reason": "other"}, "Please say in a few words why"),
        ({"reason": "other", "text": "  "}, "Please say in a few words why"),
        ({"reason": "wrong-rep"}, "Please say which colleague takes it"),
        ({"reason": "wrong-rep", "colleague": "ana"}, "Please say which colleague takes it"),
        ({"reason": "wrong-rep", "colleague": "maria"}, "Please say which colleague takes it"),
        ({"reason": "not-now", "revisit_on": "soon"}, "Please write the date as 2027-01-31"),
    ],
)
async def test_a_reason_that_lacks_something_is_asked_for_it_and_nothing_is_stored(
    driver: Driver, box: Toolbox, fields: dict[str, str], asks: str
) -> None:
    taken = capture(box)
    await driver.settle()

    with pytest.raises(ChoiceRefused, match=asks):
        answer_by_link(box, taken, "rejected", **fields)

    assert wait_of(box, taken).answer_id is None


async def test_what_the_rep_wrote_reaches_marketing_and_not_the_trail(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="other", text="Their budget went to the harbour wall.")
    await driver.settle()

    [letter] = [one for one in kept_by(box, "email").letters if one.message == "feedback"]
    assert "harbour wall" in letter.text
    assert not any("harbour wall" in str(event.data) for event in events_of(box, taken))


async def test_a_lead_that_was_a_duplicate_does_not_begin_again_by_itself(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    other, taken = capture(box), capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="duplicate", into=str(other.lead_id))

    await driver.run(until=time.at + 200 * DAY, revisits=True)

    assert newest(box, taken).stage == "merged"
    assert box.read_now(lambda session, now: leads.open_revisits(session, now=now)) == []
