"""Finds the column of a file that holds a fact: the same fact by which a lead is judged once it is taken in."""

from __future__ import annotations

from agreements.clauses.facts import BUILT_IN
from agreements.lead import IncomingLead

#: The prefix of columns for the agreement's own fields.
FIELD = "fields."
#: Facts that every lead has in a column. A field of the same name is never asked for, as with a lead taken in.
_OF_EVERY_LEAD = BUILT_IN.keys() & IncomingLead.model_fields.keys()
#: Facts that follow from a column of another name.
_FOLLOW_FROM = {"email_domain": "email", "suppressed": "do_not_contact", "sales_sourced": "sales_sourced_by"}


def column_of_fact(name: str) -> str:
    """Return the column that holds this fact: one that every lead has, else the agreement's field of that name."""
    return _FOLLOW_FROM.get(name) or (name if name in _OF_EVERY_LEAD else FIELD + name)
