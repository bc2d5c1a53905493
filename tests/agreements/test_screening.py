"""Which leads are sorted out before scoring; the first rule that matches counts."""

from __future__ import annotations

from typing import Any

import pytest

from agreements.loading import read_agreement
from agreements.screening import screen
from tests.conftest import AGREEMENT

EXAMPLE = read_agreement(AGREEMENT)
FINE = {"email": "lee@harbour.example", "country": "GB"}


@pytest.mark.parametrize(
    ("name", "given", "then", "as_"),
    [
        ("nothing speaks against the lead", {}, None, None),
        ("a throw-away address", {"email": "x@mailinator.com"}, "disqualify", "spam"),
        ("no address and no number", {"email": None}, "disqualify", "unreachable"),
        ("no address but a number", {"email": None, "phone": "+44 20"}, None, None),
        ("where we do not sell", {"country": "IR"}, "disqualify", "wrong-territory"),
        ("an opportunity is under way", {"account.open_opportunity": True, "account.status": "prospect"}, "attach", "open-opportunity"),
        ("no opportunity is under way", {"account.open_opportunity": False, "account.status": "prospect"}, None, None),
        ("a customer", {"account.status": "customer"}, "attach", "customer"),
        ("a customer who is buying", {"account.status": "customer", "account.open_opportunity": True}, "attach", "open-opportunity"),
        ("an account with an owner", {"account.owner": "ana"}, "route", "owned-account"),
        ("an account without an owner", {"account.owner": ""}, None, None),
        ("spam from a customer's country", {"email": "x@yopmail.com", "country": "IR", "account.status": "customer"}, "disqualify", "spam"),
        ("nobody may contact them", {"suppressed": True}, "suppress", "do-not-contact"),
        ("nobody may contact them, spam or not", {"suppressed": True, "email": "x@mailinator.com"}, "suppress", "do-not-contact"),
        ("they may be contacted", {"suppressed": False}, None, None),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_the_first_rule_that_matches_counts(name: str, given: dict[str, Any], then: str | None, as_: str | None) -> None:
    result = screen(EXAMPLE, {**FINE, **given})

    assert result.passes is (then is None)
    assert (result.rule.then if result.rule else None, result.rule.as_ if result.rule else None) == (then, as_)


def test_the_screen_says_why_in_the_agreements_words() -> None:
    assert screen(EXAMPLE, {**FINE, "country": "KP"}).why == "we do not sell there"
    assert screen(EXAMPLE, FINE).why == "no screen rule matches"
    assert screen(EXAMPLE, {"suppressed": True}).why == "is on the suppression list or asked not to be contacted"


def test_a_rule_without_a_reason_is_told_by_what_it_asks() -> None:
    bare = read_agreement(AGREEMENT.replace('as: wrong-territory, why: "we do not sell there"', "as: wrong-territory"))

    assert screen(bare, {**FINE, "country": "KP"}).why == "country in KP, IR, SY, CU"


def test_without_any_rule_only_the_list_of_whom_nobody_may_contact_counts() -> None:
    start, end = AGREEMENT.index("screen:"), AGREEMENT.index("qualification:")
    bare = read_agreement(AGREEMENT[:start] + AGREEMENT[end:])

    assert screen(bare, {"email": "x@mailinator.com"}).passes
    assert not screen(bare, {"suppressed": True}).passes
