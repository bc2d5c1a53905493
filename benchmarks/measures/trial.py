"""Measure time and memory of trying two versions on a million past leads, compared with summing the same file."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.progress import track

from benchmarks.ground import ROOT

SIZES = (250_000, 500_000, 1_000_000)
COLUMNS = (
    "source_id,at,email,first_name,last_name,phone,company,job_title,country,entry_channel,activity,path,campaign,message,"
    "fields.industry,fields.employees,fields.revenue,fields.technology,fields.founded,fields.consent,fields.lead_score,won_at,lost_at"
).split(",")
ROLES = "Operations,Sales,Finance,Logistics,Marketing,Purchasing,Engineering,Quality,Support,People".split(",")
RANKS = "Head of,Director of,VP,Manager,Senior Manager,Lead,Student,Chief Officer,Team Lead,Coordinator".split(",")
KINDS = "form_submitted,page_viewed,webinar_attended,content_downloaded,trade_show_visit,demo_requested".split(",")
INDUSTRIES = "software,IT services,logistics,freight,manufacturing,retail,education,Select,,health,construction,finance".split(",")
FIT = [
    {"when": {"industry": ["software", "logistics"]}, "points": 15},
    {"when": {"industry": "manufacturing"}, "points": 10},
    {"when": {"employees": {"at_least": 200}}, "points": 10},
    {"when": {"employees": {"at_least": 50, "at_most": 199}}, "points": 5},
    {"when": {"revenue": {"at_least": 1_000_000}}, "points": 5},
    {"when": {"job_title": {"contains": ["operations", "logistics"]}}, "points": 15},
    {"when": {"job_title": {"contains": ["student", "intern"]}}, "points": -30},
    {"when": {"email": "free"}, "points": -15},
    {"when": {"email": "company", "country": ["GB", "IE", "DE"]}, "points": 5},
    {"when": {"company": {"contains": ["freight", "rail"]}}, "points": 5},
    {"when": {"technology": {"contains": ["crm"]}}, "points": 5},
    {"when": {"consent": True}, "points": 2},
    {"external_score": "lead_score", "points": 10},
]
ENGAGEMENT = [
    {"activity": "form_submitted", "points": 15, "half_life": "30 days"},
    {"activity": "page_viewed", "path": "/pricing", "points": 10, "at_most": 20, "half_life": "14 days"},
    {"activity": "page_viewed", "points": 2},
    {"activity": "webinar_attended", "points": 20, "half_life": "30 days"},
    {"activity": "content_downloaded", "points": 10},
    {"activity": "trade_show_visit", "points": 25},
    {"last_touch": {"within": "2 days"}, "points": -20},
]


def measure(folder: Path, console: Console) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. Compared with reading the same file and summing its columns. Separate processes."""
    drafts = [_agreement(folder, 1, total=40), _agreement(folder, 2, total=35)]
    for count in track(SIZES, description="past leads", console=console, transient=True):
        file = _leads(folder / f"{count}.csv", count)
        ours = _run("trial", file, *drafts)
        theirs = _run("sum", file)
        what = f"{count:,} leads, 20 criteria, two versions ({file.stat().st_size / 1e6:.0f} MB)"
        figure = f"{ours['seconds']:.1f} s ({ours['processor']:.1f} s of processor), {ours['bytes'] / 1e9:.1f} GB"
        parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in ours["parts"].items())
        yield f"{what}: {parts}", figure, f"read and summed: {theirs['seconds']:.2f} s", f"{ours['seconds'] / theirs['seconds']:.0f}"
        file.unlink()


def _agreement(folder: Path, version: int, *, total: int) -> Path:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load((ROOT / "agreements/examples/b2b-saas.yaml").read_text(encoding="utf-8"))
    more = {"revenue": {"type": "number"}, "technology": {}, "consent": {"type": "yes_no"}, "lead_score": {"type": "number"}}
    tree["fields"].update(more)
    tree["version"] = version
    tree["qualification"] = {"fast_lane": ["demo_requested"], "mql": {"total": total}, "fit": FIT, "engagement": ENGAGEMENT}
    path = folder / f"v{version}.yaml"
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
    return path


def _leads(path: Path, count: int) -> Path:
    """Write leads as a CRM exports them: different addresses, companies and titles, quotes, blanks, several rows for some leads."""
    dice, start = Random(7), datetime(2025, 1, 1, tzinfo=UTC)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number in range(count):
            rows.writerow(_row(dice, start, number if number % 10 else number // 2))
    return path


def _row(dice: Random, start: datetime, number: int) -> list[str]:
    at = start + timedelta(minutes=dice.randrange(500_000), seconds=dice.randrange(60))
    after = at + timedelta(days=dice.randrange(1, 90))
    fate, chance = dice.random(), dice.random()
    company = f"{dice.choice(['Northern', 'Harbour', 'Calder', 'Granite'])} {dice.choice(['Freight', 'Rail', 'Foods'])} {number % 200_000}"
    return [
        f"L{number}",
        f"{at:%Y-%m-%d %H:%M:%S}",
        f"person{number}@{'gmail.com' if number % 7 == 0 else f'company{number % 200_000}.example'}",
        f"First{number % 5000}",
        f"Last{number % 40_000}",
        f"+44 20 {number:08}" if chance < 0.6 else "",
        f"{company}, Ltd" if chance < 0.3 else company,
        f"{dice.choice(RANKS)} {dice.choice(ROLES)} {number % 997}",
        dice.choice(["GB", "IE", "DE", "US", "FR", ""]),
        dice.choice(["web", "webinar", "trade_show", "email", ""]),
        dice.choice(KINDS),
        dice.choice(["/pricing", "/pricing/eu", "/contact", "/blog/post", ""]),
        f"campaign {number % 300}",
        f'They wrote: "please call, from {number % 9} o\'clock on"' if chance < 0.1 else "",
        dice.choice(INDUSTRIES),
        dice.choice(["51-200", "11-50", ""]) if chance < 0.1 else str(dice.randrange(1, 20_000)),
        f"{dice.randrange(1_000, 90_000_000)}.{dice.randrange(100):02}",
        dice.choice(["CRM, chat", "chat", "", "erp"]),
        f"{dice.randrange(1950, 2025)}-01-01",
        dice.choice(["yes", "no", ""]),
        str(dice.randrange(0, 101)),
        f"{after:%Y-%m-%d}" if fate < 0.05 else "",
        f"{after:%Y-%m-%d}" if 0.05 <= fate < 0.4 else "",
    ]


def _run(what: str, *files: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measures.trial", what, *map(str, files)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _try(file: Path, *drafts: Path) -> dict[str, float]:
    from agreements.backtest.columns import judge
    from agreements.loading import read_agreement
    from agreements.roster import read_roster
    from app.backtest.compare import compare
    from app.backtest.crew import Crew
    from app.backtest.files import LeadFile, read_past
    from app.backtest.page import page
    from app.backtest.routed import routed
    from app.backtest.sample import sample

    before, draft = [read_agreement(path.read_text(encoding="utf-8")) for path in drafts]
    start = time.perf_counter()
    past = read_past(LeadFile(file), [draft, before], now=datetime.fromisoformat("2027-01-01T00:00:00+00:00"))
    read = time.perf_counter()
    found = compare(draft, before, past)
    judged = time.perf_counter()
    page(found)
    shown = time.perf_counter()
    verdicts = judge(draft, past.leads)
    everybody = verdicts.verdicts["fit"].is_not_null()
    crew = Crew(read_roster((ROOT / "examples/roster.yaml").read_text(encoding="utf-8")))
    some = sample(draft, past, verdicts, ready=verdicts.verdicts["is_mql"], applies=everybody)
    chosen = time.perf_counter()
    where = routed(draft, crew, some, progress=lambda done, whole: None)
    assert found.leads.leads > 0
    assert not found.left_out
    assert where.sampled.count == sum(one.leads for one in where.reps) + sum(where.nobody.values())
    parts = {"read": read - start, "judged": judged - read, "shown": shown - judged}
    return {**parts, f"{where.sampled.count:,} of them routed": time.perf_counter() - chosen}


def _sum(file: Path) -> dict[str, float]:
    import polars as pl

    start = time.perf_counter()
    frame = pl.read_csv(file, infer_schema=False)
    frame.select(pl.col("fields.revenue", "fields.lead_score").cast(pl.Float64, strict=False).sum(), pl.all().exclude("^fields.*$").len())
    return {"read and summed": time.perf_counter() - start}


def peak() -> int:
    """Return the most memory that this process has used, in bytes."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


if __name__ == "__main__":
    began = time.process_time()
    parts = {"trial": _try, "sum": _sum}[sys.argv[1]](*map(Path, sys.argv[2:]))
    print(json.dumps({"seconds": sum(parts.values()), "processor": time.process_time() - began, "bytes": peak(), "parts": parts}))
