"""What became of a proposal: which figure it was to move, whether a later version has its change, and the figure before and since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from agreements.backtest.columns import words_of
from agreements.model import Agreement
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.promises import Promise, kept
from agreements.review.proposal import Change, Proposal, ProposalKind
from agreements.review.reasons import GivenBack
from agreements.review.share import Share, Value, part
from agreements.words import CLOCK_NAMES, word


class Source(Value):
    """The proposal that a decision is about. first, last: the days of its review. version: of the agreement that it was to change.

    figure: of those days, which the change was to move.
    """

    kind: ProposalKind
    subject: str
    what: str
    changes: tuple[Change, ...]
    version: int
    first: date
    last: date
    figure: Share


class Followed(Value):
    """What became of a proposal. adopted: the first later version with its change, and from which day; null where no version has it.

    now: the same figure in the days of this review; where a version adopted the change, only of leads under that version or a later one.
    """

    proposal: Source
    adopted: int | None
    adopted_on: date | None
    now: Share


@dataclass(frozen=True, slots=True)
class Figures:
    """What the figures of proposals are counted from."""

    passes: Sequence[Pass]
    given: Sequence[GivenBack]
    promises: Sequence[Promise]

    def of(self, kind: ProposalKind, subject: str, period: Period, *, since: int = 0) -> Share:
        """Return the figure that such a change is to move. since: only of leads under this version or a later one.

        A reason: of the leads that sales got in the period, those given back for it. A clock: the promises of the period that were kept.
        A threshold and a criterion: of the MQLs whose pass ended in the period, those that became opportunities.
        """
        own = [one for one in self.passes if not one.merged and one.version >= since]
        if kind == "clock":
            ids = {one.id for one in own}
            found = kept((one for one in self.promises if one.pass_id in ids and one.kind == subject), period)
            return sum((one.kept for one in found if one.owed_by != "baton"), Share())
        if kind == "reason":
            for_it = {one.pass_id for one in self.given if one.reason == subject and one.ruling != "overturned"}
            return part(one.id in for_it for one in own if period.holds(one.assigned_at))
        return part(bool(one.opportunity_at) for one in own if one.mql_at and period.holds(one.ended_at))


def followed(source: Source, figures: Figures, versions: Mapping[int, Agreement], period: Period) -> Followed:
    """Return what became of a proposal until the end of the period. versions: every deployed one, by number."""
    later = sorted(number for number, one in versions.items() if number > source.version and one.effective.from_ <= period.last)
    adopted = next((number for number in later if has_change(versions[number], source)), None)
    return Followed(
        proposal=source,
        adopted=adopted,
        adopted_on=versions[adopted].effective.from_ if adopted is not None else None,
        now=figures.of(source.kind, source.subject, period, since=adopted or 0),
    )


def has_change(agreement: Agreement, of: Source | Proposal) -> bool:
    """Return whether an agreement says what the proposal wanted. One that changes nothing in the agreement is never found there."""
    if not of.changes:
        return False
    value = of.changes[0].value
    if of.kind == "criterion":
        fit, engagement = agreement.qualification.fit, agreement.qualification.engagement
        return of.subject not in [*map(words_of, fit), *map(words_of, engagement)]
    if of.kind == "reason":
        reason = agreement.reason(of.subject)
        return reason is not None and f"{reason.alert_above}%" == value
    if of.kind == "threshold":
        return agreement.qualification.mql.total == value
    name = word(of.subject, CLOCK_NAMES)
    return name is not None and {tier: str(term) for tier, term in agreement.clocks.named(name).within.items()} == value
