"""Finds the proposal that a decision is about, in a review that is kept or in the JSON of one."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from sqlmodel import Session

from agreements.errors import HandoffError
from agreements.review.followed import Source
from app.review.report import Review, from_json
from storage import kept_reviews


class NoSuchProposal(HandoffError):
    """No review has this proposal. `baton review list` names the reviews."""


def decided_proposal(session: Session, agreement: str, number: int, *, review: int, report: Path | None) -> Source:
    """Return the proposal with this number. review: the kept review's number, 0 for the newest one that proposes. report: JSON instead.

    Raises NoSuchProposal where there is no such review or proposal.
    """
    found = _from_file(report) if report else _kept(session, agreement, review)
    if found.agreement != agreement:
        raise NoSuchProposal(f"That review is about {found.agreement}, and not about {agreement}. Name --agreement {found.agreement}.")
    proposed = found.proposals or ()
    if number > len(proposed):
        has = "1 proposal" if len(proposed) == 1 else f"{len(proposed)} proposals"
        raise NoSuchProposal(f"That review has {has}, and so no proposal {number}.")
    one = proposed[number - 1]
    return Source(
        kind=one.proposal.kind,
        subject=one.proposal.subject,
        what=one.proposal.what,
        changes=one.proposal.changes,
        version=one.follows or found.version,
        first=found.first,
        last=found.last,
        figure=one.figure,
    )


def _kept(session: Session, agreement: str, number: int) -> Review:
    if number:
        row = kept_reviews.get(session, number)
        if row is None or not row.report:
            raise NoSuchProposal(f"There is no review {number} with figures. `baton review list` names the reviews.")
    else:
        row = kept_reviews.newest(session, agreement, "monthly")
        if row is None or not row.report:
            raise NoSuchProposal("No monthly review is kept yet. Name the JSON of a review that you made: --report review/review.json.")
    return from_json(kept_reviews.report_of(row))


def _from_file(path: Path) -> Review:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise NoSuchProposal(f"{path} is no review. `baton review --month --out review/` writes review/review.json.") from error
