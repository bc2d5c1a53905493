"""Why a lead is judged as it is: what is told agrees with the verdict itself, and leaves nothing out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agreements import model
from agreements.explanation import explain
from agreements.lead import Done, LeadFacts
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.qualification import qualify

TEXT = (Path(model.__file__).parent / "examples" / "b2b-saas.yaml").read_text(encoding="utf-8")
EXAMPLE = read_agreement(TEXT)
NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
FORM = Done("form_submitted", NOW - timedelta(days=1))


def changed(*pairs: tuple[str, str]) -> Agreement:
    text = TEXT
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return read_agreement(text)


@pytest.mark.parametrize(
    "facts",
    [
        LeadFacts(),
        LeadFacts({"industry": "software", "employees": 300, "job_title": "RevOps lead"}, (FORM,)),
        LeadFacts({"industry": "mining", "email": "a@gmail.com"}, (FORM, Done("demo_requested", NOW))),
        LeadFacts({"email": "a@mailinator.com"}),
    ],
    ids=["nothing known", "a fit", "asked by itself", "screened out"],
)
def test_the_points_told_add_up_to_the_verdict(facts: LeadFacts) -> None:
    found = explain(EXAMPLE, facts, now=NOW)

    assert found.verdict == qualify(EXAMPLE, facts, now=NOW)
    assert sum(one.points for one in found.fit) == found.verdict.fit
    assert sum(one.points for one in found.engagement) == found.verdict.engagement
    assert (len(found.fit), len(found.engagement)) == (len(EXAMPLE.qualification.fit), len(EXAMPLE.qualification.engagement))


def test_a_minimum_that_is_missed_says_by_how_much() -> None:
    found = explain(EXAMPLE, LeadFacts({"industry": "software"}), now=NOW)

    assert {one.name: one.short for one in found.measures} == {"total": 40, "fit": 10, "engagement": 15}


def test_a_minimum_is_that_of_the_entry_channel() -> None:
    found = explain(EXAMPLE, LeadFacts({"industry": "software"}, entry_channel="trade_show"), now=NOW)

    assert {one.name: one.short for one in found.measures}["engagement"] == 0


def test_what_is_required_is_told_whether_known_or_not() -> None:
    agreement = changed(("  by_channel:", "  require: [budget, authority]\n  by_channel:"))

    found = explain(agreement, LeadFacts({"budget": "20,000 GBP"}), now=NOW)

    assert found.required == {"budget": True, "authority": False}


def test_a_criterion_of_several_facts_names_each_with_what_it_saw() -> None:
    found = explain(EXAMPLE, LeadFacts({"job_title": "Head of Logistics", "employees": "51-200"}), now=NOW)

    seen = {one.rule: (one.value, one.applies) for one in found.fit}
    assert seen["persona ops-leader"] == ("job title Head of Logistics, employees 51", True)
    assert seen["persona sales-leader"] == ("job title Head of Logistics, employees 51", False)
    assert seen["industry is software, logistics or manufacturing"] == ("unknown", False)


def test_an_address_is_told_by_its_domain() -> None:
    found = explain(EXAMPLE, LeadFacts({"email": "very.private@gmail.com"}), now=NOW)

    assert not any("very.private" in one.value for one in (*found.fit, *found.engagement))


def test_a_rule_of_the_screen_is_told_by_its_place() -> None:
    found = explain(EXAMPLE, LeadFacts({"email": "a@x.example", "account.status": "customer"}), now=NOW)

    assert (found.rule, found.sorted_out) == (5, True)


def test_whoever_may_not_be_contacted_is_sorted_out_by_no_rule_of_the_file() -> None:
    found = explain(EXAMPLE, LeadFacts({"email": "a@x.example", "suppressed": True}), now=NOW)

    assert (found.rule, found.sorted_out, found.screening.rule is None) == (None, True, False)


def test_a_route_to_an_owner_that_is_not_there_leaves_the_lead_to_be_scored() -> None:
    agreement = changed(("{account.owner: present}", "{account.status: prospect}"))

    without = explain(agreement, LeadFacts({"email": "a@x.example", "account.status": "prospect"}), now=NOW)
    owned = explain(agreement, LeadFacts({"email": "a@x.example", "account.status": "prospect", "account.owner": "ana"}), now=NOW)

    assert (without.rule, without.sorted_out) == (6, False)
    assert (owned.rule, owned.sorted_out) == (6, True)


def test_tier_and_team_are_those_it_would_get() -> None:
    hot = explain(EXAMPLE, LeadFacts({"country": "US"}, (Done("demo_requested", NOW),)), now=NOW)
    other = explain(EXAMPLE, LeadFacts({"country": "GB"}), now=NOW)

    assert (hot.tier, hot.team) == ("hot", "americas")
    assert (other.tier, other.team) == ("normal", "emea")


def test_a_lead_for_which_the_agreement_is_not_meant_is_told_so() -> None:
    agreement = changed(("signers:", "applies_to: {source: webinar}\nsigners:"))

    assert explain(agreement, LeadFacts({"source": "webinar"}), now=NOW).meant
    assert not explain(agreement, LeadFacts({"source": "web"}), now=NOW).meant


def test_a_lead_of_sales_own_that_need_not_qualify_is_told_so() -> None:
    agreement = changed(("  by_channel:", "  sales_sourced: {same_rules: false}\n  by_channel:"))
    own = LeadFacts({"sales_sourced": True})

    assert explain(agreement, own, now=NOW).need_not_qualify
    assert not explain(EXAMPLE, own, now=NOW).need_not_qualify
