"""What a CRM says of an opportunity: in any order, in part, and wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from agreements.crm_words import KEYS
from agreements.lost import route
from agreements.model import Agreement
from agreements.opportunities import Facts, changed, facts_of, told_too
from agreements.stalled import stalls_at
from agreements.words import OpportunityState
from tests.deal import example_tree

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BEGAN = date(2027, 3, 1)


def facts(**values: str) -> Facts:
    return facts_of(told_too({}, values, at=NOON), began=BEGAN)


@pytest.mark.parametrize(
    ("said", "amount", "faults"),
    [
        ("", None, {}),
        ("45000", 4_500_000, {}),
        ("45000.5", 4_500_050, {}),
        ("0", 0, {}),
        ("19.999", 2000, {}),
        ("45,000", None, {"amount-no-number": "45,000"}),
        ("45.000,00", None, {"amount-no-number": "45.000,00"}),
        ("€ 45000", None, {"amount-no-number": "€ 45000"}),
        ("1e9", None, {"amount-no-number": "1e9"}),
        ("NaN", None, {"amount-no-number": "NaN"}),
        ("-5", None, {"amount-impossible": "-5"}),
        ("99999999999999", None, {"amount-impossible": "99999999999999"}),
        ("about five", None, {"amount-no-number": "about five"}),
    ],
)
def test_an_amount_is_a_plain_number_and_never_guessed(said: str, amount: int | None, faults: dict[str, str]) -> None:
    found = facts(amount=said)

    assert (found.amount, found.faults) == (amount, faults)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"state": "maybe"}, "unknown-state"),
        ({"currency": "Euro"}, "unknown-currency"),
        ({"closed_on": "31.3.2027"}, "closed-on-no-date"),
        ({"opened_on": "yesterday"}, "opened-on-no-date"),
        ({"state": "won", "closed_on": "2027-02-27"}, "closed-before-opened"),
        ({"state": "lost", "closed_on": "2027-02-09", "opened_on": "2027-02-10"}, "closed-before-opened"),
    ],
)
def test_what_cannot_be_right_is_marked(said: dict[str, str], fault: str) -> None:
    assert list(facts(**said).faults) == [fault]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"state": "won", "closed_on": "2027-03-03"}, {"closed-on-to-come": "2027-03-03"}),
        ({"opened_on": "2027-03-03"}, {"opened-on-to-come": "2027-03-03"}),
        ({"state": "won", "closed_on": "2027-03-02", "opened_on": "2027-03-02"}, {}),
    ],
)
def test_a_day_that_has_not_come_is_none(said: dict[str, str], fault: dict[str, str]) -> None:
    """East of Greenwich it may be tomorrow."""
    found = facts(**said)

    assert (found.faults, found.closed_on is None or found.opened_on is None) == (fault, bool(fault))


def test_a_win_before_the_hoped_for_day_is_won_and_is_right_when_somebody_corrects_the_day() -> None:
    hoped = told_too({}, {"closed_on": "2027-03-20"}, at=NOON)
    won = told_too(hoped, {"state": "won"}, at=NOON + DAY)
    right = told_too(won, {"closed_on": "2027-03-02"}, at=NOON + 2 * DAY)

    assert [facts_of(one, began=BEGAN).closed_on for one in (hoped, won, right)] == [date(2027, 3, 20), None, date(2027, 3, 2)]


def test_the_day_before_may_be_the_same_day_west_of_greenwich() -> None:
    assert facts(state="won", closed_on="2027-02-28").faults == {}


def test_a_day_on_which_it_is_hoped_to_close_is_no_fault() -> None:
    assert facts(closed_on="2027-02-01").faults == {}


def test_any_order_of_telling_gives_the_same_facts() -> None:
    told = [
        ({"stage": "Discovery", "amount": "100"}, NOON),
        ({"stage": "Proposal"}, NOON + DAY),
        ({"amount": "250", "currency": "eur"}, NOON + DAY),
        ({"state": "lost", "reason": "Price", "closed_on": "2027-03-05"}, NOON + 4 * DAY),
        ({"state": "won", "closed_on": "2027-03-06"}, NOON + 5 * DAY),
    ]

    found = set()
    for order in permutations(told):
        known: dict[str, tuple[str, str]] = {}
        for values, at in [*order, order[0]]:
            known = told_too(known, values, at=at)
        found.add(repr(facts_of(known, began=BEGAN)))

    assert found == {repr(Facts("Proposal", 25_000, "EUR", OpportunityState.WON, "Price", None, date(2027, 3, 6), {}))}


def test_changes_are_named() -> None:
    assert changed(facts(stage="A", amount="1"), facts(stage="B", amount="1", state="won")) == ("state", "stage")


@pytest.mark.parametrize(("said", "days"), [({}, 30), ({"stalled": {"after": "45 days"}}, 45), ({"stalled": {"after": "12 hours"}}, 0.5)])
def test_an_open_opportunity_is_stalled_after_the_agreed_time(said: dict[str, Any], days: float) -> None:
    tree = example_tree()
    tree["crm"] = {**tree["crm"], **said}

    assert stalls_at(Agreement.model_validate(tree), NOON) == NOON + days * DAY


def agreed(lost: dict[str, str] | None) -> Agreement:
    tree: dict[str, Any] = example_tree()
    tree["crm"] = {**tree["crm"], **({"lost": lost} if lost is not None else {})}
    for reason in tree["reasons"]:
        if reason["code"] == "uses-competitor":
            reason["crm"] = {"lost_reason": "Competitor won"}
    return Agreement.model_validate(tree)


NURTURE = {"then": "nurture", "track": "lost-deal", "revisit": "30 days"}


@pytest.mark.parametrize(
    ("lost", "reason", "then", "track", "days"),
    [
        (None, "", None, "", None),
        (None, "Bad luck", None, "", None),
        (None, "Competitor won", "nurture", "competitor", 270),
        (NURTURE, "", "nurture", "lost-deal", 30),
        (NURTURE, "Bad luck", "nurture", "lost-deal", 30),
        (NURTURE, "Competitor won", "nurture", "competitor", 270),
        (NURTURE, "no-budget", "nurture", "value", 120),
        (NURTURE, "Not a company we sell to", "disqualify", "", None),
        (NURTURE, "Duplicate", "nurture", "lost-deal", 30),
        ({"then": "nurture"}, "", "nurture", "lost", 90),
        ({"then": "disqualify"}, "", "disqualify", "", None),
        ({"then": "disqualify"}, "no-budget", "nurture", "value", 120),
    ],
)
def test_a_loss_takes_the_route_of_its_reason_else_that_of_every_loss(
    lost: dict[str, str] | None, reason: str, then: str | None, track: str, days: int | None
) -> None:
    found = route(agreed(lost), reason, now=NOON)

    assert (found.then if found else None) == then
    if found is not None:
        assert found.track == track
        assert ((found.revisit_at - NOON).days if found.revisit_at else None) == days


def test_the_loss_is_a_key_of_the_clause() -> None:
    assert "lost" in KEYS
