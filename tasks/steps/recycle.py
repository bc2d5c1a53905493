"""Recycle: carry out the consequence of a reason. A rejection starts a process and never closes the lead silently."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal

from sqlmodel import Session

from agreements import presence
from agreements.absences import agreed_for
from agreements.clauses.after import BackTo
from agreements.clocks import after_pause, schedule
from agreements.disposition import consequence, revisit_at
from agreements.lifecycle import Stage
from agreements.model import Agreement
from agreements.words import OPT_OUT_CHANNELS, SEVERAL, About, Ended, Move, word
from storage import deliveries, enrolments, handoffs, likely_twins, roster, trail, turns, waits
from storage.suppressions import Told
from storage.tables import Answer, Assignment, Handoff, HandoffNote, Wait
from tasks import opting_out
from tasks.choices import TRIAGE
from tasks.clock_inputs import NO_CLOCK, calendar_of, clock_name, clock_of
from tasks.messages import marketing_news
from tasks.messages.outbox import crm_rejection
from tasks.steps.joining import INTO, go_on, join, names_into, pair
from tasks.steps.withdrawn import tell_withdrawn


def dispose(session: Session, handoff: Handoff, agreement: Agreement, answer: Answer, *, now: datetime) -> None:
    """Carries out the consequence of a rejection or return, and tells marketing."""
    code = str(answer.data.get("reason", ""))
    asked = answer.data.get("revisit_on") or answer.data.get("renewal_date")
    refused = word(str(answer.data.get("refused", "")), OPT_OUT_CHANNELS) or ""
    follows = consequence(agreement, code, now=now, asked=date.fromisoformat(asked) if asked else None, refused=refused)
    if follows.event != "suppressed":
        marketing_news.tell_answer(session, handoff, answer, now=now)
    because: Literal["rejected", "returned"] = "rejected" if answer.kind == "rejected" else "returned"
    trail.record(session, because, now=now, handoff=handoff, actor=answer.by, reason=code, counts_against=follows.counts_against)
    handoff.reason = code
    crm_rejection(session, handoff, answer, agreement.reason(code), now=now)
    tenure = handoffs.open_assignment(session, handoff)
    if tenure and follows.counts_against != "nobody":  # routing or marketing was wrong, and not the rep: the turn comes back
        turns.credit(session, tenure, day=agreement.day(now))
    if follows.event == "suppressed" or refused:
        _note_refusal(session, handoff, Told(refused or "all", f"reason {code}", answer.by, answer.answered_at), now=now)
    if follows.event == "recycled":
        handoffs.end_assignment(session, handoff, because=because, now=now)
        to_nurture(session, handoff, agreement, now=now, track=follows.track or code, revisit=follows.revisit_at, reason=code)
    elif follows.event == "reassigned":
        pass_on(session, handoff, to=str(answer.data.get("colleague", "")), because=because, now=now)
    elif follows.event == "note-returned":
        return_note(session, handoff, because=because, now=now, back_to=follows.back_to)
    elif follows.event == "decision-asked":
        handoffs.end_assignment(session, handoff, because=because, now=now)
        people = roster.current(session)
        ask_decision(
            session, handoff, agreement, holder=presence.marketing(people, now), about=TRIAGE, now=now, what=f"Sales says: {code}."
        )
    elif follows.event in INTO and not names_into(session, handoff, follows.event, answer):
        handoffs.end_assignment(session, handoff, because=because, now=now)
        _ask_into_what(session, handoff, agreement, follows.event, code, now=now)
    else:
        handoffs.end_assignment(session, handoff, because=because, now=now)
        into = {"into": names_into(session, handoff, "merged", answer)} if follows.event == "merged" else {}
        handoffs.move(session, handoff, follows.event, now=now, actor=answer.by, reason=code, **into)
        if into:
            lead, other = pair(session, handoff.lead_id, int(into["into"]))
            join(session, lead, other, by=answer.by, now=now)
            go_on(session, other, lead, now=now)
        if follows.event == "suppressed":
            opting_out.tell_crm(session, handoff, now=now)


def _ask_into_what(session: Session, handoff: Handoff, agreement: Agreement, event: Move, code: str, *, now: datetime) -> None:
    """Asks marketing into what the lead goes, within the agreed time for decisions."""
    what = f"Sales says: {code}, and does not say to which customer or deal the lead belongs."
    if event == "merged":
        near = likely_twins.of_lead(session, handoffs.lead_of(session, handoff))
        known = "; ".join(f"lead {one.other} ({one.why})" for one in near) or "none found"
        merging = f"To merge it: baton leads merge {handoff.lead_id} NUMBER."
        what = f"Sales says: {code}, and does not say of which lead. Likely twins: {known}. {merging}"
    holder = presence.marketing(roster.current(session), now)
    ask_decision(session, handoff, agreement, holder=holder, about=TRIAGE, now=now, what=what)


def _note_refusal(session: Session, handoff: Handoff, told: Told, *, now: datetime) -> None:
    """Carries out what the person refused, for every lead of theirs; the caller ends this handoff."""
    if told.channel == "all":
        opting_out.silence(session, handoff, now=now)
    opting_out.opt_out(session, handoffs.lead_of(session, handoff), told, now=now, keep=handoff)


def to_nurture(
    session: Session,
    handoff: Handoff,
    agreement: Agreement,
    *,
    now: datetime,
    track: str,
    revisit: datetime | None = None,
    why: str = "",
    **facts: Any,
) -> None:
    """Gives the lead back to marketing on a track. Baton looks at it again on the revisit date."""
    handoff.track = track
    at = revisit or revisit_at(agreement, None, now=now)
    handoffs.move(session, handoff, "recycled", now=now, track=track, revisit=at.isoformat(), why=why, **facts)
    waits.open_wait(session, handoff, waits.NewWait("revisit", holder="marketing", due_at=at), now=now)
    if agreement.nurture.enrol:
        confirmed_by = agreement.nurture.confirm_within.after(now, calendar_of(session, handoff, "note", "marketing"))
        enrolments.want(session, handoff.id, handoff.lead_id, track, now=now, due_at=confirmed_by)


#: The ends by which the rep gave the lead away, or is away: such a rep needs no message.
_BY_THE_REP: tuple[Ended, ...] = ("rejected", "returned", "handed", "away", "left")


def pass_on(session: Session, handoff: Handoff, *, to: str, because: Ended, now: datetime) -> None:
    """Takes the lead from its rep and has it assigned again, to the person `to` if one is named."""
    waits.close_open(session, handoff, because=because, now=now)
    handoff.wanted_rep = to
    before = withdraw(session, handoff, because=because, now=now)
    handoffs.move(session, handoff, "reassigned", now=now, was_rep=before.rep if before else "", to=to, because=because)
    handoff.rep = ""
    session.add(handoff)


def withdraw(session: Session, handoff: Handoff, *, because: Ended, now: datetime) -> Assignment | None:
    """Ends the current assignment, if there is one, and tells its rep, or each of several who were asked. Returns the assignment."""
    before = handoffs.end_assignment(session, handoff, because=because, now=now)
    if before and (because not in _BY_THE_REP or (before.rep == SEVERAL and because == "handed")):
        tell_withdrawn(session, handoff, before.rep, before.id, because=because, now=now)
    return before


def hand_over(session: Session, handoff: Handoff, agreement: Agreement, wait: Wait, *, now: datetime) -> None:
    """Hands over the lead of a rep whose absence has begun, or who has left. The wait for the rep is closed already."""
    people, rep = roster.current(session), handoff.rep
    if rep == SEVERAL:  # everybody who was asked and has not declined is away now
        pass_on(session, handoff, to="", because="away", now=now)
        return
    answer = waits.answer_of(session, wait)
    if answer and answer.kind == "left":
        _follow(session, handoff, agreement, answer, now=now)
        return
    if answer and answer.kind == "back":
        pass_on(session, handoff, to=str(answer.data.get("colleague", "")), because="back", now=now)
        return
    if answer and answer.data.get("auto_reply"):
        name = people.name_of(rep)
        what = f"The mailbox of {name} answered by itself, so {name} may be away. On the page of your teams you can say until when."
        ask_decision(session, handoff, agreement, holder=presence.decider(people, rep, now), about=wait.kind, now=now, what=what)
        return
    how, person = agreed_for(agreement.routing.on_leave, Stage(handoff.stage)), people.person(rep)
    if answer and "stopped" in answer.data and (how == "keep" or (person and not person.is_away(now))):
        _stand(session, handoff, wait, answer, now=now)
        return
    deputy = presence.stand_in(people, rep, now) if how == "deputy" else ""
    if how == "somebody-else" or deputy:
        pass_on(session, handoff, to=deputy, because="away", now=now)
        return
    until = people.people[rep].back_at(now) if people.person(rep) else now
    what = f"{people.name_of(rep)} is away until {until:%d %b %Y}."
    ask_decision(session, handoff, agreement, holder=presence.decider(people, rep, now), about=wait.kind, now=now, what=what)


def _stand(session: Session, handoff: Handoff, wait: Wait, answer: Answer, *, now: datetime) -> None:
    """Opens the wait again for a rep who keeps the lead while away: what was left of the time is left again when they are back."""
    stopped, resumed = (datetime.fromisoformat(answer.data[name]) for name in ("stopped", "until"))
    calendar = calendar_of(session, handoff, clock_name(wait), wait.holder)
    working = wait.about != NO_CLOCK and clock_of(session, handoff, clock_name(wait)).term(handoff.tier).working

    def later(at: datetime) -> datetime:
        return after_pause(at, stopped=stopped, resumed=resumed, calendar=calendar, working=working)

    again = waits.NewWait.again(wait, due_at=later(wait.due_at), promised_at=later(wait.promised_at), rung=wait.rung)
    nudges = [(later(datetime.fromisoformat(at)), action) for at, action in wait.nudges]
    waits.open_wait(session, handoff, replace(again, nudges=nudges), now=now)


def _follow(session: Session, handoff: Handoff, agreement: Agreement, answer: Answer, *, now: datetime) -> None:
    """Gives the lead of a rep who has left to whom the answer names, or asks the manager whom it names, or leaves it to routing."""
    people, rep = roster.current(session), handoff.rep
    asked = presence.stand_in(people, str(answer.data.get("asked", "")), now)
    pass_on(session, handoff, to=str(answer.data.get("colleague", "")), because="left", now=now)
    if asked:
        ask_decision(session, handoff, agreement, holder=asked, about="left", now=now, what=f"{people.name_of(rep)} has left.")


def return_note(session: Session, handoff: Handoff, *, because: Ended, now: datetime, back_to: BackTo = "same-rep") -> None:
    """Sends the note back to marketing. Once it is complete, the lead goes to the same rep again, unless agreed otherwise."""
    to_somebody_else = back_to == "other-rep"
    waits.close_open(session, handoff, because=because, now=now)
    before = handoffs.end_assignment(session, handoff, because=because if to_somebody_else else "note-returned", now=now)
    handoff.wanted_rep = before.rep if before and not to_somebody_else else ""
    note = handoffs.note_of(session, handoff) or HandoffNote(handoff_id=handoff.id, written_at=now)
    note.content = {**note.content, "to_fix": ["what sales found wrong"]}
    note.complete = False
    session.add(note)
    handoffs.move(session, handoff, "note-returned", now=now)


def ask_decision(session: Session, handoff: Handoff, agreement: Agreement, *, holder: str, about: About, now: datetime, what: str) -> None:
    """Asks a manager (or marketing) to decide about the lead within the agreed time."""
    calendar = calendar_of(session, handoff, "decision", holder)
    there = presence.there_at(roster.current(session), holder, now)
    plan = schedule(agreement.clock("decision", handoff.leg), tier=handoff.tier, start=there, calendar=calendar)
    waits.close_open(session, handoff, because="decision-asked", now=now)
    handoffs.move(session, handoff, "decision-asked", now=now, holder=holder, about=about)
    handoff.owner = holder
    session.add(handoff)
    tenure = handoffs.open_assignment(session, handoff)
    wait = waits.open_wait(
        session,
        handoff,
        waits.NewWait(
            "decision", holder=holder, about=about, due_at=plan.due_at, nudges=plan.nudges, assignment_id=tenure.id if tenure else ""
        ),
        now=now,
    )
    context = {"what": what, "wait_id": wait.id, "due_at": plan.due_at.isoformat()}
    key = f"{wait.id}:decision-asked:email"
    deliveries.queue(
        session, handoff, deliveries.Message("decision-asked", context=context), deliveries.Copy(key, "email", holder), now=now
    )
