"""The state in which an attempt leaves its run: name, message, tags and form while it waits, name and message at its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from agreements.lifecycle import PARKED_NAMES, Stage
from agreements.roster import Roster
from flows import forms
from storage import handoffs, proof, roster, waits
from storage.tables import Handoff, Wait
from tasks.clock_inputs import NO_CLOCK
from tasks.messages import lead_view


@dataclass(frozen=True, slots=True)
class Rest:
    """Where an attempt rests: at a wait (key, name, message, tags, form) or at the end (name, message, tags).

    run_name: the new name of the run, empty where the name stays as it is.
    """

    waits: bool
    name: str
    message: str
    tags: tuple[str, ...] = ()
    key: str = ""
    form: forms.Asked | None = None
    run_name: str = ""


def rest_of(session: Session, handoff: Handoff, now: datetime) -> Rest:
    """Return where this handoff rests now: at its open wait, under a new pause key, or at its end."""
    rest = _rest(session, handoff, now)
    return replace(rest, run_name=lead_view.run_name(session, handoff) if lead_view.leg_of(session, handoff) else "")


def _rest(session: Session, handoff: Handoff, now: datetime) -> Rest:
    stuck, wait = handoff.stage == Stage.STUCK, waits.open_of(session, handoff.id)
    owed = wait if wait and wait.kind != "revisit" and handoffs.is_open(handoff) and not stuck else None
    people = roster.current(session)
    tags = (*_tags(session, handoff, owed, now), *_who_leads(handoff, owed, people), *_missed(session, handoff))
    if stuck:
        return Rest(False, "Stuck", f"Stuck in {handoff.track or 'its stage'}: an operator has to look.", tags)
    if owed is None:
        reason = f": {handoff.reason}" if handoff.reason else ""
        return Rest(False, handoff.outcome.capitalize(), f"Lead {handoff.lead_id} ended in {handoff.outcome}{reason}.", tags)
    owed.parks += 1
    owed.parked_key = f"{owed.id}-{owed.parks}"
    session.add(owed)
    message = _message(owed, people, handoffs.agreement_of(session, handoff).timezone, now, _reached(session, owed))
    form = forms.asked(session, handoff, owed, people)
    return Rest(True, PARKED_NAMES[owed.kind], message, tags, owed.parked_key, form)


def _reached(session: Session, wait: Wait) -> str:
    """Whether the message to the rep is delivered and seen, at the time of this park."""
    if wait.kind == "delivery" and wait.about == "proof":
        return ", not proven to be delivered yet"
    if wait.kind == "acceptance":
        return ", delivered and seen" if proof.was_seen(session, wait.assignment_id) else ", delivered, not seen yet"
    return ""


def _message(wait: Wait, people: Roster, zone: str, now: datetime, reached: str = "") -> str:
    due = wait.due_at.astimezone(ZoneInfo(zone))
    who = people.name_of(wait.holder) if wait.holder in people.people else wait.holder
    if wait.about == NO_CLOCK:
        return f"With {who}, on no clock."
    late = ", past the agreed time" if now > wait.promised_at else ""
    return f"{wait.remark + ' ' if wait.remark else ''}With {who} until {due:%a %d %b %H:%M} ({zone}){late}{reached}."


def _tags(session: Session, handoff: Handoff, wait: Wait | None, now: datetime) -> tuple[str, ...]:
    leg = (f"leg:{name}",) if (name := lead_view.leg_of(session, handoff)) else ()
    sla = (f"sla:{_standing(wait, now)}",) if wait else ()
    version = f"{handoff.agreement}@{handoff.version}"
    return (f"stage:{handoff.stage}", f"rep:{handoff.rep or 'nobody'}", f"agreement:{version}", f"lead:{handoff.lead_id}", *leg, *sla)


def _who_leads(handoff: Handoff, wait: Wait | None, people: Roster) -> tuple[str, ...]:
    """The tags for the rep's team and its manager. Where a manager is asked to decide, the tag names that manager."""
    rep = people.person(handoff.rep)
    asked = wait.holder if wait and wait.kind == "decision" else ""
    manager = asked or (people.manager_of(handoff.rep) if rep else "")
    team = (f"team:{rep.team}",) if rep and rep.team else ()
    return (*team, *((f"manager:{manager}",) if manager else ()))


def _missed(session: Session, handoff: Handoff) -> tuple[str, ...]:
    """One tag for each kind of deadline that this handoff missed. The tags stay for as long as the run exists."""
    return tuple(f"missed:{kind}" for kind in waits.missed_kinds(session, handoff.id, except_about=NO_CLOCK))


def _standing(wait: Wait, now: datetime) -> str:
    left, whole = wait.promised_at - now, wait.promised_at - wait.opened_at
    if left <= timedelta(0):
        return "breached"
    return "due-soon" if whole and left < whole / 5 else "on-track"
