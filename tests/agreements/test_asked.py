"""Which facts the rules ask for, and where: by it one sees what a file of leads has to tell."""

from __future__ import annotations

from agreements.asked import facts_asked
from agreements.loading import read_agreement
from tests.conftest import AGREEMENT

TEXT = (
    AGREEMENT.replace("timezone: Europe/London\nsigners", "timezone: Europe/London\napplies_to: {source: web}\ndefault: true\nsigners", 1)
    .replace("    - {persona: ops-leader, points: 25}", "    - {external_score: employees, out_of: 1000, points: 25}")
    .replace("  by_channel:", "  require: [authority]\n  by_channel:")
)


def test_every_fact_is_named_with_the_clauses_that_ask_for_it() -> None:
    asked = facts_asked(read_agreement(TEXT))

    assert asked["source"] == ["applies_to"]
    assert asked["employees"] == ["persona ops-leader", "persona sales-leader", "fit 2", "fit 3", "fit 4"]
    assert asked["email"] == ["screen 1", "screen 2", "fit 6"]
    assert asked["account.status"] == ["screen 5"]
    assert asked["entry_channel"] == ["by_channel"]
    assert asked["authority"] == ["require"]


def test_what_the_judging_finds_out_by_itself_is_not_asked_of_a_lead() -> None:
    assert {"fast_lane", "score", "persona", "tier"}.isdisjoint(facts_asked(read_agreement(TEXT)))
