"""The part of a map that only `baton audit` reads: the columns of a CRM export that say what became of a lead, and what its words mean."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from agreements.lead import Key

#: What a status of a CRM says about a lead. Statuses that a map leaves out mean nothing yet, as `new`.
StatusMeaning = Literal["new", "accepted", "opportunity", "rejected", "recycled", "won", "lost"]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _said_once(value: dict[StatusMeaning, tuple[str, ...]]) -> dict[StatusMeaning, tuple[str, ...]]:
    cells = [cell.casefold() for several in value.values() for cell in several]
    twice = sorted({cell for cell in cells if cells.count(cell) > 1})
    if twice:
        raise ValueError(f"{', '.join(map(repr, twice))} has two meanings; write each status once")
    return value


Cells = Annotated[tuple[Key, ...], BeforeValidator(_listed)]
Statuses = Annotated[dict[StatusMeaning, Cells], AfterValidator(_said_once)]


class AuditColumns(BaseModel):
    """Columns of the leads file, or of the file with the outcomes where the leads file has no such column. Empty for none.

    created: when the lead was created or became an MQL; left out, the column of `at`. source: left out, the column of
    `entry_channel`. owner, status, reason, tier: as the CRM writes them. statuses: meaning -> statuses of the CRM.
    unreachable: the reasons that say nobody could be reached. amount: the value of a won lead. currency: of all amounts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    created: str = ""
    source: str = ""
    owner: str = ""
    status: str = ""
    statuses: Statuses = {}
    reason: str = ""
    unreachable: Cells = ()
    tier: str = ""
    amount: str = ""
    currency: str = ""
