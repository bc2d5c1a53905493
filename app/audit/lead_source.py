"""The file of the leads, and which of its columns say what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from app.csv_import.audit_columns import AuditColumns, StatusMeaning
from app.csv_import.dates import Dates
from app.csv_import.file import header_in
from app.csv_import.lead_map import LeadMap

#: The times that an outcome may have.
TIMES = ("assigned_at", "contacted_at", "won_at", "lost_at")
#: The columns that a file without a map may have, by what they say.
NAMES: Mapping[str, tuple[str, ...]] = {
    "source_id": ("source_id", "lead_id", "id"),
    "created": ("created", "created_at", "at"),
    "source": ("entry_channel", "source"),
    **{name: (name,) for name in ("owner", "status", "reason", "tier", "amount")},
}
REMEDY = "Write what the columns are called under `columns` and `audit` in a map, and name the map with --map"
_STATUSES: Mapping[StatusMeaning, tuple[str, ...]] = {
    name: (name,) for name in ("new", "accepted", "opportunity", "rejected", "recycled", "won", "lost")
}
#: The texts of a lead that may be in the file with the outcomes.
BESIDE = ("owner", "status", "reason", "tier", "amount")


@dataclass(frozen=True, slots=True)
class LeadSource:
    """The file of the leads, its map, and the zone of times without a zone."""

    path: Path
    mapping: LeadMap | None
    zone: ZoneInfo

    @property
    def encoding(self) -> str:
        """Return the encoding of the files, empty for UTF-8."""
        return self.mapping.encoding if self.mapping else ""

    @property
    def dates(self) -> Dates:
        """Return how the file writes when a lead was created."""
        return self.mapping.dates_of("at") if self.mapping else Dates()

    @property
    def audit(self) -> AuditColumns:
        """Return the columns that only an audit reads."""
        return (self.mapping.audit if self.mapping else None) or AuditColumns()

    @property
    def statuses(self) -> Mapping[StatusMeaning, tuple[str, ...]]:
        """Return what the words of the CRM mean. Without any in the map, the meanings themselves are the words."""
        return self.audit.statuses or _STATUSES

    def columns(self) -> dict[str, str]:
        """Return what the map names: name -> column. Raises UnreadableFile for a file whose columns nobody can name."""
        if not self.mapping:
            header = header_in(self.path)
            return {name: found for name, choices in NAMES.items() if (found := next((one for one in choices if one in header), ""))}
        of, audit = self.mapping.columns, self.audit
        named = {
            "source_id": of["source_id"],
            "created": audit.created or of.get("at", ""),
            "source": audit.source or of.get("entry_channel", ""),
            **{name: getattr(audit, name) for name in BESIDE},
        }
        return {name: column for name, column in named.items() if column}
