"""Outcomes: what became of leads, kept until marketing's morning digest names it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, select
from sqlmodel import Session, col

from agreements.telling_marketing import SETTLED
from agreements.words import OUTCOMES, Outcome, word
from storage import digests, wakes
from storage.tables import Answer, AnswerState, DigestItem, Handoff, ItemKind, Lead, PersonalText, Wait

#: Whose items these are: whoever speaks for marketing on the morning on which the digest goes out.
MARKETING: Final = "marketing"


@dataclass(frozen=True, slots=True)
class ToldOutcome:
    """What became of one lead. item: its number; what: a sentence without personal data; at: aware; answer_id: of sales, None for a
    settled dispute; wrote: the words of the person who answered, empty for none."""

    item: int
    outcome: Outcome
    what: str
    at: datetime
    answer_id: int | None
    lead_id: int
    company: str
    campaign: str
    source: str
    wrote: str


class _Row(NamedTuple):
    item: int
    kind: ItemKind
    what: str
    at: datetime
    answer_id: int | None
    answered_at: datetime | None
    lead_id: int
    company: str
    campaign: str
    source: str
    text: str | None


_SHOWN: tuple[Any, ...] = (
    DigestItem.id, DigestItem.kind, DigestItem.what, DigestItem.at, Answer.id, Answer.answered_at,
    Lead.id, Lead.company, Lead.campaign, Lead.source, PersonalText.text,
)  # fmt: skip


def put_aside(session: Session, answer: Answer, outcome: Outcome, what: str, *, key: str, at: datetime) -> bool:
    """Keeps an outcome for marketing's digest. at: from when it may be told. False where its key was kept already."""
    facts = {"key": f"{key}:digest", "person": MARKETING, "kind": outcome, "what": what, "at": at}
    return wakes.insert_once(session, DigestItem, handoff_id=answer.handoff_id, wait_id=answer.wait_id, **facts)


def take_back(session: Session, *, key: str) -> None:
    """Forgets an outcome whose answer was taken back, unless marketing has received it."""
    rows = delete(DigestItem).where(col(DigestItem.key) == f"{key}:digest", col(DigestItem.digest_id).is_(None))
    session.execute(rows.execution_options(synchronize_session=False))


def untold(session: Session, *, now: datetime) -> list[ToldOutcome]:
    """The outcomes that marketing has not received yet and may receive now, oldest first.

    Leaves out answers that were taken back, and leads that were erased or that nobody may contact.
    """
    found = session.execute(_of_counting(select(*_SHOWN), now).where(col(DigestItem.at) <= now))
    return [_told(_Row(*row)) for row in found]


def untold_ids(session: Session, *, now: datetime) -> list[int]:
    """The numbers of the items of `untold`, in the same order."""
    return [ident for (ident,) in session.execute(_of_counting(select(col(DigestItem.id)), now).where(col(DigestItem.at) <= now))]


def _told(row: _Row) -> ToldOutcome:
    outcome = word(row.kind, OUTCOMES)
    assert outcome is not None, "nothing else is kept for marketing"
    said = outcome != SETTLED
    return ToldOutcome(
        item=row.item,
        outcome=outcome,
        what=row.what,
        at=(row.answered_at if said else None) or row.at,
        answer_id=row.answer_id if said else None,
        lead_id=row.lead_id,
        company=row.company,
        campaign=row.campaign,
        source=row.source,
        wrote=(row.text or "") if said else "",
    )


def is_any_untold(session: Session, *, now: datetime) -> bool:
    """Whether there is an outcome that marketing has not received yet, also one that may only be told later."""
    return session.execute(_of_counting(select(col(DigestItem.id)), now).limit(1)).first() is not None


def _of_counting(query: Any, now: datetime) -> Any:
    query = query.select_from(DigestItem)
    query = query.join(Handoff, col(Handoff.id) == col(DigestItem.handoff_id)).join(Lead, col(Lead.id) == col(Handoff.lead_id))
    query = query.outerjoin(Wait, col(Wait.id) == col(DigestItem.wait_id)).outerjoin(Answer, col(Answer.id) == col(Wait.answer_id))
    query = query.outerjoin(PersonalText, col(PersonalText.id) == col(Answer.text_id))
    counts = (col(Answer.state) == AnswerState.COUNTED) | (col(DigestItem.kind) == SETTLED)
    return digests.untold_of(query.where(counts, col(Lead.do_not_contact).is_(False), col(Lead.erased_at).is_(None)), MARKETING, now)
