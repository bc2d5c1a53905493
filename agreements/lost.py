"""What the agreement makes of a lost opportunity: the clause, and the route of one loss."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from pydantic import ValidationError

from agreements.clauses.base import AnElapsed, Clause, one_of, shown
from agreements.crm_words import LOST, reason_named
from agreements.disposition import consequence, revisit_at
from agreements.model import Agreement

#: What can become of a lead whose opportunity was lost.
LostThen = Literal["nurture", "disqualify"]
THENS: tuple[LostThen, ...] = get_args(LostThen)
#: The field of a reason's CRM values that an opportunity's reason is compared with.
LOST_REASON = "lost_reason"


class Lost(Clause):
    """What follows a lost opportunity whose reason says nothing else. revisit: as recycling says, where it is left out."""

    then: LostThen
    track: str = "lost"
    revisit: AnElapsed | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Where a lead goes whose opportunity was lost. reason: the agreed code, empty where none fits; revisit_at: aware, for nurture."""

    then: LostThen
    reason: str = ""
    track: str = ""
    revisit_at: datetime | None = None


def clause_of(agreement: Agreement) -> Lost | None:
    """Return the clause, None where the agreement has none. Raises ValidationError for one that cannot be read."""
    said = agreement.crm.get(LOST)
    return Lost.model_validate(dict(said)) if said is not None else None


def problems(agreement: Agreement) -> list[tuple[str, str]]:
    """Return the keys of the clause that cannot be read, each with what to write."""
    said = agreement.crm.get(LOST)
    if said is None:
        return []
    found = [(key, f"is not known here; write {one_of(tuple(Lost.model_fields))}") for key in said if key not in Lost.model_fields]
    if said.get("then") not in THENS:
        found.append(("then", f"{shown(said.get('then', ''))} is nothing that follows a loss; write {one_of(THENS)}"))
    if found:
        return found
    try:
        clause_of(agreement)
    except ValidationError as error:
        return [("revisit", one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    return []


def route(agreement: Agreement, reason: str, *, now: datetime) -> Route | None:
    """Return where a lead goes whose opportunity was lost for this reason of the CRM; None where it stays a lost opportunity.

    An agreed reason that leads to nurture or ends the lead goes before the clause. Without a clause, only such a reason routes the lead.
    """
    known = reason_named(agreement, reason, field=LOST_REASON)
    if known is not None and known.then == "nurture":
        follows = consequence(agreement, known.code, now=now)
        return Route("nurture", known.code, follows.track or known.code, follows.revisit_at)
    if known is not None and known.then == "disqualify":
        return Route("disqualify", known.code)
    agreed, code = clause_of(agreement), known.code if known else ""
    if agreed is None:
        return None
    if agreed.then == "disqualify":
        return Route("disqualify", code or "lost")
    again = agreed.revisit.after(now, None) if agreed.revisit else revisit_at(agreement, None, now=now)
    return Route("nurture", code, agreed.track, again)
