"""Enrol nurtured leads in their tracks at the marketing automation, and tell marketing where it does not confirm that."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from agreements import presence
from agreements.calendar.durations import Duration
from agreements.clauses.nurturing import EnrolBy
from agreements.errors import DeliveryError
from agreements.lead import mail_key
from agreements.words import EventKind, Via
from storage import enrolments, handoffs, roster, suppressions, trail
from storage.tables import Enrolment, EnrolmentState, Lead
from tasks.automation.port import Ask, Heard, MarketingAutomation, Told
from tasks.clock_inputs import calendar_of
from tasks.messages.tell import tell
from tasks.wiring.toolbox import Automations, Toolbox

log = logging.getLogger("baton.nurture")
#: The most rows in one sweep; the others follow in the next one.
AT_ONCE = 50
#: What whoever is told about a late confirmation may do.
_REMEDY = "Please {do}, and then run `baton nurture confirm {lead}`."
_NOT_THERE: Mapping[EnrolBy, str] = {
    "webhook": "BATON_NURTURE_URL is not set",
    "hubspot-list": "BATON_CRM_URL names another CRM than HubSpot",
}
_DO = {"in": "enrol it there", "out": "take it out there"}
_NOT_DONE = {
    "in": "Lead {lead} ({company}) is not in the nurture track {track} yet",
    "out": "Lead {lead} ({company}) left nurture and is not out of the track {track} yet",
}


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What somebody says about an enrolment. by: a person's id, or the name of a key."""

    by: str
    via: Via


async def enrol_leads(box: Toolbox) -> int:
    """Tell the marketing automation what is due, and tell marketing what is late. Return how many rows were dealt with.

    A row is claimed before the automation is told. A process that dies leaves it for another try under the same key.
    """
    due = await box.read(lambda session, now: enrolments.due(session, now=now, limit=AT_ONCE))
    if not due:
        return 0
    for ident in due:
        try:
            ask = await box.write(lambda session, now, one=ident: _claim(session, one, box.automation, now=now))  # type: ignore[misc]
            automation = box.automation(ask.by) if ask else None
            if ask is not None and automation is not None:
                heard = await _told(automation, ask)
                await box.write(lambda session, now, one=ident, said=heard, ask=ask: _write(session, one, ask, said, now=now))  # type: ignore[misc]
        except Exception:
            log.exception("enrolment %s could not be carried on; the others go on", ident)
    return len(due)


async def _told(automation: MarketingAutomation, ask: Ask) -> Heard | DeliveryError:
    try:
        return await automation.tell(ask)
    except DeliveryError as error:
        return error


def _claim(session: Session, ident: int, automation: Automations, *, now: datetime) -> Ask | None:
    """What to tell the automation about this row now; None for nothing. Tells people of a confirmation that is late."""
    row = session.get(Enrolment, ident, with_for_update=True, populate_existing=True)
    if row is None or row.next_at is None or row.next_at > now:
        return None
    session.add(row)
    lead = session.get(Lead, row.lead_id)
    assert lead is not None, "a lead is never deleted"
    if row.wanted == "in" and not _may_be_enrolled(session, lead):
        row.state, row.next_at = EnrolmentState.NOT_ALLOWED, None
        trail.record(session, "not-enrolled", now=now, handoff=handoffs.get(session, row.handoff_id), track=row.track, why="refused")
        return None
    row.due_at = row.due_at or _within(session, row, now)
    if now >= row.due_at:
        _tell_late(session, row, lead, now=now)
    agreed = handoffs.agreement_of(session, handoffs.get(session, row.handoff_id)).nurture
    there = agreed.enrol is not None and automation(agreed.enrol) is not None
    if row.state != EnrolmentState.WAITING or not there or agreed.enrol is None:
        row.next_at = row.due_at
        row.error = row.error or ("" if there else _NOT_THERE.get(agreed.enrol or "webhook", ""))
        return None
    row.tries += 1
    row.next_at = now + enrolments.A_TRY
    person = _person(lead) if row.wanted == "in" else {}
    do: Told = "enrol" if row.wanted == "in" else "leave"
    return Ask(agreed.enrol, do, enrolments.key_of(row), row.track, lead.id, person, agreed.place_of(row.track))


def _write(session: Session, ident: int, ask: Ask, said: Heard | DeliveryError, *, now: datetime) -> None:
    """Writes down what the automation said, unless something else is wanted meanwhile: then the row is due again already."""
    row = session.get(Enrolment, ident, with_for_update=True, populate_existing=True)
    if row is None or enrolments.key_of(row) != ask.key or row.state != EnrolmentState.WAITING:
        return
    session.add(row)
    assert row.due_at is not None, "a claimed row has a due time"
    if isinstance(said, Heard):
        row.proof, row.error = _kept(session, row, said.proof), ""
        if said.confirmed:
            _settle(session, row, Confirmed("automation", "api"), now=now)
        else:
            row.state, row.next_at = EnrolmentState.ASKED, max(row.due_at, now)
        return
    row.error = _kept(session, row, str(said))
    if said.permanent:
        refuse(session, row, row.error, now=now)
        return
    minutes = enrolments.BACK_OFF_MINUTES[min(row.tries, len(enrolments.BACK_OFF_MINUTES)) - 1]
    later = now + timedelta(minutes=minutes)
    row.next_at = min(later, row.due_at) if row.due_at > now else later


def confirm(session: Session, row: Enrolment, by: Confirmed, *, now: datetime) -> bool:
    """Settles a locked row: what is wanted is done there. False where it was settled already."""
    if row.next_at is None:
        return False
    session.add(row)
    _settle(session, row, by, now=now)
    return True


def refuse(session: Session, row: Enrolment, error: str, *, now: datetime) -> bool:
    """Notes on a locked row that the automation does not do it. Marketing is told at once, since only a person helps it.

    False where the row was settled or refused already.
    """
    if row.next_at is None or row.state == EnrolmentState.REFUSED:
        return False
    session.add(row)
    row.state, row.error, row.due_at, row.next_at = EnrolmentState.REFUSED, _kept(session, row, error), now, now
    return True


def _kept(session: Session, row: Enrolment, said: str) -> str:
    """What the automation said, as far as it may be kept: it may name the person, so nothing of it after an erasure."""
    lead = session.get(Lead, row.lead_id)
    return said[:500] if lead and lead.erased_at is None else ""


def retry(session: Session, row: Enrolment, *, now: datetime) -> None:
    """Begins a locked row again under a new key, with the whole agreed time."""
    session.add(row)
    enrolments.anew(row, now=now, due_at=None)


def agreed(session: Session, row: Enrolment) -> Duration:
    """How soon the automation has to confirm, by the agreement of the row's handoff."""
    return handoffs.agreement_of(session, handoffs.get(session, row.handoff_id)).nurture.confirm_within


def _settle(session: Session, row: Enrolment, by: Confirmed, *, now: datetime) -> None:
    row.state, row.next_at, row.error = EnrolmentState.CONFIRMED, None, ""
    kind: EventKind = "enrolled" if row.wanted == "in" else "left-track"
    handoff = handoffs.get(session, row.handoff_id)
    trail.record(session, kind, now=now, handoff=handoff, actor=by.by, via=by.via, track=row.track)


def _within(session: Session, row: Enrolment, now: datetime) -> datetime:
    handoff = handoffs.get(session, row.handoff_id)
    return agreed(session, row).after(now, calendar_of(session, handoff, "note", "marketing"))


def _may_be_enrolled(session: Session, lead: Lead) -> bool:
    """Whether nurture may write to this person: nobody does whom the person has asked not to, on all channels or by e-mail."""
    refused = suppressions.of_address(session, lead.email, lead.phone, lead.country)
    return not lead.do_not_contact and not {"all", "email"} & refused


def _person(lead: Lead) -> Mapping[str, str]:
    facts = {
        "email": lead.email,
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "company": lead.company,
        "job_title": lead.job_title,
        "country": lead.country,
    }
    return {name: value for name, value in facts.items() if value and (name != "email" or mail_key(value))}


def _tell_late(session: Session, row: Enrolment, lead: Lead, *, now: datetime) -> None:
    """Tells marketing's person first, and the operator an agreed time later; from then on it stands in the list of what is open."""
    assert row.due_at is not None, "only a row with a due time is late"
    people, handoff = roster.current(session), handoffs.get(session, row.handoff_id)
    if row.rung < 2:
        operator = presence.stand_in(people, people.operator, now) or people.operator
        person = presence.marketing(people, now) if row.rung == 0 else operator
        named = {"lead": lead.id, "company": lead.company or "unknown company", "track": row.track, "do": _DO[row.wanted]}
        why = f"The marketing automation says: {row.error[:200]}." if row.error else "The marketing automation has not confirmed it."
        what = f"{_NOT_DONE[row.wanted]}. {why} {_REMEDY}".format_map(named)
        tell(session, handoff, person, key=f"{enrolments.key_of(row)}:late:{row.rung}", now=now, what=what)
        trail.record(session, "not-enrolled", now=now, handoff=handoff, track=row.track, why="late", to=person)
    row.rung += 1
    row.due_at = _within(session, row, now)
