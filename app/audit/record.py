"""What the files say about each lead, in one row: when it began, the first touch, the answer, the end, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from app.audit.activity_rows import Activities, no_activities
from app.audit.lead_rows import LeadRows
from app.csv_import.audit_columns import StatusMeaning

#: Sales has given up a lead with this fate.
GIVEN_UP: tuple[StatusMeaning, ...] = ("rejected", "recycled", "lost")
#: The times that end the work on a lead.
_ENDS = ("won_at", "lost_at", "opportunity_change", "rejected_change", "recycled_change", "won_change", "lost_change")
_ANSWERS = ("touch", "accepted_change", "opportunity_change", "rejected_change", "recycled_change")


@dataclass(frozen=True, slots=True)
class Record:
    """The leads, one row each, and what the files can tell.

    leads: row, line, source_id, source, owner, tier, reason, amount, doubtful; created, start (assigned, else created), touch,
    assigned_at, won_at, each with `NAME_day`; touches (how many; 1 or more where a word says that the lead was contacted);
    answer (accepted, rejected or touched), accepted_change and ended; fate (new, accepted, opportunity, rejected, recycled, lost or
    won); said_accepted.
    tells_touches, tells_changes, tells_ends, tells_status, tells_wins: whether the files tell touches, changes of status with their
    times, when leads ended, their status, their wins. told: what the files have a column for. zone: of days without a time.
    """

    leads: pl.DataFrame
    tells_touches: bool
    tells_changes: bool
    tells_ends: bool
    tells_status: bool
    tells_wins: bool
    told: frozenset[str]
    zone: ZoneInfo


def record_of(rows: LeadRows, activities: Activities | None, statuses: Collection[StatusMeaning], *, zone: ZoneInfo) -> Record:
    """Join leads and activities. statuses: the meanings that the map gives to words of the CRM. zone: of days."""
    by_lead = (activities or no_activities()).by_lead
    leads = rows.leads.with_row_index("row").join(by_lead, on="row", how="left", maintain_order="left")
    earlier = pl.col("contacted_at").is_not_null() & (pl.col("touch_at").is_null() | (pl.col("contacted_at") < pl.col("touch_at")))
    leads = leads.with_columns(
        start=pl.coalesce("assigned_at", "created"),
        start_day=pl.when(pl.col("assigned_at").is_not_null()).then("assigned_at_day").otherwise("created_day"),
        touch=pl.when(earlier).then("contacted_at").otherwise("touch_at"),
        touch_day=pl.when(earlier).then("contacted_at_day").otherwise("touch_day"),
        touches=pl.max_horizontal(
            pl.col("touches").fill_null(0), (pl.col("contacted_at").is_not_null() | pl.col("contacted")).cast(pl.UInt32)
        ),
        status=pl.coalesce("status", "last_change"),
    )
    leads = leads.with_columns(answer=pl.min_horizontal(_ANSWERS), ended=pl.min_horizontal(_ENDS), fate=_fate())
    of_day = {"touch": "touch_day", "won_at": "won_at_day", "lost_at": "lost_at_day"}
    leads = leads.with_columns(answer_day=_of_day("answer", {"touch": "touch_day"}), ended_day=_of_day("ended", of_day))
    said = pl.col("accepted_change").is_not_null() | pl.col("opportunity_change").is_not_null()
    leads = leads.with_columns(said_accepted=said | pl.col("fate").is_in(["accepted", "opportunity", "won"]))
    changes = bool(activities and activities.changes)
    tells_status = "status" in rows.told or changes
    return Record(
        leads=leads,
        tells_touches=activities is not None or bool({"contacted_at", "contacted"} & rows.told),
        tells_changes=changes,
        tells_ends=changes or bool({"won_at", "lost_at"} & rows.told),
        tells_status=tells_status,
        tells_wins=bool({"won_at", "won"} & rows.told) or (tells_status and "won" in statuses),
        told=rows.told,
        zone=zone,
    )


def _of_day(name: str, parts: Mapping[str, str]) -> pl.Expr:
    """Whether a time that is one of these is only a day."""
    return pl.any_horizontal((pl.col(name) == pl.col(part)) & pl.col(day) for part, day in parts.items()).fill_null(False)


def _fate() -> pl.Expr:
    status = pl.col("status")
    return (
        pl.when(pl.col("won_at").is_not_null() | pl.col("won") | (status == "won"))
        .then(pl.lit("won"))
        .when(status.is_in(["recycled", "rejected"]))
        .then(status)
        .when(pl.col("lost_at").is_not_null() | pl.col("lost") | (status == "lost"))
        .then(pl.lit("lost"))
        .otherwise(status.fill_null("new"))
    )


def within(record: Record, first: datetime | None, until: datetime | None) -> Record:
    """Return only the leads that were created from first on and before until. None: no bound."""
    leads = record.leads
    if first:
        leads = leads.filter(pl.col("created") >= pl.lit(first.astimezone(UTC)))
    if until:
        leads = leads.filter(pl.col("created") < pl.lit(until.astimezone(UTC)))
    return replace(record, leads=leads)
