"""When what is due: from the clause, the tier, the calendar of who owes it, and what the lead asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agreements.clocks import bounded_until, first_attempt_due, is_too_early, schedule
from agreements.loading import read_agreement
from agreements.model import Clock
from tests.conftest import AGREEMENT

EXAMPLE = read_agreement(AGREEMENT)
LONDON = EXAMPLE.calendar("london")
ACCEPTANCE, FIRST_ATTEMPT = EXAMPLE.clocks.acceptance, EXAMPLE.clocks.first_attempt


def at(text: str) -> datetime:
    """An instant of February 2027 in London, where it is UTC: `1 09:00` is Monday, nine o'clock."""
    day, _, time = text.partition(" ")
    return datetime.fromisoformat(f"2027-02-{int(day):02}T{time}:00+00:00")


def told(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%-d %H:%M}"


@pytest.mark.parametrize(
    ("name", "tier", "start", "due"),
    [
        ("half an hour in the morning", "hot", "1 09:00", "1 09:30"),
        ("half an hour over lunch", "hot", "1 12:15", "1 13:45"),
        ("half an hour that ends at closing is due at closing", "hot", "1 17:00", "1 17:30"),
        ("half an hour over night", "hot", "1 17:15", "2 09:15"),
        ("half an hour over the week-end", "hot", "5 17:15", "8 09:15"),
        ("from Saturday it begins on Monday", "hot", "6 11:00", "8 09:30"),
        ("four hours in a day", "normal", "1 09:00", "1 14:00"),
        ("four hours into the next day", "normal", "1 15:30", "2 11:00"),
        ("a tier that is not named takes normal", "gold", "1 09:00", "1 14:00"),
    ],
)
def test_acceptance_is_due_after_the_agreed_working_time(name: str, tier: str, start: str, due: str) -> None:
    plan = schedule(ACCEPTANCE, tier=tier, start=at(start), calendar=LONDON)

    assert told(plan.due_at) == due


@pytest.mark.parametrize(
    ("name", "start", "nudges"),
    [
        ("shares of half an hour", "1 09:00", [("1 09:15", "remind"), ("1 09:24", "tell-manager")]),
        ("shares of working time pass over lunch", "1 12:20", [("1 13:35", "remind"), ("1 13:44", "tell-manager")]),
        ("and over night", "1 17:20", [("2 09:05", "remind"), ("2 09:14", "tell-manager")]),
    ],
)
def test_shares_of_the_time_are_shares_of_working_time(name: str, start: str, nudges: list[tuple[str, str]]) -> None:
    plan = schedule(ACCEPTANCE, tier="hot", start=at(start), calendar=LONDON)

    assert [(told(when), what) for when, what in plan.nudges] == nudges


def test_shares_of_elapsed_time_are_shares_of_elapsed_time() -> None:
    clock = EXAMPLE.clocks.note.model_copy(update={"at": {50: "remind"}})

    plan = schedule(clock, tier="normal", start=at("1 17:00"), calendar=LONDON)

    assert [told(when) for when, _ in plan.nudges] == ["1 23:00"]
    assert told(plan.due_at) == "2 05:00"


def test_nudges_that_have_passed_are_left_out() -> None:
    plan = schedule(ACCEPTANCE, tier="hot", start=at("1 09:00"), calendar=LONDON, now=at("1 09:15"))

    assert [what for _, what in plan.nudges] == ["tell-manager"]


def test_the_time_over_all_assignments_together_bounds_the_due_time_and_its_shares() -> None:
    bound = bounded_until(ACCEPTANCE, tier="hot", first_start=at("1 09:00"), calendar=LONDON)
    assert bound is not None

    plan = schedule(ACCEPTANCE, tier="hot", start=at("1 10:40"), calendar=LONDON, bound=bound)

    assert told(bound) == "1 11:00"
    assert told(plan.due_at) == "1 11:00"
    assert [told(when) for when, _ in plan.nudges] == ["1 10:50", "1 10:56"]


def test_a_bound_that_lies_further_off_changes_nothing() -> None:
    plan = schedule(ACCEPTANCE, tier="hot", start=at("1 09:00"), calendar=LONDON, bound=at("1 11:00"))

    assert told(plan.due_at) == "1 09:30"


@pytest.mark.parametrize("bound", ["1 09:00", "1 08:00"])
def test_who_gets_the_lead_when_the_bound_is_used_up_has_the_agreed_time(bound: str) -> None:
    plan = schedule(ACCEPTANCE, tier="hot", start=at("1 09:00"), calendar=LONDON, bound=at(bound))

    assert told(plan.due_at) == "1 09:30"


def test_without_a_total_there_is_no_bound() -> None:
    assert bounded_until(FIRST_ATTEMPT, tier="hot", first_start=at("1 09:00"), calendar=LONDON) is None


def due(*, tier: str = "normal", start: str, accepted: str, requested: str | None = None, clock: Clock = FIRST_ATTEMPT) -> str:
    wanted = at(requested) if requested else None
    found = first_attempt_due(clock, tier=tier, start=at(start), accepted_at=at(accepted), calendar=LONDON, requested=wanted)
    return told(found)


def test_the_first_attempt_is_due_by_the_end_of_the_day_of_the_assignment() -> None:
    assert due(start="1 09:00", accepted="1 10:00") == "1 17:30"


def test_speed_to_lead_counts_from_the_assignment_and_not_from_the_acceptance() -> None:
    assert due(tier="hot", start="1 09:00", accepted="1 09:50") == "1 11:00"


def test_whoever_accepts_late_has_at_least_the_agreed_time() -> None:
    assert due(start="1 09:00", accepted="1 17:00") == "2 09:30"
    assert due(tier="hot", start="1 09:00", accepted="1 10:30") == "1 11:30"


def test_without_a_least_time_only_the_assignment_counts() -> None:
    clock = FIRST_ATTEMPT.model_copy(update={"at_least": None})

    assert due(start="1 09:00", accepted="1 17:29", clock=clock) == "1 17:30"


@pytest.mark.parametrize(
    ("name", "accepted", "requested", "expected"),
    [
        ("a time later than agreed moves it there", "1 09:10", "3 15:00", "3 15:30"),
        ("also one outside hours", "1 09:10", "6 20:00", "6 20:30"),
        ("a time earlier than agreed moves it there too", "1 09:10", "1 10:00", "1 10:30"),
        ("one that passed before the rep accepted leaves the tolerance", "1 11:00", "1 10:00", "1 11:30"),
        ("one before the assignment moves nothing", "1 09:10", "1 08:00", "1 17:30"),
        ("one at the very assignment moves nothing", "1 09:10", "1 09:00", "1 17:30"),
    ],
)
def test_a_requested_contact_time_moves_the_first_attempt(name: str, accepted: str, requested: str, expected: str) -> None:
    assert due(start="1 09:00", accepted=accepted, requested=requested) == expected


def test_an_agreement_that_does_not_respect_the_requested_time_is_not_moved_by_it() -> None:
    clock = FIRST_ATTEMPT.model_copy(update={"respect_requested_time": None})

    assert due(start="1 09:00", accepted="1 09:10", requested="3 15:00", clock=clock) == "1 17:30"


def test_an_attempt_before_the_requested_time_is_too_early() -> None:
    wanted = at("3 15:00")

    assert is_too_early(at=wanted - timedelta(seconds=1), requested=wanted)
    assert not is_too_early(at=wanted, requested=wanted)
    assert not is_too_early(at=wanted, requested=None)


def test_a_clock_without_a_time_for_normal_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time for tier 'normal'"):
        Clock.model_validate({"owed_by": "sales", "within": {"hot": "1 hour"}, "when_missed": [{"do": "nurture"}]})


@pytest.mark.parametrize("share", ["0%", "100%", "half", "50", "-5%", "5.5%"])
def test_a_share_that_is_none_is_refused(share: str) -> None:
    with pytest.raises(ValueError, match="is no share of the clock's time; write a percentage such as '50%'"):
        Clock.model_validate({"owed_by": "sales", "within": "1 hour", "at": {share: "remind"}, "when_missed": [{"do": "nurture"}]})
