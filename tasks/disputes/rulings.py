"""Rulings: marketing disputes a rejection, and the rep's manager rules. The handoff does not wait. Silence upholds the rejection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from agreements import presence
from agreements.roster import Roster
from agreements.words import EventKind, NoWord, Via, word
from storage import disputes, handoffs, roster, trail
from storage.disputes import OVERTURNED, UPHELD
from storage.tables import Answer, Dispute, GivenRuling
from tasks.clock_inputs import calendar_of
from tasks.dispute_window import why_not
from tasks.disputes import messages as dispute_messages
from tasks.disputes.reassign import assign_again
from tasks.replies.validation import ChoiceRefused

#: The rulings that a manager may choose, and their words for people.
RULINGS: Mapping[GivenRuling, str] = {OVERTURNED: "Overturn it: the rejection was wrong", UPHELD: "Let it stand"}
TEXT_MAX = 5000
#: The oldest rejections that Baton lists as open to dispute, even if the agreed time is longer.
LONGEST_LOOK_BACK = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Ruled:
    """The result of a ruling. won: it counts, or the same person gave the same ruling before; ruling: the one that counts; by: who
    gave it, empty if nobody decided in time; again: the lead was assigned again."""

    won: bool
    ruling: GivenRuling | NoWord
    by: str
    again: bool = False


#: The line of the trail for each ruling.
_RULED: Mapping[GivenRuling, EventKind] = {UPHELD: "dispute-upheld", OVERTURNED: "dispute-overturned"}


def may_raise(people: Roster, ident: str) -> bool:
    """Whether this person speaks for marketing."""
    person = people.person(ident)
    return person is not None and (ident == people.marketing or person.role == "marketing")


def may_decide(people: Roster, dispute: Dispute, rep: str, ident: str) -> bool:
    """Whether this person may rule: the manager who was asked, or another manager of that rep's team."""
    person, of = people.person(ident), people.person(rep)
    if person is None:
        return False
    return ident == dispute.holder or (person.role == "manager" and of is not None and bool(of.team) and _leads(people, ident, of.team))


def _leads(people: Roster, ident: str, team: str) -> bool:
    led = people.teams.get(team)
    return people.people[ident].team == team or (led is not None and led.manager == ident)


def raise_dispute(session: Session, answer_id: int, person: str, text: str, *, now: datetime, via: Via = "link") -> Dispute:
    """Stores the objection, asks the rep's manager to decide and tells the rep. Call inside a write transaction.

    person: of the roster. Raises ChoiceRefused, which says why the answer cannot be disputed. Nothing is stored then.
    """
    people, answer = roster.current(session), session.get(Answer, answer_id)
    if refused := why_not(session, answer, now=now):
        raise ChoiceRefused(refused)
    assert answer is not None, "what is not there cannot be disputed"
    if not may_raise(people, person):
        raise ChoiceRefused(f"Only marketing can dispute a rejection, and {people.name_of(person)} is not in marketing.")
    if not text.strip():
        raise ChoiceRefused("Please say in a few words why the rejection is wrong.")
    handoff = handoffs.get(session, answer.handoff_id)
    rep = disputes.rep_of(session, answer)
    holder = presence.decider(people, rep, now)
    within = handoffs.agreement_of(session, handoff).dispute.within
    due = within.after(now, calendar_of(session, handoff, "decision", holder))
    told = text.strip()[:TEXT_MAX]
    new = disputes.NewDispute(handoff.lead_id, by=person, via=via, text=told, holder=holder, due_at=due)
    row = disputes.raise_once(session, answer, new, now=now)
    if row is None:
        raise ChoiceRefused("Marketing has already disputed this.")
    _record(session, row, "dispute-raised", answer, actor=person, via=via, now=now, holder=holder, due=due.isoformat())
    dispute_messages.tell_raised(session, row, answer, now=now)
    return row


def move(session: Session, dispute_id: int, holder: str, *, now: datetime) -> bool:
    """Asks somebody else to rule on an open dispute; False if it changed nothing. The time to decide begins anew.

    Call inside a write transaction. Tells whoever is asked now.
    """
    row = disputes.get(session, dispute_id)
    if row is None or row.ruling or row.holder == holder:
        return False
    answer, was = _answer_of(session, row), row.holder
    handoff = handoffs.get(session, row.handoff_id)
    within = handoffs.agreement_of(session, handoff).dispute.within
    row.holder, row.due_at = holder, within.after(now, calendar_of(session, handoff, "decision", holder))
    session.add(row)
    _record(session, row, "dispute-moved", answer, actor="baton", via="clock", now=now, holder=holder, was=was, due=row.due_at.isoformat())
    dispute_messages.ask(session, row, now=now)
    return True


def decide(
    session: Session, dispute_id: int, ruling: GivenRuling | NoWord, person: str, *, now: datetime, text: str = "", via: Via = "link"
) -> Ruled:
    """Rules on the dispute. The first ruling in time counts; a later caller gets this ruling. Call inside a write transaction.

    person: of the roster. Raises ChoiceRefused if the person may not rule, or for an unknown ruling. Nothing is stored then.
    """
    people, row = roster.current(session), disputes.get(session, dispute_id)
    if row is None:
        raise ChoiceRefused(f"There is no dispute {dispute_id}.")
    answer = _answer_of(session, row)
    rep = disputes.rep_of(session, answer)
    if not may_decide(people, row, rep, person):
        raise ChoiceRefused(f"{people.name_of(row.holder)} decides on this, or another manager of the team; not {people.name_of(person)}.")
    known = word(ruling, RULINGS)
    if known is None:
        raise ChoiceRefused("Please choose whether the rejection stands.")
    if now > row.due_at:
        settle_in_silence(session, dispute_id, now=now)
    won = row.ruling == "" and _settle(session, row, answer, _Given(known, person, via, text), now=now)
    same = row.ruling == ruling and row.decided_by == person
    return Ruled(won or same, row.ruling, row.decided_by, row.again_id is not None)


def settle_in_silence(session: Session, dispute_id: int, *, now: datetime) -> bool:
    """Lets the rejection stand if nobody has decided in time; False if it changed nothing. Call inside a write transaction."""
    row = disputes.get(session, dispute_id)
    if row is None or row.ruling or row.due_at > now:
        return False
    return _settle(session, row, _answer_of(session, row), _Given(UPHELD, "", "clock"), now=now)


@dataclass(frozen=True, slots=True)
class _Given:
    """A ruling as it was given. by: empty for silence; text: the reason."""

    ruling: GivenRuling
    by: str
    via: Via
    text: str = ""


def _settle(session: Session, row: Dispute, answer: Answer, given: _Given, *, now: datetime) -> bool:
    """Writes the ruling and its consequences in one transaction, so a process that dies in between leaves nothing half done."""
    if not disputes.rule_once(session, row.id, given.ruling, by=given.by, now=now):
        return False
    kept = trail.keep_text(session, given.text.strip()[:TEXT_MAX], lead_id=row.lead_id)
    row.ruling_text_id = kept.id if kept else None
    session.add(row)
    if given.ruling == OVERTURNED:
        row.again_id = assign_again(session, row, answer, now=now)
    silent = {} if given.by else {"in_silence": True}
    again = row.again_id is not None
    _record(session, row, _RULED[given.ruling], answer, actor=given.by or "clock", via=given.via, now=now, again=again, **silent)
    dispute_messages.tell_settled(session, row, answer, now=now)
    return True


def _record(session: Session, row: Dispute, what: EventKind, answer: Answer, *, actor: str, via: Via, now: datetime, **more: Any) -> None:
    ident = row.text_id if what == "dispute-raised" else row.ruling_text_id if what in _RULED.values() else None
    handoff, text = handoffs.get(session, row.handoff_id), dispute_messages.text_of(session, ident)
    known: dict[str, Any] = {"reason": str(answer.data.get("reason", "")), "rep": disputes.rep_of(session, answer), "via": via}
    known["answered_by"] = disputes.giver_of(session, answer)
    claimed = {"claimed": True} if via == "cli" else {}
    trail.record(session, what, now=now, handoff=handoff, actor=actor, text=text, dispute=row.id, **known, **claimed, **more)


def _answer_of(session: Session, row: Dispute) -> Answer:
    answer = session.get(Answer, row.answer_id)
    assert answer is not None, "a dispute is about an answer: the foreign key says so"
    return answer


def person_called(people: Roster, name: str) -> str:
    """Return the id of the person with that id or name. Raises ChoiceRefused if nobody or several people have it."""
    found = [ident for ident, one in people.people.items() if name == ident or name.casefold() == one.name.casefold()]
    if len(found) != 1:
        raise ChoiceRefused(f"{'Several people are' if found else 'Nobody is'} called {name!r} in the roster; write the id of one of them.")
    return found[0]
