"""What to decide: at most three things that the figures of a review call for, the most pressing first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

from agreements.review.cohorts import Cohort
from agreements.review.objectives import Objective, behind
from agreements.review.reasons import Disputes, ReasonCount
from agreements.review.share import Share, Value
from agreements.words import Party

MOST = 3
#: A cohort has fallen when its share of opportunities is below this part of the share of the cohorts before.
FALLEN = Decimal("0.75")
#: More than this part of the decided disputes is overturned, or of the MQLs that sales kept never touched: then it is a matter for both
#: sides.
TOO_MANY = Decimal("0.25")

#: What kind of thing it is.
ToDecideKind = Literal["missed-promise", "reason-above-alert", "cohort-fell", "never-touched", "overturned"]


class ToDecide(Value):
    """One thing to decide. subject: the aim, the reason or the month. side: who has to act first, empty for both. what: in a sentence.

    evidence: the share behind it, null for a number without a whole. weight: from 0 to 1; how far from what was agreed.
    """

    kind: ToDecideKind
    subject: str
    side: Party | Literal[""]
    what: str
    evidence: Share | None
    weight: float


def to_decide(
    objectives: Sequence[Objective], reasons: Sequence[ReasonCount], cohorts: Sequence[Cohort], alone: Share, disputes: Disputes
) -> tuple[ToDecide, ...]:
    """Return at most three things. Each kind of thing comes once, so that one bad week does not fill the page.

    alone: MQLs that nobody tried to reach, of those that sales did not give back.
    """
    found = sorted(
        [*_missed(objectives), *_alerts(reasons), *_fell(cohorts), *_untouched(alone), *_overturned(disputes)],
        key=lambda one: (-one.weight, one.kind, one.subject),
    )
    first: dict[ToDecideKind, ToDecide] = {}
    for one in found:
        first.setdefault(one.kind, one)
    return tuple(first.values())[:MOST]


def _missed(objectives: Sequence[Objective]) -> Iterator[ToDecide]:
    for one in objectives:
        far = behind(one)
        if far <= 0 or (one.share and one.share.few):
            continue
        what = f"{one.side.capitalize()} promised {one.target} for '{one.words}' and "
        if one.share:
            what += f"reached {one.share.count:,} of {one.share.of:,} ({100 * one.share.count / one.share.of:.0f} %)."
        elif one.pace:
            what += f"has {one.pace.done:,.0f} of the {one.pace.expected:,.0f} expected so far."
        yield ToDecide(kind="missed-promise", subject=one.aim, side=one.side, what=what, evidence=one.share, weight=round(float(far), 6))


def _alerts(reasons: Sequence[ReasonCount]) -> Iterator[ToDecide]:
    for one in reasons:
        if one.alert and one.alert_above is not None:
            what = (
                f"'{one.label}' is {one.of_month.count} of {one.of_month.of} rejections of the month;"
                f" the agreed limit is {one.alert_above} %."
            )
            weight = min(1.0, one.of_month.count / one.of_month.of)
            side: Party | Literal[""] = "marketing" if one.counts_against == "marketing" else ""
            yield ToDecide(
                kind="reason-above-alert", subject=one.reason, side=side, what=what, evidence=one.of_month, weight=round(weight, 6)
            )


def _fell(cohorts: Sequence[Cohort]) -> Iterator[ToDecide]:
    """The newest month that is old enough, against the three months before it together."""
    grown = [one for one in cohorts if not one.opportunity.young and not one.opportunity.reached.few]
    if len(grown) < 2:
        return
    newest, before = grown[-1], sum((one.opportunity.reached for one in grown[-4:-1]), Share())
    now, then = newest.opportunity.reached, before
    if not then.count or now.count * then.of >= FALLEN * then.count * now.of:
        return
    what = (
        f"Of the MQLs of {newest.month}, {now.count:,} of {now.of:,} became opportunities; in the months before,"
        f" {then.count:,} of {then.of:,} did."
    )
    fall = 1 - (now.count / now.of) / (then.count / then.of)
    yield ToDecide(kind="cohort-fell", subject=newest.month, side="", what=what, evidence=now, weight=round(fall, 6))


def _untouched(found: Share) -> Iterator[ToDecide]:
    if _is_above(found):
        what = f"Nobody has tried to reach {found.count:,} of the {found.of:,} MQLs that sales accepted or did not answer in time."
        yield ToDecide(
            kind="never-touched", subject="never_touched", side="sales", what=what, evidence=found, weight=round(found.count / found.of, 6)
        )


def _overturned(disputes: Disputes) -> Iterator[ToDecide]:
    decided = Share(count=disputes.overturned.count, of=disputes.upheld.count + disputes.overturned.count)
    if _is_above(decided):
        what = f"Managers overturned {decided.count} of {decided.of} disputed rejections: reps reject leads that they should work."
        yield ToDecide(
            kind="overturned", subject="disputes", side="sales", what=what, evidence=decided, weight=round(decided.count / decided.of, 6)
        )


def _is_above(found: Share) -> bool:
    return not found.few and found.count > TOO_MANY * found.of
