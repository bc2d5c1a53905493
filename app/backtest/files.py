"""Reads past leads from a CSV file: joins its rows to leads and adds what became of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from agreements.asked import facts_needed
from agreements.backtest.columns import LeadColumns
from agreements.lead import IncomingLead, domain_of
from agreements.model import Agreement
from app.backtest.after_contact import refuse_after_contact
from app.backtest.became import Impossible, became
from app.backtest.fact_columns import FIELD, column_of_fact, columns_of_facts, with_links_in_names
from app.backtest.outcomes import OutcomePlan, Times, ToldTimes, by_lead, outcome_plan, read_times
from app.backtest.past import LeftOut, Outcomes, PastLeads, counted
from app.backtest.reader import ReadRows, Wanted, read_rows
from app.backtest.together import Together, put_together
from app.csv_import.errors import UnreadableFile
from app.csv_import.lead_map import LeadMap, zone_of, zone_of_file

#: The facts that can group leads, besides the fields of the agreement.
_FACTS = frozenset(IncomingLead.model_fields) - {"fields"}
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class LeadFile:
    """The leads to try: their file, its map, the zone of its times, the file with the outcomes where it is not the map's, the
    fact that groups them, and how many are read at most."""

    path: Path
    mapping: LeadMap | None = None
    timezone: str = "UTC"
    outcomes: Path | None = None
    by: str = "entry_channel"
    limit: int | None = None

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone of times without a zone. Raises UnreadableFile for a zone that does not exist."""
        return zone_of_file(self.mapping, self.timezone)


def read_past(file: LeadFile, agreements: Sequence[Agreement], *, now: datetime, progress: Progress | None = None) -> PastLeads:
    """Return the leads of a file with the facts that these agreements need. Each lead is judged at the last thing it did.

    now: the present. progress: called with the file and how many bytes of how many are read. Raises UnreadableFile for files
    that cannot be used, AgreementError for rules that ask for facts known only after contact.
    """
    zone, tell = file.zone, progress or (lambda what, done, whole: None)
    plan = outcome_plan(file.path, file.mapping, file.outcomes)
    later = plan.later_columns() if plan else ()
    refuse_after_contact(agreements, file.mapping, later_columns=later, file=plan.path.name if plan else "")
    asked = {name for agreement in agreements for name in facts_needed(agreement)}
    plan_zone = zone_of(plan.timezone) if plan and plan.timezone else zone
    beside = Times(plan, plan_zone, now) if plan and not plan.id_column else None
    read = read_rows(
        file.path,
        mapping=file.mapping,
        timezone=file.timezone,
        limit=file.limit,
        today=now,
        wanted=Wanted(_wanted({*asked, file.by}), file.by, beside),
        progress=lambda done, whole: tell("leads", done, whole),
    )
    left_out = [LeftOut(file.path.name, bad.line, bad.reason) for bad in read.bad]
    rows, warnings = read.facts, list(_warnings(read, now, file.path.name))
    if plan:
        progress_of = partial(tell, "outcomes")
        told = beside.told() if beside else read_times(plan, zone=plan_zone, today=now, progress=progress_of)
        left_out += [LeftOut(plan.path.name, bad.line, bad.reason) for bad in told.bad]
        rows, said = _with_outcomes(rows, told, by_line=beside is not None)
        warnings += [*said, *_never_said(told, plan)]
    together = put_together(rows, now=now)
    outcomes, wrong = became(together.leads, zone=zone)
    left_out += [_told(one, together.leads, plan, zone, file) for one in wrong if plan]
    return PastLeads(
        leads=LeadColumns(values_of(together.leads, asked), together.leads["at"], activities_of(together)),
        groups=_groups(together.leads, file),
        outcomes=outcomes,
        origin=file.path.name,
        by=file.by,
        left_out=left_out,
        warnings=[*warnings, *_more_warnings(together, outcomes, plan, len(wrong))],
        emails=together.leads["email"],
    )


def _wanted(asked: Collection[str]) -> frozenset[str]:
    return columns_of_facts(asked) | {"do_not_contact"}


def _with_outcomes(rows: pl.DataFrame, told: ToldTimes, *, by_line: bool) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows with the times of their leads' outcomes, and warnings about times that belong to no row."""
    if by_line:
        return rows.join(told.times, on="line", how="left", maintain_order="left"), []
    times = by_lead(told)
    strangers = times.filter(~pl.col("source_id").is_in(rows["source_id"].implode()))
    said = []
    if strangers.height:
        shown = ", ".join(strangers.sort("outcome_line")["source_id"].head(3))
        said.append(f"{counted(strangers.height, 'outcome names', 'outcomes name')} no lead of the file, such as {shown}; left out.")
    return rows.join(times, on="source_id", how="left", maintain_order="left"), said


def _never_said(told: ToldTimes, plan: OutcomePlan) -> Iterator[str]:
    """Yield the words under `outcomes` that no row says: most likely they are written otherwise in the file."""
    for name, stage in plan.stages.items():
        if not told.times[name].any():
            where = f"column {stage.column} of {plan.path.name} never says {', '.join(stage.words)}"
            yield f"No lead is {name}: {where}. Correct `is` under `outcomes` in the map."


def values_of(leads: pl.DataFrame, asked: Collection[str]) -> pl.DataFrame:
    """Return the facts by the names that the rules use; blank ones are unknown."""
    leads = with_links_in_names(leads, asked)
    made: dict[str, pl.Expr] = {name: pl.col(column) for name in asked if (column := column_of_fact(name)) in leads.columns}
    if "email_domain" in made:
        made["email"] = made.pop("email_domain")  # LeadColumns derives the domain from the address
    made["suppressed"] = pl.col("do_not_contact") if "do_not_contact" in leads.columns else pl.lit(False)
    if "sales_sourced" in asked:
        made["sales_sourced"] = pl.col("sales_sourced_by") != "" if "sales_sourced_by" in leads.columns else pl.lit(False)
    values = leads.select(**made)
    texts = [name for name, kind in values.schema.items() if kind == pl.String]
    return values.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in texts)


def activities_of(together: Together) -> pl.DataFrame:
    """Return what the leads did, as the rules read it."""
    return together.activities.select(pl.col("row").cast(pl.UInt32), kind="activity", path="path", at="at")


def _groups(leads: pl.DataFrame, file: LeadFile) -> pl.Series:
    """Return each lead's group, null for blank. Raises UnreadableFile for a fact that the file does not have."""
    if file.by in _FACTS:
        groups = leads["group"]
    elif FIELD + file.by in leads.columns:
        groups = leads[FIELD + file.by].cast(pl.String)
    elif file.by == "email_domain":
        groups = leads["email"].map_elements(domain_of, return_dtype=pl.String)
    else:
        there = ", ".join(sorted(_FACTS))
        raise UnreadableFile(
            f"{file.path}: no column has {file.by!r}, so leads cannot be grouped by it; name one of {there}, or a field that has a column"
        )
    return groups.to_frame("group").select(pl.when(pl.col("group") != "").then("group"))["group"]


def _told(one: Impossible, leads: pl.DataFrame, plan: OutcomePlan, zone: ZoneInfo, file: LeadFile) -> LeftOut:
    lead = leads.row(one.row, named=True)
    what, day, first = one.what.removesuffix("_at"), one.at.astimezone(zone), one.first.astimezone(zone)
    return LeftOut(
        plan.path.name,
        lead.get("outcome_line") or lead["line"],
        f"{plan.columns[one.what]}: {what} on {day:%Y-%m-%d}, before the first contact on {first:%Y-%m-%d} (lead {lead['source_id']},"
        f" {file.path.name}:{lead['line']}): its outcome was left out; correct one of the two dates",
    )


def _warnings(read: ReadRows, now: datetime, file: str) -> Iterator[str]:
    yield from (f"In {file}, {one}." for one in read.left_out)
    yield (
        "The values are from the day on which the file was written, not from the day on which a lead was qualified. A value that somebody"
        " filled in later counts as if it had been known."
    )
    future = int((read.facts["at"] > now).sum())
    if future:
        yield f"{counted(future, 'row lies', 'rows lie')} in the future."


def _more_warnings(together: Together, outcomes: Outcomes, plan: OutcomePlan | None, wrong: int) -> Iterator[str]:
    people = together.leads.filter(pl.col("email") != "")["email"].str.to_lowercase()
    if twice := len(people) - people.n_unique():
        whose = counted(twice, "lead has", "leads have")
        yield f"{whose} the e-mail address of another lead: the intake would merge them, but here they count singly."
    if together.without_time:
        yield f"{counted(together.without_time, 'row has', 'rows have')} no time: judged as of today."
    if together.too_late:
        yield f"{counted(together.too_late, 'row', 'rows')} with an activity after sales had the lead; left out."
    unknown = len(outcomes.known) - int(outcomes.known.sum())
    if plan is None:
        yield "The file has no outcomes: name them under `outcomes` in the map, or with --outcomes."
    elif outcomes.losses:
        yield f"{counted(unknown, 'lead has', 'leads have')} no recorded outcome: open or unknown, not lost. Shares are of the decided."
    else:
        yield "The file names won leads only: the others are open, not lost. Shares are of all leads that sales could win, so far."
        if unknown > wrong:
            yield f"For {counted(unknown - wrong, 'lead', 'leads')} nobody knows whether sales ever had them: they do not count."
