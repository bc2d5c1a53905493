"""Marketing's morning digest: what waits for its reader, then what became of leads. marketing_news.py says what is kept for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from agreements import presence
from agreements.lifecycle import Stage
from agreements.words import DISPUTABLE, OUTCOMES, Outcome, WaitKind
from notifications.letter import DigestRow, NewsContext, NewsGroup, NewsRow
from notifications.links import Links
from storage import roster
from storage.outcomes import ToldOutcome
from storage.tables import Answer, Delivery, Handoff, Lead, Wait
from tasks import dispute_window
from tasks.messages.drafts import Draft
from tasks.messages.lead_context import number_of, recipient

MESSAGE: Final = "marketing-digest"
#: The most leads with a row of their own, over all groups; the most others of a group that are named by number; and the most tasks.
LEADS_SHOWN, OTHERS_NAMED, TASKS_SHOWN = 24, 300, 8
_NAMES: Mapping[Outcome, str] = {
    "opportunity": "Became an opportunity",
    "sql": "Qualified and handed on",
    "accepted": "Accepted by sales",
    "returned": "Returned by sales",
    "rejected": "Rejected by sales",
    "dispute-settled": "Disputes settled",
}
#: What the reader has to do, by the open task.
_NEEDED: Mapping[WaitKind, str] = {"note": "Please complete the handoff note.", "decision": "Please decide about this lead."}
#: The stage in which leads of a group are now if nothing else became of them, as the page of open leads calls it.
_STAGES: Mapping[Outcome, Stage] = {"accepted": Stage.ACCEPTED}


def is_read_by(session: Session, person: str, *, now: datetime) -> bool:
    """Whether this person reads marketing's digest now."""
    return presence.marketing(roster.current(session), now) == person


def draft(
    session: Session, row: Delivery, found: Sequence[ToldOutcome], rows: Iterable[DigestRow], links: Links, *, now: datetime
) -> Draft:
    """Return the draft of marketing's digest. rows: of the digest that everybody may get. Reads only."""
    page = links.for_person(row.person, at=now)
    waiting = _waiting(session, row.person, rows, links, now=now)
    link = links.for_digest(row.person, str(row.context["day"]), at=now) if waiting else f"{page}/leads"
    context = NewsContext(
        to=recipient(roster.current(session), row.person),
        link=link,
        waiting=waiting[:TASKS_SHOWN],
        groups=_groups(session, row.person, found, links, page, now=now),
        more=max(0, len(waiting) - TASKS_SHOWN),
        number=number_of(links, page),
        page=page,
    )
    return Draft(MESSAGE, context, row.key, f"digest-{row.person}")


def _waiting(session: Session, person: str, rows: Iterable[DigestRow], links: Links, *, now: datetime) -> tuple[DigestRow, ...]:
    """What the person has to do, the first due first: the open notes and decisions, and the rows of the digest that everybody may get."""
    told = {row.number: row for row in rows}
    query = select(Wait, Handoff.stage, Lead.id, Lead.company).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    query = query.join(Lead, col(Lead.id) == col(Handoff.lead_id)).where(Wait.holder == person, col(Wait.kind).in_(_NEEDED))
    query = query.where(col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
    for wait, stage, number, company in session.exec(query):
        link = links.for_duty(wait.id, person, at=now)
        told[number] = DigestRow(number, company, Stage(stage), _NEEDED[wait.kind], wait.due_at, link)
    return tuple(sorted(told.values(), key=lambda row: (row.done, row.due_at is None, row.due_at or now, row.number)))


def _groups(
    session: Session, person: str, found: Sequence[ToldOutcome], links: Links, page: str, *, now: datetime
) -> tuple[NewsGroup, ...]:
    """One group for each outcome. A lead of which several things became is in the group of the last one, with all of them."""
    leads: dict[int, list[ToldOutcome]] = {}
    for one in found:
        leads.setdefault(one.lead_id, []).append(one)
    room, groups = LEADS_SHOWN, []
    for outcome in OUTCOMES:
        of_these = [told for told in leads.values() if told[-1].outcome == outcome]
        rows = tuple(_row(session, person, told, links, now=now) for told in of_these[:room])
        room -= len(rows)
        stage = _STAGES.get(outcome)
        others = tuple(told[-1].lead_id for told in of_these[len(rows) : len(rows) + OTHERS_NAMED])
        if of_these:
            groups.append(NewsGroup(_NAMES[outcome], len(of_these), rows, f"{page}/leads?stage={stage}" if stage else "", others))
    return tuple(groups)


def _row(session: Session, person: str, told: Sequence[ToldOutcome], links: Links, *, now: datetime) -> NewsRow:
    last = told[-1]
    answer = session.get(Answer, last.answer_id) if last.answer_id and last.outcome in DISPUTABLE else None
    may = answer is not None and not dispute_window.why_not(session, answer, now=now)
    return NewsRow(
        number=last.lead_id,
        company=last.company,
        campaign=last.campaign,
        source=last.source,
        told=tuple((one.what, one.at) for one in told),
        wrote=last.wrote,
        link=links.for_dispute(answer.id, person, at=now) if answer and may else "",
        dispute_until=dispute_window.open_until(session, answer) if answer and may else None,
    )
