"""Reviews that were made by themselves: each is kept once, with its figures and its page, so that any machine can show it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from agreements.words import ReviewKind
from storage.tables import KeptReview
from storage.wakes import insert_once


@dataclass(frozen=True, slots=True)
class NewReview:
    """A review before it is stored. kind, first: with the agreement, what makes it one of its kind. due_at: aware.

    first_sheet: what the mail about it says, without names of people. report: as JSON; page: as HTML.
    """

    agreement: str
    version: int
    kind: ReviewKind
    first: date
    last: date
    due_at: datetime
    first_sheet: dict[str, Any]
    report: str
    page: str


def made(session: Session, agreement: str, *, since: date) -> set[tuple[ReviewKind, date]]:
    """Return the kind and the first day of each kept review of this agreement that is about this day or a later one."""
    query = select(col(KeptReview.kind), col(KeptReview.first)).where(KeptReview.agreement == agreement, col(KeptReview.first) >= since)
    return {(kind, first) for kind, first in session.exec(query)}


def keep(session: Session, new: NewReview, *, now: datetime) -> KeptReview | None:
    """Stores a review, and returns None where another process has stored it before. Call inside a write transaction."""
    is_new = insert_once(
        session,
        KeptReview,
        agreement=new.agreement,
        version=new.version,
        kind=new.kind,
        first=new.first,
        last=new.last,
        due_at=new.due_at,
        made_at=now,
        first_sheet=new.first_sheet,
        report=zlib.compress(new.report.encode()),
        page=zlib.compress(new.page.encode()),
    )
    same = (KeptReview.agreement == new.agreement, KeptReview.kind == new.kind, KeptReview.first == new.first)
    return session.exec(select(KeptReview).where(*same)).one() if is_new else None


def listed(session: Session, *, limit: int) -> Sequence[KeptReview]:
    """The newest reviews, without their figures and pages, the newest first."""
    without = (defer(KeptReview.report), defer(KeptReview.page), defer(KeptReview.first_sheet))  # type: ignore[arg-type]
    return session.exec(select(KeptReview).options(*without).order_by(col(KeptReview.id).desc()).limit(limit)).all()


def get(session: Session, number: int) -> KeptReview | None:
    """The review with this number, None for none."""
    return session.get(KeptReview, number)


def newest(session: Session, agreement: str, kind: ReviewKind) -> KeptReview | None:
    """The newest review of this kind about an agreement, None for none."""
    query = select(KeptReview).where(KeptReview.agreement == agreement, KeptReview.kind == kind)
    return session.exec(query.order_by(col(KeptReview.first).desc()).limit(1)).first()


def report_of(row: KeptReview) -> str:
    """The figures as JSON, empty once they are deleted."""
    return zlib.decompress(row.report).decode() if row.report else ""


def page_of(row: KeptReview) -> str:
    """The page as HTML, empty once it is deleted."""
    return zlib.decompress(row.page).decode() if row.page else ""


def empty(session: Session, *, before: datetime) -> int:
    """Deletes figures and pages of reviews that were made before this instant; returns of how many.

    The rows stay, so that no review is made a second time. Call inside a write transaction.
    """
    old = update(KeptReview).where(col(KeptReview.made_at) < before, col(KeptReview.report) != b"")
    return int(session.execute(old.values(report=b"", page=b"", first_sheet={})).rowcount)  # type: ignore[attr-defined]
