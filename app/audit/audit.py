"""Carries out an audit: reads both files, judges the promises of an agreement, and counts. Sends nothing and stores nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from agreements.clocks import calendar_name
from agreements.model import Agreement
from app.audit.activity_map import ActivityMap
from app.audit.activity_rows import Activities, ActivitySource, read_activities
from app.audit.counting import Counts
from app.audit.lead_rows import LeadRows, read_leads
from app.audit.lead_source import LeadSource
from app.audit.left_out import LeftOutRows
from app.audit.promises import Judged, judge_promises
from app.audit.record import GIVEN_UP, Record, record_of, within
from app.audit.report import Audit, Counted, NamedRow, NotUsed
from app.audit.tiers import with_tiers
from app.backtest.past import BLANK, counted
from app.backtest.report import FEW as FEW_WON
from app.csv_import.file import header_in
from app.csv_import.lead_map import LeadMap, zone_of, zone_of_file

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class AuditFiles:
    """What to audit: the leads and their map, the activities and theirs (None for none, and columns called
    as in docs/audit.md), the zone of times without a zone unless a
    map names one, and the first and last day on which a lead was created (None for no bound)."""

    leads: Path
    mapping: LeadMap | None = None
    activities: Path | None = None
    activity_map: ActivityMap | None = None
    timezone: str = "UTC"
    since: date | None = None
    until: date | None = None


def audit(files: AuditFiles, agreement: Agreement, *, drafted: bool, now: datetime, progress: Progress | None = None) -> Audit:
    """Return what these files say about the handoff, timed by this agreement.

    drafted: whether the user chose the agreement; if not, its rules decide no tier. now: later times are impossible. progress:
    called with the file and how many bytes of how many are read. Raises UnreadableFile for files that cannot be used.
    """
    tell, left_out = progress or (lambda what, done, whole: None), LeftOutRows()
    source = LeadSource(files.leads, files.mapping, zone_of_file(files.mapping, files.timezone))
    rows = read_leads(source, now=now, left_out=left_out, progress=tell)
    activities = _activities(files, source, rows, now, left_out, tell)
    tell("counting", 0, 1)
    whole = record_of(rows, activities, source.statuses.keys(), zone=source.zone)
    as_of = _newest(whole, activities)
    first = datetime.combine(files.since, time(), source.zone) if files.since else None
    record = within(whole, first, datetime.combine(files.until + timedelta(days=1), time(), source.zone) if files.until else None)
    record = replace(record, leads=with_tiers(record.leads, source, agreement, now=now, judged=drafted))
    judged = judge_promises(agreement, record, as_of=as_of, unreachable=source.audit.unreachable)
    found = _Found(files, source, agreement, record, rows, activities, judged)
    tell("counting", 1, 1)
    return found.report(drafted=drafted, as_of=as_of, left_out=left_out)


def _activities(
    files: AuditFiles, source: LeadSource, rows: LeadRows, now: datetime, left_out: LeftOutRows, tell: Progress
) -> Activities | None:
    if files.activities is None:
        return None
    mapping = files.activity_map or _by_name(files.activities)
    zone = zone_of(mapping.timezone) if mapping.timezone else source.zone
    of = ActivitySource(files.activities, mapping, zone, source.statuses)
    return read_activities(of, rows.leads, now=now, left_out=left_out, progress=tell)


def _by_name(path: Path) -> ActivityMap:
    """Return what the columns of a file without a map mean: `by` and `to` where it has them."""
    header = header_in(path)
    return ActivityMap(**{name: name for name in ("by", "to") if name in header})


def _newest(record: Record, activities: Activities | None) -> datetime | None:
    """Return the newest time in the files, which is about when they were written."""
    newest = [record.leads[name].max() for name in ("created", "assigned_at", "contacted_at", "won_at", "lost_at")]
    return max((one for one in (*newest, activities and activities.last) if isinstance(one, datetime)), default=None)


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything that a report is made of."""

    files: AuditFiles
    source: LeadSource
    agreement: Agreement
    record: Record
    rows: LeadRows
    activities: Activities | None
    judged: list[Judged]

    def report(self, *, drafted: bool, as_of: datetime | None, left_out: LeftOutRows) -> Audit:
        """Return the report."""
        count = Counts(self.record)
        first = next(one for one in self.judged if one.promise == "first_attempt")
        return Audit(
            **self._files(),
            **self._fates(count),
            as_of=as_of,
            agreement=self.agreement.reference,
            drafted=drafted,
            calendar=calendar_name(self.agreement.clock("first_attempt"), self.agreement),
            speeds=tuple(count.speeds(self.agreement, first)),
            promises=tuple(count.kept(one) for one in self.judged),
            by_source=tuple(count.groups("source", first)),
            by_owner=tuple(count.groups("owner", first)),
            days_to_won=count.days_to_won(),
            money=count.money(self.source.audit.currency),
            not_used=_not_used(left_out),
            warnings=tuple(_warnings(self, drafted)),
        )

    def _files(self) -> dict[str, Any]:
        """Return what the report says about the files."""
        leads, activities, joined = self.record.leads, self.activities, self.rows.joined
        return {
            "leads_file": self.files.leads.name,
            "activities_file": self.files.activities.name if self.files.activities else "",
            "since": self.files.since,
            "until": self.files.until,
            "first": leads["created"].min(),
            "last": leads["created"].max(),
            "leads": leads.height,
            "without_created": leads["created"].null_count(),
            "activities": activities.count if activities else 0,
            "automatic": activities.automatic if activities else 0,
            "joined": None if joined is None else Counted(count=joined, of=self.rows.outcomes or 0),
            "unmapped_statuses": _largest(self.rows.unmapped),
            "unmapped_types": _largest(activities.unmapped if activities else {}),
        }

    def _fates(self, count: Counts) -> dict[str, Any]:
        """Return what became of the leads. None: no file tells."""
        record, fate = self.record, pl.col("fate")
        touches, status = record.tells_touches, record.tells_status
        untouched, gave_up = pl.col("touches") == 0, status or bool({"lost_at", "lost"} & record.told)
        no_reason, reasons = pl.col("reason").is_null(), "reason" in record.told
        said = pl.col("said_accepted")
        return {
            "untouched": count.part(touches, untouched),
            "unanswered": count.part(touches, untouched & pl.col("answer").is_null() & (fate == "new")),
            "accepted": count.part(status, said),
            "accepted_untouched": count.part(status and touches, untouched, of=said),
            "rejected": count.part(status, fate == "rejected"),
            "rejected_without_reason": count.part(status and reasons, no_reason, of=fate == "rejected"),
            "lost": count.part(gave_up, fate == "lost"),
            "lost_without_reason": count.part(gave_up and reasons, no_reason, of=fate == "lost"),
            "recycled": count.part(status, fate == "recycled"),
            "lost_for_good": count.part(gave_up, fate.is_in(["lost", "rejected"]), of=fate.is_in(GIVEN_UP)),
            "won": count.won() if record.tells_wins else None,
            "attempts": count.attempts() if gave_up else None,
        }


def _largest(numbers: Mapping[str, int]) -> dict[str, int]:
    pairs = sorted(numbers.items(), key=lambda one: (-one[1], one[0]))
    return {name or BLANK: number for name, number in pairs[:50]}


def _not_used(left_out: LeftOutRows) -> NotUsed:
    first = tuple(
        NamedRow(place=one.place, line=one.line, wrong=wrong, reason=one.reason) for wrong, rows in left_out.first.items() for one in rows
    )
    return NotUsed(count=left_out.total, counts={str(wrong): number for wrong, number in left_out.counts.items()}, first=first)


def _warnings(found: _Found, drafted: bool) -> Iterator[str]:
    """Yield what a reader has to know about these files."""
    record, leads = found.record, found.record.leads
    if not leads.height:
        dates = " ".join(f"{word} {day}" for word, day in (("since", found.files.since), ("until", found.files.until)) if day)
        yield f"No lead was created {dates}: there is nothing to count." if dates else "The file has no lead: there is nothing to count."
        return
    if not drafted:
        yield "No agreement was given: the promises are those of the starter agreement, and no rule decides the tier of a lead."
    if not record.tells_touches:
        yield "There is no file of activities and no column with the first contact: nobody can say which leads were touched, or how fast."
    elif found.activities is not None and not found.activities.count:
        yield "The file of activities has no activity of these leads: without a column for the first contact, a lead counts as untouched."
    if not record.tells_wins:
        yield "No column says which leads were won: name one under `outcomes`, or a status under `audit`, in the map."
    elif not {"lost_at", "lost"} & record.told and not record.tells_status:
        yield "The files name won leads only: the others are open, not lost."
    if missing := found.rows.missing:
        named = ", ".join(f"{column} ({name})" for name, column in missing.items())
        yield f"The map names columns that no file has: {named}. Export them too, or correct the map."
    if not record.tells_status:
        yield "No column holds a status: who accepted, rejected or recycled a lead is not known."
    if found.rows.named_again:
        yield f"{counted(found.rows.named_again, 'row names', 'rows name')} a lead that an earlier row names: they count as one lead."
    if days := int((leads["start_day"] & leads["start"].is_not_null()).sum()):
        yield f"{counted(days, 'lead begins', 'leads begin')} on a day without a time of day: the speed to the first touch leaves them out."
    if without := leads["created"].null_count():
        yield f"{counted(without, 'lead has', 'leads have')} no usable time at which it was created: no promise can be timed for it."
    won = Counts(record).won().won
    if record.tells_wins and won < FEW_WON:
        few = f"Only {counted(won, 'lead was', 'leads were')}" if won else "No lead was"
        yield f"{few} won: differences between shares are likely to be chance."
