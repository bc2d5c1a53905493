"""Measure time and memory of auditing a million leads and three million activities. Needs no server."""

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
from benchmarks.measures.trial import peak

SIZES = (250_000, 1_000_000)
LEADS = ("source_id", "created", "entry_channel", "owner", "tier", "status", "reason", "amount", "assigned_at", "won_at", "lost_at")
ACTIVITIES = ("lead_id", "at", "type", "by", "to")
STATUSES = ("new", "accepted", "rejected", "recycled", "lost")
#: How many activities a lead has on average.
TOUCHES = (0, 1, 2, 3, 4, 5, 6)
_FIRST = datetime(2025, 1, 1, tzinfo=UTC)


def measure(folder: Path, console: Console) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. Compared with reading both files and counting their rows. Separate processes."""
    for count in track(SIZES, description="audits", console=console, transient=True):
        files = _files(folder, count)
        ours, theirs = _run("audit", *files), _run("count", *files)
        megabytes = sum(file.stat().st_size for file in files) / 1e6
        what = f"{count:,} leads, {ours['activities']:,} activities, audited ({megabytes:.0f} MB)"
        figure = f"{ours['seconds']:.1f} s ({ours['processor']:.1f} s of processor), {ours['bytes'] / 1e9:.1f} GB"
        yield what, figure, f"read and counted: {theirs['seconds']:.2f} s", f"{ours['seconds'] / theirs['seconds']:.0f}"
        for file in files:
            file.unlink()


def _files(folder: Path, count: int) -> tuple[Path, Path]:
    """Write leads and activities as a CRM exports them, over a year, with blanks."""
    dice, paths = Random(7), (folder / f"leads-{count}.csv", folder / f"activities-{count}.csv")
    with paths[0].open("w", encoding="utf-8", newline="") as one, paths[1].open("w", encoding="utf-8", newline="") as other:
        leads, activities = csv.writer(one), csv.writer(other)
        leads.writerow(LEADS)
        activities.writerow(ACTIVITIES)
        for number in range(count):
            at = _FIRST + timedelta(minutes=dice.randrange(500_000), seconds=dice.randrange(60))
            given = at + timedelta(minutes=dice.randrange(1, 1_500))
            leads.writerow(_lead(dice, number, at, given))
            touched = given
            for _ in range(dice.choice(TOUCHES)):
                touched += timedelta(minutes=dice.randrange(1, 4_000), seconds=dice.randrange(60))
                kind = dice.choice(("call", "email", "meeting", "status"))
                by, to = f"rep {dice.randrange(200)}", dice.choice(STATUSES) if kind == "status" else ""
                activities.writerow((f"00Q{number:015}", f"{touched:%Y-%m-%d %H:%M:%S}", kind, by, to))
    return paths


def _lead(dice: Random, number: int, at: datetime, given: datetime) -> tuple[str, ...]:
    fate = dice.random()
    closed = f"{given + timedelta(days=dice.randrange(1, 200)):%Y-%m-%d %H:%M:%S}"
    return (
        f"00Q{number:015}",
        f"{at:%Y-%m-%d %H:%M:%S}",
        f"source {dice.randrange(12)}",
        f"rep {dice.randrange(200)}",
        dice.choice(("hot", "normal")),
        dice.choice(STATUSES),
        dice.choice(("", "No budget", "No response")),
        str(dice.randrange(1_000, 90_000)) if fate < 0.1 else "",
        f"{given:%Y-%m-%d %H:%M:%S}",
        closed if fate < 0.1 else "",
        closed if 0.1 <= fate < 0.4 else "",
    )


def _run(what: str, *files: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measures.audit", what, *map(str, files)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _audit(leads: Path, activities: Path) -> int:
    from agreements.loading import read_agreement
    from app.audit.audit import AuditFiles, audit
    from app.audit.page import page

    draft = read_agreement((ROOT / "agreements/examples/b2b-saas.yaml").read_text(encoding="utf-8"))
    now = datetime.fromisoformat("2027-01-01T00:00:00+00:00")
    found = audit(AuditFiles(leads, activities=activities), draft, drafted=True, now=now)
    page(found)
    assert found.leads > 0
    assert found.promises[2].kept > 0
    return found.activities


def _count(leads: Path, activities: Path) -> int:
    import polars as pl

    return sum(pl.read_csv(path, infer_schema=False).height for path in (leads, activities))


if __name__ == "__main__":
    began, started = time.process_time(), time.perf_counter()
    number = {"audit": _audit, "count": _count}[sys.argv[1]](*map(Path, sys.argv[2:]))
    taken = time.perf_counter() - started
    print(json.dumps({"seconds": taken, "processor": time.process_time() - began, "bytes": peak(), "activities": number}))
