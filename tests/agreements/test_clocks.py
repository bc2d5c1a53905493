"""When what is due: from the clause, the tier, the calendar of who owes it, and what the lead asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agreements.calendar.durations import Duration
from agreements.calendar.working_time import WorkingCalendar
from agreements.clocks import Accepted, Past, Spell, bounded_until, calendar_for, first_attempt_due, is_too_early, schedule, term_for
from agreements.loading import read_agreement
from agreements.model import Clock, RequestedTime
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
    found = first_attempt_due(clock, Accepted(at(start), at(accepted), wanted), tier=tier, calendar=LONDON)
    return told(found)


def test_the_first_attempt_is_due_by_the_end_of_the_day_of_the_assignment() -> None:
    assert due(start="1 09:00", accepted="1 10:00") == "1 17:30"


def test_speed_to_lead_counts_from_the_assignment_and_not_from_the_acceptance() -> None:
    assert due(tier="hot", start="1 09:00", accepted="1 09:50") == "1 11:00"


def test_whoever_accepts_late_has_at_least_the_agreed_time() -> None:
    assert due(start="1 09:00", accepted="1 17:00") == "2 09:30"
    assert due(tier="hot", start="1 09:00", accepted="1 10:30") == "1 11:30"


@pytest.mark.parametrize(("outside_hours", "expected"), [("next-opening", "8 09:30"), ("keep", "6 20:30")])
def test_a_contact_time_outside_the_reps_hours_moves_unless_the_agreement_keeps_it(outside_hours: str, expected: str) -> None:
    written = {"tolerance": "30 minutes", "outside_hours": outside_hours}
    clock = FIRST_ATTEMPT.model_copy(update={"respect_requested_time": RequestedTime.model_validate(written)})

    assert due(start="1 09:00", accepted="1 09:10", requested="6 20:00", clock=clock) == expected
    assert due(start="1 09:00", accepted="1 09:10", requested="2 10:00", clock=clock) == "2 10:30"


def test_without_a_least_time_only_the_assignment_counts() -> None:
    clock = FIRST_ATTEMPT.model_copy(update={"at_least": None})

    assert due(start="1 09:00", accepted="1 17:29", clock=clock) == "1 17:30"


@pytest.mark.parametrize(
    ("name", "accepted", "requested", "expected"),
    [
        ("a time later than agreed moves it there", "1 09:10", "3 15:00", "3 15:30"),
        ("one outside hours moves to the next opening", "1 09:10", "6 20:00", "8 09:30"),
        ("also one before the day begins", "1 09:10", "3 07:00", "3 09:30"),
        ("also one at the very closing", "1 09:10", "3 17:30", "4 09:30"),
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


NEWYORK = WorkingCalendar.from_clause({"timezone": "America/New_York", "hours": {"mon-fri": "09:00-17:00"}})
SHORT_DAYS = WorkingCalendar.from_clause({"timezone": "Europe/London", "hours": {"mon-fri": "09:00-11:00"}})
REMAINDER = ACCEPTANCE.model_copy(update={"on_reassign": "remainder"})


def a_clock(within: str, **more: object) -> Clock:
    return Clock.model_validate({"owed_by": "sales", "within": within, "when_missed": [{"do": "nurture"}], **more})


@pytest.mark.parametrize(
    ("named", "holder", "zone"),
    [
        ("rep", "newyork", "America/New_York"),
        ("holder", "newyork", "America/New_York"),
        ("", "newyork", "America/New_York"),
        ("rep", "", "Europe/London"),
        ("newyork", "london", "America/New_York"),
        ("london", "newyork", "Europe/London"),
    ],
)
def test_a_clock_runs_on_the_calendar_it_names_or_on_that_of_who_owes_it(named: str, holder: str, zone: str) -> None:
    newyork = {"timezone": "America/New_York", "hours": {"mon-fri": "09:00-17:00"}}
    agreement = EXAMPLE.model_copy(update={"calendars": {**EXAMPLE.calendars, "newyork": newyork}})
    agreement.__dict__.pop("calendar_values", None)

    found = calendar_for(ACCEPTANCE.model_copy(update={"calendar": named}), agreement, holder)

    assert found.timezone.key == zone


@pytest.mark.parametrize(
    ("name", "within", "spells", "left"),
    [
        ("an hour of four", "4 working hours", [("1 09:00", "1 10:00", LONDON)], "3 working hours"),
        ("only what was open", "4 working hours", [("1 12:00", "1 14:00", LONDON)], "3 working hours"),
        ("on the calendar of who had it", "4 working hours", [("1 09:00", "1 15:00", NEWYORK)], "3 working hours"),
        ("two reps", "90 working minutes", [("1 09:00", "1 09:30", LONDON), ("1 14:00", "1 14:20", NEWYORK)], "40 working minutes"),
        ("nothing is left", "30 working minutes", [("1 09:00", "1 09:30", LONDON)], "30 working minutes"),
        ("nothing was left, then ten minutes", "30 working minutes",
         [("1 09:00", "1 09:30", LONDON), ("1 09:30", "1 09:40", LONDON)], "20 working minutes"),
        ("more was used than there was", "30 working minutes", [("1 09:00", "2 09:30", LONDON)], "30 working minutes"),
        ("elapsed time passes at night", "12 hours", [("1 17:30", "1 23:30", LONDON)], "6 hours"),
        ("two days of ten", "10 working days", [("1 09:00", "2 17:30", LONDON)], "8 working days"),
        ("half a short day is half a day", "10 working days", [("1 09:00", "1 10:00", SHORT_DAYS)], "9.5 working days"),
        ("a spell in which nothing was open", "10 working days", [("6 09:00", "7 09:00", LONDON)], "10 working days"),
        ("the end of the day begins anew", "end of same working day", [("1 09:00", "1 12:00", LONDON)], "end of same working day"),
    ],
)  # fmt: skip
def test_what_is_left_is_what_those_before_did_not_use(
    name: str, within: str, spells: list[tuple[str, str, WorkingCalendar]], left: str
) -> None:
    past = Past(tuple(Spell(at(start), at(end), calendar) for start, end, calendar in spells))

    assert str(term_for(a_clock(within, on_reassign="remainder"), tier="normal", past=past)) == left
    assert str(term_for(a_clock(within), tier="normal", past=past)) == within


def test_a_pause_within_a_spell_was_not_used() -> None:
    past = Past((Spell(at("1 09:00"), at("1 11:00"), LONDON),), ((at("1 09:30"), at("1 10:30")),))

    assert str(term_for(REMAINDER, tier="normal", past=past)) == "3 working hours"


def test_the_remainder_is_due_and_has_its_shares_on_the_calendar_of_the_next_rep() -> None:
    past = Past((Spell(at("1 09:00"), at("1 09:10"), LONDON),))

    plan = schedule(REMAINDER, tier="hot", start=at("1 13:00"), calendar=NEWYORK, past=past)

    assert told(plan.due_at) == "1 14:20"
    assert [(told(when), what) for when, what in plan.nudges] == [("1 14:10", "remind"), ("1 14:16", "tell-manager")]


def test_pauses_move_the_due_time_and_the_shares_before_it() -> None:
    past = Past(pauses=((at("1 09:10"), at("1 10:10")),))

    plan = schedule(ACCEPTANCE, tier="hot", start=at("1 09:00"), calendar=LONDON, past=past)

    assert told(plan.due_at) == "1 10:30"
    assert [told(when) for when, _ in plan.nudges] == ["1 10:15", "1 10:24"]


def test_pauses_do_not_count_towards_the_total() -> None:
    pauses = ((at("1 09:10"), at("1 12:10")),)

    bound = bounded_until(ACCEPTANCE, tier="hot", first_start=at("1 09:00"), calendar=LONDON, pauses=pauses)

    assert bound is not None
    assert told(bound) == "1 15:00"


def test_pauses_move_the_first_attempt_but_not_what_whoever_accepts_late_has() -> None:
    past = Past(pauses=((at("1 09:30"), at("1 10:30")),))

    def due_when_accepted(accepted: str) -> str:
        found = first_attempt_due(FIRST_ATTEMPT, Accepted(at("1 09:00"), at(accepted)), tier="hot", calendar=LONDON, past=past)
        return told(found)

    assert due_when_accepted("1 10:30") == "1 12:00"
    assert due_when_accepted("1 11:30") == "1 12:30"


def test_a_first_attempt_is_bounded_too_but_leaves_the_agreed_time_after_the_acceptance() -> None:
    def due_with(bound: str) -> str:
        accepted = Accepted(at("1 09:00"), at("1 09:00"), bound=at(bound))
        found = first_attempt_due(FIRST_ATTEMPT, accepted, tier="hot", calendar=LONDON)
        return told(found)

    assert due_with("1 10:30") == "1 10:30"
    assert due_with("1 09:30") == "1 10:00"
    assert due_with("1 08:00") == "1 11:00"


def test_the_tolerance_of_a_requested_time_may_be_working_time() -> None:
    tolerance = RequestedTime.model_construct(tolerance=Duration(30, "minutes", working=True))
    clock = FIRST_ATTEMPT.model_copy(update={"respect_requested_time": tolerance})

    assert due(start="1 09:00", accepted="1 09:10", requested="6 20:00", clock=clock) == "8 09:30"
