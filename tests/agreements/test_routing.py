"""Who gets the lead: the segment's team, then the rep whose turn it is among those who can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agreements.loading import read_agreement
from agreements.model import Agreement, Prefer
from agreements.routing import Candidate, Colleague, Rules, route, segment_for
from agreements.turns import Turns
from tests.conftest import AGREEMENT

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
EXAMPLE = read_agreement(AGREEMENT)
NOBODY: frozenset[str] = frozenset()


def rep(
    name: str,
    *,
    away: float = 0,
    closed: float = 0,
    open_leads: int = 0,
    capacity: int = 2,
    weight: int = 1,
    left: int | None = None,
) -> Candidate:
    """A rep who is away for so many hours, and whose calendar opens in so many hours."""
    back, opens = NOW + timedelta(hours=away), NOW + timedelta(hours=max(away, closed))
    return Candidate(name, bool(away), back, not (away or closed), opens, open_leads, capacity, weight, left)


def had(*names: str) -> Rules:
    """The usual rules, after these reps had leads in this order that all of ana, ben and cleo could have had."""
    turns = Turns()
    for name in names:
        turns = turns.after(name, {"ana": 1, "ben": 1, "cleo": 1})
    return Rules(turns=turns)


def agreed(**rules: str) -> Agreement:
    """The example with other rules for when everyone is away or full."""
    text = AGREEMENT
    for name, value in rules.items():
        old = {"everyone_away": "everyone_away: hold", "everyone_full": "everyone_full: default-acceptor"}[name]
        text = text.replace(old, f"{name}: {value}")
    return read_agreement(text)


def chosen(
    *candidates: Candidate,
    agreement: Agreement = EXAMPLE,
    declined: frozenset[str] = NOBODY,
    wanted: str = "",
    rules: Rules = Rules(),
) -> str:
    return route(agreement, candidates, declined=declined, wanted=wanted, rules=rules).rep


@pytest.mark.parametrize(
    ("country", "team"), [("US", "americas"), ("br", "americas"), ("GB", "emea"), ("", "emea"), (None, "emea")], ids=str
)
def test_the_first_segment_that_matches_says_which_team(country: str | None, team: str) -> None:
    segment = segment_for(EXAMPLE, {"country": country})

    assert segment is not None
    assert segment.team == team


def test_a_lead_that_no_segment_takes_goes_to_the_default_acceptor() -> None:
    only_americas = read_agreement(AGREEMENT.replace("    - {team: emea}\n", ""))

    assert segment_for(only_americas, {"country": "GB"}) is None
    assert chosen(agreement=only_americas) == "dora"


def test_whose_turn_it_is_gets_it() -> None:
    three = (rep("ana"), rep("ben"), rep("cleo"))

    assert [chosen(*three, rules=had(*before)) for before in ([], ["ana"], ["ana", "ben"], ["ana", "ben", "cleo"])] == [
        "ana",
        "ben",
        "cleo",
        "ana",
    ]


def test_a_route_by_turn_names_whose_turn_it_could_have_been_and_one_that_is_asked_for_does_not() -> None:
    two = [rep("ana", weight=2), rep("ben"), rep("cleo", away=3)]

    assert route(EXAMPLE, two, declined=NOBODY).shared_by == {"ana": 2, "ben": 1}
    assert route(EXAMPLE, two, declined=NOBODY, wanted="ben").shared_by == {}


class TestAtWork:
    """Somebody who is at work goes before somebody who is not."""

    @pytest.mark.parametrize(
        ("candidates", "to", "why"),
        [
            ([rep("ana", closed=2), rep("ben")], "ben", "next in turn of those at work now"),
            ([rep("ana"), rep("ben")], "ana", "next in turn"),
            ([rep("ana", closed=9), rep("ben", closed=2)], "ben", "next in turn of those who open first, as nobody is at work now"),
            ([rep("ana", closed=2), rep("ben", closed=2)], "ana", "next in turn of those who open first, as nobody is at work now"),
            ([rep("ana", closed=2), rep("ben", open_leads=2)], "ana", "next in turn of those who open first, as nobody is at work now"),
            ([rep("ana", closed=2), rep("ben", away=1)], "ana", "next in turn of those who open first, as nobody is at work now"),
        ],
        ids=["one is", "all are", "one opens first", "both open first", "who is, is full", "who would be, is away"],
    )
    def test_by_default(self, candidates: list[Candidate], to: str, why: str) -> None:
        found = route(EXAMPLE, candidates, declined=NOBODY)

        assert (found.rep, found.why) == (to, why)

    def test_unless_the_turn_is_preferred(self) -> None:
        found = route(EXAMPLE, [rep("ana", closed=2), rep("ben")], declined=NOBODY, rules=Rules(prefer="turn"))

        assert (found.rep, found.why) == ("ana", "next in turn")

    def test_who_is_asked_for_gets_it_also_after_hours(self) -> None:
        assert chosen(rep("ana"), rep("ben", closed=9), wanted="ben") == "ben"

    def test_whoever_is_closed_shares_no_lead_that_somebody_at_work_gets(self) -> None:
        assert route(EXAMPLE, [rep("ana", closed=2), rep("ben"), rep("cleo")], declined=NOBODY).shared_by == {"ben": 1, "cleo": 1}

    def test_when_everyone_is_full_it_goes_anyway_to_somebody_at_work(self) -> None:
        full = (rep("ana", open_leads=2, closed=3), rep("ben", open_leads=2))

        assert chosen(*full, agreement=agreed(everyone_full="route-anyway")) == "ben"


class TestStrategies:
    def test_least_open_leads_first_and_of_equals_whose_turn_it_is(self) -> None:
        some = [rep("ana", open_leads=1), rep("ben", open_leads=0), rep("cleo", open_leads=0)]
        rules = Rules("least-open", turns=had("ben").turns)

        found = route(EXAMPLE, some, declined=NOBODY, rules=rules)

        assert (found.rep, found.why) == ("cleo", "fewest open leads")

    def test_weights_are_shares(self) -> None:
        turns, got = Turns(), []
        for _ in range(8):
            found = route(EXAMPLE, [rep("ana", weight=3), rep("ben")], declined=NOBODY, rules=Rules("weighted-round-robin", turns=turns))
            turns = turns.after(found.rep, found.shared_by)
            got.append(found.rep)

        assert (got.count("ana"), got.count("ben")) == (6, 2)


def test_a_full_rep_is_passed_over_and_one_with_room_for_one_is_not() -> None:
    assert chosen(rep("ana", open_leads=2), rep("ben", open_leads=1)) == "ben"


def test_a_rep_who_takes_none_is_full() -> None:
    assert chosen(rep("ana", capacity=0), rep("ben")) == "ben"


def test_an_absent_rep_is_passed_over() -> None:
    assert chosen(rep("ana", away=8), rep("ben")) == "ben"


def test_who_gave_it_up_does_not_get_it_again() -> None:
    assert chosen(rep("ana"), rep("ben"), declined=frozenset({"ana"})) == "ben"


def test_while_everyone_is_away_it_is_held_until_the_first_is_back() -> None:
    found = route(EXAMPLE, [rep("ana", away=9), rep("ben", away=4)], declined=NOBODY)

    assert (found.rep, found.hold_until) == ("", NOW + timedelta(hours=4))
    assert found.why == "everyone is away: held until somebody is back"


@pytest.mark.parametrize(("rule", "to"), [("route-anyway", "ben"), ("default-acceptor", "dora"), ("hold", "")])
def test_everyone_away_is_answered_as_agreed(rule: str, to: str) -> None:
    assert chosen(rep("ana", away=9), rep("ben", away=4), agreement=agreed(everyone_away=rule)) == to


@pytest.mark.parametrize(("rule", "to"), [("route-anyway", "ben"), ("default-acceptor", "dora")])
def test_everyone_full_is_answered_as_agreed(rule: str, to: str) -> None:
    full = (rep("ana", open_leads=2), rep("ben", open_leads=2))

    assert chosen(*full, agreement=agreed(everyone_full=rule), rules=had("ana")) == to


def test_whoever_is_here_but_full_counts_as_full_when_the_others_are_away() -> None:
    assert chosen(rep("ana", away=9), rep("ben", open_leads=2)) == "dora"


def test_when_everybody_gave_it_up_the_default_acceptor_gets_it() -> None:
    for rule in ("hold", "route-anyway", "default-acceptor"):
        assert chosen(rep("ana"), rep("ben", away=9), declined=frozenset({"ana", "ben"}), agreement=agreed(everyone_away=rule)) == "dora"


def test_a_rep_who_is_asked_for_gets_it_out_of_turn_and_also_when_full() -> None:
    found = route(EXAMPLE, [rep("ana"), rep("ben", open_leads=2)], declined=NOBODY, wanted="ben")

    assert (found.rep, found.why) == ("ben", "asked for")


def test_a_rep_who_is_asked_for_and_away_does_not_hold_it_up() -> None:
    assert chosen(rep("ana"), rep("ben", away=9), wanted="ben") == "ana"


def test_a_rep_who_is_asked_for_and_gave_it_up_does_not_get_it() -> None:
    assert chosen(rep("ana"), rep("ben"), declined=frozenset({"ben"}), wanted="ben") == "ana"


def test_asking_for_somebody_who_is_not_there_changes_nothing() -> None:
    assert chosen(rep("ana"), rep("ben"), wanted="zoe") == "ana"


def test_the_default_acceptor_is_not_held_up_by_anything() -> None:
    assert route(EXAMPLE, [], declined=NOBODY).why == "nobody else can take it: default acceptor"


def test_who_has_had_todays_share_of_a_list_is_passed_over() -> None:
    assert chosen(rep("ana", left=0), rep("ben", left=1)) == "ben"


@pytest.mark.parametrize(
    "candidates",
    [
        (rep("ana", left=0), rep("ben", left=0)),
        (rep("ana", left=3, open_leads=2), rep("ben", left=0)),
        (rep("ana", left=0), rep("ben", left=3, away=4)),
    ],
    ids=["all had their share", "who had not is full", "who had not is away"],
)
@pytest.mark.parametrize("rule", ["route-anyway", "default-acceptor", "manager"])
def test_a_list_that_nobody_may_get_today_stands_in_line_whatever_else_is_agreed(candidates: tuple[Candidate, ...], rule: str) -> None:
    found = route(agreed(everyone_full=rule), candidates, declined=NOBODY)

    assert (found.rep, found.in_queue, found.ask_manager) == ("", True, False)


def test_who_is_asked_for_and_has_had_their_share_has_the_lead_stand_in_line() -> None:
    assert route(EXAMPLE, [rep("ana", left=0), rep("ben", left=2)], declined=NOBODY, wanted="ana").in_queue


def test_when_everyone_is_full_a_manager_may_be_asked() -> None:
    found = route(agreed(everyone_full="manager"), [rep("ana", open_leads=2)], declined=NOBODY)

    assert (found.rep, found.ask_manager, found.why) == ("", True, "everyone is full: the manager decides")


@pytest.mark.parametrize(
    ("on_call", "declined", "to"),
    [
        (rep("zoe"), NOBODY, "zoe"),
        (rep("zoe", open_leads=9), NOBODY, "zoe"),
        (rep("zoe", away=2), NOBODY, ""),
        (rep("zoe"), frozenset({"zoe"}), ""),
        (None, NOBODY, ""),
    ],
    ids=["here", "full", "away", "gave it up", "nobody"],
)
def test_while_everyone_is_away_whoever_is_on_call_gets_it_or_it_is_held(
    on_call: Candidate | None, declined: frozenset[str], to: str
) -> None:
    found = route(agreed(everyone_away="on-call-or-hold\n  on_call: zoe"), [rep("ana", away=4)], declined=declined, on_call=on_call)

    assert found.rep == to
    assert (found.hold_until == NOW + timedelta(hours=4)) is (to == "")


def test_who_is_on_call_gets_nothing_while_somebody_is_here() -> None:
    found = route(agreed(everyone_away="on-call-or-hold\n  on_call: zoe"), [rep("ana")], declined=NOBODY, on_call=rep("zoe"))

    assert found.rep == "ana"


def test_a_further_leg_asks_its_own_segments_or_routing_again() -> None:
    legs = "legs: [sdr, {name: ae, segments: [{when: {country: GB}, team: closers}]}, success]"
    three = read_agreement(AGREEMENT.replace("legs: [sdr]", legs))

    def team(country: str, *, leg: int) -> str | None:
        found = segment_for(three, {"country": country}, leg=leg)
        return found.team if found else None

    assert team("GB", leg=1) == "closers"
    assert team("US", leg=1) is None
    assert team("US", leg=2) == "americas"


def knowing(*reps: str, prefer: Prefer = "open", turns: Turns = Turns(), waits: float = 2) -> Rules:
    """The rules where these reps have colleagues of the lead, best first."""
    known = tuple(Colleague(name, 50 + number, has=not number) for number, name in enumerate(reps))
    return Rules(prefer=prefer, turns=turns, colleagues=known, colleagues_wait=timedelta(hours=waits))


class TestSameCompany:
    @pytest.mark.parametrize(
        ("team", "rules", "expected"),
        [
            ([rep("ana"), rep("ben")], knowing("ben"), "ben"),
            ([rep("ana"), rep("ben", away=5)], knowing("ben"), "ana"),
            ([rep("ana"), rep("ben", open_leads=2)], knowing("ben"), "ana"),
            ([rep("ana"), rep("cleo")], knowing("ben"), "ana"),
            ([rep("ana"), rep("ben", closed=1)], knowing("ben"), "ben"),
            ([rep("ana"), rep("ben", closed=2)], knowing("ben"), "ben"),
            ([rep("ana"), rep("ben", closed=2.1)], knowing("ben"), "ana"),
            ([rep("ana"), rep("ben", closed=15)], knowing("ben"), "ana"),
            ([rep("ana"), rep("ben", closed=15)], knowing("ben", prefer="turn"), "ben"),
            ([rep("ana", closed=14), rep("ben", closed=15)], knowing("ben"), "ben"),
            ([rep("ana", closed=12), rep("ben", closed=15)], knowing("ben"), "ana"),
            ([rep("ana"), rep("ben", away=5), rep("cleo")], knowing("ben", "cleo"), "cleo"),
            ([rep("ana"), rep("ben"), rep("cleo")], knowing("cleo", "ben"), "cleo"),
            ([rep("ana"), rep("ben", left=0)], knowing("ben"), "ana"),
            ([rep("ana", away=3), rep("ben", away=3)], knowing("ben"), ""),
        ],
    )
    def test_the_rep_who_knows_the_company_gets_the_lead_if_they_can(self, team: list[Candidate], rules: Rules, expected: str) -> None:
        assert chosen(*team, rules=rules) == expected

    def test_neither_a_rep_who_gave_the_lead_up_nor_one_for_whom_another_was_asked(self) -> None:
        assert chosen(rep("ana"), rep("ben"), rules=knowing("ben"), declined=frozenset({"ben"})) == "ana"
        assert chosen(rep("ana"), rep("ben"), rules=knowing("ben"), wanted="ana") == "ana"

    def test_it_is_said_and_it_is_a_turn(self) -> None:
        found = route(EXAMPLE, [rep("ana"), rep("ben", closed=1), rep("cleo")], declined=NOBODY, rules=knowing("ben"))

        assert (found.why, dict(found.shared_by)) == ("has lead 50 of the same company", {"ana": 1, "cleo": 1, "ben": 1})

    def test_a_rep_who_got_many_colleagues_gets_fewer_other_leads(self) -> None:
        turns, team, got = Turns(), [rep("ana"), rep("ben")], []
        for number in range(12):
            found = route(EXAMPLE, team, declined=NOBODY, rules=knowing(*(["ben"] if number < 4 else []), turns=turns))
            turns = turns.after(found.rep, found.shared_by)
            got.append(found.rep)

        assert got[:4] == ["ben"] * 4
        assert got.count("ana") == got.count("ben") == 6
