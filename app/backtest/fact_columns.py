"""Which column of a file tells a fact: the same that the lead is judged by once it is taken in."""

from __future__ import annotations

from agreements.clauses.facts import BUILT_IN
from agreements.lead import IncomingLead

#: How the columns of the agreement's own fields begin.
FIELD = "fields."
#: Facts that every lead tells in a column of their own. A field of the same name is never asked, as for a lead taken in.
_OF_EVERY_LEAD = BUILT_IN.keys() & IncomingLead.model_fields.keys()
#: Facts that follow from a column of another name.
_FOLLOW_FROM = {"email_domain": "email", "suppressed": "do_not_contact", "sales_sourced": "sales_sourced_by"}


def column_of_fact(name: str) -> str:
    """The column that tells this fact: one that every lead has, else the agreement's field of that name."""
    return _FOLLOW_FROM.get(name) or (name if name in _OF_EVERY_LEAD else FIELD + name)
