"""How other systems failed, as their users told it in public: each failure has a test here, or names the tests that there are."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agreements.calendar.durations import Duration
from agreements.calendar.working_time import WorkingCalendar
from agreements.loading import read_agreement
from agreements.words import GivenAnswer
from storage import trail_check
from tasks.erasure import retention
from tasks.replies import answering
from tasks.replies.answering import ChoiceRefused
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import AGREEMENT, ROOT
from tests.deal import agree, answer_by_duty, staff, tenures, until_working, wait_of
from tests.driver import Driver
from tests.stage import answer_by_link, answers_of, capture, events_of, kept_by, newest, token_of

HERE = "tests/test_how_others_failed.py"
#: What went wrong elsewhere -> the tests that would fail if it went wrong here.
FAILURES: Mapping[str, tuple[str, ...]] = {
    "an answer given before the wait began was lost": (
        f"{HERE}::test_an_answer_that_is_given_before_its_wait_began_counts",
        "tests/tasks/steps/test_notify.py::test_a_rejection_that_comes_before_the_proof_counts",
    ),
    "a timer fired after the answer and undid it": (
        f"{HERE}::test_a_deadline_after_the_answer_undoes_nothing",
        "tests/storage/test_answer_races.py::test_a_deadline_that_is_declared_with_many_others_and_an_answer_never_both_count",
    ),
    "the link of an earlier attempt answered a later one": (
        f"{HERE}::test_the_link_of_an_earlier_rep_answers_nothing_for_the_next",
        "tests/app/test_pages.py::test_a_lead_that_went_to_a_colleague_shows_its_history_only",
    ),
    "both links of a mail were opened by a scanner": (
        "tests/app/test_scanners.py::test_both_links_of_one_message_change_nothing",
        "tests/app/test_scanners.py::test_a_scanner_changes_nothing_and_the_person_succeeds",
    ),
    "1 day counted as 24 working hours": (f"{HERE}::test_a_working_day_is_no_24_working_hours",),
    "a period that started before opening was wrong": (f"{HERE}::test_a_time_that_starts_while_closed_starts_at_the_opening",),
    "holidays were ignored": (
        f"{HERE}::test_holidays_are_no_working_time",
        "tests/tasks/steps/test_release_queue.py::test_weekends_and_holidays_are_no_days_for_a_list",
    ),
    "reminders stopped after the first reassignment": (
        "tests/tasks/steps/test_ladders.py::test_each_rep_is_reminded_and_each_time_the_manager_told",
        "tests/tasks/steps/test_ladders.py::test_the_second_rep_is_reminded_of_the_outcome_too",
    ),
    "a lead was assigned again to who had declined it": (
        f"{HERE}::test_nobody_who_gave_the_lead_up_gets_it_again_in_turn",
        "tests/tasks/steps/test_escalate.py::test_a_lead_is_reassigned_to_somebody_who_did_not_have_it",
    ),
    "a lead was stuck with somebody on leave": (
        "tests/tasks/background/test_absences.py::test_a_lead_without_an_answer_goes_to_somebody_else",
        "tests/tasks/steps/test_ladders.py::test_reminders_go_on_for_whoever_gets_the_lead_of_somebody_who_goes_on_leave",
    ),
    "round-robin counts were reset when the pool changed": (
        f"{HERE}::test_turns_go_on_when_somebody_joins_or_leaves_the_pool",
        "tests/tasks/steps/test_turns.py::test_a_newcomer_starts_level_and_gets_a_share_from_that_day_on",
    ),
    "a live record silently took the newest version": (f"{HERE}::test_a_lead_under_way_keeps_its_version_to_the_end",),
    "reps were blamed for the delay of routing": (f"{HERE}::test_no_rep_is_charged_for_the_time_before_the_lead_was_theirs",),
    "the audit log was gone after 30 days": (f"{HERE}::test_the_trail_outlives_thirty_days_and_stays_whole",),
    "an old link showed an error instead of who had answered": (
        f"{HERE}::test_an_old_link_says_who_has_answered_already",
        "tests/app/test_pages.py::test_late_after_another_door_is_told_who_was_first",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_has_its_tests(failure: str) -> None:
    for named in FAILURES[failure]:
        file, _, test = named.partition("::")
        tree = ast.parse((Path(ROOT) / file).read_text(encoding="utf-8"))
        tests = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
        assert test in tests, f"{file} has no {test}"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


OFFICE = WorkingCalendar.from_clause(
    {"timezone": "Europe/London", "hours": {"mon-fri": "09:00-17:00"}, "holidays": {"country": "GB", "subdivision": "ENG"}}
)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2027-02-01T10:00+00:00", "2027-02-02T10:00+00:00"),  # Monday
        ("2027-02-05T16:30+00:00", "2027-02-08T16:30+00:00"),  # Friday
        ("2027-02-06T12:00+00:00", "2027-02-08T17:00+00:00"),  # Saturday
    ],
)
def test_a_working_day_is_no_24_working_hours(start: str, due: str) -> None:
    assert Duration(1, "days", working=True).after(at(start), OFFICE) == at(due)
    assert Duration(24, "hours", working=True).after(at(start), OFFICE) > at(due) + timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2027-02-01T05:00+00:00", "2027-02-01T11:00+00:00"),  # before opening
        ("2027-02-01T18:00+00:00", "2027-02-02T11:00+00:00"),  # after closing
        ("2027-02-06T12:00+00:00", "2027-02-08T11:00+00:00"),  # Saturday
        ("2027-02-01T09:00+00:00", "2027-02-01T11:00+00:00"),  # at the opening
        ("2027-02-01T17:00+00:00", "2027-02-02T11:00+00:00"),  # at the closing
    ],
)
def test_a_time_that_starts_while_closed_starts_at_the_opening(start: str, due: str) -> None:
    assert Duration(2, "hours", working=True).after(at(start), OFFICE) == at(due)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2027-03-25T16:30+00:00", "2027-03-30T09:30+01:00"),  # over Good Friday, Easter Monday and the change of the clocks
        ("2026-12-24T16:30+00:00", "2026-12-29T09:30+00:00"),  # over Christmas, and the day that replaces Boxing Day
        ("2027-01-01T12:00+00:00", "2027-01-04T10:00+00:00"),  # on New Year's Day
    ],
)
def test_holidays_are_no_working_time(start: str, due: str) -> None:
    assert Duration(1, "hours", working=True).after(at(start), OFFICE) == at(due)


@pytest.mark.parametrize("kind", ["accepted", "rejected"])
async def test_an_answer_that_is_given_before_its_wait_began_counts(driver: Driver, box: Toolbox, time: SteppedTime, kind: Any) -> None:
    kept_by(box, "email").broken = kept_by(box, "chat").broken = kept_by(box, "manager-email").broken = True  # nothing proves it yet
    taken = capture(box)
    await driver.settle()
    assert wait_of(box, taken).kind == "delivery"

    assert answer_by_link(box, taken, kind, reason="not-now").won
    await driver.run(until=time.at + timedelta(hours=1))

    assert newest(box, taken).stage == ("accepted" if kind == "accepted" else "nurturing")
    assert answers_of(box, taken) == [(kind, "counted")]


@pytest.mark.parametrize("minutes", [0, 29, 30])
async def test_a_deadline_after_the_answer_undoes_nothing(driver: Driver, box: Toolbox, time: SteppedTime, minutes: int) -> None:
    taken, start = capture(box), time.at
    await driver.settle()
    time.at = start + timedelta(minutes=minutes)
    assert answer_by_link(box, taken, "accepted").won, "the answer is there before the clock looks, even in the last minute"

    await driver.run(until=start + timedelta(minutes=90))

    assert (newest(box, taken).stage, [one.rep for one in tenures(box, taken)]) == ("accepted", ["ana"])
    assert not [event for event in events_of(box, taken) if event.kind == "missed"]


async def test_the_link_of_an_earlier_rep_answers_nothing_for_the_next(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    old = OpenedLink(box, token_of(box, taken))
    await driver.run(until=time.at + timedelta(minutes=31))
    assert newest(box, taken).rep == "ben"

    def press(kind: GivenAnswer) -> bool:
        sent = answering.SentForm(kind, {"reason": "not-now"})
        return box.write_now(lambda session, now: answering.answer(session, old, sent, now=now)).won

    kinds: tuple[GivenAnswer, ...] = ("accepted", "rejected")
    for kind in kinds:
        with suppress(ChoiceRefused):
            assert not press(kind)
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).rep, wait_of(box, taken).holder) == ("assigned", "ben", "ben")
    assert wait_of(box, taken).answer_id is None


async def test_an_old_link_says_who_has_answered_already(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    old = OpenedLink(box, token_of(box, taken))
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.run(until=time.at + timedelta(days=1))

    seen = box.read_now(lambda session, now: answering.visit(session, old, now=now))

    assert not seen.live
    assert [(one.by, one.kind, one.reason) for one in seen.answers] == [("Ana Silva", "rejected", "not-now")]
    assert seen.ended, "and what became of the lead"


async def test_nobody_who_gave_the_lead_up_gets_it_again_in_turn(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)
    for _ in range(2):  # ana says so, then ben; each time marketing gives it to somebody else
        answer_by_link(box, taken, "rejected" if newest(box, taken).stage == "assigned" else "returned", reason="other", text="Strange.")
        await driver.run(until=time.at + timedelta(minutes=10))
        answer_by_duty(box, taken, "decided", choice="reassign")
        await driver.settle()

    await driver.run(until=time.at + timedelta(days=3))

    reps = [one.rep for one in tenures(box, taken)]
    assert reps[:3] == ["ana", "ben", "cleo"]
    assert set(reps[3:]) == {"dora"}, "after them only the default acceptor, whom the ladder names"


async def test_turns_go_on_when_somebody_joins_or_leaves_the_pool(driver: Driver, box: Toolbox) -> None:
    async def leads(count: int) -> list[str]:
        taken = []
        for _ in range(count):
            taken.append(capture(box))
            await driver.settle()
        return [newest(box, one).rep for one in taken]

    assert await leads(4) == ["ana", "ben", "cleo", "ana"]
    staff(box, ('team: emea, timezone: Europe/London, phone: "+44 20 7946 0102"', "role: operator, timezone: Europe/London"))  # without Ben

    assert await leads(2) == ["cleo", "ana"], "it goes on after Ana, and does not begin anew with her"
    staff(box)
    assert sorted(await leads(3)) == ["ana", "ben", "cleo"], "Ben is back, level with the others"


async def test_a_lead_under_way_keeps_its_version_to_the_end(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    began = (newest(box, taken).version, newest(box, taken).hash)
    agree(box, ("within: {hot: 30 working minutes, normal: 4 working hours}", "within: 2 working hours"))

    await driver.run(until=time.at + timedelta(minutes=31))
    after, new = newest(box, taken), capture(box)
    await driver.settle()

    assert (after.version, after.hash) == began == (1, newest(box, taken).hash)
    assert after.rep == "ben", "30 minutes, as agreed when it came in"
    assert newest(box, new).version == 2
    assert wait_of(box, new).due_at == time.at + timedelta(hours=2)


async def test_no_rep_is_charged_for_the_time_before_the_lead_was_theirs(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    away = "away: [{from: 2027-01-01T00:00:00Z, until: 2027-02-03T09:00:00Z}]"
    addresses = [f"{name}@northgate.example, team: emea," for name in ("ana", "ben", "cleo")]
    staff(box, *((one, f"{one} {away},") for one in addresses))
    agree(
        box,
        (
            "{do: tell-marketing-ops}, {after: 1 day, do: default-acceptor}",
            "{do: tell-marketing-ops}, {after: 9 days, do: default-acceptor}",
        ),
    )
    taken = capture(box)
    await driver.run(until=at("2027-02-03T09:10:00+00:00"))

    assert newest(box, taken).rep in ("ana", "ben", "cleo")
    assert wait_of(box, taken).due_at >= at("2027-02-03T09:30:00+00:00"), "the rep's time begins when the rep has the lead"
    answer_by_link(box, taken, "accepted")
    await driver.settle()

    owed = [event.data["owed_by"] for event in events_of(box, taken) if event.kind == "missed"]
    assert owed == ["marketing"]
    [accepted] = [event for event in events_of(box, taken) if event.kind == "accepted"]
    assert accepted.data["on_time"] is True


async def test_the_trail_outlives_thirty_days_and_stays_whole(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now", text="Later.")
    await driver.settle()
    before = [(event.id, event.kind, event.data) for event in events_of(box, taken)]

    for _ in range(20):  # each month of the time that is agreed for personal data, with the daily run of retention
        await driver.run(until=time.at + timedelta(days=31))
        time.at += timedelta(days=31)
        await retention.carry_out(box)

    now = [(event.id, event.kind, event.data) for event in events_of(box, taken)]
    assert now[: len(before)] == before
    check = box.read_now(lambda session, now: trail_check.check(session, key=box.settings.seal_key(), now=now))
    assert check.whole
    assert read_agreement(AGREEMENT).retention.trail > timedelta(days=30)
