"""What audits are tried on: small files of leads and activities, and the example agreement with its London calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agreements.loading import read_agreement
from agreements.model import Agreement
from app.audit.activity_map import ActivityMap
from app.audit.activity_rows import ActivitySource, read_activities
from app.audit.audit import AuditFiles, audit
from app.audit.lead_rows import read_leads
from app.audit.lead_source import LeadSource
from app.audit.left_out import LeftOutRows
from app.audit.promises import judge_promises
from app.audit.record import record_of
from app.audit.report import Audit, Kept
from app.csv_import.lead_map import LeadMap, read_map
from app.csv_import.map_file import read_map_as
from tests.app.backtest.ground import EXAMPLE
from tests.conftest import ROOT

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LEADS = "source_id,created,tier,owner,status,reason,amount,assigned_at,won_at,lost_at,entry_channel"
ACTIVITIES = "lead_id,at,type,by,to"


@cache
def an_agreement() -> Agreement:
    """The shipped example."""
    return read_agreement(EXAMPLE)


def a_file(folder: Path, name: str, *lines: str) -> Path:
    """A file of these lines."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def a_lead(number: int | str = 1, created: str = "2026-06-01 10:00", **more: Any) -> str:
    """The row of a lead."""
    cells = {"source_id": f"L{number}", "created": created, "tier": "normal", **more}
    return ",".join(str(cells.get(name, "")) for name in LEADS.split(","))


def audited(
    folder: Path,
    leads: Sequence[str],
    activities: Sequence[str] | None = None,
    *,
    header: str = LEADS,
    mapping: dict[str, Any] | None = None,
    activity_map: dict[str, Any] | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Audit:
    """The audit of these rows in London, timed by the example."""
    return audit(
        AuditFiles(
            leads=a_file(folder, "leads.csv", header, *leads),
            mapping=LeadMap.model_validate(mapping) if mapping else None,
            activities=None if activities is None else a_file(folder, "activities.csv", ACTIVITIES, *activities),
            activity_map=ActivityMap.model_validate(activity_map) if activity_map else None,
            timezone="Europe/London",
            since=since,
            until=until,
        ),
        an_agreement(),
        drafted=True,
        now=NOW,
    )


def example_audit(*, drafted: bool) -> Audit:
    """The audit of the shipped example."""
    folder = ROOT / "examples/audit"
    files = AuditFiles(
        leads=folder / "leads.csv",
        mapping=read_map(folder / "leads.yaml"),
        activities=folder / "activities.csv",
        activity_map=read_map_as(ActivityMap, folder / "activities.yaml"),
    )
    return audit(files, an_agreement(), drafted=drafted, now=NOW)


def judged(folder: Path, leads: Sequence[str], activities: Sequence[str]) -> dict[str, list[str | None]]:
    """The verdicts on each promise, in the order of the leads."""
    london, notes = ZoneInfo("Europe/London"), LeftOutRows()
    source = LeadSource(a_file(folder, "leads.csv", LEADS, *leads), None, london)
    rows = read_leads(source, now=NOW, left_out=notes, progress=silent)
    of = ActivitySource(a_file(folder, "activities.csv", ACTIVITIES, *activities), ActivityMap(by="by", to="to"), london, source.statuses)
    found = read_activities(of, rows.leads, now=NOW, left_out=notes, progress=silent)
    record = record_of(rows, found, source.statuses.keys(), zone=london)
    judgements = judge_promises(an_agreement(), record, as_of=found.last, unreachable=())
    return {one.promise: one.verdict.to_list() for one in judgements}


def silent(what: str, done: int, whole: int) -> None:
    """Show no progress."""


def kept(found: Audit, promise: str) -> Kept:
    """The promise of that name."""
    return next(one for one in found.promises if one.promise == promise)
