"""Finds the column of a file that holds a fact: the same fact by which a lead is judged once it is taken in."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from agreements.clauses.facts import BUILT_IN
from agreements.lead import IncomingLead
from agreements.slips import has_link

#: The prefix of columns for the agreement's own fields.
FIELD = "fields."
#: Facts that every lead has in a column. A field of the same name is never asked for, as with a lead taken in.
_OF_EVERY_LEAD = BUILT_IN.keys() & IncomingLead.model_fields.keys()
#: Facts that follow from a column of another name.
_FOLLOW_FROM = {"email_domain": "email", "suppressed": "do_not_contact", "sales_sourced": "sales_sourced_by"}
#: The fact that follows from the person's names, and the columns of these.
OF_NAMES, NAMES = "name_has_link", ("first_name", "last_name")


def column_of_fact(name: str) -> str:
    """Return the column that holds this fact: one that every lead has, else the agreement's field of that name."""
    return _FOLLOW_FROM.get(name) or (name if name in _OF_EVERY_LEAD else FIELD + name)


def columns_of_facts(names: Collection[str]) -> frozenset[str]:
    """Return the columns from which these facts follow."""
    return frozenset({column_of_fact(name) for name in names if name != OF_NAMES} | ({*NAMES} if OF_NAMES in names else set()))


def with_links_in_names(leads: pl.DataFrame, asked: Collection[str]) -> pl.DataFrame:
    """Return the leads with a column for whether their names hold a link, if somebody asks for it; null for no name."""
    if OF_NAMES not in asked:
        return leads
    names = [leads[name].to_list() if name in leads.columns else [""] * leads.height for name in NAMES]
    found = [has_link(first or "", last or "") for first, last in zip(*names, strict=True)]
    return leads.with_columns(pl.Series(FIELD + OF_NAMES, found, dtype=pl.Boolean))
