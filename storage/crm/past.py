"""What a CRM knows of its past leads, for a report before anything changes. Nothing behind this port can write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from agreements.words import OpportunityState

TouchKind = Literal["call", "email", "meeting"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which leads are asked for, and what of them. Fields have the CRM's own names, except where an agreement names them (`status`).

    since, until: the leads that began from since on and before until; aware.
    fields: the fields of a lead whose values and changes count.
    source: the field that says where a lead came from; empty for the usual one.
    created: the field with the time at which a record became a lead. A record without it is no lead. Empty for the record's own time.
    """

    since: datetime
    until: datetime
    fields: tuple[str, ...] = ("status",)
    source: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class PastChange:
    """Somebody changed fields of a lead. values: the new values by field. at: aware."""

    at: datetime
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PastTouch:
    """A call, an e-mail or a meeting with the lead that took place at this time (aware). automatic: no person did it."""

    at: datetime
    kind: TouchKind
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class PastDeal:
    """A deal of a lead.

    opened_at: aware; None where the CRM does not say it.
    closed_on: the day as YYYY-MM-DD; empty for an open deal.
    amount: as the CRM writes it.
    """

    opened_at: datetime | None
    state: OpportunityState
    closed_on: str = ""
    amount: str = ""
    currency: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PastLead:
    """A lead with all that became of it.

    created: when it became a lead, aware; None where the CRM does not say it.
    owner: the CRM's id of its owner; empty for nobody.
    values: of the asked fields, now.
    owned_since: when a person first owned the record; None for never, and where the CRM keeps no history of owners.
    changes: of the asked fields, oldest first. The values with which the record began are no changes.
    touches, deals: in any order.
    """

    id: str
    created: datetime | None
    source: str = ""
    owner: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    owned_since: datetime | None = None
    changes: Sequence[PastChange] = ()
    touches: Sequence[PastTouch] = ()
    deals: Sequence[PastDeal] = ()


class CrmPast(Protocol):
    """The past of a CRM. Its client refuses every request that is not in its short list of reads. Errors are CrmError.

    name: the CRM's name for people.
    """

    name: str

    async def without_history(self, asked: Asked) -> Sequence[str]:
        """Return those of `owner` and the asked fields whose changes the CRM does not keep, or does not show."""
        ...

    def pages(self, asked: Asked) -> AsyncIterator[Sequence[PastLead]]:
        """Yield the leads page by page, each lead once. Deleted leads, and those merged into another one, are left out."""
        ...
