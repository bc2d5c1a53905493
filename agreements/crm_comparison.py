"""Whether the CRM and Baton say the same of a lead and of an opportunity: what each of them has, what differs, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Literal, NamedTuple

from agreements.clauses.clocks import CrmStage
from agreements.crm_words import OWNER, values_at, watched
from agreements.lifecycle import OPEN_STAGES, Stage
from agreements.model import Agreement
from agreements.words import OpportunityState


class RecordState(StrEnum):
    """What became of a record. Converted: the lead is a contact now. Deleted: the CRM still knows that the record was there."""

    THERE = "there"
    CONVERTED = "converted"
    DELETED = "deleted"


FindingKind = Literal[
    "missing", "deleted", "converted", "owner", "value", "stage", "opportunity", "no-opportunity", "unknown-number", "erased"
]
#: What each kind of finding is, for tables that hold no values: a value of a field may be personal.
IN_SHORT: Mapping[FindingKind, str] = {
    "missing": "the CRM has no record of the lead",
    "deleted": "the record was deleted in the CRM",
    "converted": "converted in the CRM, and open here",
    "owner": "another owner",
    "value": "another value than Baton wrote or read",
    "stage": "a value that does not fit the stage",
    "opportunity": "the opportunity stands otherwise",
    "no-opportunity": "the CRM has the opportunity no more",
    "unknown-number": "the record has a number that Baton does not know",
    "erased": "the record of an erased lead",
}
#: What people did there: no write of Baton failed.
_NOT_BY_WRITING: tuple[FindingKind, ...] = ("deleted", "converted")
#: How many days after its end a lead is still compared, where nobody says otherwise.
DAYS = 30
#: A record that changed within this time is not compared: the CRM may show the record before it shows who changed it.
QUIET = timedelta(minutes=2)
#: The stages at which Baton keeps values in the CRM, and what those may say, the most likely first.
_SAYS: Mapping[Stage, tuple[CrmStage, ...]] = {
    Stage.ACCEPTED: ("accepted",),
    Stage.WORKING: ("attempted", "accepted", "sql"),
}


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """What the CRM has of one lead.

    name: what people call the record, with its id. owner: a person's id in the roster, the CRM's own name for somebody else, empty for
    nobody. values: by the agreement's names; a field that this kind of record lacks is left out. quiet_for: since the last change of the
    record, by the CRM's clock.
    """

    name: str
    owner: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    state: RecordState = RecordState.THERE
    quiet_for: timedelta = timedelta.max


@dataclass(frozen=True, slots=True)
class CrmDeal:
    """What the CRM has of one opportunity. quiet_for: since its last change, by the CRM's clock."""

    state: OpportunityState
    quiet_for: timedelta = timedelta.max


class CrmNumber(NamedTuple):
    """A record of the CRM that has the number of a lead. name: what people call the record, with its id."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class LeadHere:
    """What Baton has of one lead.

    agreement: None before one applies. rep: who has the lead, empty for nobody or several. members: who may own it instead of a shared
    mailbox. told: Baton has written the lead to the CRM, or has tried to. given: also who has it, in this pass. known: the values that
    Baton wrote or read there last, by field. failure: why the newest write failed, empty if it did not.
    """

    number: int
    stage: Stage
    agreement: Agreement | None = None
    company: str = ""
    rep: str = ""
    members: tuple[str, ...] = ()
    told: bool = False
    given: bool = False
    known: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True, slots=True)
class DealHere:
    """What Baton has of one opportunity. crm_id: its id in the CRM; lead: the lead's number."""

    crm_id: str
    lead: int
    state: OpportunityState
    company: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that differs. where: the lead and its record. what, todo: sentences. company: the lead's, empty where none is known."""

    kind: FindingKind
    lead: int
    where: str
    what: str
    todo: str
    company: str = ""


def compared(here: LeadHere, there: CrmRecord | None) -> list[Finding]:
    """Return what differs between Baton and the CRM for this lead. there: None where the CRM has no record with its number."""
    if there is not None and there.quiet_for < QUIET:
        return []
    if there is None or there.state == RecordState.DELETED:
        return list(_absent(here, there))
    return [*_converted(here, there), *_owner(here, there), *_values(here, there)]


def compared_deal(here: DealHere, there: CrmDeal | None) -> list[Finding]:
    """Return what differs for this opportunity. there: None where the CRM has it no more."""
    where = f"lead {here.lead}, opportunity {here.crm_id}"
    if there is None:
        if here.state != OpportunityState.OPEN:
            return []
        todo = "Restore it in the CRM, or say there that it is lost before you delete it."
        return [Finding("no-opportunity", here.lead, where, "It is open here, and the CRM has it no more.", todo, here.company)]
    if there.state == here.state or there.quiet_for < QUIET:
        return []
    what = f"It is {there.state} in the CRM and {here.state} here."
    todo = "Save its stage in the CRM once more, so that Baton reads it."
    return [Finding("opportunity", here.lead, where, what, todo, here.company)]


def stray(there: CrmNumber, *, erased: bool) -> Finding:
    """Return the finding for a record whose number belongs to no lead of Baton. erased: Baton had the lead and erased it."""
    where = f"lead {there.number}, {there.name}"
    if erased:
        return Finding("erased", there.number, where, "The lead was erased here, and its record is still there.", "Delete the record.")
    todo = "Clear the field with the number, or delete the record. It may be from another installation."
    return Finding("unknown-number", there.number, where, "Baton knows no lead with this number.", todo)


def _found(kind: FindingKind, here: LeadHere, there: CrmRecord | None, what: str, todo: str) -> Finding:
    where = f"lead {here.number}, {there.name}" if there else f"lead {here.number}"
    if here.failure and kind not in _NOT_BY_WRITING:
        todo = f"The newest write failed: {here.failure.rstrip('.')}."
    return Finding(kind, here.number, where, what, todo, here.company)


def _absent(here: LeadHere, there: CrmRecord | None) -> Iterator[Finding]:
    """A lead that is over may be missing: its record is the company's own to delete. One that never got there is missing while open."""
    if not here.told or here.stage not in (*OPEN_STAGES, Stage.OPPORTUNITY):
        return
    if there is not None:
        todo = "Restore the record, or return the lead here with a reason."
        yield _found("deleted", here, there, f"The record was deleted, and the lead is {here.stage} here.", todo)
        return
    todo = "Look whether somebody deleted or merged the record. The next assignment makes a new one."
    yield _found("missing", here, None, f"The CRM has no record with this number, and the lead is {here.stage} here.", todo)


def _converted(here: LeadHere, there: CrmRecord) -> Iterator[Finding]:
    if there.state == RecordState.CONVERTED and here.rep and here.stage in OPEN_STAGES:
        todo = f"Ask {here.rep} to say here what came of the lead."
        yield _found("converted", here, there, f"The lead was converted, and it is {here.stage} here.", todo)


def _owner(here: LeadHere, there: CrmRecord) -> Iterator[Finding]:
    if here.given and here.rep and there.owner not in (here.rep, *here.members):
        what = f"Its owner is {there.owner or 'nobody'}, and here {here.rep} has the lead."
        yield _found("owner", here, there, what, f"Make {here.rep} its owner in the CRM, or hand the lead over here.")


def _values(here: LeadHere, there: CrmRecord) -> Iterator[Finding]:
    """A value that Baton does not know comes before one that does not fit: it explains the other one."""
    if here.agreement is None:
        return
    named = watched(here.agreement) - {OWNER}
    changed = [
        name for name, value in here.known.items() if name in named and name in there.values and not _same(there.values[name], value)
    ]
    for name in sorted(changed):
        what = f"{name} is {_shown(there.values[name])}, and Baton wrote or read {_shown(here.known[name])} last."
        yield _found("value", here, there, what, f"Set {name} in the CRM to what is right, so that Baton reads it.")
    if changed or not here.told:
        return
    says = [values for stage in _SAYS.get(here.stage, ()) if (values := _on_record(here.agreement, stage, there))]
    if says and not any(all(_same(there.values[name], value) for name, value in values.items()) for values in says):
        is_there = ", ".join(f"{name} is {_shown(there.values[name])}" for name in says[0])
        meant = " and ".join(f"{name} {_shown(value)}" for name, value in says[0].items())
        what = f"The lead is {here.stage} here, for which {here.agreement.reference} says {meant}; in the CRM {is_there}."
        yield _found("stage", here, there, what, "Correct the value in the CRM, or answer here what it means.")


def _on_record(agreement: Agreement, stage: CrmStage, there: CrmRecord) -> dict[str, str]:
    return {name: value for name, value in values_at(agreement, stage).items() if name in there.values}


def _same(one: str, other: str) -> bool:
    """Whether two values are one: CRMs ignore case and blanks around a value, and write a number in their own way."""
    if one.strip().casefold() == other.strip().casefold():
        return True
    try:
        return Decimal(one.strip()) == Decimal(other.strip())
    except InvalidOperation:
        return False


def _shown(value: str) -> str:
    return repr(value) if value else "empty"
