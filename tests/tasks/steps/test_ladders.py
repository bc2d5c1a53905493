"""Every ladder runs to its end, and reminders go on for whoever has the lead next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from agreements.lifecycle import ENDS
from agreements.words import ClockName
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree_on, answer_by_duty, staff, tenures, until_accepted, until_working, wait_if_any, wait_of
from tests.driver import Driver
from tests.examples import spread
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest

Begin = Callable[[Driver, Toolbox], Awaitable[Taken]]
MONTHS = timedelta(days=500)


async def captured(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.settle()
    return taken


async def unproven(driver: Driver, box: Toolbox) -> Taken:
    """Nothing proves that the rep was told."""
    for channel in ("email", "chat", "manager-email"):
        kept_by(box, channel).refuses = {"ana", "ben", "cleo", "dora", "maria"}
    return await captured(driver, box)


async def nobody_there(driver: Driver, box: Toolbox) -> Taken:
    """The whole team is away for two years."""
    away = "away: [{from: 2027-01-01T00:00:00Z, until: 2029-01-01T00:00:00Z}]"
    addresses = [f"{name}@northgate.example, team: emea," for name in ("ana", "ben", "cleo")]
    staff(box, *((one, f"{one} {away},") for one in addresses), ("until: 2027-02-08", "until: 2029-02-08"))
    return await captured(driver, box)


async def without_a_campaign(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box, campaign="")
    await driver.settle()
    return taken


async def asked_of_the_manager(driver: Driver, box: Toolbox) -> Taken:
    taken = await until_working(driver, box)
    await driver.run(until=wait_of(box, taken).due_at)
    return taken


#: clock, how a lead comes to wait on it, who holds it then.
CLOCKS: list[tuple[ClockName, Begin, str]] = [
    ("delivery", nobody_there, "marketing"),
    ("delivery", unproven, "system"),
    ("acceptance", captured, "ana"),
    ("first_attempt", until_accepted, "ana"),
    ("outcome", until_working, "ana"),
    ("note", without_a_campaign, "mina"),
    ("decision", asked_of_the_manager, "maria"),
]
#: Each rung comes later than the one before. Elapsed time, so that the table needs no calendar.
TELLS: list[dict[str, Any]] = [
    {"do": "remind"},
    {"do": "tell-manager", "after": "1 hour"},
    {"do": "tell-marketing-ops", "after": "2 hours", "at_most": 2},
]


def ladder(clock: ClockName, rungs: list[dict[str, Any]]) -> Callable[[dict[str, Any]], object]:
    def change(tree: dict[str, Any]) -> None:
        terms = {key: tree["clocks"][clock][key] for key in ("owed_by",)}
        tree["clocks"][clock] = {**terms, "within": "1 hour", "when_missed": rungs}
        tree["recycling"] = {"at_most": 1, "revisit": "10 days"}

    return change


def climbed(box: Toolbox, taken: Taken, clock: str) -> list[tuple[str, timedelta]]:
    """The rungs of this clock that were taken, each with the time since the one before; the first since the miss."""
    events = [one for one in events_of(box, taken) if one.kind in ("missed", "escalated") and one.data["clock"] == clock]
    return [
        (str(after.data["do"]), after.at - before.at)
        for before, after in zip(events, events[1:], strict=False)
        if after.kind == "escalated"
    ]


@pytest.mark.parametrize(
    ("clock", "begin", "holder", "end"),
    spread(
        [*((*one, "nurture") for one in CLOCKS), *((*one, "disqualify") for one in CLOCKS if one[0] in ("acceptance", "note"))], one_in=2
    ),
    ids=lambda one: getattr(one, "__name__", None) or one,
)
async def test_a_ladder_takes_each_rung_in_its_order_and_its_time_and_the_last_one_ends(
    driver: Driver, box: Toolbox, time: SteppedTime, clock: ClockName, begin: Begin, holder: str, end: str
) -> None:
    agree_on(box, ladder(clock, [*TELLS, {"do": end, "after": "3 hours"}]))
    taken = await begin(driver, box)
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == (clock, holder)

    await driver.run(until=time.at + timedelta(hours=18))

    hours = [("remind", 0), ("tell-manager", 1), ("tell-marketing-ops", 2), ("tell-marketing-ops", 2), (end, 3)]
    assert [(do, round(after / timedelta(hours=1))) for do, after in climbed(box, taken, clock)] == hours
    assert newest(box, taken).stage == ("nurturing" if end == "nurture" else "disqualified")


@pytest.mark.parametrize(
    ("clock", "begin", "holder"), spread(CLOCKS, one_in=2), ids=lambda one: one if isinstance(one, str) else getattr(one, "__name__", "")
)
async def test_a_lead_that_nobody_ever_answers_ends(
    driver: Driver, box: Toolbox, time: SteppedTime, clock: ClockName, begin: Begin, holder: str
) -> None:
    """Under the example's own ladders: to a colleague, to the default acceptor, to the manager, and to nurture, which ends too."""
    agree_on(box, lambda tree: tree.update(recycling={"at_most": 2, "revisit": "30 days"}))
    taken = await begin(driver, box)

    await driver.run(until=time.at + MONTHS, revisits=True)

    handoff = newest(box, taken)
    assert (handoff.stage in ENDS, handoff.stage) == (True, "disqualified")
    assert wait_if_any(box, taken) is None
    rungs = [(one.data["clock"], one.data["rung"]) for one in events_of(box, taken) if one.kind == "escalated"]
    assert [one for one in rungs if one[0] == clock] == sorted(one for one in rungs if one[0] == clock), "never back to an earlier rung"


def nudged(box: Toolbox, taken: Taken) -> list[tuple[str, str, str]]:
    """What was said while a clock ran, in order: to whom, what, and about which clock."""
    return [(str(one.data["to"]), str(one.data["action"]), str(one.data["wait"])) for one in events_of(box, taken) if one.kind == "nudged"]


def minutes_of(box: Toolbox, taken: Taken, action: str) -> list[int]:
    """The minutes after nine o'clock at which this was said."""
    at = [one.at for one in events_of(box, taken) if one.kind == "nudged" and one.data["action"] == action]
    return [round((one - events_of(box, taken)[0].at) / timedelta(minutes=1)) for one in at]


async def test_each_rep_is_reminded_and_each_time_the_manager_told(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await captured(driver, box)

    await driver.run(until=time.at + timedelta(hours=3))

    reps = ["ana", "ben", "cleo", "dora"]
    assert [one.rep for one in tenures(box, taken)] == reps
    told = [pair for rep in reps for pair in ((rep, "remind", "acceptance"), ("maria", "tell-manager", "acceptance"))]
    told[-1] = ("oscar", "tell-manager", "acceptance")  # Dora is in no team
    assert nudged(box, taken) == told
    assert minutes_of(box, taken, "remind") == [15, 45, 75, 105]


async def test_the_third_rep_is_reminded_in_what_is_left_of_the_total(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["clocks"]["acceptance"].update(total={"hot": "80 working minutes", "normal": "12 working hours"}))
    taken, start = await captured(driver, box), time.at

    await driver.run(until=start + timedelta(minutes=79))

    assert minutes_of(box, taken, "remind") == [15, 45, 70], "twenty minutes are left for the third"
    assert minutes_of(box, taken, "tell-manager") == [24, 54, 76]
    await driver.run(until=start + timedelta(minutes=81))
    assert tenures(box, taken)[-1].rep == "dora", "the total is used up: no fourth rep in turn"


async def test_with_the_remainder_the_next_rep_is_reminded_in_what_is_left(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["clocks"]["acceptance"].update(on_reassign="remainder"))
    taken = await captured(driver, box)
    time.at += timedelta(minutes=10)
    answer_by_link(box, taken, "handed", colleague="cleo")
    await driver.settle()
    start = time.at

    await driver.run(until=time.at + timedelta(minutes=19))

    assert nudged(box, taken) == [("cleo", "remind", "acceptance"), ("maria", "tell-manager", "acceptance")]
    assert wait_of(box, taken).due_at == start + timedelta(minutes=20)


async def test_reminders_go_on_after_a_manager_has_left_the_lead_with_the_rep(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["clocks"]["acceptance"].update(when_missed=[{"do": "manager-decides"}, {"do": "nurture"}], total={}))
    taken = await captured(driver, box)
    await driver.run(until=time.at + timedelta(minutes=31))
    answer_by_duty(box, taken, "decided", choice="give-back")
    await driver.settle()
    start = time.at

    assert [(one.rep, one.ended_because) for one in tenures(box, taken)] == [("ana", "")], "left with her"
    assert (wait_of(box, taken).kind, wait_of(box, taken).due_at) == ("acceptance", start + timedelta(minutes=30))
    await driver.run(until=start + timedelta(minutes=29))
    assert [one for one in nudged(box, taken) if one[1] == "remind"] == [("ana", "remind", "acceptance")] * 2
    await driver.run(until=start + timedelta(minutes=31))
    assert newest(box, taken).stage == "nurturing", "the ladder goes on where it stood"


@pytest.mark.parametrize(("colleague", "next_rep"), [("", "ben"), ("cleo", "cleo")])
async def test_reminders_go_on_for_the_rep_whom_the_manager_names(
    driver: Driver, box: Toolbox, time: SteppedTime, colleague: str, next_rep: str
) -> None:
    agree_on(box, lambda tree: tree["clocks"]["acceptance"].update(when_missed=[{"do": "manager-decides"}]))
    taken = await captured(driver, box)
    await driver.run(until=time.at + timedelta(minutes=31))

    answer_by_duty(box, taken, "decided", choice="reassign", colleague=colleague)
    await driver.settle()
    await driver.run(until=time.at + timedelta(minutes=29))

    assert nudged(box, taken)[-2:] == [(next_rep, "remind", "acceptance"), ("maria", "tell-manager", "acceptance")]


async def test_reminders_go_on_for_whoever_gets_the_lead_of_somebody_who_goes_on_leave(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    from tasks.background.absences import hand_over_absences

    away = "away: [{from: 2027-02-01T09:20:00Z, until: 2027-02-10T00:00:00Z, deputy: cleo}]"
    staff(box, ("ana@northgate.example, team: emea,", f"ana@northgate.example, team: emea, {away},"))
    taken = await until_accepted(driver, box)
    assert newest(box, taken).rep == "ana"
    time.at += timedelta(minutes=21)
    await hand_over_absences(box)
    await driver.settle()

    await driver.run(until=time.at + timedelta(minutes=29))

    assert [one.rep for one in tenures(box, taken)] == ["ana", "cleo"]
    assert nudged(box, taken) == [("cleo", "remind", "acceptance"), ("maria", "tell-manager", "acceptance")]


async def test_the_second_rep_is_reminded_of_the_outcome_too(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)
    await driver.run(until=wait_of(box, taken).due_at)
    answer_by_duty(box, taken, "decided", choice="reassign", colleague="ben")
    await driver.settle()
    for kind in ("accepted", "attempted"):
        answer_by_link(box, taken, kind)
        await driver.settle()

    await driver.run(until=wait_of(box, taken).due_at - timedelta(minutes=1))

    assert [one for one in nudged(box, taken) if one[2] == "outcome"] == [("ana", "remind", "outcome"), ("ben", "remind", "outcome")]


@pytest.mark.parametrize("choice", ["give-back", "reassign", "nurture", "disqualify"])
async def test_marketing_can_decide_anything_about_what_sales_gave_back(
    driver: Driver, box: Toolbox, time: SteppedTime, choice: str
) -> None:
    taken = await until_working(driver, box)
    answer_by_link(box, taken, "returned", reason="other", text="Strange.")
    await driver.run(until=time.at + timedelta(minutes=10))
    assert (wait_of(box, taken).kind, wait_of(box, taken).about) == ("decision", "triage")

    answer_by_duty(box, taken, "decided", choice=choice)
    await driver.settle()

    expected = {
        "give-back": ("assigned", "ana"),
        "reassign": ("assigned", "ben"),
        "nurture": ("nurturing", "ana"),
        "disqualify": ("disqualified", "ana"),
    }
    assert (newest(box, taken).stage, tenures(box, taken)[-1].rep) == expected[choice]


async def test_a_lead_that_no_rep_has_cannot_be_left_with_one(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    from tasks.choices import decisions

    agree_on(box, lambda tree: tree["clocks"]["delivery"].update(when_missed=[{"do": "manager-decides"}]))
    taken = await nobody_there(driver, box)
    await driver.run(until=time.at + timedelta(hours=2))

    assert wait_of(box, taken).kind == "decision"
    assert set(decisions(wait_of(box, taken))) == {"reassign", "nurture", "disqualify"}


def as_usual(*clocks: ClockName) -> Callable[[dict[str, Any]], object]:
    """The example without these clocks: they are as usual."""
    return lambda tree: [tree["clocks"].pop(clock) for clock in clocks]


@pytest.mark.parametrize(("clock", "begin"), [("delivery", nobody_there), ("note", without_a_campaign)], ids=["delivery", "note"])
async def test_marketing_owes_nothing_while_it_is_closed(
    driver: Driver, box: Toolbox, time: SteppedTime, clock: ClockName, begin: Begin
) -> None:
    """A lead comes on Friday afternoon. London is open from 9:00 to 12:30 and from 13:30 to 17:30."""
    agree_on(box, as_usual("delivery", "note"))
    time.at = datetime.fromisoformat("2027-02-05T16:30:00+00:00")
    taken = await begin(driver, box)
    assert wait_of(box, taken).kind == clock
    assert wait_of(box, taken).due_at == datetime.fromisoformat("2027-02-09T12:30:00+00:00"), "1 hour, 7.5 hours, 3.5 hours"

    await driver.run(until=datetime.fromisoformat("2027-02-15T09:00:00+00:00"))

    said = [event for event in events_of(box, taken) if event.kind in ("missed", "escalated", "nudged")]
    spoken = [event.at for event in said if event.data.get("clock", clock) == clock]
    assert spoken
    assert all(at.weekday() < 5 and 9 <= at.hour < 18 for at in spoken)
