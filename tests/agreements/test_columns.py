"""One lead by itself and the same lead among many get the same verdict: 10,000 generated pairs of agreement and lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from ruamel.yaml import YAML

from agreements.backtest.columns import INSTANT, LeadColumns, judge
from agreements.explanation import explain
from agreements.lead import Done, LeadFacts
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.qualification import every_criterion
from tests.conftest import AGREEMENT
from tests.examples import spread

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
AGREEMENTS, LEADS = 100, 100
KINDS = ["form_submitted", "page_viewed", "webinar_attended", "demo_requested", "quote_requested", "reply"]
PATHS = ["", "/", "/pricing", "/pricing/eu", "/pricing-old", "/blog"]
CHANNELS = ["web", "trade_show", "email", ""]
#: Facts, and how their cells come in: each lead's cell is drawn from here.
CELLS: dict[str, list[Any]] = {
    "industry": ["software", "Software ", "IT  services", "saas", "Select", "[not provided]", "", None, "Straße", "STRASSE", "steel"],
    "employees": ["51-200", "51–200", "1000+", "200", "1,200", "49.5", "-3", "12 or so", "nan", "", None, "1e3", " 7 "],
    "revenue": [0, 1, 199.5, 200, 200.0001, 1e12, float("nan"), float("inf"), None],
    "budget": ["yes", "No", "NONE", "a lot", "", None, "0", "unknown"],
    "authority": [True, False, None],
    "founded": ["1999-12-31", "2020-02-30", "", None, "1999-12-31T10:00"],
    "lead_score": [0, 100, 50, 33, 0.5, -4, 250, None],
    "email": ["a@gmail.com", "B@Northgate.Example", "c@mailinator.com", "", None, "nonsense", "d@İstanbul.example"],
    "job_title": ["Head of Operations", "HEAD OF SALES", "student", "VP RevOps", "", None, "Ｏperations"],
    "country": ["GB", "gb", "US", "", None],
    "suppressed": [False, False, False, None, True],
    "account.status": ["customer", "prospect", None],
    "account.owner": ["dora", "", None],
    "account.open_opportunity": [True, False, None],
}
FIELDS: dict[str, dict[str, Any]] = {
    "industry": {
        "type": "choice",
        "values": ["software", "logistics"],
        "synonyms": {"saas": "software", "IT services": "software"},
        "null_values": ["Select", "[not provided]"],
    },
    "employees": {"type": "number", "bands": {"51-200": 51, "1000+": 1000}},
    "revenue": {"type": "number"},
    "budget": {"type": "text"},
    "authority": {"type": "yes_no"},
    "founded": {"type": "date"},
    "lead_score": {"type": "number"},
}
EXAMPLE = YAML(typ="safe", pure=True).load(AGREEMENT)


def a_condition(random: Random) -> dict[str, Any]:
    """One or two questions of any kind."""
    asked: list[dict[str, Any]] = [
        {"industry": random.choice(["software", "SOFTWARE", "steel", "strasse"])},
        {"industry": {"not_in": ["software", "Steel"]}},
        {"industry": random.choice(["present", "missing"])},
        {"employees": {"at_least": random.choice([-3, 49.5, 51, 200]), "at_most": random.choice([200, 1000])}},
        {"revenue": {"at_least": random.choice([0, 199.5, 200])}},
        {"authority": random.choice([True, False])},
        {"founded": "1999-12-31"},
        {"email": random.choice(["free", "company", "disposable", "missing", "present"])},
        {"email_domain": {"in": ["northgate.example", "gmail.com"]}},
        {"job_title": {"contains": random.sample(["operations", "SALES", "revops", "student"], 2)}},
        {"country": {"in": ["GB", "US"]}},
        {"account.status": "customer"},
        {"account.open_opportunity": True},
        {"entry_channel": {"in": ["trade_show"]}},
    ]
    return {**random.choice(asked), **(random.choice(asked) if random.random() < 0.3 else {})}


def a_did(random: Random) -> dict[str, Any]:
    """A criterion for what a lead did."""
    rule: dict[str, Any] = {"activity": random.choice(KINDS), "points": random.choice([-15, 1, 5, 7, 20, 33])}
    if random.random() < 0.5:
        rule["half_life"] = random.choice(["7 days", "30 days", "5 hours", "1 minute"])
    if random.random() < 0.4:
        rule["at_most"] = random.choice([0, 10, 20])
    if random.random() < 0.4:
        rule["path"] = random.choice(PATHS)
    return rule


def an_agreement(random: Random) -> Agreement:
    """The example with rules of its own."""
    fields = {**FIELDS, "employees": {**FIELDS["employees"], "if_missing": random.choice(["unknown", 60])}}
    document: dict[str, Any] = {
        "fields": fields,
        "personas": [
            {"name": f"persona-{number}", "product": random.choice(["", "platform", "api"]), "match": a_condition(random)}
            for number in range(random.randrange(3))
        ],
        "screen": [
            {"when": a_condition(random), "then": random.choice(["disqualify", "attach", "route"]), "as": f"rule-{number}"}
            for number in range(random.randrange(3))
        ],
        "tiers": [
            {"name": "hot", "when": {"fast_lane": True}},
            {"name": "big", "when": {"score": {"at_least": 50}, **a_condition(random)}},
            {"name": "quote", "when": {"asked": "quote_requested"}},
            {"name": "api", "when": {"product": "api"}},
            {"name": "normal"},
        ][random.randrange(5) :],
    }
    document["routing"] = {
        **EXAMPLE["routing"],
        "segments": [
            {"when": random.choice([{"tier": "hot"}, {"asked": ["demo_requested"]}, a_condition(random)]), "team": "americas"},
            {"when": random.choice([{}, {"asked": "missing", **a_condition(random)}]), "team": "emea"},
        ],
    }
    personas = [persona["name"] for persona in document["personas"]]
    fit: list[dict[str, Any]] = [
        {"when": a_condition(random), "points": random.choice([-20, 5, 25, 40])} for _ in range(random.randrange(6))
    ]
    fit += [{"persona": name, "points": 20} for name in personas]
    fit += [{"external_score": "lead_score", "out_of": random.choice([100, 30]), "points": random.choice([-10, 15])}] * random.randrange(2)
    did = [a_did(random) for _ in range(random.randrange(6))]
    did += [{"last_touch": {"within": random.choice(["2 days", "3 hours"])}, "points": -20}] * random.randrange(2)
    document["qualification"] = {
        "fast_lane": random.choice([[], ["demo_requested"], ["demo_requested", "quote_requested"]]),
        "mql": {
            "total": random.choice([0, 20, 50]),
            "fit_at_least": random.choice([-20, 0, 25]),
            "engagement_at_least": random.choice([0, 5]),
        },
        "fit": fit,
        "engagement": did,
        "by_channel": random.choice([{}, {"trade_show": {"engagement_at_least": 0, "total": 10}, "email": {"fit_at_least": 30}}]),
        "require": random.choice([[], ["budget"], ["authority", "budget"]]),
    }
    return Agreement.model_validate({**EXAMPLE, **document})


def a_lead(random: Random) -> LeadFacts:
    """Facts as they come, what it did before, at and after the instant, and what went before."""
    values = {name: random.choice(cells) for name, cells in CELLS.items() if random.random() < 0.9}
    channel = random.choice(CHANNELS)
    if channel:
        values["entry_channel"] = channel
    ages = [0, 1, -1, 60_000_000, 7 * 86_400_000_000, 86_400_000_000 * 30, random.randrange(10**13), random.randrange(10**10)]
    times = sorted(NOW - timedelta(microseconds=random.choice(ages)) for _ in range(random.randrange(7)))
    done = tuple(Done(random.choice(KINDS), at, random.choice(PATHS)) for at in times)
    touched = random.choice([None, NOW, NOW - timedelta(days=2), NOW - timedelta(hours=1), NOW + timedelta(hours=1)])
    since = random.choice([None, None, NOW, *times])
    return LeadFacts(values, done, touched, channel or "web", since)


def side_by_side(leads: list[LeadFacts]) -> LeadColumns:
    """The same leads as columns."""
    names = [*CELLS, "entry_channel"]
    values = pl.DataFrame({name: [lead.values.get(name) for lead in leads] for name in names}, strict=False)
    done = [(row, one.kind, one.path, one.at) for row, lead in enumerate(leads) for one in lead.activities]
    activities = pl.DataFrame(done, schema={"row": pl.UInt32, "kind": pl.String, "path": pl.String, "at": INSTANT}, orient="row")
    instants = [pl.Series([getattr(lead, name) for lead in leads], dtype=INSTANT) for name in ("last_touch", "since")]
    return LeadColumns(values, pl.Series([NOW] * len(leads), dtype=INSTANT), activities, *instants)


def alone(agreement: Agreement, lead: LeadFacts) -> tuple[dict[str, Any], list[tuple[int, bool]]]:
    """The verdict on one lead, shaped as a row."""
    found = explain(agreement, lead, now=NOW)
    verdict, rule = found.verdict, found.screening.rule
    row = {
        "screened": (rule.as_ or rule.then) if rule and found.sorted_out else "",
        "is_mql": verdict.is_mql and not found.sorted_out,
        "fast_lane": verdict.fast_lane,
        "fit": verdict.fit,
        "engagement": verdict.engagement,
        "total": verdict.total,
        "tier": found.tier,
        "team": found.team,
        "persona": found.persona,
    }
    return row, [(point.points, point.applies) for point in every_criterion(agreement, lead, now=NOW)]


@pytest.mark.parametrize("seed", spread(range(AGREEMENTS), one_in=2))
def test_a_lead_among_many_gets_the_verdict_that_it_gets_alone(seed: int) -> None:
    random = Random(seed)
    agreement, leads = an_agreement(random), [a_lead(random) for _ in range(LEADS)]

    judged = judge(agreement, side_by_side(leads))

    criteria = list(zip(judged.points.values(), judged.applies.values(), strict=True))
    for number, lead in enumerate(leads):
        row, points = alone(agreement, lead)
        assert judged.verdicts.row(number, named=True) == row, lead
        assert [(given[number], held[number]) for given, held in criteria] == points, lead


def test_the_generated_pairs_have_verdicts_of_every_kind() -> None:
    """A comparison of leads that are all refused would show nothing."""
    seen: dict[str, set[Any]] = {"screened": set(), "is_mql": set(), "fast_lane": set(), "tier": set(), "team": set(), "persona": set()}
    for seed in range(AGREEMENTS):
        random = Random(seed)
        agreement, leads = an_agreement(random), [a_lead(random) for _ in range(LEADS)]
        verdicts = judge(agreement, side_by_side(leads)).verdicts
        for name, values in seen.items():
            values.update(verdicts[name].unique())

    assert seen["is_mql"] == {True, False}
    assert seen["tier"] == {"hot", "big", "quote", "api", "normal"}
    assert seen["team"] == {"americas", "emea", ""}
    assert seen["fast_lane"] == {"", "demo_requested", "quote_requested"}
    assert seen["persona"] >= {"", "persona-0", "persona-1"}
    assert seen["screened"] >= {"", "do-not-contact", "rule-0", "rule-1"}


def test_no_leads_at_all_are_judged_too() -> None:
    assert judge(read_agreement(AGREEMENT), side_by_side([])).verdicts.height == 0
