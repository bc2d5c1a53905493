"""What has no effect, and what is allowed but seldom meant: told before anybody signs."""

from __future__ import annotations

import pytest

from agreements.checks import notes_of
from agreements.loading import read_agreement
from tests.conftest import AGREEMENT

#: A place of the example, what stands there instead, the place of the note, and a piece of it.
NOTES = [
    ("fast_lane: true}, channels: [email, crm, chat]}", "fast_lane: true}, told: 5}", "tiers.0.told", "is not used, because the tier's"),
    ("everyone_away: hold", "everyone_away: hold\n  on_call: dora", "routing.on_call", "is not used, because `everyone_away` is hold"),
    ("sales: [cro@northgate.example]", "sales: [CMO@northgate.example]", "signers", "cmo@northgate.example signs for both sides"),
    ("{total: 60, fit_at_least: 30, engagement_at_least: 15}", "{total: 0, fit_at_least: -99, engagement_at_least: -99}",
     "qualification.mql", "every lead that passes the screen is ready for sales"),
    ("trade_show: {engagement_at_least: 0}", "trade_show: {total: 0, fit_at_least: -99, engagement_at_least: -99}",
     "qualification.by_channel.trade_show", "every trade_show lead"),
    ("contact_sales]", "contact_sale]", "qualification.fast_lane.2",
     "'contact_sale' is no usual activity and no other rule names it; did you mean 'contact_sales'?; it counts only"),
    ("activity: trade_show_visit", "activity: sauna_visit", "qualification.engagement.4.activity", "'sauna_visit' is no usual activity"),
    ("job_title: {contains: [student, intern]}", "job_title: VP Sales", "qualification.fit.6.when.job_title",
     "holds only for exactly 'VP Sales'; a longer title such as 'VP Sales EMEA' does not match."
     " To include such titles, write {contains: ['VP Sales']}"),
    ("job_title: {contains: [sales, revenue, commercial, growth]}", "job_title: [CRO, VP Sales]", "personas.1.match.job_title",
     "write {contains: ['CRO', 'VP Sales']}"),
    ("country: [US, CA, MX, BR]", "country: [US, Korea]", "routing.segments.0.when.country",
     "'Korea' can be KP (North Korea) or KR (South Korea); write the code. Until then the rule counts only for leads with exactly this"),
    ("country: {in: [KP, IR, SY, CU]}", "country: {not_in: [UX]}", "screen.2.when.country", "'UX' is no country that Baton knows; write"),
    ("legs: [sdr]", "legs: [sdr, ae]", "legs.1", "`routing.segments` decide again and the leg 'ae' goes to the team of the first one"),
]  # fmt: skip


def notes(text: str) -> dict[str, str]:
    return {".".join(map(str, note.where)): note.what for note in notes_of(read_agreement(text))}


@pytest.mark.parametrize(("old", "new", "where", "said"), NOTES, ids=lambda value: value if "." in value and " " not in value else "")
def test_what_is_allowed_and_probably_not_meant_is_noted(old: str, new: str, where: str, said: str) -> None:
    assert old in AGREEMENT

    found = notes(AGREEMENT.replace(old, new, 1))

    assert said in found[where]


def test_a_check_in_that_is_agreed_is_carried_out_and_not_noted() -> None:
    text = AGREEMENT.replace("    at: {50%: remind}\n", "    at: {50%: remind}\n    check_in: daily-digest\n", 1)

    assert set(notes(text)) == set()


@pytest.mark.parametrize("countries", ["[US, CA, MX, Brasil]", "[USA, Deutschland]", "United Kingdom", "missing", "{contains: [land]}"])
def test_a_country_in_any_usual_way_is_not_noted(countries: str) -> None:
    assert set(notes(AGREEMENT.replace("country: [US, CA, MX, BR]", f"country: {countries}", 1))) == set()


def test_an_activity_of_ones_own_that_two_rules_name_is_meant() -> None:
    text = AGREEMENT.replace("contact_sales]", "sauna_visit]").replace("activity: trade_show_visit", "activity: sauna_visit")

    assert set(notes(text)) == set()


def test_a_title_whose_spellings_are_declared_may_be_asked_for_to_the_letter() -> None:
    text = AGREEMENT.replace("job_title: {contains: [student, intern]}", "job_title: sales")
    declared = text.replace("  employees:\n", '  job_title: {type: choice, synonyms: {"VP Sales": sales}}\n  employees:\n', 1)

    assert set(notes(text)) == {"qualification.fit.6.when.job_title"}
    assert set(notes(declared)) == set()


def test_what_is_not_written_is_not_noted() -> None:
    assert set(notes(AGREEMENT)) == set()


def test_a_minimum_that_some_cannot_reach_is_nothing_to_note() -> None:
    """A free address costs fifteen points."""
    text = AGREEMENT.replace(
        "{total: 60, fit_at_least: 30, engagement_at_least: 15}", "{total: 0, fit_at_least: 0, engagement_at_least: -99}"
    )

    assert set(notes(text)) == set()
