"""The desk: giving an answer. Every door for people comes through here; what a link shows is in visits.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from agreements.model import Agreement
from storage import handoffs, roster, waits
from storage.tables import Answer, AnswerState, Wait
from tasks import toolbox
from tasks.asking import ChoiceRefused, channel_of, data_of, refuse_gaps
from tasks.follow_up import touch
from tasks.options import DUTIES, LABELS, REP_CHOICES, Option, options, rep_choices
from tasks.visits import Given, Place, Visit, answers_at, given, missing_of, place_of, visit

__all__ = [
    "LABELS", "REP_CHOICES", "ChoiceRefused", "Given", "Option", "Reply", "Visit", "answer", "answer_wait", "undo", "visit",
]  # fmt: skip


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


def answer(session: Session, token: str, kind: str, *, now: datetime, fields: Mapping[str, str], via: str = "link", key: str = "") -> Reply:
    """Gives an answer through a link. Call inside a write transaction.

    fields: reason, text, colleague, revisit_on and renewal_date (dates), channel, choice, note_wrong (names of statements with
    commas between), and statements by name. key: names this visit's page, so that the same press twice is one touch. Raises
    LinkInvalid, ChoiceRefused (says what is missing; nothing is stored then).
    """
    place = place_of(session, token, lock=True)
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
    data = data_of(session, place.handoff, place.agreement, place.people, place.wait, kind, fields)
    if place.wait.kind == "note":
        refuse_gaps(missing_of(session, place), fields)
    if place.wait.kind == "outcome" and kind in ("attempted", "connected"):
        told = {"by": place.person, "via": via, "channel": channel_of(fields)}
        touched = touch(session, place.handoff, kind, key=f"touch:{key or now.isoformat()}", at=now, **told)
        return Reply(True, kind, touched=touched)
    undo = timedelta(0) if kind in ("completed", "decided") else _undo_time(place.agreement)
    verdict = waits.answer(
        session, place.wait.id, kind, by=place.person, via=via, now=now, effective_at=now + undo, text=fields.get("text", ""), **data
    )
    winner = given(session, verdict.winner, place, now) if verdict.winner else None
    ended = "" if verdict.won else (verdict.closed_because or "It was answered before.")
    return Reply(verdict.won, kind, winner=winner, ended=ended, undo_until=now + undo if verdict.won and undo else None)


def _keep_late(session: Session, place: Place, kind: str, fields: Mapping[str, str], via: str, now: datetime) -> None:
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
    place = Place(wait.holder, handoff, wait, None, "", handoffs.agreement_of(session, handoff), roster.current(session))
    allowed = DUTIES.get(wait.kind) or rep_choices(place.agreement, handoff, wait)
    place.options = options(place.agreement, handoff, allowed)
    if kind not in allowed:
        raise ChoiceRefused(f"Please choose an answer: {', '.join(allowed)}." if allowed else "There is nothing to answer just now.")
    data = data_of(session, handoff, place.agreement, place.people, wait, kind, fields)
    if wait.kind == "note":
        refuse_gaps(missing_of(session, place), fields)
    verdict = waits.answer(
        session, wait_id, kind, by=by, via=via, now=now, answered_at=answered_at, text=fields.get("text", ""), claimed=True, **data
    )
    winner = given(session, verdict.winner, place, now) if verdict.winner else None
    return Reply(verdict.won, kind, winner=winner, ended="" if verdict.won else verdict.closed_because or "It was answered before.")


def undo(session: Session, token: str, answer_id: int, *, now: datetime) -> bool:
    """Takes back the person's own answer while that is possible; False when it is too late. Raises LinkInvalid."""
    place = place_of(session, token)
    row = session.get(Answer, answer_id)
    if row is None or row.handoff_id != place.handoff.id or row.by != place.person:
        return False
    return waits.undo(session, answer_id, by=place.person, now=now)


def _undo_time(agreement: Agreement) -> timedelta:
    origin = datetime.fromisoformat("2000-01-03T00:00:00+00:00")
    return toolbox.current().undo_time(agreement.notify.undo.after(origin, None) - origin)


def _settled(session: Session, place: Place, now: datetime) -> Given | None:
    first = waits.answer_of(session, place.wait) if place.wait else None
    counted = [first] if first is not None and first.state == AnswerState.COUNTED else answers_at(session, place)
    return given(session, counted[-1], place, now) if counted else None
