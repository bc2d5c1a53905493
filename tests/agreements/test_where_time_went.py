"""Where a lead's time went: whose each minute is, and that the parts add up to the lead's age whatever happened to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.clauses.clocks import LegClocks
from agreements.life import Disputed, HandoffLife, Life, Nurture, Owed
from agreements.loading import read_agreement
from agreements.model import Agreement, Clock, Leg
from agreements.where_time_went import TIME_PARTIES, Stretch, summed, where_time_went
from agreements.words import About, ClockName
from tests.agreements.tables import cases
from tests.conftest import AGREEMENT, MONDAY
from tests.examples import examples

_NEW_YORK = '  new-york: {timezone: America/New_York, hours: {mon-fri: "09:00-17:00"}}\n'
#: The example agreement with a second calendar, which is not the first one.
EXAMPLE = read_agreement(AGREEMENT.replace("\nrouting:\n", _NEW_YORK + "\nrouting:\n", 1))


def at(text: str) -> datetime:
    """An instant of February 2027 in London, where it is UTC: `1 09:00` is Monday, nine o'clock."""
    day, _, time = text.partition(" ")
    return datetime.fromisoformat(f"2027-02-{int(day):02}T{time}:00+00:00")


def maybe(text: str | None) -> datetime | None:
    return at(text) if text else None


def span(text: str) -> timedelta:
    """A time such as `1 h 30 min`."""
    found = re.fullmatch(r"(?:(\d+) h)? ?(?:(\d+) min)?", text)
    assert found, f"{text!r} is no time"
    return timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0))


def agreement_of(row: Mapping[str, Any]) -> Agreement:
    """The example agreement with what this row of the table changes."""
    legs = [Leg(name=one["name"], clocks=LegClocks(**changed(one))) for one in row.get("legs", [{"name": "sdr"}])]
    return EXAMPLE.model_copy(update={"clocks": EXAMPLE.clocks.model_copy(update=changed(row)), "legs": tuple(legs)})


def changed(row: Mapping[str, Any]) -> dict[str, Clock]:
    """The clocks that the row changes, by name."""
    return {name: EXAMPLE.clock(name).model_copy(update=more) for name, more in row.get("clocks", {}).items()}


def life_of(row: Mapping[str, Any]) -> Life:
    """The life that a row of the table describes."""
    return Life(1, tuple(handoff_of(one, agreement_of(row)) for one in row["handoffs"]))


def handoff_of(one: Mapping[str, Any], agreement: Agreement) -> HandoffLife:
    nurture = one.get("nurture")
    since, until = nurture if isinstance(nurture, list) else (nurture, None)
    return HandoffLife(
        acted_at=at(one["acted"]),
        received_at=at(one["stored"]),
        created_at=at(one.get("began", one["stored"])),
        agreement=None if one.get("agreement") == "none" else agreement,
        requested_time=maybe(one.get("requested")),
        released_at=maybe(one.get("released")),
        is_held=one.get("held", False),
        qualified_at=maybe(one.get("qualified")),
        ended_at=maybe(one.get("ended")),
        owed=tuple(owed_of(owed) for owed in one.get("owed", [])),
        away=tuple((at(gone), at(back)) for gone, back in one.get("away", [])),
        stuck=tuple((at(gone), maybe(back)) for gone, back in one.get("stuck", [])),
        nurture=Nurture(at(since), maybe(until)) if since else None,
        disputes=tuple(Disputed(one["holder"], "", at(one["raised"]), maybe(one.get("ruled"))) for one in one.get("disputes", [])),
    )


def owed_of(one: Mapping[str, Any]) -> Owed:
    return Owed(
        clock=one["clock"],
        about=one.get("about", one["clock"]),
        holder=one.get("holder", "ana"),
        calendars=tuple(one.get("calendars", [""])),
        leg=one.get("leg", 0),
        opened_at=at(one["from"]),
        due_at=at(one.get("due", "28 09:00")),
        planned_at=at(one.get("planned", "28 09:00")),
        answered_at=maybe(one.get("answered")),
        closed_at=maybe(one.get("closed", one.get("answered"))),
    )


@pytest.mark.parametrize("row", cases("where_time_went_cases.yaml"))
def test_each_minute_belongs_to_whom_it_was_owed_by(row: Mapping[str, Any]) -> None:
    parts = summed(where_time_went(life_of(row), now=at(row["now"])))

    assert {party: part for party, part in parts.items() if part} == {party: span(text) for party, text in row["expect"].items()}


def test_the_table_names_every_party() -> None:
    assert {party for case in cases("where_time_went_cases.yaml") for party in case.values[0]["expect"]} == set(TIME_PARTIES)


def test_a_stretch_says_what_was_waited_for_and_from_whom() -> None:
    owed = owed_of({"clock": "acceptance", "from": "1 09:00", "answered": "1 09:30"})
    life = Life(1, (HandoffLife(at("1 08:59"), at("1 09:00"), at("1 09:00"), EXAMPLE, qualified_at=at("1 09:00"), owed=(owed,)),))

    told = [(one.party, one.why, one.who) for one in where_time_went(life, now=at("1 09:31"))]

    assert told == [("source", "Baton to get it", ""), ("rep", "the answer", "ana"), ("routing", "the next step", "")]


def test_a_period_counts_only_what_lies_in_it() -> None:
    stretches = [Stretch(at("1 09:00"), at("1 12:00"), "rep", ""), Stretch(at("1 12:00"), at("1 14:00"), "manager", "")]

    parts = summed(stretches, since=at("1 10:00"), until=at("1 13:00"))

    assert (parts["rep"], parts["manager"]) == (timedelta(hours=2), timedelta(hours=1))


#: Instants of a month, in an order that means nothing: also what a clock that was set back would leave behind.
instants = st.integers(0, 28 * 24 * 3600).map(lambda seconds: MONDAY + timedelta(seconds=seconds))
maybe_instants = st.none() | instants
abouts: st.SearchStrategy[About] = st.sampled_from(["proof", "hold", "release", "triage", "no-clock", "acceptance"])
clocks: st.SearchStrategy[ClockName] = st.sampled_from(["delivery", "acceptance", "first_attempt", "outcome", "note", "decision"])
owed_lives = st.builds(
    Owed,
    clock=clocks,
    about=abouts,
    holder=st.sampled_from(["ana", "mina", "several reps"]),
    calendars=st.lists(st.sampled_from(["", "london", "new-york", "gone"]), min_size=1, max_size=2).map(tuple),
    leg=st.integers(0, 1),
    opened_at=instants,
    due_at=instants,
    planned_at=instants,
    answered_at=maybe_instants,
    closed_at=maybe_instants,
)
spans = st.tuples(instants, instants)
lives = st.builds(
    Life,
    st.just(1),
    st.lists(
        st.builds(
            HandoffLife,
            acted_at=instants,
            received_at=instants,
            created_at=instants,
            agreement=st.just(EXAMPLE),
            requested_time=maybe_instants,
            released_at=maybe_instants,
            is_held=st.booleans(),
            qualified_at=maybe_instants,
            ended_at=maybe_instants,
            owed=st.lists(owed_lives, max_size=5).map(tuple),
            away=st.lists(spans, max_size=1).map(tuple),
            stuck=st.lists(st.tuples(instants, maybe_instants), max_size=1).map(tuple),
            nurture=st.none() | st.builds(Nurture, instants, maybe_instants),
            disputes=st.lists(st.builds(Disputed, st.just("maria"), st.just("london"), instants, maybe_instants), max_size=1).map(tuple),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
)


def age_of(life: Life, now: datetime) -> set[tuple[datetime, datetime]]:
    """The spans of the lead's age, worked out without any regard to whose they are: each pass from what the person did, and nurture."""
    found: set[tuple[datetime, datetime]] = set()
    before = datetime.min.replace(tzinfo=MONDAY.tzinfo)
    for number, one in enumerate(life.handoffs):
        end = min(one.ended_at or now, now)
        began = max(min(one.acted_at, one.received_at, one.created_at, end), before)
        stored = max(min(one.received_at, one.created_at, end), before)
        found.add((began, end))
        after = min([now, *(other.created_at for other in life.handoffs[number + 1 : number + 2])])
        if one.nurture:
            found.add((max(one.nurture.since, stored), min(one.nurture.until or after, after)))
        before = max(before, end)
    return found


def length_of(spans: set[tuple[datetime, datetime]]) -> timedelta:
    """How long these spans are together; where they overlap, each moment counts once."""
    whole, reached = timedelta(), datetime.min.replace(tzinfo=MONDAY.tzinfo)
    for start, end in sorted(spans):
        whole += max(end - max(start, reached), timedelta())
        reached = max(reached, end)
    return whole


def assert_adds_up(life: Life, now: datetime) -> None:
    """The parts of this life add up to its age, in stretches that follow each other."""
    stretches = where_time_went(life, now=now)
    assert sum(summed(stretches).values(), timedelta()) == length_of(age_of(life, now))
    assert all(one.start < one.end <= now for one in stretches)
    assert all(one.end <= other.start for one, other in pairwise(stretches))


@settings(max_examples=examples(500))
@given(life=lives, now=instants)
def test_the_parts_add_up_to_the_age_whatever_happened(life: Life, now: datetime) -> None:
    assert_adds_up(life, now)


@pytest.mark.long
@settings(max_examples=10_000)
@given(life=lives, now=instants)
def test_the_parts_of_thousands_of_lives_add_up_to_their_ages(life: Life, now: datetime) -> None:
    assert_adds_up(life, now)


@settings(max_examples=examples(200))
@given(life=lives, now=instants, cut=instants)
def test_two_adjoining_periods_add_up_to_both(life: Life, now: datetime, cut: datetime) -> None:
    stretches = where_time_went(life, now=now)

    earlier, later, whole = summed(stretches, until=cut), summed(stretches, since=cut), summed(stretches)

    assert {party: earlier[party] + later[party] for party in TIME_PARTIES} == whole
