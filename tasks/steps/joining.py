"""Joining: one lead stands for another lead of the same person. merging.py has what people ask for at the command line."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.errors import HandoffError
from agreements.lifecycle import Stage
from agreements.words import SEVERAL, Move
from storage import activities, handoffs, identity, offers, told, trail
from storage.suppressions import Told
from storage.tables import Answer, Handoff, Lead
from tasks import opting_out
from tasks.begin import begin
from tasks.intake import seen_to
from tasks.messages.tell import tell

#: The ends that name into what the lead goes.
INTO: tuple[Move, ...] = ("merged", "attached")


class CannotMerge(HandoffError):  # noqa: N818 - errors here are named as states
    """These leads cannot be merged."""


def pair(session: Session, lead_id: int, into_id: int) -> tuple[Lead, Lead]:
    """Return the lead that is to end and the one that is to go on, both locked. Raises CannotMerge."""
    lead, into = known(session, lead_id), known(session, into_id)
    if lead_id == into_id:
        raise CannotMerge("Name two different leads.")
    identity.reserve_known(session, [lead, into])
    identity.lock_people(session, [lead, into])
    for one in (lead, into):
        if one.merged_into is not None:
            raise CannotMerge(f"Lead {one.id} was merged into lead {identity.stands_for(session, one).id}. Name that lead instead.")
    return lead, into


def known(session: Session, lead_id: int) -> Lead:
    """Return the lead of this number. Raises CannotMerge for one that does not exist or was erased."""
    lead = session.get(Lead, lead_id)
    if lead is None:
        raise CannotMerge(f"There is no lead {lead_id}.")
    if lead.erased_at is not None:
        raise CannotMerge(f"Lead {lead_id} was erased: nobody knows who it was.")
    return lead


def join(session: Session, lead: Lead, into: Lead, *, by: str, now: datetime) -> None:
    """Lets another lead stand for this one, whose handoff has ended: its activities and ids belong to the other one from now on."""
    lead.merged_into, lead.merged_by_hand = into.id, True
    session.add(lead)
    activities.move(session, activities.of(session, lead.id), to=into.id)
    if lead.do_not_contact and not into.do_not_contact:  # the person said so, at whichever lead
        opting_out.end_for(session, [into], Told(source="merge", by=by), now=now)
    told.show_merged(into, lead, now=now)
    session.add(into)
    trail.record(session, "took-over", now=now, lead_id=into.id, actor=by, lead=lead.id)
    session.flush()


def go_on(session: Session, into: Lead, lead: Lead, *, now: datetime) -> None:
    """What was asked of the lead that has ended is not lost: the other one begins anew, is reviewed at once, or its rep hears of it."""
    latest = seen_to(session, into.id, now)
    if latest is None or (latest.ended_at and latest.stage not in (Stage.NURTURING, Stage.SUPPRESSED, Stage.ERASED)):
        asked = [one.received_at for one in activities.of(session, into.id, of_leads=[lead.id])]
        is_older = latest is not None and latest.ended_at is not None and any(at <= latest.ended_at for at in asked)
        begin(session, into, now=now, cause="returned", previous=None if is_older else latest)  # an older request must count too
    elif handoffs.is_open(latest) and latest.rep:
        what = f"Lead {lead.id} is the same person. What they asked for there is on this lead's page now."
        tenure = handoffs.open_assignment(session, latest) if latest.rep == SEVERAL else None
        for rep in [one.rep for one in offers.open_of(session, tenure.id)] if tenure else [latest.rep]:
            tell(session, latest, rep, key=f"took-over:{lead.id}:{latest.id}:{rep}:{now.isoformat()}", now=now, what=what)


def names_into(session: Session, handoff: Handoff, event: Move, answer: Answer) -> str:
    """Into what the lead goes, empty if nobody knows: the other lead's number, or the account that the rep named or the CRM knows."""
    named = str(answer.data.get("into") or "")
    if event == "attached":
        return named or str(handoff.account.get("id") or "")
    lead = session.get(Lead, int(named)) if named else None
    other = identity.stands_for(session, lead) if lead is not None else None
    return "" if other is None or other.erased_at is not None or other.id == handoff.lead_id else str(other.id)
