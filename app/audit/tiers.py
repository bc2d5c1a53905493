"""The tier of each lead: as the CRM says, else by the agreement's rules, with the facts that the intake would read."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from agreements.asked import facts_needed
from agreements.backtest.columns import LeadColumns, judge
from agreements.model import Agreement
from app.audit.lead_source import LeadSource
from app.backtest.fact_columns import columns_of_facts
from app.backtest.files import activities_of, values_of
from app.backtest.reader import Wanted, read_rows
from app.backtest.together import put_together

#: The tier whose time counts for a lead of no other tier.
NORMAL = "normal"


def with_tiers(leads: pl.DataFrame, source: LeadSource, agreement: Agreement, *, now: datetime, judged: bool) -> pl.DataFrame:
    """Return the leads with a tier each. judged: whether the agreement's rules decide where the file has no column of tiers."""
    if leads["tier"].count():
        return leads.with_columns(pl.col("tier").fill_null(NORMAL))
    last = agreement.tiers[-1].name
    if not judged or len(agreement.tiers) == 1 or not leads.height:
        return leads.with_columns(tier=pl.lit(last))
    found = _judged(source, agreement, now)
    return leads.drop("tier").join(found, on="source_id", how="left", maintain_order="left").with_columns(pl.col("tier").fill_null(last))


def _judged(source: LeadSource, agreement: Agreement, now: datetime) -> pl.DataFrame:
    """Return source_id and tier of each lead that the intake would take."""
    asked = facts_needed(agreement)
    read = read_rows(
        source.path,
        mapping=source.mapping,
        timezone=source.zone.key,
        today=now,
        wanted=Wanted(columns_of_facts(asked) | {"do_not_contact"}),
    )
    together = put_together(read.facts, now=now)
    columns = LeadColumns(values_of(together.leads, asked), together.leads["at"], activities_of(together))
    tiers = judge(agreement, columns).verdicts["tier"]
    return together.leads.select("source_id").with_columns(tiers.alias("tier")).unique("source_id", keep="first", maintain_order=True)
