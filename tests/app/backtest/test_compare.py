"""The figures of a backtest: each is what judging the leads again, one way or the other, would give."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agreements.backtest.columns import judge
from agreements.model import Agreement
from app.backtest.compare import compare
from app.backtest.past import BLANK, PastLeads
from app.backtest.report import Backtest, Share
from tests.app.backtest.ground import a_file, an_agreement, example, past_of
from tests.present import the

KINDS = ["form_submitted", "page_viewed", "webinar_attended", "demo_requested", "content_downloaded"]
FACTS = "email job_title country entry_channel activity path do_not_contact fields.industry fields.employees fields.authority won_at"
HEADER = ",".join(("source_id", "at", *FACTS.split()))
RULES: dict[str, Any] = {
    "fast_lane": ["demo_requested"],
    "mql": {"total": 40, "fit_at_least": 10, "engagement_at_least": 5},
    "fit": [
        {"when": {"industry": ["software", "logistics"]}, "points": 25},
        {"when": {"employees": {"at_least": 200}}, "points": 20},
        {"persona": "ops-leader", "points": 15},
        {"when": {"email": "free"}, "points": -25},
        {"when": {"country": "AQ"}, "points": 50},
    ],
    "engagement": [
        {"activity": "form_submitted", "points": 20, "half_life": "30 days"},
        {"activity": "page_viewed", "path": "/pricing", "points": 10, "at_most": 20},
        {"activity": "webinar_attended", "points": 25},
    ],
    "by_channel": {"trade_show": {"total": 20, "engagement_at_least": 0}, "webinar": {"fit_at_least": 0}},
}


def leads(folder: Path, seed: int, count: int = 400) -> PastLeads:
    dice, lines = Random(seed), []
    for number in range(count):
        at = datetime(2026, 11, 1) + timedelta(minutes=dice.randrange(60_000))
        cells = (
            f"L{number}",
            f"{at:%Y-%m-%d %H:%M}",
            dice.choice([f"p{number}@gmail.com", f"p{number}@firm.example", f"p{number}@mailinator.com", ""]),
            dice.choice(["Head of Operations", "Student", "VP Sales", ""]),
            dice.choice(["GB", "US", "KP"]),
            dice.choice(["web", "trade_show", "webinar", ""]),
            dice.choice(KINDS),
            dice.choice(["/pricing", "/blog"]),
            dice.choice(["", "", "", "", "true"]),
            dice.choice(["software", "logistics", "retail", ""]),
            str(dice.choice([5, 50, 250, 900])),
            dice.choice(["yes", "no", ""]),
            dice.choice(["", "", f"{at + timedelta(days=9):%Y-%m-%d}"]),
        )
        lines.append(",".join(cells))
    return past_of(a_file(folder, HEADER, *lines), the_draft(require=["authority"]))


def the_draft(**qualification: Any) -> Agreement:
    clauses = {clause: example(clause) for clause in ("screen", "personas", "fields")}
    clauses["fields"]["authority"] = {"type": "yes_no"}
    return an_agreement(2, qualification={**RULES, **qualification}, **clauses)


def qualified(agreement: Agreement, past: PastLeads) -> Share:
    """Who qualifies, counted by itself."""
    ready = judge(agreement, past.leads).verdicts["is_mql"]
    return Share(int(ready.sum()), int((ready & past.outcomes.known).sum()), int((ready & past.outcomes.won).sum()))


@pytest.fixture(params=[1, 2])
def past(tmp_path: Path, request: pytest.FixtureRequest) -> PastLeads:
    return leads(tmp_path, request.param)


@pytest.fixture(params=[{}, {"require": ["authority"]}, {"fast_lane": []}], ids=["plain", "required", "points only"])
def draft(request: pytest.FixtureRequest) -> Agreement:
    return the_draft(**request.param)


def test_every_lead_is_counted_once(past: PastLeads, draft: Agreement) -> None:
    found = compare(draft, the_draft(mql={"total": 60}), past)

    for side in found.sides:
        parts = [side.qualified, side.below, side.elsewhere, *side.screened.values()]
        assert sum(parts, Share()) == found.leads
        assert sum(side.tiers.values(), Share()) == side.qualified
        assert sum(side.teams.values(), Share()) == side.qualified
    moves = the(found.moves)
    assert moves.both + moves.only_draft == found.draft.qualified
    assert moves.both + moves.only_other == the(found.other).qualified
    assert moves.both + moves.only_draft + moves.only_other + moves.neither == found.leads
    assert sum((group.leads for group in found.groups), Share()) == found.leads
    assert sum((group.draft for group in found.groups), Share()) == found.draft.qualified
    assert sum((the(group.other) for group in found.groups), Share()) == the(found.other).qualified


def test_a_criterion_decided_for_the_leads_that_are_judged_otherwise_without_it(past: PastLeads, draft: Agreement) -> None:
    side = compare(draft, None, past).draft
    ready = judge(draft, past.leads).verdicts["is_mql"]

    rules = draft.qualification
    without = [rules.model_copy(update={"fit": rules.fit[:place] + rules.fit[place + 1 :]}) for place in range(len(rules.fit))]
    without += [
        rules.model_copy(update={"engagement": rules.engagement[:place] + rules.engagement[place + 1 :]})
        for place in range(len(rules.engagement))
    ]
    changed = [
        int((judge(draft.model_copy(update={"qualification": one}), past.leads).verdicts["is_mql"] != ready).sum()) for one in without
    ]
    assert [one.mattered for one in side.criteria] == changed
    assert max(changed) > 0
    assert (side.criteria[4].words, side.criteria[4].mattered, side.criteria[4].held) == ("country is AQ", 0, 0)


def test_the_curve_says_who_would_qualify_at_another_threshold(past: PastLeads, draft: Agreement) -> None:
    side = compare(draft, None, past).draft

    assert side.curve[side.threshold] == side.qualified
    for threshold in (0, 17, 40, 63, 100):
        mql = draft.qualification.mql.model_copy(update={"total": threshold})
        moved = draft.model_copy(update={"qualification": draft.qualification.model_copy(update={"mql": mql})})
        assert side.curve[threshold] == qualified(moved, past), threshold


def test_who_qualifies_only_by_asking_would_not_by_points(past: PastLeads) -> None:
    side = compare(the_draft(), None, past).draft

    by_points = qualified(the_draft(fast_lane=[]), past)
    assert side.qualified.leads - by_points.leads == side.only_by_asking.leads > 0


def test_leads_of_another_agreement_are_set_apart(past: PastLeads) -> None:
    draft = the_draft().model_copy(update={"applies_to": an_agreement(applies_to={"country": "US"}).applies_to, "default": False})

    side = compare(draft, None, past).draft

    assert side.elsewhere.leads == sum(value != "US" for value in past.leads.values["country"])
    assert sum((side.qualified, side.below, *side.screened.values()), Share()).leads == past.height - side.elsewhere.leads


def test_blank_is_a_group_of_its_own_and_not_the_value_unknown(tmp_path: Path) -> None:
    path = a_file(tmp_path, "source_id,at,entry_channel", "1,2027-01-01,", "2,2027-01-01,unknown", "3,2027-01-01,unknown")

    groups = compare(an_agreement(), None, past_of(path)).groups

    assert [(group.value, group.leads.leads) for group in groups] == [("unknown", 2), (BLANK, 1)]


def test_win_rates_are_those_of_the_made_up_rows(tmp_path: Path) -> None:
    """400 leads from search of whom 10 % were won, 200 from mail with 3 %, 50 without an origin with 24 %, one won too early."""
    rows, deals = [], []
    for origin, count, won in (("search", 400, 40), ("mail", 200, 6), ("", 50, 12)):
        names = [f"{origin or 'none'}-{number}" for number in range(count)]
        rows += [f"{name},2018-01-10,{origin}" for name in names]
        deals += [f"{name},2018-02-01 10:00:00" for name in names[:won]]
    a_file(tmp_path, "id,won", *deals, "search-399,2018-01-08 10:00:00", name="deals.csv")
    mapping = {
        "columns": {"source_id": "id", "at": "first", "entry_channel": "origin"},
        "values": {"entry_channel": {"": "not-recorded"}},
        "fields": {"origin": "origin"},
        "outcomes": {"file": "deals.csv", "source_id": "id", "won_at": "won"},
    }
    path = a_file(tmp_path, "id,first,origin", *rows)

    for by, blank in (("origin", BLANK), ("entry_channel", "not-recorded")):
        past = past_of(path, mapping=mapping, by=by)
        found = compare(an_agreement(), None, past)

        assert {group.value: group.leads for group in found.groups} == {
            "search": Share(400, 399, 40),
            "mail": Share(200, 200, 6),
            blank: Share(50, 50, 12),
        }
        assert [(one.place, one.line) for one in found.left_out] == [("deals.csv", len(deals) + 2)]


def test_what_is_asked_and_not_known_of_anybody_is_said(tmp_path: Path) -> None:
    found = compare(an_agreement(), None, past_of(a_file(tmp_path, "source_id,at,fields.industry", "1,2027-01-01,software")))

    assert "b2b-saas@1 asks for facts that no lead here has: employees (fit 2)." in found.warnings


def test_a_draft_that_bears_the_name_of_the_other_is_told_apart(past: PastLeads) -> None:
    found = compare(the_draft(), the_draft(mql={"total": 70}), past)

    assert [side.reference for side in found.sides] == ["b2b-saas@2 (draft)", "b2b-saas@2"]


def test_no_leads_at_all_make_an_empty_report(tmp_path: Path) -> None:
    found: Backtest = compare(an_agreement(), an_agreement(2), past_of(a_file(tmp_path, "source_id,at")))

    assert found.leads == found.draft.qualified == Share()
    assert [one.line for one in found.left_out] == [1]
