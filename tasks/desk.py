"""The desk: what a person with a link may see and do now, and giving an answer. Every door for people comes through here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from agreements.errors import HandoffError, LinkInvalid
from agreements.model import STATEMENTS, Agreement
from agreements.roster import Roster
from notifications.letter import LeadView
from notifications.links import Duty, Tenure
from storage import handoffs, roster, waits
from storage.tables import Answer, AnswerState, Assignment, Handoff, HandoffNote, PersonalText, Touch, Wait
from tasks import toolbox, views
from tasks.decide import CHOICES
from tasks.follow_up import touch

REP_CHOICES = {
    "acceptance": ("accepted", "rejected", "handed"),
    "delivery": ("accepted", "rejected", "handed"),
    "first_attempt": ("attempted", "connected", "opportunity", "returned", "handed"),
    "outcome": ("attempted", "connected", "opportunity", "returned", "handed"),
}
LABELS = {
    "accepted": "Accept: I take this lead",
    "rejected": "Reject, with a reason",
    "handed": "Hand to a colleague",
    "attempted": "I tried to reach them",
    "connected": "I reached them",
    "opportunity": "It is an opportunity",
    "returned": "Return it, with a reason",
    "completed": "The note is complete now",
    "decided": "Decide",
}


class ChoiceRefused(HandoffError):
    """This cannot be answered like that."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a person may choose. needs: reason, colleague, choice or statements, empty for nothing more."""

    kind: str
    label: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it is shown on a second visit. at: aware; undo_until: aware while it may be taken back.

    mine: it was given by the person whose link this is.
    """

    kind: str
    by: str
    at: datetime
    words: str
    reason: str = ""
    text: str = ""
    via: str = ""
    answer_id: int = 0
    undo_until: datetime | None = None
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """What a link shows. live: the person may still act; ended: why not, in words, where they may not.

    reasons: code and words; colleagues: id and name; choices: of a decision; missing: of a note.
    wait_kind, due_at, term: what is owed now, by when, and the time agreed for it, in words. answers: newest last.
    timeline: this handoff's, in sentences.
    """

    person: str
    person_name: str
    timezone: str
    lead: LeadView
    live: bool
    ended: str = ""
    wait_kind: str = ""
    due_at: datetime | None = None
    term: str = ""
    options: tuple[Option, ...] = ()
    reasons: tuple[tuple[str, str, bool], ...] = ()
    colleagues: tuple[tuple[str, str], ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    answers: tuple[Given, ...] = ()
    timeline: tuple[tuple[datetime, str], ...] = ()
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an answer. won: it counts, or the very same one does already; otherwise `winner` or `ended` says what did.

    touched: an attempt was noted.
    """

    won: bool
    kind: str
    winner: Given | None = None
    ended: str = ""
    touched: bool = False
    undo_until: datetime | None = None


@dataclass(slots=True)
class _Place:
    person: str
    handoff: Handoff
    wait: Wait | None
    tenure: Assignment | None
    ended: str
    agreement: Agreement
    people: Roster
    options: tuple[Option, ...] = field(default=())


def visit(session: Session, token: str, *, now: datetime) -> Visit:
    """What this link shows now. Reads only. Raises LinkInvalid."""
    place = _place(session, token)
    person = place.people.person(place.person)
    note = session.get(HandoffNote, place.handoff.id)
    due = place.wait if place.wait and place.options and place.wait.kind != "delivery" else None
    return Visit(
        person=place.person,
        person_name=place.people.name_of(place.person),
        timezone=person.timezone if person else "UTC",
        lead=views.lead_view(session, place.handoff),
        live=bool(place.options),
        ended=place.ended,
        wait_kind=place.wait.kind if place.wait else "",
        due_at=due.due_at if due else None,
        term=str(place.agreement.clock(due.kind, place.handoff.leg).term(place.handoff.tier)) if due else "",
        options=place.options,
        reasons=tuple((one.code, one.words, one.text == "required") for one in place.agreement.reasons),
        colleagues=_colleagues(place),
        choices=tuple(CHOICES.items()) if place.wait and place.wait.kind == "decision" else (),
        missing=_missing(place, note),
        answers=tuple(_given(session, answer, place, now) for answer in _answers(session, place)),
        timeline=_timeline(session, place),
        now=now,
    )


def _timeline(session: Session, place: _Place) -> tuple[tuple[datetime, str], ...]:
    start, end = place.handoff.created_at, place.handoff.ended_at
    lines = views.timeline(session, place.handoff.lead_id, people=place.people)
    return tuple((at, text) for at, text in lines if at >= start and (end is None or at <= end))[-40:]


def _missing(place: _Place, note: HandoffNote | None) -> tuple[str, ...]:
    if note is None or place.wait is None or place.wait.kind != "note":
        return ()
    stated = note.content.get("statements", {})
    return (*(name for name in place.agreement.note.must_state if name not in stated), *note.content.get("to_fix", []))


def _answers(session: Session, place: _Place) -> list[Answer]:
    query = select(Answer).where(Answer.handoff_id == place.handoff.id, col(Answer.kind) != "deadline")
    query = query.where(col(Answer.state).in_([AnswerState.COUNTED, AnswerState.HELD]))
    return list(session.exec(query.order_by(col(Answer.id))))


def answer(session: Session, token: str, kind: str, *, now: datetime, fields: Mapping[str, str], via: str = "link", key: str = "") -> Reply:
    """Gives an answer through a link. Call inside a write transaction.

    fields: reason, text, colleague, revisit_on (a date), choice, and statements by name. key: names this visit's page, so that
    the same press twice is one touch. Raises LinkInvalid, ChoiceRefused (says what is missing; nothing is stored then).
    """
    place = _place(session, token, lock=True)
    settled = _settled(session, place, now)
    again = settled is not None and settled.mine and settled.kind == kind and not place.ended
    if place.wait is None or not place.options:
        if not again and kind in LABELS:
            _keep_late(session, place, kind, fields, via, now)
        return Reply(again, kind, winner=settled, ended="" if again else place.ended or "Nothing is open here just now.")
    if kind not in {option.kind for option in place.options}:
        if kind in LABELS and settled is not None:
            return Reply(again, kind, winner=settled, ended="" if again else "It was answered before.")
        raise ChoiceRefused("Please choose one of the answers.")
    data = _data(place, kind, fields)
    if place.wait.kind == "note":
        _refuse_gaps(session, place, fields)
    if place.wait.kind == "outcome" and kind in ("attempted", "connected"):
        touched = touch(session, place.handoff, kind, key=f"touch:{key or now.isoformat()}", by=place.person, via=via, at=now)
        return Reply(True, kind, touched=touched)
    undo = timedelta(0) if kind in ("completed", "decided") else _undo_time(place.agreement)
    verdict = waits.answer(
        session, place.wait.id, kind, by=place.person, via=via, now=now, effective_at=now + undo, text=fields.get("text", ""), **data
    )
    winner = _given(session, verdict.winner, place, now) if verdict.winner else None
    ended = "" if verdict.won else (verdict.closed_because or "It was answered before.")
    return Reply(verdict.won, kind, winner=winner, ended=ended, undo_until=now + undo if verdict.won and undo else None)


def _keep_late(session: Session, place: _Place, kind: str, fields: Mapping[str, str], via: str, now: datetime) -> None:
    """What somebody answered after it was settled changes nothing, but is kept: the trail shows that they did."""
    wait = place.wait
    if wait is None and place.tenure is not None:
        query = select(Wait).where(Wait.assignment_id == place.tenure.id).order_by(col(Wait.opened_at).desc())
        wait = session.exec(query.limit(1)).first()
    if wait is not None and (wait.closed_at or wait.answer_id):
        said: dict[str, Any] = {"reason": fields["reason"]} if place.agreement.reason(fields.get("reason", "")) else {}
        waits.answer(session, wait.id, kind, by=place.person, via=via, now=now, text=fields.get("text", ""), **said)


def answer_wait(
    session: Session,
    wait_id: str,
    kind: str,
    *,
    by: str,
    now: datetime,
    answered_at: datetime,
    fields: Mapping[str, str],
    via: str = "prefect",
) -> Reply:
    """Gives an answer to a wait on behalf of whoever claims to answer (Prefect's form, the command line).

    Call inside a write transaction. by: a name as claimed. Raises ChoiceRefused; nothing is stored then.
    """
    wait = session.get(Wait, wait_id)
    if wait is None:
        raise ChoiceRefused("There is nothing of that kind to answer.")
    handoff = handoffs.get(session, wait.handoff_id)
    place = _Place(wait.holder, handoff, wait, None, "", handoffs.agreement_of(session, handoff), roster.current(session))
    allowed = {"decision": ("decided",), "note": ("completed",)}.get(wait.kind) or REP_CHOICES.get(wait.kind, ())
    place.options = tuple(Option(one, LABELS[one], _needs(one)) for one in allowed)
    if kind not in allowed:
        raise ChoiceRefused(f"choose an answer: {', '.join(allowed)}.")
    data = _data(place, kind, fields)
    verdict = waits.answer(
        session, wait_id, kind, by=by, via=via, now=now, answered_at=answered_at, text=fields.get("text", ""), claimed=True, **data
    )
    winner = _given(session, verdict.winner, place, now) if verdict.winner else None
    return Reply(verdict.won, kind, winner=winner, ended="" if verdict.won else verdict.closed_because or "It was answered before.")


def undo(session: Session, token: str, answer_id: int, *, now: datetime) -> bool:
    """Takes back the person's own answer while that is possible; False when it is too late. Raises LinkInvalid."""
    place = _place(session, token)
    row = session.get(Answer, answer_id)
    if row is None or row.handoff_id != place.handoff.id or row.by != place.person:
        return False
    return waits.undo(session, answer_id, by=place.person, now=now)


def _undo_time(agreement: Agreement) -> timedelta:
    origin = datetime.fromisoformat("2000-01-03T00:00:00+00:00")
    return toolbox.current().undo_time(agreement.notify.undo.after(origin, None) - origin)


def _place(session: Session, token: str, *, lock: bool = False) -> _Place:
    purpose = toolbox.current().links.read(token)
    people = roster.current(session)
    if isinstance(purpose, Tenure):
        row = session.get(Assignment, purpose.assignment_id)
        if row is None:
            raise LinkInvalid()
        return _tenure_place(session, row, people, lock)
    return _duty_place(session, purpose, people, lock)


def _tenure_place(session: Session, row: Assignment, people: Roster, lock: bool) -> _Place:
    wait = waits.open_of(session, row.handoff_id, lock=lock)
    if lock:
        session.refresh(row)
    handoff = handoffs.get(session, row.handoff_id)
    mine = wait is not None and wait.assignment_id == row.id and row.ended_at is None
    place = _Place(row.rep, handoff, wait if mine else None, row, "", handoffs.agreement_of(session, handoff), people)
    if mine and wait is not None:
        about = wait.about if wait.kind == "decision" else wait.kind
        free = wait.answer_id is None
        place.options = tuple(Option(kind, LABELS[kind], _needs(kind)) for kind in REP_CHOICES.get(about, ())) if free else ()
        missed = waits.answer_of(session, wait)
        if missed is not None and missed.kind == "deadline":
            place.ended = "The agreed time has passed, and what was agreed for that is being done now."
    if row.ended_at is not None:
        place.ended = f"This lead is no longer yours: {_ENDED.get(row.ended_because, row.ended_because)}."
    return place


def _duty_place(session: Session, duty: Duty, people: Roster, lock: bool) -> _Place:
    wait = session.get(Wait, duty.wait_id)
    if wait is None or people.person(duty.person) is None:
        raise LinkInvalid()
    if lock:
        waits.open_of(session, wait.handoff_id, lock=True)
        session.refresh(wait)
    handoff = handoffs.get(session, wait.handoff_id)
    place = _Place(duty.person, handoff, wait, None, "", handoffs.agreement_of(session, handoff), people)
    if wait.closed_at is None and wait.answer_id is None:
        kind = "completed" if wait.kind == "note" else "decided"
        place.options = (Option(kind, LABELS[kind], _needs(kind)),)
    else:
        place.ended = "This is settled."
    return place


def _needs(kind: str) -> str:
    return {"rejected": "reason", "returned": "reason", "handed": "colleague", "decided": "choice", "completed": "statements"}.get(kind, "")


def _colleagues(place: _Place) -> tuple[tuple[str, str], ...]:
    reps = [(ident, one.name) for ident, one in place.people.people.items() if one.role == "rep" and ident != place.handoff.rep]
    return tuple(reps) if place.options else ()


def _data(place: _Place, kind: str, fields: Mapping[str, str]) -> dict[str, Any]:
    if kind in ("rejected", "returned"):
        return _reason_data(place, fields)
    colleague = fields.get("colleague", "")
    known = dict(_colleagues(place))
    if kind == "handed":
        if colleague not in known:
            raise ChoiceRefused("Please say which colleague takes it.")
        return {"colleague": colleague}
    if kind == "decided":
        choice = fields.get("choice", "")
        if choice not in CHOICES:
            raise ChoiceRefused("Please choose what becomes of the lead.")
        return {"choice": choice, "colleague": colleague if colleague in known else ""}
    if kind == "completed":
        stated = {name: fields.get(name, "").strip()[:1000] for name in STATEMENTS}
        return {"statements": {name: value for name, value in stated.items() if value}}
    return {}


def _refuse_gaps(session: Session, place: _Place, fields: Mapping[str, str]) -> None:
    missing = _missing(place, session.get(HandoffNote, place.handoff.id))
    gaps = [name.replace("_", " ") for name in missing if name in STATEMENTS and not fields.get(name, "").strip()]
    if gaps:
        raise ChoiceRefused(f"Please write down what the note still lacks: {', '.join(gaps)}.")


def _reason_data(place: _Place, fields: Mapping[str, str]) -> dict[str, Any]:
    reason = place.agreement.reason(fields.get("reason", ""))
    if reason is None:
        raise ChoiceRefused("Please choose one of the agreed reasons.")
    if reason.text == "required" and not fields.get("text", "").strip():
        raise ChoiceRefused(f"Please say in a few words why: the reason '{reason.words}' needs that.")
    data: dict[str, Any] = {"reason": reason.code}
    if reason.then == "hand-to":
        if fields.get("colleague", "") not in dict(_colleagues(place)):
            raise ChoiceRefused(f"Please say which colleague takes it: the reason '{reason.words}' needs that.")
        data["colleague"] = fields["colleague"]
    if fields.get("revisit_on"):
        try:
            data["revisit_on"] = date.fromisoformat(fields["revisit_on"]).isoformat()
        except ValueError:
            raise ChoiceRefused("Please write the date as 2027-01-31, or leave it empty.") from None
    return data


def _settled(session: Session, place: _Place, now: datetime) -> Given | None:
    first = waits.answer_of(session, place.wait) if place.wait else None
    counted = [first] if first is not None and first.state == AnswerState.COUNTED else _answers(session, place)
    return _given(session, counted[-1], place, now) if counted else None


def _given(session: Session, row: Answer, place: _Place, now: datetime) -> Given:
    text = session.get(PersonalText, row.text_id) if row.text_id else None
    may_undo = row.effective_at if row.effective_at > now and row.state == AnswerState.COUNTED else None
    return Given(
        kind=row.kind,
        by=place.people.name_of(row.by),
        at=row.answered_at,
        words=_DID.get(row.kind, row.kind),
        reason=str(row.data.get("reason", "")),
        text=text.text if text else "",
        via=row.via,
        answer_id=row.id or 0,
        undo_until=may_undo,
        mine=row.by == place.person,
    )


_DID = {
    "accepted": "accepted",
    "rejected": "rejected",
    "returned": "returned",
    "handed": "handed it to a colleague",
    "attempted": "tried to reach the lead",
    "connected": "reached the lead",
    "opportunity": "made it an opportunity",
    "completed": "completed the note",
    "decided": "decided",
    "deadline": "not answered in time",
}

#: Why a lead is no longer somebody's, in words.
_ENDED = {
    "handed": "it was handed to a colleague",
    "rejected": "it was rejected",
    "returned": "it was returned",
    "note-returned": "its note went back to marketing",
    "decided": "its manager decided so",
    "crm": "its owner was changed in the CRM",
    "recycled": "it went to nurture",
    "disqualified": "it was disqualified",
    "attached": "it belongs to what is under way with that company",
    "merged": "it was a duplicate",
    "suppressed": "nobody may contact them",
    "withdrawn": "it was withdrawn",
    "erased": "its data was erased",
    "opportunity": "it became an opportunity and goes on in the CRM",
}


def touches(session: Session, handoff_id: int) -> list[Touch]:
    """The human attempts of a handoff, in order."""
    return list(session.exec(select(Touch).where(Touch.handoff_id == handoff_id).order_by(col(Touch.at))))
