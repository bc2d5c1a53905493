"""Answerers: who gave an answer, which may be somebody else than the rep who had the lead."""

from __future__ import annotations

from sqlmodel import Session, col, select

from agreements.roster import Roster
from agreements.words import NOBODYS
from storage.tables import Answer, AnswerState, Wait


def is_own(people: Roster, answer: Answer, rep: str) -> bool:
    """Whether this rep gave the answer: through their own link in their own browser, or under their own name elsewhere.

    A member of a shared mailbox answers for it. An answer through the rep's link from somebody else's browser is not the rep's own,
    although it counts as theirs.
    """
    return not answer.data.get("forwarded") and _as_rep(people, answer, rep)


def giver_of(people: Roster, answer: Answer, rep: str) -> str:
    """The id of the person who gave the answer, or the name as claimed where it fits nobody in the roster. rep: who had the lead."""
    return rep if answer.by not in people.people and _as_rep(people, answer, rep) else answer.by


def newest_of(session: Session, assignment_id: str) -> Answer | None:
    """The newest answer that counts in one assignment, None for none. Nobody gives a deadline or an absence."""
    query = select(Answer).join(Wait, col(Wait.answer_id) == col(Answer.id))
    query = query.where(Wait.assignment_id == assignment_id, col(Answer.kind).not_in(NOBODYS), Answer.state == AnswerState.COUNTED)
    return session.exec(query.order_by(col(Answer.id).desc()).limit(1)).first()


def _as_rep(people: Roster, answer: Answer, rep: str) -> bool:
    person = people.person(rep)
    if answer.by in (rep, *(person.members if person else ())):
        return True
    # Prefect's form takes a name as typed, and nobody checks who typed it.
    named = {rep.casefold(), person.name.casefold()} if person else set()
    return bool(answer.data.get("claimed")) and answer.by.strip().casefold() in named
