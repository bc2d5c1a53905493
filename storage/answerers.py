"""Answerers: who gave an answer, which need not be the rep who had the lead."""

from __future__ import annotations

from sqlmodel import Session, col, select

from agreements.roster import Roster
from storage.tables import Answer, AnswerState, Wait


def is_own(people: Roster, answer: Answer, rep: str) -> bool:
    """Whether this rep gave the answer: through their own link in a browser of theirs, or under their own name elsewhere.

    A member of a shared mailbox answers for it. An answer that came through the rep's link from a browser of somebody else is not
    the rep's own, although it counts as theirs.
    """
    return not answer.data.get("forwarded") and _as_rep(people, answer, rep)


def giver_of(people: Roster, answer: Answer, rep: str) -> str:
    """Who gave the answer, by id; the name as it was claimed where nobody of the roster is meant. rep: who had the lead."""
    return rep if answer.by not in people.people and _as_rep(people, answer, rep) else answer.by


def newest_of(session: Session, assignment_id: str) -> Answer | None:
    """The newest answer that counts of one tenure, None for none. A deadline is nobody's answer."""
    query = select(Answer).join(Wait, col(Wait.answer_id) == col(Answer.id))
    query = query.where(Wait.assignment_id == assignment_id, Answer.kind != "deadline", Answer.state == AnswerState.COUNTED)
    return session.exec(query.order_by(col(Answer.id).desc()).limit(1)).first()


def _as_rep(people: Roster, answer: Answer, rep: str) -> bool:
    person = people.person(rep)
    if answer.by in (rep, *(person.members if person else ())):
        return True
    # Prefect's form takes a name as it is typed, and nobody checks whose it is.
    named = {rep.casefold(), person.name.casefold()} if person else set()
    return bool(answer.data.get("claimed")) and answer.by.strip().casefold() in named
