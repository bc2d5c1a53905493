"""What a clock does from an instant on: shares, due time, ladder, and the days that are passed over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.timeline import Step, Timeline, timeline
from agreements.words import ClockName
from tests.conftest import AGREEMENT


def agreed(*changes: tuple[str, str]) -> Agreement:
    text = AGREEMENT
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example agreement"
        text = text.replace(old, new)
    return read_agreement(text)


def line(name: ClockName, start: str, *changes: tuple[str, str], tier: str = "normal", calendar: str = "") -> Timeline:
    return timeline(agreed(*changes), name, tier=tier, start=datetime.fromisoformat(start), holder_calendar=calendar)


def told(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%-d %H:%M}" if at else "-"


def steps(many: tuple[Step, ...]) -> list[tuple[str, str, str]]:
    return [(told(one.at), one.do, one.when) for one in many]


LADDER = "[{do: reassign, at_most: 2}, {do: default-acceptor}, {do: nurture, track: unworked}]"


def test_an_acceptance_over_a_bank_holiday_says_when_and_what_was_passed_over() -> None:
    """Friday 1 May 2026, half past four in London: an hour on Friday, three on Tuesday."""
    found = line("acceptance", "2026-05-01T16:30+01:00")

    assert told(found.due_at) == "5 11:00"
    assert steps(found.nudges) == [("5 09:00", "remind", "at 50%"), ("5 10:12", "tell-manager", "at 80%")]
    assert [(str(day), why) for day, why in found.closed] == [("2026-05-02", ""), ("2026-05-03", ""), ("2026-05-04", "May Day")]
    assert [(told(opens), told(closes)) for opens, closes in found.counted] == [("1 15:30", "1 16:30"), ("5 08:00", "5 11:00")]
    assert (told(found.bound), found.calendar_name, found.owed_by) == ("6 11:30", "london", "sales")


def test_a_ladder_is_told_as_far_as_nobody_else_decides_about_it() -> None:
    assert steps(line("acceptance", "2026-05-05T09:00+01:00", tier="hot").rungs) == [
        ("5 08:30", "reassign (1 of 2)", "at once"),
        ("-", "reassign (2 of 2)", "when the next rep misses it too"),
        ("-", "default-acceptor", "when the next rep misses it too"),
        ("-", "nurture on track unworked", "when the default acceptor misses it too"),
    ]


def test_further_times_follow_one_another_on_the_calendar() -> None:
    assert steps(line("first_attempt", "2026-05-05T09:00+01:00", tier="hot").rungs) == [
        ("5 10:00", "tell-manager", "at once"),
        ("5 15:00", "reassign", "after 4 working hours"),
        ("-", "manager-decides", "when the next rep misses it too"),
    ]


def test_a_rung_that_is_taken_several_times_is_told_each_time() -> None:
    ladder = "[{do: remind, after: 1 working hour, at_most: 2}, {do: nurture}]"

    found = line("acceptance", "2026-05-05T09:00+01:00", (LADDER, ladder), tier="hot")

    assert steps(found.rungs) == [
        ("5 09:30", "remind (1 of 2)", "after 1 working hour"),
        ("5 10:30", "remind (2 of 2)", "after 1 working hour"),
        ("5 10:30", "nurture", "at once"),
    ]


def test_after_a_decision_what_comes_next_depends_on_it() -> None:
    found = line(
        "acceptance", "2026-05-05T09:00+01:00", (LADDER, "[{do: manager-decides}, {do: nurture, after: 1 working day}]"), tier="hot"
    )

    assert steps(found.rungs)[1] == ("-", "nurture", "after 1 working day, when the manager gives it back and it is missed again")


def test_where_the_total_ends_with_the_due_time_nobody_else_gets_it() -> None:
    found = line("acceptance", "2026-05-05T09:00+01:00", ("total: {hot: 2 working hours", "total: {hot: 30 working minutes"), tier="hot")

    assert (told(found.due_at), told(found.bound)) == ("5 08:30", "5 08:30")
    assert steps(found.rungs)[:3] == [
        ("-", "reassign (1 of 2)", "passed over: the total time is used up"),
        ("-", "reassign (2 of 2)", "passed over: the total time is used up"),
        ("5 08:30", "default-acceptor", "at once"),
    ]
    assert "the total time over all reps ends here" in found.notes


def test_the_calendar_of_who_owes_it_counts_or_the_one_that_is_named() -> None:
    newyork = ("\n\nrouting:", '\n  newyork: {timezone: America/New_York, hours: {mon-fri: "09:00-17:00"}}\n\nrouting:')
    rep = "owed_by: sales\n    calendar: rep\n    within: {hot: 30 working minutes"
    named = (rep, rep.replace("rep", "london"))

    assert told(line("acceptance", "2026-05-05T09:00+01:00", newyork, tier="hot", calendar="newyork").due_at) == "5 13:30"
    assert told(line("acceptance", "2026-05-05T09:00+01:00", newyork, named, tier="hot", calendar="newyork").due_at) == "5 08:30"


def test_elapsed_time_passes_nothing_over() -> None:
    found = line("note", "2026-05-01T16:30+01:00")

    assert (told(found.due_at), found.closed) == ("2 03:30", ())
    assert [(told(opens), told(closes)) for opens, closes in found.counted] == [("1 15:30", "2 00:00"), ("2 00:00", "2 03:30")]


def test_special_days_are_passed_over_by_that_name() -> None:
    special = ("subdivision: ENG}", 'subdivision: ENG}\n    special_days: {2026-05-05: closed, 2026-05-04: "09:00-10:00"}')

    found = line("acceptance", "2026-05-01T16:30+01:00", special)

    assert [(day.day, why) for day, why in found.closed] == [(2, ""), (3, ""), (5, "special day")]
    assert told(found.due_at) == "6 10:00"


def test_what_else_moves_the_due_time_is_said() -> None:
    line_of = "within: {hot: 2 working hours, normal: end of same working day}\n"
    found = line(
        "first_attempt", "2026-05-05T09:00+01:00", (line_of, f"{line_of}    on_reassign: remainder\n    pauses: [fix_note]\n"), tier="hot"
    )

    assert found.notes == (
        "on reassignment the next rep gets what is left, on their own calendar",
        "a rep who accepts late still has 1 working hour from then",
        "a contact time that the lead asked for moves it there, plus 30 minutes",
        "the clock is paused while marketing corrects the note",
    )


def test_a_release_plan_says_from_when_it_is_reckoned() -> None:
    found = line(
        "delivery",
        "2026-05-05T09:00+01:00",
        (
            "  - {name: normal,",
            "  - {name: list, when: {entry_channel: trade_show}, release: 10 per rep per working day}\n  - {name: normal,",
        ),
        ("within: {hot: 1 hour, normal: 12 hours}", "within: {hot: 1 hour, list: per release plan, normal: 12 hours}"),
        tier="list",
    )

    assert told(found.due_at) == "5 16:30"
    assert found.notes == ("the start is taken as the time at which the plan releases the lead",)


def test_there_is_no_such_clock() -> None:
    with pytest.raises(KeyError):
        line("patience", "2026-05-05T09:00+01:00")  # type: ignore[arg-type]  # mypy refuses it too
