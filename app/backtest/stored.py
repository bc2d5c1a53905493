"""Reads past leads from Baton's own database: a row for each judged handoff, with the lead as it was known then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from pathlib import Path

import polars as pl
from sqlmodel import Session

from agreements.asked import facts_needed
from agreements.backtest.columns import INSTANT, LeadColumns, meets
from agreements.errors import HandoffError
from agreements.lead import ACCOUNT
from agreements.model import Agreement
from app.backtest.after_contact import refuse_after_contact
from app.backtest.became import became, reached
from app.backtest.field_kinds import column_of, text_of
from app.backtest.outcomes import OutcomePlan, by_lead, outcome_plan, read_times
from app.backtest.past import LeftOut, Outcomes, PastLeads, counted
from app.csv_import.errors import UnreadableFile
from app.csv_import.lead_map import LeadMap, zone_of
from storage import contracts, past
from storage.past import PastActivity, PastHandoff, Which

ORIGIN = "the database"
#: The meaning of a won handoff, as far as Baton itself knows.
WON = "made opportunities"


def read_stored(
    session: Session,
    agreements: Sequence[Agreement],
    *,
    now: datetime,
    by: str,
    which: Which = Which(),
    mapping: LeadMap | None = None,
    outcomes: Path | None = None,
) -> PastLeads:
    """Return the database's handoffs with the facts that these agreements need, each as of the instant at which it was judged.

    A default agreement gets no lead that another agreement in force is for, unless `which` names an agreement. by: the fact that groups
    the leads. outcomes: a file of what became of the leads, by their ids at the map's source. Without this file a lead is won if it became
    an opportunity. Writes nothing. Raises HandoffError where there is nothing to judge, UnreadableFile and AgreementError.
    """
    refuse_after_contact(agreements, mapping, later_columns=(), file="")
    rows = past.past_handoffs(session, which)
    if not rows:
        raise HandoffError("No handoff in the database has been judged yet: so a backtest has no leads.")
    others = [] if which.agreement else _in_force_beside(session, agreements, now)
    did = _activities(rows, past.past_activities(session, since=rows[0].id))
    asked = sorted(_facts(agreements, others) | {"suppressed"})
    if outcomes:
        became_of, left_out = _told_by_file(session, rows, did, outcomes, mapping, now)
    else:
        became_of, left_out = _as_stored(rows), []
    leads = LeadColumns(
        pl.DataFrame([column_of(name, [row.values.get(name) for row in rows]) for name in asked]),
        pl.Series([row.judged_at for row in rows], dtype=INSTANT),
        did.select("row", "kind", "path", "at"),
        pl.Series([row.last_touch for row in rows], dtype=INSTANT),
        pl.Series([row.since for row in rows], dtype=INSTANT),
    )
    return PastLeads(
        leads=leads,
        groups=_groups(rows, by),
        outcomes=became_of,
        origin=ORIGIN,
        by=by,
        left_out=left_out,
        warnings=list(_warnings(rows, asked, became_of)),
        emails=pl.Series([row.values.get("email") for row in rows], dtype=pl.String),
        of_others=_of_others(leads, others),
    )


def _facts(agreements: Sequence[Agreement], others: Sequence[Agreement]) -> set[str]:
    return {name for one in agreements for name in facts_needed(one)} | {name for one in others for name in one.applies_to.fields}


def _in_force_beside(session: Session, agreements: Sequence[Agreement], now: datetime) -> list[Agreement]:
    """Return the agreements in force under other names than these."""
    own = {one.agreement for one in agreements}
    rows = [row for row in contracts.counting(session, now) if row.name not in own]
    return [contracts.agreement_of(session, row.name, row.version) for row in rows]


def _of_others(leads: LeadColumns, others: Sequence[Agreement]) -> pl.Series | None:
    """Return whether one of these agreements is for the lead by `applies_to`."""
    theirs = [meets(one, leads, one.applies_to) for one in others if one.applies_to.tests]
    return reduce(or_, theirs) if theirs else None


def _activities(rows: Sequence[PastHandoff], done: Sequence[PastActivity]) -> pl.DataFrame:
    """Return what the lead of each handoff was known to have done when it was judged, in order of row and time."""
    handoffs = pl.DataFrame(
        {"row": range(len(rows)), "lead": [row.lead_id for row in rows], "judged": [row.judged_at for row in rows]},
        schema={"row": pl.UInt32, "lead": pl.Int64, "judged": INSTANT},
    )
    told = pl.DataFrame(
        {
            "lead": [one.lead_id for one in done],
            "kind": [one.kind for one in done],
            "path": [one.path for one in done],
            "at": [one.at for one in done],
            "received": [one.received_at for one in done],
        },
        schema={"lead": pl.Int64, "kind": pl.String, "path": pl.String, "at": INSTANT, "received": INSTANT},
    ).with_row_index("order")
    known = told.join(handoffs, on="lead").filter(pl.col("received") <= pl.col("judged"))
    return known.sort("row", "at", "order")


def _as_stored(rows: Sequence[PastHandoff]) -> Outcomes:
    """Return outcomes: a handoff that reached sales and ended without an opportunity is lost; any other is open or unknown."""
    won = pl.Series([row.made_opportunity for row in rows], dtype=pl.Boolean)
    lost = pl.Series([bool(row.assigned_at and row.ended_at and not row.made_opportunity) for row in rows], dtype=pl.Boolean)
    told = {
        "assigned": pl.Series([row.assigned_at is not None for row in rows], dtype=pl.Boolean),
        "accepted": pl.Series([row.accepted for row in rows], dtype=pl.Boolean),
        "contacted": pl.Series([row.contacted for row in rows], dtype=pl.Boolean),
        "opportunity": won,
    }
    return Outcomes(won=won, known=won | lost, word=WON, losses=True, reached=reached(told))


def _told_by_file(
    session: Session, rows: Sequence[PastHandoff], did: pl.DataFrame, file: Path, mapping: LeadMap | None, now: datetime
) -> tuple[Outcomes, list[LeftOut]]:
    plan = outcome_plan(Path(ORIGIN), mapping, file)
    if plan is None:
        raise UnreadableFile(f"{file}: no column has outcomes; name the columns under `outcomes` in a map")
    zone = zone_of(plan.timezone or (mapping.timezone if mapping else "") or "UTC")
    told = read_times(plan, zone=zone, today=now)
    ids = past.leads_by_source(session, mapping.source if mapping else "")
    times = by_lead(told).with_columns(lead=pl.col("source_id").replace_strict(ids, default=None, return_dtype=pl.Int64))
    first = did.group_by("row").agg(first_at=pl.col("at").min())
    handoffs = pl.DataFrame({"row": range(len(rows)), "lead": [row.lead_id for row in rows]}, schema={"row": pl.UInt32, "lead": pl.Int64})
    leads = handoffs.join(first, on="row", how="left", maintain_order="left")
    leads = leads.join(times.filter(pl.col("lead").is_not_null()).unique("lead"), on="lead", how="left", maintain_order="left")
    assigned = pl.Series("assigned_at", [row.assigned_at for row in rows], dtype=INSTANT)
    found, wrong = became(leads.with_columns(assigned, day=pl.lit(False)), zone=zone)
    left_out = [LeftOut(plan.path.name, bad.line, bad.reason) for bad in told.bad]
    return found, [*left_out, *(_impossible(leads, plan, one.row, one.what, one.at, one.first) for one in wrong)]


def _impossible(leads: pl.DataFrame, plan: OutcomePlan, row: int, what: str, at: datetime, first: datetime) -> LeftOut:
    lead = leads.row(row, named=True)
    return LeftOut(
        plan.path.name,
        lead["outcome_line"],
        f"{plan.columns[what]}: {what.removesuffix('_at')} on {at:%Y-%m-%d}, before the first contact on {first:%Y-%m-%d} (lead"
        f" {lead['lead']}): its outcome was left out; correct the date",
    )


def _groups(rows: Sequence[PastHandoff], by: str) -> pl.Series:
    if not any(by in row.values for row in rows):
        known = ", ".join(sorted({name for row in rows for name in row.values}))
        raise UnreadableFile(f"No lead has {by!r}, so leads cannot be grouped by it; name one of {known}")
    return pl.Series([text_of(row.values.get(by)) or None for row in rows], dtype=pl.String)


def _warnings(rows: Sequence[PastHandoff], asked: Sequence[str], outcomes: Outcomes) -> Iterator[str]:
    today = sum(not row.as_of_then for row in rows)
    if today:
        yield (
            f"For {counted(today, 'handoff', 'handoffs')} Baton has only today's values, and not the values of the day of the verdict:"
            " a value that somebody filled in later counts as if it had been known."
        )
    if any(name.startswith(ACCOUNT) for name in asked):
        yield "Facts from the CRM are those of the day of the screening. For handoffs from before Baton kept them, they are unknown."
    if len({row.lead_id for row in rows}) < len(rows):
        yield "A lead that came back counts once for each of its handoffs."
    never = sum(row.assigned_at is None for row in rows)
    if never:
        yield f"{counted(never, 'handoff was', 'handoffs were')} never assigned: their outcome is unknown, not lost."
    if outcomes.losses:
        waiting = len(rows) - int(outcomes.known.sum()) - sum(row.assigned_at is None and not row.made_opportunity for row in rows)
        if waiting > 0:
            yield f"{counted(waiting, 'handoff is', 'handoffs are')} still with sales: open, not lost. Shares are of the decided."
