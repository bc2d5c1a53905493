"""One file, two ways: tried out by a backtest, or taken in and explained. Both judge each lead by the same facts."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from agreements.backtest.columns import judge
from agreements.explanation import Explanation, explain
from agreements.lead import LeadFacts
from agreements.loading import as_published, read_agreement
from agreements.model import Agreement
from app.backtest.compare import applies_to
from app.backtest.files import LeadFile, read_past
from app.csv_import.file import read_leads
from app.csv_import.importing import import_leads
from storage import handoffs, leads
from storage.tables import Lead, LeadSource
from tasks.wiring.toolbox import Toolbox
from tests.app.backtest.ground import NOW, a_file, example_with

#: Each example takes its leads in under a source of its own.
NUMBERS = count()
#: By column, what its cells say. Those of the second group have names that every lead has a column for as well.
CELLS: dict[str, list[str]] = {
    "job_title": ["", "Head of Operations", "VP Sales", "student"],
    "country": ["", "GB", "us", "United Kingdom"],
    "entry_channel": ["", "web", "trade_show"],
    "campaign": ["", "spring", "autumn"],
    "phone": ["", "+44 1"],
    "activity": ["", "form_submitted", "demo_requested", "quote_requested", "webinar_attended"],
    "path": ["", "/pricing", "/pricing/eu", "/blog"],
    "do_not_contact": ["", "", "", "no", "yes"],
    "sales_sourced_by": ["", "", "ana"],
    "fields.industry": ["", "software", "saas", "Select", "steel"],
    "fields.employees": ["", "51-200", "420", "7.5", "many"],
    "fields.budget": ["", "yes", "no", "12"],
    "fields.activity": ["", "form_submitted", "skiing"],
    "fields.message": ["", "hello"],
    "fields.source_id": ["", "17"],
    "fields.do_not_contact": ["", "yes", "no"],
    "fields.country": ["", "GB", "FR"],
    "fields.email_domain": ["", "field.example"],
    "fields.suppressed": ["", "yes"],
    "fields.sales_sourced": ["", "yes"],
    "fields.source": ["", "web"],
}
ASKED: list[dict[str, Any]] = [
    {"industry": ["software", "steel"]},
    {"industry": "missing"},
    {"employees": {"at_least": 51}},
    {"budget": "present"},
    {"activity": "form_submitted"},
    {"activity": "missing"},
    {"message": "present"},
    {"source_id": "present"},
    {"do_not_contact": "present"},
    {"country": ["GB", "FR"]},
    {"country": {"not_in": ["GB"]}},
    {"email_domain": "present"},
    {"email_domain": ["firm.example", "field.example"]},
    {"email": "free"},
    {"suppressed": False},
    {"sales_sourced": True},
    {"sales_sourced": False},
    {"source": "web"},
    {"source": "present"},
    {"entry_channel": "web"},
    {"entry_channel": "missing"},
    {"campaign": "spring"},
    {"phone": "present"},
    {"job_title": {"contains": ["operations", "sales"]}},
    {"account.owner": "present"},
    {"account.status": {"not_in": ["customer"]}},
]
LATER: list[dict[str, Any]] = [
    {"fast_lane": True},
    {"asked": "quote_requested"},
    {"asked": ["demo_requested"]},
    {"asked": "missing"},
    {"asked": "present"},
    {"score": {"at_least": 40}},
    {"persona": "first"},
    {"product": "api"},
]
#: What a file of today may not declare: an agreement that was published before that was said still runs.
FIELDS: dict[str, Any] = {
    "industry": {"type": "choice", "synonyms": {"saas": "software"}, "null_values": ["Select"]},
    "employees": {"type": "number", "bands": {"51-200": 51}},
    "country": {"type": "choice", "synonyms": {"United Kingdom": "GB"}},
    **{name: {"type": "text"} for name in ("activity", "message", "source_id", "do_not_contact")},
}

conditions = st.lists(st.sampled_from(ASKED), min_size=1, max_size=2).map(
    lambda some: {name: asked for one in some for name, asked in one.items()}
)
later = st.one_of(conditions, st.sampled_from(LATER))


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """An agreement whose rules ask for any facts."""
    clauses = {
        "fields": FIELDS,
        "applies_to": draw(st.one_of(st.just({}), conditions)),
        "default": draw(st.booleans()),
        "personas": [{"name": name, "product": product, "match": draw(conditions)} for name, product in (("first", "api"), ("second", ""))],
        "screen": [
            {"when": when, "then": then, "as": then}
            for when, then in draw(st.lists(st.tuples(conditions, st.sampled_from(["disqualify", "attach", "route"])), max_size=2))
        ],
        "tiers": [{"name": f"t{number}", "when": when} for number, when in enumerate(draw(st.lists(later, max_size=2)))]
        + [{"name": "normal"}],
        "qualification": {
            "fast_lane": draw(st.sampled_from([[], ["demo_requested"], ["demo_requested", "quote_requested"]])),
            "mql": {"total": draw(st.sampled_from([0, 20, 50])), "fit_at_least": draw(st.sampled_from([-100, 0, 10]))},
            "fit": [
                {"when": when, "points": points} for when, points in draw(st.lists(st.tuples(conditions, st.sampled_from([-10, 10, 30]))))
            ]
            + [{"persona": "first", "points": 15}],
            "engagement": [
                {"activity": "form_submitted", "points": 20, "half_life": "30 days"},
                {"activity": "webinar_attended", "path": draw(st.sampled_from(["", "/pricing"])), "points": 10, "at_most": 15},
            ],
            "by_channel": draw(st.sampled_from([{}, {"web": {"total": 30}}, {"trade_show": {"total": 10}}])),
            "require": draw(st.sampled_from([[], ["budget"]])),
        },
    }
    segments = [{"when": when, "team": team} for when, team in zip(draw(st.lists(later, max_size=2)), ("emea", "us"), strict=False)]
    routing = {"segments": [*segments, {"when": {"tier": "normal"}, "team": "rest"}], "default_acceptor": "dora"}
    return as_published(example_with(**json.loads(json.dumps({**clauses, "routing": routing}))))  # no object twice: no YAML aliases


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file of some leads in order of time, with any of the columns; the first of several rows names the person."""
    columns = draw(st.lists(st.sampled_from(list(CELLS)), unique=True))
    number = next(NUMBERS)
    rows, at = [], datetime(2025, 11, 1)
    for lead in range(draw(st.integers(1, 4))):
        email = draw(st.sampled_from(["", f"p{number}-{lead}@gmail.com", f"p{number}-{lead}@firm.example"]))
        for conversion in range(draw(st.integers(1, 3))):
            at += timedelta(minutes=draw(st.integers(1, 20_000)))
            rows.append(
                [
                    f"{number}-{lead}",
                    f"{conversion}",
                    f"{at:%Y-%m-%d %H:%M}",
                    email,
                    *(draw(st.sampled_from(CELLS[name])) for name in columns),
                ]
            )
    text = io.StringIO()
    csv.writer(text).writerows([["source_id", "conversion_id", "at", "email", *columns], *rows])
    return text.getvalue()


#: Shrinking takes minutes here, as each example is a file taken in; the failing example is told whole instead.
@settings(
    max_examples=20,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(agreement=agreements(), text=files())
def test_a_lead_of_a_file_is_judged_alike_by_a_backtest_and_once_it_is_taken_in(
    box: Toolbox, tmp_path: Path, agreement: Agreement, text: str
) -> None:
    path = tmp_path / "leads.csv"
    path.write_text(text, encoding="utf-8")

    tried, taken = tried_out(agreement, path), taken_in(box, agreement, path)

    assert tried == taken


def tried_out(agreement: Agreement, path: Path) -> list[dict[str, Any]]:
    """What a backtest says of each lead, by the instants at which they are judged."""
    past = read_past(LeadFile(path), [agreement], now=NOW)
    assert past.left_out == []
    judged, meant = judge(agreement, past.leads), applies_to(agreement, past)
    found = []
    for row, verdict in enumerate(judged.verdicts.rows(named=True)):
        stage = "elsewhere" if not meant[row] else verdict["screened"] or ("mql" if verdict["is_mql"] else "nurture")
        points = [(judged.points[name][row], judged.applies[name][row]) for name in judged.points]
        kept = {name: verdict[name] for name in ("fit", "engagement", "total", "fast_lane", "tier", "team", "persona")}
        found.append({"at": past.leads.at[row], "stage": stage, "points": points, **kept})
    return sorted(found, key=lambda one: one["at"])


def taken_in(box: Toolbox, agreement: Agreement, path: Path) -> list[dict[str, Any]]:
    """What is explained of each lead once the file is taken in, as of the last thing it did."""
    read = read_leads(path, mapping=None, today=NOW)
    assert import_leads(box, read, hold=True, actor="test").bad == []
    last = {(row.lead.source, row.lead.source_id): row.lead.at for row in read.rows}
    return [
        {"at": at, **shown(explain(agreement, facts_of(box, source, source_id), now=at))}
        for (source, source_id), at in sorted(last.items(), key=lambda one: str(one[1]))
        if at
    ]


def facts_of(box: Toolbox, source: str, source_id: str) -> LeadFacts:
    """What `baton agreement explain` judges the lead by."""

    def read(session: Session, now: datetime) -> LeadFacts:
        known = session.get(LeadSource, (source, source_id))
        assert known is not None
        latest, lead = handoffs.latest_of(session, known.lead_id), session.get(Lead, known.lead_id)
        assert lead is not None
        return leads.facts_for(session, latest) if latest else leads.facts(session, lead)

    return box.read_now(read)


def shown(found: Explanation) -> dict[str, Any]:
    """An explanation, shaped as a lead of a backtest."""
    screened = (found.screening.rule.as_ or found.screening.rule.then) if found.sorted_out and found.screening.rule else ""
    verdict = found.verdict
    return {
        "stage": "elsewhere" if not found.meant else screened or ("mql" if verdict.is_mql else "nurture"),
        "points": [(point.points, point.applies) for point in (*found.fit, *found.engagement)],
        "fit": verdict.fit,
        "engagement": verdict.engagement,
        "total": verdict.total,
        "fast_lane": verdict.fast_lane,
        "tier": found.tier,
        "team": found.team,
        "persona": found.persona,
    }


#: Once each a fault: the columns and cells of one lead, what the agreement asks for, and whether the lead meets that.
ONCE: list[tuple[str, str, dict[str, Any], bool]] = [
    ("activity", "form_submitted", {"activity": "form_submitted"}, False),
    ("activity,fields.activity", "form_submitted,skiing", {"activity": "skiing"}, True),
    ("fields.country", "GB", {"country": "GB"}, False),
    ("fields.email_domain", "field.example", {"email_domain": "field.example"}, False),
    ("fields.suppressed", "yes", {"suppressed": False}, True),
    ("campaign", "spring", {"entry_channel": "web"}, True),
]


@pytest.mark.parametrize(("columns", "cells", "asked", "meets"), ONCE)
def test_a_rule_asks_a_backtest_for_the_fact_that_it_asks_a_lead_for(
    box: Toolbox, tmp_path: Path, columns: str, cells: str, asked: dict[str, Any], meets: bool
) -> None:
    path = a_file(tmp_path, f"source_id,at,email,{columns}", f"1,2026-12-01,ann@firm.example,{cells}")
    qualification = {"mql": {"total": 10}, "fit": [{"when": asked, "points": 10}], "engagement": [], "fast_lane": []}
    agreement = as_published(example_with(fields=FIELDS, screen=[], personas=[], qualification=qualification))

    tried, taken = tried_out(agreement, path), taken_in(box, agreement, path)

    assert [one["stage"] for one in (*tried, *taken)] == ["mql" if meets else "nurture"] * 2


def test_a_lead_whose_account_has_no_owner_is_not_sorted_out_by_a_route(box: Toolbox, tmp_path: Path) -> None:
    path = a_file(tmp_path, "source_id,at,activity", "1,2026-12-01,demo_requested")
    screened = [{"when": {"source": "csv"}, "then": "route", "as": "owned"}, {"when": {"source": "csv"}, "then": "attach"}]
    agreement = as_published(example_with(screen=screened))

    tried, taken = tried_out(agreement, path), taken_in(box, agreement, path)

    assert [one["stage"] for one in (*tried, *taken)] == ["mql", "mql"]


def test_tiers_and_segments_are_told_apart_by_what_a_lead_asked_for(box: Toolbox, tmp_path: Path) -> None:
    path = a_file(
        tmp_path, "source_id,at,activity", "1,2026-12-01,demo_requested", "2,2026-12-02,quote_requested", "3,2026-12-03,page_viewed"
    )
    tiers = [{"name": "hot", "when": {"asked": "quote_requested"}}, {"name": "normal"}]
    segments = [{"when": {"asked": ["demo_requested"]}, "team": "americas"}, {"when": {"asked": "present"}, "team": "emea"}]
    agreement = read_agreement(example_with(tiers=tiers, routing={"segments": segments, "default_acceptor": "dora"}))

    tried, taken = tried_out(agreement, path), taken_in(box, agreement, path)

    assert tried == taken
    assert [(one["tier"], one["team"]) for one in tried] == [("normal", "americas"), ("hot", "emea"), ("normal", "")]


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize(
    ("column", "asked", "meets"),
    [
        ("sales_sourced_by", {"sales_sourced": False}, True),
        ("sales_sourced_by", {"sales_sourced": True}, False),
        ("do_not_contact", {"suppressed": False}, True),
        ("campaign", {"campaign": "missing"}, True),
        ("campaign", {"campaign": {"not_in": ["spring"]}}, True),
        ("fields.industry", {"industry": "missing"}, True),
    ],
)
def test_what_no_row_of_a_lead_tells_is_judged_like_a_blank_of_its_only_row(
    box: Toolbox, tmp_path: Path, rows: int, column: str, asked: dict[str, Any], meets: bool
) -> None:
    told = [f"1,{number},2026-12-0{number},ann@firm.example," for number in range(1, rows + 1)]
    path = a_file(tmp_path, f"source_id,conversion_id,at,email,{column}", *told)
    qualification = {"mql": {"total": 10}, "fit": [{"when": asked, "points": 10}], "engagement": [], "fast_lane": []}
    agreement = as_published(example_with(fields=FIELDS, screen=[], personas=[], qualification=qualification))

    tried, taken = tried_out(agreement, path), taken_in(box, agreement, path)

    assert [one["stage"] for one in (*tried, *taken)] == ["mql" if meets else "nurture"] * 2


@pytest.mark.parametrize(
    ("condition", "meant"),
    [
        ({"suppressed": False}, True),
        ({"suppressed": True}, False),
        ({"source_id": "present", "suppressed": False}, True),
        ({"sales_sourced": False}, True),
        ({"email": "free"}, False),
        ({"email_domain": "present"}, True),
        ({"source_id": "missing"}, False),
    ],
)
def test_which_leads_an_agreement_is_for_is_found_out_alike(box: Toolbox, tmp_path: Path, condition: dict[str, Any], meant: bool) -> None:
    path = a_file(tmp_path, "source_id,at,email,fields.source_id", "1,2026-12-01,ann@firm.example,17")
    agreement = as_published(example_with(fields=FIELDS, screen=[], personas=[], applies_to=condition, default=False))

    tried, taken = tried_out(agreement, path), taken_in(box, agreement, path)

    assert [one["stage"] != "elsewhere" for one in (*tried, *taken)] == [meant] * 2
