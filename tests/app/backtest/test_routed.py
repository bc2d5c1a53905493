"""Where past leads would go: the load of each rep by hand, the sample, the stages reached, and what is said where nobody knows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from agreements.backtest.columns import judge
from agreements.model import Agreement
from agreements.roster import read_roster
from app.backtest import charts
from app.backtest.compare import compare
from app.backtest.crew import NO_ROSTER, Crew
from app.backtest.page import page
from app.backtest.past import PastLeads
from app.backtest.report import Backtest
from app.backtest.route_lines import model, sentences
from app.backtest.route_report import RoutingFound
from app.backtest.routed import routed
from app.backtest.sample import Sample, sample
from app.charts.kinds import Rates
from app.charts.parts import Part
from app.cli import app as cli
from storage.answer_times import PastAnswer
from tests.app.backtest.ground import a_file, a_text, an_agreement, past_of
from tests.app.backtest.test_trying import shape
from tests.conftest import ROOT, ROSTER
from tests.present import the

PEOPLE = read_roster(ROSTER)
HEADER = "source_id,at,email,country,activity,fields.industry,stage,won_at"
OUTCOMES = {
    "accepted": {"column": "stage", "is": ["Working", "Deal"]},
    "opportunity": {"column": "stage", "is": "Deal"},
    "won_at": "won_at",
}
MAP: dict[str, Any] = {
    "columns": {name: name for name in ("source_id", "at", "email", "country", "activity")},
    "fields": {"industry": "fields.industry"},
    "outcomes": OUTCOMES,
}
#: Two weeks of leads: five who ask and two who only look, one of these won all the same.
ROWS = (
    "1,2027-02-01 10:00,a@one.example,GB,demo_requested,software,Working,",
    "2,2027-02-01 10:05,b@two.example,GB,demo_requested,software,Deal,",
    "3,2027-02-09 10:00,c@three.example,GB,demo_requested,software,,2027-02-20",
    "4,2027-02-09 10:05,d@four.example,US,demo_requested,software,,",
    "5,2027-02-10 23:00,e@one.example,GB,demo_requested,software,,",
    "6,2027-02-01 10:00,f@six.example,GB,page_viewed,retail,Working,",
    "7,2027-02-01 10:00,g@seven.example,GB,page_viewed,retail,,2027-02-21",
)


def the_past(folder: Path, *rows: str, agreement: Agreement | None = None, mapping: dict[str, Any] = MAP) -> PastLeads:
    return past_of(a_file(folder, HEADER, *(rows or ROWS)), agreement or an_agreement(), mapping=mapping)


def tried(folder: Path, *rows: str, crew: Crew | None = Crew(PEOPLE), agreement: Agreement | None = None) -> Backtest:
    agreement = agreement or an_agreement()
    return compare(agreement, None, the_past(folder, *rows, agreement=agreement), crew=crew)


def routing(found: Backtest) -> RoutingFound:
    return the(found.draft.routing)


def test_the_load_of_each_rep_is_what_a_hand_counts(tmp_path: Path) -> None:
    found = routing(tried(tmp_path))

    assert (found.sampled, found.weeks, found.nobody) == (Part(5, 5), 2, {})
    assert {one.rep: (one.leads, one.a_week, one.busiest) for one in found.reps} == {
        "ana": (2, 1.0, 1.0),
        "ben": (1, 0.5, 1.0),
        "cleo": (1, 0.5, 1.0),
        "emil": (0, 0.0, 0.0),
        "dan": (1, 0.5, 1.0),
        "faye": (0, 0.0, 0.0),
    }
    assert the(found.reps[0].week).isoformat() == "2027-02-01"
    assert found.by_team == {"emea": 4, "americas": 1}
    assert found.why["a rep knows the company"] == 1
    assert found.idle == ("Emil Novak", "Faye Brooks")
    assert sum(found.by_team.values()) + sum(found.nobody.values()) == found.sampled.count


def test_how_far_leads_came_is_counted_for_those_that_qualify_and_for_the_others(tmp_path: Path) -> None:
    stages = tried(tmp_path, crew=None).draft.stages

    assert [(one.name, one.qualified, one.others) for one in stages] == [
        ("accepted", Part(3, 5), Part(2, 2)),
        ("opportunity", Part(2, 5), Part(1, 2)),
        ("won", Part(1, 5), Part(1, 2)),
    ]


def test_a_file_without_outcomes_tells_of_no_stage(tmp_path: Path) -> None:
    past = past_of(a_file(tmp_path, "source_id,at", "1,2027-02-01"))

    assert compare(an_agreement(), None, past).draft.stages == ()


def many(folder: Path, count: int) -> PastLeads:
    began = datetime(2027, 1, 4, 9, tzinfo=UTC)
    rows = (
        f"{n},{began + timedelta(minutes=7 * n):%Y-%m-%d %H:%M},p{n}@firm{n}.example,GB,demo_requested,software,," for n in range(count)
    )
    return the_past(folder, *rows)


def sampled(past: PastLeads, agreement: Agreement, *, at_most: int, ready: pl.Series | None = None) -> Sample:
    judged = judge(agreement, past.leads)
    everybody = pl.repeat(True, past.height, eager=True)
    return sample(agreement, past, judged, ready=judged.verdicts["is_mql"] if ready is None else ready, applies=everybody, at_most=at_most)


def test_a_sample_is_the_same_each_time_and_for_each_version_and_stands_for_all(tmp_path: Path) -> None:
    past, agreement = many(tmp_path, 300), an_agreement()
    some = sampled(past, agreement, at_most=60)
    half = pl.Series([number < 150 for number in range(300)])
    fewer = sampled(past, agreement, at_most=60, ready=half)

    assert (len(some.leads), some.of, some.stands_for) == (60, 300, 5.0)
    assert some == sampled(past, agreement, at_most=60)
    assert {one.number for one in some.leads if one.number < 150} <= {one.number for one in fewer.leads}
    assert [one.at for one in some.leads] == sorted(one.at for one in some.leads)
    assert len({one.number // 60 for one in some.leads}) == 5, "spread over the whole file"


def test_load_is_that_of_all_leads_where_a_sample_was_routed(tmp_path: Path) -> None:
    past, agreement = many(tmp_path, 300), an_agreement()
    crew, judged = Crew(PEOPLE), judge(agreement, past.leads)
    some = sample(agreement, past, judged, ready=judged.verdicts["is_mql"], applies=judged.verdicts["is_mql"], at_most=60)
    found = routed(agreement, crew, some, progress=lambda done, whole: None)

    assert found.sampled == Part(60, 300)
    assert sum(one.leads for one in found.reps) == 60
    assert sum(one.a_week for one in found.reps) * found.weeks == pytest.approx(300)
    assert any("stands for 5.0 leads" in note for note in found.notes)


def test_answers_that_baton_knows_say_how_many_promises_would_be_missed(tmp_path: Path) -> None:
    asked = datetime(2027, 1, 5, 9, tzinfo=UTC)
    late = [PastAnswer("ana", "acceptance", asked, asked + timedelta(hours=7))] * 20
    quick = [PastAnswer("ben", "acceptance", asked, asked + timedelta(minutes=2))] * 60
    tries = [PastAnswer("ben", "first_attempt", asked, asked + timedelta(minutes=5))] * 5
    found = routing(tried(tmp_path, crew=Crew(PEOPLE, (*late, *quick, *tries))))

    assert (found.answers, found.own_times) == (80, 2)
    assert {one.rep: one.promises[0].missed for one in found.reps if one.rep in ("ana", "ben")} == {"ana": Part(2, 2), "ben": Part(0, 1)}
    assert the(found.promises[0].missed).few
    assert "80 acceptances of the last year. 2 reps have times of their own" in model(found)
    drawn = {one.title: {row.name: row.part for row in one.rows} for one in charts.routing(found, tone=0) if isinstance(one, Rates)}
    for title, at in (("Acceptances expected to be missed", 0), ("First attempts expected to be missed", 1)):
        assert drawn[title] == {one.name: one.promises[at].missed for one in found.reps if one.promises[at].missed}
    assert drawn["First attempts expected to be missed"], "ben's"


def test_without_a_roster_the_part_says_how_to_give_one_and_the_rest_is_as_before(tmp_path: Path) -> None:
    without, with_one = tried(tmp_path, crew=None), tried(tmp_path)

    assert (without.no_routing, without.draft.routing) == (NO_ROSTER, None)
    assert (with_one.leads, with_one.draft.qualified, with_one.groups) == (without.leads, without.draft.qualified, without.groups)
    assert "--roster FILE" in page(without)


def test_a_roster_that_does_not_fit_is_told_and_its_leads_have_no_rep(tmp_path: Path) -> None:
    text = ROSTER.replace("team: emea", "team: americas").replace("  dora:", "  dorothy:")
    found = routing(tried(tmp_path, crew=Crew(read_roster(text))))

    assert sum(found.nobody.values()) == 4
    assert "Nobody would have taken 4 of 5 (80.0 %)." in " ".join(sentences(found))
    assert any("nobody in this team is a rep" in note for note in found.notes)
    assert any("nobody in the roster is called 'dora'" in note for note in found.notes)


def test_a_calendar_that_never_opens_takes_away_this_part_only(tmp_path: Path) -> None:
    agreement = an_agreement()
    holidays = [f"*-{(date(2028, 1, 1) + timedelta(days=day)):%m-%d}" for day in range(366)]
    never = {"timezone": "UTC", "hours": {"mon-fri": "09:00-17:00"}, "holidays": holidays}
    broken = agreement.model_copy(update={"calendars": {"never": never}})
    broken.__dict__.pop("calendar_values", None)

    found = tried(tmp_path, agreement=broken)

    assert found.draft.routing is None
    assert "never opens, so nobody can say where the leads would go" in found.no_routing
    assert found.draft.qualified.leads == 5


def test_a_lead_without_the_fact_that_segments_ask_for_goes_where_it_would_go_today(tmp_path: Path) -> None:
    by_country = {"segments": [{"when": {"country": ["US"]}, "team": "americas"}], "default_acceptor": "dora"}
    row = "1,2027-02-01 10:00,a@one.example,,demo_requested,software,,"

    found = routing(tried(tmp_path, row, agreement=an_agreement(routing=by_country)))

    assert {one.rep: one.leads for one in found.reps if one.leads} == {"dora": 1}
    assert list(found.why) == ["nobody else can take it: default acceptor"]


def test_days_without_a_time_are_told(tmp_path: Path) -> None:
    rows = ("1,2027-02-02,a@one.example,GB,demo_requested,software,,", "2,2027-02-01,b@two.example,GB,demo_requested,software,,")

    found = routing(tried(tmp_path, *rows))

    assert any("2 of 2 leads came at exactly 09:00 (" in note for note in found.notes)


@pytest.fixture
def baton(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line of somebody who has installed nothing."""
    monkeypatch.setenv("BATON_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("COLUMNS", "150")
    draft, leads = a_file(tmp_path, a_text(), name="draft.yaml"), a_file(tmp_path, HEADER, *ROWS)
    return lambda *words: CliRunner().invoke(cli, ["agreement", "backtest", str(draft), "--leads", str(leads), *map(str, words)])


def test_the_command_shows_where_leads_would_go_by_the_roster_of_a_file(baton: Callable[..., Result], tmp_path: Path) -> None:
    path = a_file(tmp_path, ROSTER, name="roster.yaml")

    done = baton("--roster", path, "--html", tmp_path / "page.html")

    assert done.exit_code == 0, done.output
    assert "Where the leads of b2b-saas@1 would go" in done.stdout
    assert re.search(r"Ana Silva \(emea\) .* 2 of 5 \(40.0 %\)", done.stdout)
    assert "Baton knows no past answers of reps" in done.stdout
    assert "Ana Silva" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert NO_ROSTER in baton().stdout.replace("\n", " ")


def test_the_json_of_this_part_has_the_shape_that_the_docs_describe(baton: Callable[..., Result], tmp_path: Path) -> None:
    found = json.loads(baton("--roster", a_file(tmp_path, ROSTER, name="roster.yaml"), "--json").stdout)

    text = (ROOT / "docs/backtest.md").read_text(encoding="utf-8").partition("## The report as JSON")[2]
    described = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[1])
    shown = found["draft"]["routing"]
    names = ("by_team", "why", "nobody")
    assert shape({key: value for key, value in shown.items() if key not in (*names, "notes")}) == shape(
        {key: value for key, value in described.items() if key not in (*names, "notes")}
    )
    assert shown.keys() == described.keys()


@pytest.mark.parametrize(("text", "said"), [("", "people"), ("people: {}", "people"), ("- 1", ""), ("people: [", "not readable YAML")])
def test_a_roster_that_cannot_be_read_ends_with_what_is_wrong(baton: Callable[..., Result], tmp_path: Path, text: str, said: str) -> None:
    done = baton("--roster", a_file(tmp_path, text, name="roster.yaml"))

    assert (done.exit_code, said in done.stderr) == (2, True), done.output
