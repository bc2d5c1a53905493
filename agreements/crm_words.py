"""What the values of a CRM mean under an agreement: which answer they give, for which reason, and what Baton writes there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from agreements.clauses.clocks import CRM_STAGES, CrmStage
from agreements.model import Agreement, Reason
from agreements.words import GivenAnswer, NoWord, TouchChannel, word

#: The field of a lead's owner. Every adapter names it like this.
OWNER: Final = "owner"
#: Keys of the `crm` clause that are no stage: the fields of the CRM from which Baton reads more, what follows a lost opportunity, and
#: when an open one is stalled.
DETAILS: Final = "details"
LOST: Final = "lost"
STALLED: Final = "stalled"
#: The key under `accepted` that is no field of the CRM: what acceptance creates there.
CREATE: Final = "create"
#: The keys of the `crm` clause.
KEYS: tuple[str, ...] = (*CRM_STAGES, DETAILS, LOST, STALLED)
#: What the CRM can tell beside a reason.
DETAIL_NAMES = ("text", "colleague", "into", "refused", "revisit_on", "renewal_date")
#: A value that Baton wrote may come back with a time up to this much before the time at which Baton wrote it: two clocks differ.
CLOCKS_DIFFER = timedelta(minutes=2)
#: How a logged activity reached the lead.
CHANNEL_OF: Mapping[str, TouchChannel] = {
    "call": "phone",
    "phone": "phone",
    "email": "email",
    "meeting": "in-person",
    "in-person": "in-person",
    "message": "message",
    "social": "social",
}
#: What the values mean. suppressed: nobody may contact the lead.
Meaning = GivenAnswer | Literal["suppressed"]


@dataclass(frozen=True, slots=True)
class Said:
    """What the CRM's values mean. kind: empty for nothing; reason: the code of the agreed reason of a rejection, empty where none fits."""

    kind: Meaning | NoWord = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What Baton knows of a field in the CRM: its value, since when, whether Baton wrote it, and when a person set it last."""

    value: str
    at: datetime
    by_baton: bool
    person_at: datetime | None = None


def values_at(agreement: Agreement, stage: CrmStage) -> dict[str, str]:
    """Return the values that the CRM has at this stage, by field; empty for none."""
    return {name: value for name, value in agreement.crm.get(stage, {}).items() if (stage, name) != ("accepted", CREATE)}


def values_of(agreement: Agreement, reason: Reason) -> dict[str, str]:
    """Return the values that say a rejection for this reason: those of every rejection, and the reason's own instead of them."""
    return {**values_at(agreement, "rejected"), **reason.crm} if reason.crm else {}


def creates_opportunity(agreement: Agreement) -> bool:
    """Whether accepting a lead creates its opportunity in the CRM."""
    return agreement.crm.get("accepted", {}).get(CREATE) == "opportunity"


def watched(agreement: Agreement) -> frozenset[str]:
    """Return the fields of a lead in the CRM whose values mean something under this agreement."""
    named = [values_at(agreement, stage) for stage in CRM_STAGES] + [dict(reason.crm) for reason in agreement.reasons]
    return frozenset({OWNER, *(name for values in named for name in values)})


def fields_read(agreement: Agreement) -> frozenset[str]:
    """Return the fields of a lead that Baton reads from the CRM beside its owner: those with a meaning, and those with details."""
    return watched(agreement) - {OWNER} | frozenset(agreement.crm.get(DETAILS, {}).values())


def meaning(agreement: Agreement, known: Mapping[str, str], new: Collection[str]) -> Said:
    """Return what the lead's values in the CRM say, of which the fields `new` have just changed.

    A meaning counts where all its values are there and one of them is new. Of several, the one with the most values counts, then the
    first in the agreement.
    """
    found: list[tuple[int, Said]] = []
    for reason in agreement.reasons:
        values = values_of(agreement, reason)
        if _holds(values, known, new):
            found.append((len(values), Said("rejected", reason.code)))
    for stage in agreement.crm:
        values = values_at(agreement, known_stage) if (known_stage := word(stage, CRM_STAGES)) else {}
        if known_stage and _holds(values, known, new):
            found.append((len(values), Said(known_stage)))
    return max(found, key=lambda one: one[0])[1] if found else Said()


def _holds(values: Mapping[str, str], known: Mapping[str, str], new: Collection[str]) -> bool:
    return bool(values) and all(known.get(name) == value for name, value in values.items()) and any(name in new for name in values)


def is_news(known: Known | None, value: str, *, at: datetime, since: datetime) -> bool:
    """Whether a person who set this value at that time has said something new.

    A value that a later one of a person has replaced is none. Neither is the value that the field had already: it is what Baton wrote, or
    a record that the CRM reports once more. since: when this handoff began. An earlier handoff's value of a person may be said again.
    """
    if known is None:
        return True
    if known.person_at is not None and at < known.person_at:
        return False
    if known.value != value:
        return True
    if known.by_baton:
        return at < known.at - CLOCKS_DIFFER
    return known.at < since


def reason_named(agreement: Agreement, text: str, *, field: str = "") -> Reason | None:
    """Return the reason that this text of the CRM names: by the reason's value for that field, its code or its label; None for none."""
    said = text.strip().casefold()
    if not said:
        return None
    by_value = [one for one in agreement.reasons if field and one.crm.get(field, "").casefold() == said]
    by_name = [one for one in agreement.reasons if said in (one.code.casefold(), one.label.casefold(), one.words.casefold())]
    return next(iter([*by_value, *by_name]), None)
