"""The do-not-contact list as an operator keeps it: entries are added and removed, and everything under way follows at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from agreements.lead import IncomingLead, domain_of
from agreements.opt_out import ListEntry, dialled_key, phone_key
from agreements.words import OptOutChannel
from storage import erased, suppressions, trail
from storage.database import ROWS_AT_ONCE
from storage.suppressions import Told
from storage.tables import Lead, Suppression
from tasks import opting_out
from tasks.opting_out import REASON
from tasks.wiring.toolbox import Toolbox

#: Leads that one transaction reads to find those that an entry names.
READ_AT_ONCE = 1000
#: Leads whose handoffs one transaction ends: each changes about twelve rows.
END_AT_ONCE = ROWS_AT_ONCE // 12


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be listed, and how it was told."""

    entry: ListEntry
    told: Told


@dataclass(slots=True)
class Added:
    """The result of listing. listed, known: entries that are new, and that were listed before; erased: entries about a person
    whose data was erased, who stays suppressed by a keyed hash; leads: how many leads they name; ended: handoffs that ended."""

    listed: int = 0
    known: int = 0
    erased: int = 0
    leads: int = 0
    ended: int = 0


def add(box: Toolbox, new: Sequence[NewEntry], *, progress: Callable[[int], None] = lambda done: None) -> Added:
    """Lists these entries, then ends everything about the people whom they name.

    The list counts from the first transaction on, so nobody whom it names comes in meanwhile. progress: gets the number of
    entries done. After an interruption, list the same entries again.
    """
    result = Added()
    for start in range(0, len(new), ROWS_AT_ONCE):
        few = new[start : start + ROWS_AT_ONCE]
        box.write_now(lambda session, now, few=few: _list(session, few, now, result))  # type: ignore[misc]
        progress(len(few))
    named = [(lead, one) for one, lead in _named_by(box, new)]
    result.leads = len(named)
    for start in range(0, len(named), END_AT_ONCE):
        some = named[start : start + END_AT_ONCE]
        result.ended += box.write_now(lambda session, now, some=some: _end(session, some, now))  # type: ignore[misc]
    return result


def _list(session: Session, few: Sequence[NewEntry], now: datetime, result: Added) -> None:
    for one in few:
        if is_erased(session, one.entry):
            result.erased += 1
        elif suppressions.suppress(session, one.entry.value, reason=REASON, now=now, told=one.told):
            result.listed += 1
        else:
            result.known += 1


def is_erased(session: Session, entry: ListEntry) -> bool:
    """Whether this address or number is of a person whose data was erased: Baton keeps a keyed hash of it, and no plain entry."""
    if entry.kind == "domain":
        return False
    email, phone = (entry.value, "") if entry.kind == "address" else ("", entry.value)
    return erased.is_erased(session, IncomingLead(source="list", source_id="list", email=email, phone=phone))


def _end(session: Session, some: Sequence[tuple[int, NewEntry]], now: datetime) -> int:
    ended = 0
    for lead_id, one in some:
        lead = session.get(Lead, lead_id)
        if lead is None:
            continue
        people = [lead] if one.entry.kind == "domain" else opting_out.person_of(session, lead)
        ended += len(opting_out.end_for(session, people, one.told, now=now))
    return ended


def _named_by(box: Toolbox, new: Sequence[NewEntry]) -> list[tuple[NewEntry, int]]:
    """Each lead that an entry names, with the entry. Addresses are found by an index, domains and numbers by reading all leads."""
    by_value: dict[str, list[NewEntry]] = {}
    for one in new:
        by_value.setdefault(one.entry.value, []).append(one)
    kinds = {one.entry.kind for one in new}
    if kinds <= {"address"} and len(by_value) <= READ_AT_ONCE:
        query = select(Lead).where(col(Lead.mail_key).in_(list(by_value)), col(Lead.erased_at).is_(None))
        found: Iterator[Lead] = iter(box.read_now(lambda session, now: list(session.exec(query))))
    else:
        found = _all_leads(box)
    return [(one, lead.id) for lead in found for value in _values_of(lead) for one in by_value.get(value, ())]


def _all_leads(box: Toolbox) -> Iterator[Lead]:
    after = 0
    while True:
        query = select(Lead).where(col(Lead.id) > after, or_(col(Lead.mail_key) != "", col(Lead.phone) != ""))
        query = query.order_by(col(Lead.id)).limit(READ_AT_ONCE)
        rows = box.read_now(lambda session, now, query=query: list(session.exec(query)))  # type: ignore[misc]
        if not rows:
            return
        yield from rows
        after = rows[-1].id


def _values_of(lead: Lead) -> list[str]:
    numbers = phone_key(lead.phone), dialled_key(lead.phone, lead.country)
    return [one for one in dict.fromkeys((lead.mail_key, domain_of(lead.mail_key), *numbers)) if one]


@dataclass(frozen=True, slots=True)
class Removal:
    """Who takes an entry from the list, and why. channel: only this one, None for every channel."""

    by: str
    why: str
    channel: OptOutChannel | None = None


def remove(box: Toolbox, entry: ListEntry, what: Removal) -> list[Suppression]:
    """Takes an entry from the list and returns what it was; empty for an entry that is not listed. The trail keeps who and why.

    Nothing begins again by itself: a person who asks after this gets a new handoff.
    """
    rows = box.write_now(lambda session, now: _unlist(session, entry, what, now))
    if rows:
        named = _named_by(box, [NewEntry(entry, Told())])
        for start in range(0, len(named), END_AT_ONCE):
            some = [ident for _, ident in named[start : start + END_AT_ONCE]]
            box.write_now(lambda session, now, some=some: _free(session, some, what, now))  # type: ignore[misc]
    return rows


def _unlist(session: Session, entry: ListEntry, what: Removal, now: datetime) -> list[Suppression]:
    rows = suppressions.remove(session, entry.value, what.channel)
    if rows:
        text = trail.keep_text(session, what.why, lead_id=None)
        facts = {"entry": erased.mark_of(session, entry.value), "listed": entry.kind, "channels": sorted(row.channel for row in rows)}
        trail.record(session, "opt-out-removed", now=now, actor=what.by, text=text, **facts)  # type: ignore[arg-type]
    return rows


def _free(session: Session, leads: Sequence[int], what: Removal, now: datetime) -> None:
    """Corrects what is noted at these leads, by what is listed now."""
    for lead_id in leads:
        lead = session.get(Lead, lead_id)
        if lead is None:
            continue
        listed = suppressions.of_address(session, lead.email, lead.phone)
        before = (lead.do_not_contact, lead.not_by)
        lead.do_not_contact, lead.not_by = "all" in listed, " ".join(sorted(listed - {"all"}))
        session.add(lead)
        if before != (lead.do_not_contact, lead.not_by):
            trail.record(session, "opt-out-removed", now=now, lead_id=lead.id, actor=what.by)
