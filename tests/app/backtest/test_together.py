"""Rows become leads as they do when they are taken in: one lead an id, its newest values, everything that it did."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlmodel import select

from agreements.backtest.columns import judge
from agreements.explanation import explain
from agreements.lead import IncomingLead, LeadFacts
from agreements.qualification import every_criterion
from app.backtest.files import LeadFile, read_past
from app.backtest.past import PastLeads
from app.csv_import.file import read_leads
from storage import leads as stored_leads
from storage.tables import Activity, Lead, LeadSource
from tasks import intake
from tasks.wiring.toolbox import Toolbox
from tests.app.backtest.ground import NOW, a_file, an_agreement, example, past_of
from tests.examples import spread


def test_several_rows_with_one_id_are_several_things_that_one_lead_did(tmp_path: Path) -> None:
    past = past_of(
        a_file(
            tmp_path,
            "source_id,conversion_id,at,activity,entry_channel,fields.industry,fields.employees",
            "1,b,2027-01-20,page_viewed,email,,200",
            "2,a,2027-01-01,form_submitted,web,steel,",
            "1,a,2027-01-10,form_submitted,web,software,",
        )
    )

    assert past.leads.at.dt.date().to_list() == [datetime(2027, 1, 1).date(), datetime(2027, 1, 20).date()]
    assert past.leads.values["industry"].to_list() == ["steel", "software"]
    assert past.leads.values["employees"].to_list() == [None, 200]
    assert past.leads.activities.select("row", "kind").rows() == [(0, "form_submitted"), (1, "form_submitted"), (1, "page_viewed")]
    assert past.groups.to_list() == ["web", "web"]


def test_what_a_lead_did_after_sales_had_it_is_left_out_and_said(tmp_path: Path) -> None:
    past = past_of(
        a_file(
            tmp_path,
            "source_id,conversion_id,at,activity,won_at,fields.industry",
            "1,a,2027-01-10,form_submitted,2027-01-20,steel",
            "1,b,2027-01-15,form_submitted,,software",
            "1,c,2027-02-15,demo_requested,,pets",
        )
    )

    assert past.leads.at.dt.date().to_list() == [datetime(2027, 1, 15).date()]
    assert past.leads.values["industry"].to_list() == ["software"]
    assert past.leads.activities.height == 2
    assert "1 row with an activity after sales had the lead; left out." in past.warnings


def test_a_row_without_a_time_is_judged_as_of_today_and_that_is_said(tmp_path: Path) -> None:
    past = past_of(a_file(tmp_path, "source_id,at", "1,", "2,2027-01-01"))

    assert past.leads.at[0] == NOW
    assert "1 row has no time: judged as of today." in past.warnings


def test_people_who_stand_under_several_ids_are_said(tmp_path: Path) -> None:
    past = past_of(a_file(tmp_path, "source_id,at,email", "1,2027-01-01,ann@b.example", "2,2027-01-01,ANN@b.example"))

    assert past.height == 2
    assert any("1 lead has the e-mail address of another lead" in warning for warning in past.warnings)


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("entry_channel", ["web", None, "unknown"]),
        ("industry", ["software", None, "steel"]),
        ("campaign", [None, None, None]),
        ("country", ["GB", "GB", None]),
        ("email_domain", ["b.example", None, None]),
    ],
)
def test_leads_are_grouped_by_what_stands_in_the_file_and_blank_is_a_group_of_its_own(
    tmp_path: Path, by: str, groups: list[str | None]
) -> None:
    path = a_file(
        tmp_path,
        "source_id,at,entry_channel,fields.industry,country,email",
        "1,2027-01-01,web,software,gb,a@b.example",
        "2,2027-01-01,,,GB,",
        "3,2027-01-01,unknown,steel,,",
    )

    assert past_of(path, by=by).groups.to_list() == groups


KINDS = ["form_submitted", "page_viewed", "webinar_attended", "content_downloaded", "demo_requested", "trade_show_visit"]
TITLES = ["Head of Operations", "VP Sales", "Student", "", "Growth Lead"]


def rows_of(dice: Random) -> list[str]:
    """A file of some leads, several with more than one row, in no order."""
    lines = []
    for number in range(12):
        for conversion in range(dice.choice([1, 1, 1, 2, 4])):
            at = datetime(2026, 6, 1) + timedelta(minutes=dice.randrange(380_000))
            cells = (
                f"L{number}",
                f"c{conversion}",
                dice.choice([f"{at:%Y-%m-%d %H:%M}", f"{at:%Y-%m-%d}", f"{at:%Y-%m-%dT%H:%M:%S+02:00}"]),
                f"p{number}@{['gmail.com', 'mailinator.com', f'company{number}.example'][number % 3]}" if number % 5 else "",
                f"Company {number}",
                dice.choice(TITLES),
                dice.choice(["GB", "us", "IR", ""]),
                dice.choice(["web", "trade_show", "", "webinar"]),
                dice.choice(KINDS),
                dice.choice(["", "/pricing", "/pricing/eu", "/blog"]),
                dice.choice(["", "", "", "true"]) if number % 4 == 0 else "",
                dice.choice(["software", "saas", "Select", "retail", ""]),
                dice.choice(["51-200", "420", "7.5", "", "many"]),
            )
            lines.append(",".join(cells))
    dice.shuffle(lines)
    return lines


HEADER = (
    "source_id,conversion_id,at,email,company,job_title,country,entry_channel,activity,path,do_not_contact,fields.industry,fields.employees"
)


def take_in(box: Toolbox, lead: IncomingLead) -> None:
    box.write_now(lambda session, now: intake.capture(session, lead, now=NOW))


def taken_in(box: Toolbox, file: LeadFile) -> dict[str, LeadFacts]:
    """The same file taken in row by row, in order of time: what the rules may ask of each lead afterwards, by its id."""
    read = read_leads(file.path, mapping=None, timezone=file.timezone, today=NOW)
    for row in sorted(read.rows, key=lambda one: one.lead.at or NOW):
        take_in(box, row.lead)

    def facts(session: Any, now: datetime) -> dict[str, LeadFacts]:
        sources = [session.get(LeadSource, ("csv", f"L{number}")) for number in range(12)]
        return {one.source_id: stored_leads.facts(session, session.get(Lead, one.lead_id)) for one in sources if one}

    return box.read_now(facts)


def ids(file: LeadFile) -> list[str]:
    """The leads that the file names once, then those it names again."""
    named = Counter(line.split(",")[0] for line in file.path.read_text().splitlines()[1:])
    return [ident for ident, times in named.items() if times == 1] + [ident for ident, times in named.items() if times > 1]


@pytest.mark.parametrize("seed", spread(range(12), one_in=4))
def test_a_lead_of_a_file_is_judged_as_the_same_lead_taken_in(box: Toolbox, tmp_path: Path, seed: int) -> None:
    agreement = an_agreement(**{clause: example(clause) for clause in ("screen", "personas", "fields", "qualification")})
    file = LeadFile(a_file(tmp_path, HEADER, *rows_of(Random(seed))), timezone="Europe/London")
    known = taken_in(box, file)

    past = read_past(file, [agreement], now=NOW)

    assert past.left_out == []
    for row, ident in enumerate(ids(file)):
        facts, at = known[ident], past.leads.at[row]
        assert verdict_among_many(agreement, past, row) == verdict_alone(agreement, facts, at), f"{ident}: {facts.values}"


def verdict_among_many(agreement: Any, past: PastLeads, row: int) -> dict[str, Any]:
    judged = judge(agreement, past.leads)
    verdict = judged.verdicts.row(row, named=True)
    return {**verdict, "points": [points[row] for points in judged.points.values()]}


def verdict_alone(agreement: Any, facts: LeadFacts, at: datetime) -> dict[str, Any]:
    told = explain(agreement, facts, now=at)
    found, rule = told.verdict, told.screening.rule
    return {
        "screened": (rule.as_ or rule.then) if rule and told.sorted_out else "",
        "is_mql": found.is_mql and not told.sorted_out,
        "fast_lane": found.fast_lane,
        "fit": found.fit,
        "engagement": found.engagement,
        "total": found.total,
        "tier": told.tier,
        "team": told.team,
        "persona": told.persona,
        "points": [point.points for point in every_criterion(agreement, facts, now=at)],
    }


@pytest.mark.parametrize(
    "lines",
    [
        ("1,a,ana@h.example,Ana,Lind", "1,b,bo@h.example,Bo,Berg", "1,c,ana@h.example,,"),
        ("1,a,ana@h.example,Ana,Lind", "1,b,,Bo,Berg", "1,c,,Ana,Lind", "1,d,,,"),
        ("1,a,info@h.example,Ana,Lind", "1,b,info@h.example,Bo,Berg", "2,c,info@h.example,Ana,Lind"),
        ("1,a,ana@h.example,,", "1,b,bo@h.example,,", "1,c,,,"),
        ("1,a,,,", "1,b,ana@h.example,Ana,Lind", "1,c,ana@q.example,Ana,Lind", "1,d,,Ana,Lind"),
    ],
)
def test_a_backtest_tells_two_people_under_one_id_apart_as_the_intake_does(box: Toolbox, tmp_path: Path, lines: tuple[str, ...]) -> None:
    file = a_file(tmp_path, "source_id,conversion_id,email,first_name,last_name", *lines)
    for row in read_leads(file, mapping=None, today=NOW).rows:
        box.write_now(lambda session, now, one=row.lead: intake.capture(session, one, now=now))  # type: ignore[misc]

    past = past_of(file)

    stored = box.read_now(lambda session, now: sorted(Counter(row.lead_id for row in session.exec(select(Activity))).values()))
    assert sorted(past.leads.activities.group_by("row").len()["len"].to_list()) == stored
