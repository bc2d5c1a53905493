"""A replay sends past leads where a lead of today would go, and says which promises its rep would have missed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.backtest.answer_times import Answers, AnswerTimes, Times
from agreements.backtest.replay import AWAY, COMPANY, MANAGER, OWNER, STILL_IN_QUEUE, replay
from agreements.backtest.replayed import Placed, Replay, ReplayedLead
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.roster import Roster, read_roster
from tests.conftest import AGREEMENT
from tests.examples import examples

MONDAY = datetime(2027, 2, 1, 10, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PEOPLE = """
teams: {emea: {manager: maria}, americas: {manager: maria}}
marketing: mina
operator: oscar
people:
"""
OTHERS = """
  maria: {name: Maria, email: maria@house.example, role: manager}
  mina: {name: Mina, email: mina@house.example, role: marketing}
  oscar: {name: Oscar, email: oscar@house.example, role: operator}
"""


def staffed(*reps: str, dora: bool = True) -> Roster:
    """A roster of these reps, each `name: more keys`, in team emea unless they say otherwise."""
    lines = [f"  {rep.partition(':')[0]}: {{name: {rep.partition(':')[0].title()}, email: r@house.example{_more(rep)}}}" for rep in reps]
    default = ["  dora: {name: Dora, email: dora@house.example, role: rep}"] if dora else []
    return read_roster("\n".join([PEOPLE.rstrip(), *lines, *default]) + OTHERS)


def _more(rep: str) -> str:
    more = rep.partition(":")[2].strip()
    return (f", {more}" if more else "") + ("" if "team:" in more else ", team: emea")


def agreed(**changes: str) -> Agreement:
    """The example agreement, with each of these keys and its value written otherwise."""
    text = AGREEMENT
    for old, new in changes.items():
        key = {"full": "everyone_full: default-acceptor", "away": "everyone_away: hold", "capacity": "capacity: {per_rep: 15}"}[old]
        assert key in text
        text = text.replace(key, f"{key.partition(':')[0]}: {new}")
    return read_agreement(text)


def lead(number: int, *, minutes: float = 0, at: datetime = MONDAY, country: str = "GB", **more: Any) -> ReplayedLead:
    """A lead that came so many minutes later."""
    return ReplayedLead(number, at + minutes * MINUTE, {"country": country}, **{"tier": "normal", **more})


def answering(*times: Times, attempts: Times = (MINUTE,), **own: Times) -> Answers:
    """Reps who answer in these times, together or each on their own."""
    by_rep = own or {"somebody": times[0]}
    return Answers(AnswerTimes.of(by_rep), AnswerTimes.of({"somebody": attempts}))


def placed(*leads: ReplayedLead, people: Roster, agreement: Agreement | None = None, **more: Any) -> list[Placed]:
    return list(replay(Replay(agreement or agreed(), people, leads, **more)))


def reps(found: list[Placed]) -> list[str]:
    return [one.rep for one in sorted(found, key=lambda one: one.lead.number)]


def test_two_reps_take_turns_and_one_who_is_away_gets_nothing_and_is_owed_nothing() -> None:
    people = staffed("ana", "ben: away: [{from: 2027-02-01T00:00:00Z, until: 2027-02-02T00:00:00Z}]")
    week = [lead(number, at=MONDAY + number * DAY) for number in range(4)]

    assert reps(placed(*[lead(number, minutes=number) for number in range(3)], people=people)) == ["ana"] * 3
    assert reps(placed(*week, people=people)) == ["ana", "ben", "ana", "ben"]


def test_a_territory_has_its_own_team_and_turns() -> None:
    people = staffed("ana", "dan: team: americas", "faye: team: americas")

    found = placed(*[lead(number, minutes=number, country=where) for number, where in enumerate(["US", "GB", "US", "GB"])], people=people)

    assert reps(found) == ["dan", "ana", "faye", "ana"]
    assert Counter(one.team for one in found) == {"americas": 2, "emea": 2}


def test_a_rep_who_is_full_gets_no_more_until_a_lead_is_worked_on() -> None:
    people, agreement = staffed("ana"), agreed(capacity="{per_rep: 2}")
    leads = [lead(0), lead(1, minutes=1), lead(2, minutes=2), lead(3, minutes=60)]

    busy = placed(*leads, people=people, agreement=agreement, answers=answering((10 * MINUTE,), attempts=(10 * MINUTE,)))
    unknown = placed(*leads, people=people, agreement=agreement)

    assert reps(busy) == ["ana", "ana", "dora", "ana"]
    assert [one.open_leads for one in busy][:2] == [1, 2]
    assert reps(unknown) == ["ana", "ana", "dora", "dora"], "a lead is open until its first attempt is due"


def test_a_cap_counts_every_lead_that_a_sampled_one_stands_for() -> None:
    found = placed(lead(0), lead(1, minutes=1), people=staffed("ana"), agreement=agreed(capacity="{per_rep: 10}"), stands_for=12.5)

    assert reps(found) == ["ana", "dora"]


@pytest.mark.parametrize(
    ("changes", "rep", "minutes", "why"),
    [
        ({"capacity": "{per_rep: 1}", "full": "manager"}, "ana", 1, MANAGER),
        ({}, "ana: away: [{from: 2027-02-01T10:00:30Z, until: 2027-02-20T00:00:00Z}]", 1, AWAY),
        ({}, "ana: team: americas", 0, "dora is not in the roster (nobody else can take it: default acceptor)"),
    ],
)
def test_a_lead_that_nobody_can_take_says_why(changes: dict[str, str], rep: str, minutes: int, why: str) -> None:
    found = placed(lead(0), lead(1, minutes=minutes), people=staffed(rep, dora=False), agreement=agreed(**changes))

    assert (found[-1].rep, found[-1].why) == ("", why)


def test_a_lead_waits_for_somebody_who_is_back_before_the_delivery_is_due() -> None:
    people = staffed("ana: away: [{from: 2027-02-01T00:00:00Z, until: 2027-02-01T14:00:00Z}]")

    assert [(one.rep, one.at) for one in placed(lead(0), people=people)] == [("ana", MONDAY + 4 * HOUR)]


def test_an_account_goes_to_its_owner_and_a_colleague_to_the_rep_who_knows_the_company() -> None:
    people = staffed("ana", "ben", "dan: team: americas")
    leads = [lead(0, company="acme"), lead(1, minutes=1, company="acme"), lead(2, minutes=2, owner="dan"), lead(3, minutes=3)]

    found = placed(*leads, people=people)

    assert reps(found) == ["ana", "ana", "dan", "ben"]
    assert [one.why for one in found][1:3] == [COMPANY, OWNER]


def released(per_rep: int) -> Agreement:
    old = next(line for line in AGREEMENT.splitlines() if "name: normal" in line)
    text = AGREEMENT.replace(old, f"  - {{name: normal, release: {per_rep} per rep per working day}}")
    assert "within: {hot: 1 hour, normal: 12 hours}" in text
    return read_agreement(text.replace("within: {hot: 1 hour, normal: 12 hours}", "within: {hot: 1 hour, normal: per release plan}"))


def test_a_tier_that_is_given_out_day_by_day_waits_in_its_queue() -> None:
    leads = [lead(number, minutes=number) for number in range(7)]

    found = placed(*leads, people=staffed("ana"), agreement=released(2), answers=answering((MINUTE,)))

    assert [one.lead.number for one in found] == list(range(7))
    assert [one.at.day for one in found] == [1, 1, 2, 2, 3, 3, 4]
    assert {one.at.hour for one in found[2:]} == {9}


def test_what_is_still_in_the_queue_a_week_after_the_last_lead_has_no_rep() -> None:
    found = placed(*[lead(number) for number in range(40)], people=staffed("ana"), agreement=released(2), answers=answering((MINUTE,)))

    assert Counter(one.why == STILL_IN_QUEUE for one in found) == {True: 28, False: 12}


def test_a_queue_is_brought_forward_when_somebody_comes_back() -> None:
    people = staffed("ana", "ben: away: [{from: 2027-02-01T00:00:00Z, until: 2027-02-03T00:00:00Z}]")

    found = placed(*[lead(number) for number in range(10)], people=people, agreement=released(2), answers=answering((MINUTE,)))

    assert [one.at.day for one in found] == [1, 1, 2, 2, 3, 3, 3, 3, 5, 5], "the last two keep their day, as nothing wakes on the 4th"
    assert {one.rep for one in found if one.at.day < 3} == {"ana"}


def test_promises_are_kept_by_quick_reps_and_missed_by_slow_ones() -> None:
    quick: Times = (10 * MINUTE,) * 20
    slow: Times = (*(5 * HOUR,) * 10, *(None,) * 10)
    leads = [lead(number, minutes=number) for number in range(4)]

    found = placed(*leads, people=staffed("ana", "ben"), answers=answering(ana=quick, ben=slow, attempts=(9 * HOUR,)))

    assert {(one.rep, one.acceptance.missed) for one in found if one.acceptance} == {("ana", False), ("ben", True)}
    assert [one.first_attempt is not None for one in found] == [True, False, True, False], "nobody attempts what another rep has by then"
    assert {one.first_attempt.missed for one in found if one.first_attempt} == {True}
    assert found[0].acceptance
    assert found[0].acceptance.due_at == MONDAY + 5 * HOUR, "4 working hours and an hour of lunch"


def test_a_rep_with_few_answers_is_taken_to_answer_as_everybody() -> None:
    never: Times = (None,) * 19

    few = placed(
        *[lead(number, minutes=number) for number in range(40)], people=staffed("ana"), answers=answering(ana=never, ben=(MINUTE,) * 200)
    )
    enough = placed(lead(0), people=staffed("ana"), answers=answering(ana=(*never, None), ben=(MINUTE,) * 200))

    assert sum(one.acceptance is not None and one.acceptance.missed is True for one in few) < 20
    assert [one.acceptance and one.acceptance.missed for one in enough] == [True]


def test_without_past_answers_only_closed_hours_and_absences_are_told() -> None:
    people = staffed("ana: away: [{from: 2027-02-01T12:00:00Z, until: 2027-02-09T00:00:00Z}]")

    found = placed(lead(0), people=people)

    assert found[0].acceptance
    assert (found[0].acceptance.missed, found[0].acceptance.off) == (None, True)


def test_of_several_who_are_asked_the_quickest_has_the_lead() -> None:
    old = next(line for line in AGREEMENT.splitlines() if "name: hot" in line)
    agreement = read_agreement(AGREEMENT.replace(old, "  - {name: hot, when: {fast_lane: true}, routing: first-to-claim, told: all}"))
    times: dict[str, Times] = {"ana": (HOUR,) * 20, "ben": (timedelta(),) * 20}

    found = placed(
        lead(0, tier="hot"), lead(1, tier="hot", minutes=1), people=staffed("ana", "ben"), agreement=agreement, answers=answering(**times)
    )

    assert reps(found) == ["ben", "ben"]


def test_leads_are_routed_in_the_order_of_their_time_and_alike_each_time() -> None:
    leads = [lead(number, minutes=-number) for number in range(20)]
    answers = answering((MINUTE, 2 * HOUR, None))

    found = placed(*leads, people=staffed("ana", "ben"), answers=answers)

    assert [one.lead.number for one in found] == list(reversed(range(20)))
    assert found == placed(*reversed(leads), people=staffed("ana", "ben"), answers=answers)


LEADS = st.lists(
    st.tuples(
        st.integers(0, 20_000), st.sampled_from(["GB", "US", ""]), st.sampled_from(["hot", "normal"]), st.sampled_from(["", "acme", "bolt"])
    ),
    max_size=25,
)
CREWS = [
    staffed("ana"),
    staffed("ana: capacity: 1", "ben: away: [{from: 2027-02-01T00:00:00Z, until: 2027-02-12T00:00:00Z}]", "dan: team: americas"),
]
RULES = [agreed(capacity="{per_rep: 2}"), agreed(capacity="{per_rep: 1}", full="manager"), agreed(away="route-anyway"), released(1)]


@settings(max_examples=examples(100))
@given(
    leads=LEADS,
    people=st.sampled_from(CREWS),
    agreement=st.sampled_from(RULES),
    known=st.booleans(),
    stands_for=st.sampled_from([1.0, 2.5]),
)
def test_every_lead_goes_somewhere_or_nowhere_once(
    leads: list[tuple[int, str, str, str]], people: Roster, agreement: Agreement, known: bool, stands_for: float
) -> None:
    came = [lead(number, minutes=at, country=where, tier=tier, company=of) for number, (at, where, tier, of) in enumerate(leads)]
    answers = answering((MINUTE, 9 * HOUR, None)) if known else Answers()

    found = placed(*came, people=people, agreement=agreement, answers=answers, stands_for=stands_for)

    assert sorted(one.lead.number for one in found) == [one.number for one in came]
    assert all(one.rep in people.people or (not one.rep and one.why) for one in found)
    assert all(one.at >= one.lead.at and (one.acceptance is not None) == bool(one.rep) for one in found)
    assert [one.at for one in found if one.rep] == sorted(one.at for one in found if one.rep)
