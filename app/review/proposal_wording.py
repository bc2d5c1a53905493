"""Proposals as people read them, for the terminal and the page: what, why, what it would have done, how to adopt it, what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agreements.review.followed import Followed
from agreements.review.proposal import ProposalKind
from app.review.drafts import file_name
from app.review.report import Proposed, Tried
from app.review.wording import day_of, of

NOTHING_PROPOSED = "No change to the agreement is proposed: nothing here is clear enough."
#: What the figure counts that a proposal is to move.
_FIGURES: Mapping[ProposalKind, str] = {
    "threshold": "MQLs that ended as opportunities",
    "criterion": "MQLs that ended as opportunities",
    "reason": "leads given back for this reason",
    "clock": "promises kept",
}


@dataclass(frozen=True, slots=True)
class InWords:
    """A proposal in words. what: in a sentence; why: sentences; adopting: commands that put its draft to both sides; deciding: the command
    that keeps what was decided about it."""

    what: str
    why: tuple[str, ...]
    adopting: tuple[str, ...]
    deciding: str


def in_words(one: Proposed, number: int) -> InWords:
    """Return the proposal in words. number: from 1."""
    return InWords(
        what=one.proposal.what,
        why=tuple(_why(one)),
        adopting=tuple(_adopting(one, number)),
        deciding=f'baton review decide "..." --proposal {number}',
    )


def _why(one: Proposed) -> Iterator[str]:
    yield from one.proposal.grounds
    if one.proposal.backtest:
        yield one.proposal.backtest
    if one.tried:
        yield _tried(one.tried)
    if one.proposal.changes and not one.draft:
        yield "There is no draft: the change alone does not fit the rest of the agreement."


def _adopting(one: Proposed, number: int) -> Iterator[str]:
    if one.draft:
        yield f"baton agreement publish {file_name(number)}"
        yield f"baton agreement send-for-signature {one.reference}"


def _tried(one: Tried) -> str:
    days = f", judged from {day_of(one.first)} to {day_of(one.last)}" if one.first and one.last else ""
    on = f"On {'the newest ' if one.newest else ''}{one.leads:,} past leads{days}"
    if (one.now, one.now_won) == (one.then, one.then_won):
        return f"{on}, the draft gives as many MQLs as now, {one.now:,}."
    return (
        f"{on}, the draft gives {one.then:,} MQLs instead of {one.now:,}."
        f" Of those with a known outcome, {of(one.then_won)} became opportunities instead of {of(one.now_won)}."
    )


def became(one: Followed) -> str:
    """Return what became of a proposal, in sentences, with the figure that it was to move before and since."""
    was = one.proposal
    days = f"{day_of(was.first)} to {day_of(was.last)}"
    if one.adopted is not None and one.adopted_on is not None:
        begins = f"In the agreement since version {one.adopted}, from {day_of(one.adopted_on)}."
        return f"{begins} {_FIGURES[was.kind].capitalize()}: {of(was.figure)} from {days}, {of(one.now)} since under that version."
    begins = "Not in the agreement." if was.changes else "It changes no clause."
    return f"{begins} {_FIGURES[was.kind].capitalize()}: {of(was.figure)} from {days}, {of(one.now)} in this review."
