"""Notes: what cannot be right in the figures of a review, and what a reader has to know about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from agreements.review.deals import Deal
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.share import Value
from agreements.words import OpportunityState

#: This many are named; all are counted.
NAMED = 10

#: A day that the CRM named before it came.
_TO_COME = frozenset({"opened-on-to-come", "closed-on-to-come"})
#: What a note is about.
NoteCode = Literal[
    "empty-period", "period-not-over", "several-versions", "came-twice", "out-of-order", "opportunity-without-lead",
    "opportunity-without-pass", "closed-before-opened", "won-before-the-lead-came", "day-to-come", "faulty-opportunity", "no-currency",
    "no-amount", "opportunity-not-shown",
]  # fmt: skip


class Note(Value):
    """One note. count: of how many things; which: the first of them, a lead by its number and an opportunity by its name in the CRM."""

    code: NoteCode
    count: int
    what: str
    which: tuple[str, ...] = ()


def notes(passes: Sequence[Pass], deals: Sequence[Deal], not_shown: Sequence[Pass], period: Period) -> tuple[Note, ...]:
    """Return everything that a reader has to know, in a fixed order."""
    own = [one for one in deals if _is_of(one, period)]
    return (*_of_the_period(passes, own, period), *_of_passes(passes, not_shown, period), *_of_deals(own))


def _is_of(one: Deal, period: Period) -> bool:
    return period.holds(one.opened_at) or period.holds(one.settled_at)


def _of_the_period(passes: Sequence[Pass], deals: Sequence[Deal], period: Period) -> Iterator[Note]:
    times = ("began_at", "mql_at", "assigned_at", "accepted_at", "given_back_at", "ended_at")
    own = [one for one in passes if any(period.holds(getattr(one, name)) for name in times)]
    if not own and not deals:
        yield Note(code="empty-period", count=0, what="Nothing happened in this period: no lead came, was answered or ended.")
    if period.as_of < period.ends:
        yield Note(code="period-not-over", count=1, what="The period is not over. Promises that are due later are left out.")
    versions = sorted({one.version for one in own if one.version})
    if len(versions) > 1:
        said = ", ".join(map(str, versions))
        yield Note(code="several-versions", count=len(versions), what=f"Leads ran under versions {said}. Targets are those of the newest.")


def _of_passes(passes: Sequence[Pass], not_shown: Sequence[Pass], period: Period) -> Iterator[Note]:
    merged = [one for one in passes if one.merged and period.holds(one.ended_at)]
    if merged:
        yield Note(
            code="came-twice", count=len(merged), what="These leads came twice. Each counts once, as the other lead.", which=_leads(merged)
        )
    odd = [one for one in passes if one.is_out_of_order and (period.holds(one.began_at) or period.holds(one.mql_at))]
    if odd:
        what = "Something happened to these leads before they began: a clock was set back, or a wrong time was told. No speed counts them."
        yield Note(code="out-of-order", count=len(odd), what=what, which=_leads(odd))
    missing = [one for one in not_shown if period.holds(one.opportunity_at)]
    if missing:
        what = "These leads became opportunities that the CRM does not show. They count as opportunities, without an amount."
        yield Note(code="opportunity-not-shown", count=len(missing), what=what, which=_leads(missing))


def _of_deals(deals: Sequence[Deal]) -> Iterator[Note]:
    without = [one for one in deals if one.lead_id is None]
    yield from _note(
        "opportunity-without-lead", without, "The CRM shows opportunities without a lead that Baton knows. They count nowhere."
    )
    elsewhere = [one for one in deals if one.lead_id is not None and one.pass_id is None]
    yield from _note(
        "opportunity-without-pass", elsewhere, "These opportunities began before their lead was handed over. They count nowhere."
    )
    early = [one for one in deals if one.ended_before_it_began]
    yield from _note(
        "closed-before-opened", early, "The CRM says that these opportunities ended before they began. They count, without days."
    )
    won = [one for one in deals if one.state == OpportunityState.WON and one.days is not None and one.days < 0]
    yield from _note("won-before-the-lead-came", won, "These were won before their lead came. They count as won, without days.")
    to_come = [one for one in deals if _TO_COME & set(one.faults)]
    yield from _note(
        "day-to-come", to_come, "The CRM named a day that had not come for these opportunities. The day on which it said so counts."
    )
    faulty = [one for one in deals if set(one.faults) - {"closed-before-opened", "no-lead"} - _TO_COME]
    yield from _note(
        "faulty-opportunity", faulty, "The CRM said something about these opportunities that cannot be read, such as an amount."
    )
    own = [one for one in deals if one.pass_id is not None]
    bare = [one for one in own if one.amount is not None and not one.currency]
    yield from _note("no-currency", bare, "These opportunities have an amount without a currency. They are summed apart.")
    yield from _note("no-amount", [one for one in own if one.amount is None], "The CRM says no amount for these opportunities.")


def _note(code: NoteCode, deals: Iterable[Deal], what: str) -> Iterator[Note]:
    found = list(deals)
    if found:
        yield Note(code=code, count=len(found), what=what, which=tuple(one.crm_id for one in found[:NAMED]))


def _leads(passes: Iterable[Pass]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(one.lead_id) for one in passes))[:NAMED]
