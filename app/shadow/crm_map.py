"""The map that says which fields of a CRM hold what, and what their words mean. It has the part `audit` of a map of leads alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.csv_import.audit_columns import AuditColumns

#: What the CRM says by itself, in fields that are known.
_KNOWN = ("owner", "amount", "currency")


class CrmMap(BaseModel):
    """Fields of a lead by the CRM's own names: created, source, status, reason and tier; empty for the usual one, or for none.

    created: when a record became a lead, such as an MQL; a record without this time is no lead.

    statuses: meaning -> values of the status. unreachable: the reasons that say nobody could be reached.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    audit: AuditColumns = AuditColumns()

    def problems(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Yield what does not fit together: where, and what to write instead."""
        for name in _KNOWN:
            if getattr(self.audit, name):
                yield ("audit", name), "the CRM says this in a field that Baton knows; leave it out"
