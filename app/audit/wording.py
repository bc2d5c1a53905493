"""Figures of an audit as people read them, for both the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agreements.clauses.clocks import OwedBy
from app.audit.report import Audit, Counted, Group, Kept, Speed, Won
from app.backtest.wording import DASH, number, percent
from app.charts.parts import lasting as time_in_words

#: What a promise is called.
PROMISES = {
    "delivery": "Given to a rep",
    "acceptance": "Answered by the rep",
    "first_attempt": "First attempt to reach the lead",
    "outcome": "Result after the first touch",
    "touches": "Enough touches",
    "reason": "A reason",
    "note": "A complete note",
    "decision": "The manager's decision",
}


SIDES: tuple[OwedBy, ...] = ("marketing", "sales", "manager")


@dataclass(frozen=True, slots=True)
class FateLine:
    """A line about what became of the leads: its words, the number, and whether it is a part of the line above."""

    words: str
    counted: Counted
    part: bool = False


def of(one: Counted | None) -> str:
    """12 of 98 (12.2 %); a dash where nobody knows."""
    if one is None or not one.of:
        return DASH if one is None else f"0 of {one.of}"
    return f"{one.count:,} of {one.of:,} ({percent(one.count / one.of)})"


def share_of(one: Counted) -> str:
    """12.2 % of 98; a dash where there is nothing to count."""
    return f"{percent(one.count / one.of)} of {one.of:,}" if one.of else DASH


def won(one: Won) -> str:
    """12 of 98: 12.2 %; a dash without leads."""
    return f"{one.won:,} of {one.leads:,}: {percent(one.as_share.share)}" if one.leads else DASH


def kept(one: Kept) -> str:
    """12 of 98: 12.2 %; a dash where nothing was decided."""
    decided = one.kept + one.broken
    return f"{one.kept:,} of {decided:,}: {percent(one.kept / decided)}" if decided else DASH


def by_side(found: Audit) -> Iterator[str]:
    """Yield for each side how many of its promises it would have kept."""
    for side in SIDES:
        parts = [one for one in found.promises if one.owed_by == side]
        kept, broken = sum(one.kept for one in parts), sum(one.broken for one in parts)
        if kept + broken:
            yield f"{side.capitalize()} would have kept {of(Counted(count=kept, of=kept + broken))} and broken {broken:,}."


def lasting(seconds: float | None) -> str:
    """4 min, 3 h 20 min, 2 d 5 h; a dash for unknown."""
    return DASH if seconds is None else time_in_words(seconds)


def money(value: float | None, currency: str) -> str:
    """1,250 EUR; a dash for unknown."""
    return DASH if value is None else f"{value:,.0f} {currency}".strip()


def headline(found: Audit) -> str:
    """State the result in a few sentences."""
    if not found.leads:
        return "There is no lead to count."
    said = [f"{found.leads:,} {'lead' if found.leads == 1 else 'leads'}."]
    if found.untouched:
        said.append(f"Sales never touched {of(found.untouched)}.")
    whole = found.speeds[0] if found.speeds else None
    if whole and whole.elapsed.leads:
        said.append(f"The median time to the first touch is {lasting(whole.elapsed.median_seconds)}.")
    if whole and whole.in_time.of:
        said.append(f"Under {found.agreement}, {of(whole.in_time)} would have been touched in time.")
    if found.won:
        said.append(f"{found.won.won:,} of {found.won.leads:,} were won so far ({percent(found.won.as_share.share)}).")
    return " ".join(said)


def period(found: Audit) -> str:
    """Say when these leads were created."""
    if not found.first or not found.last:
        return "without a known period"
    return f"created from {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}"


def fates(found: Audit) -> Iterator[FateLine]:
    """Yield what became of the leads, as far as the files tell."""
    lines = (
        ("Never touched by sales", found.untouched, False),
        ("no answer at all: no touch, no status, no result", found.unanswered, True),
        ("Accepted", found.accepted, False),
        ("accepted, and no touch on record", found.accepted_untouched, True),
        ("Rejected", found.rejected, False),
        ("rejected without a reason", found.rejected_without_reason, True),
        ("Lost", found.lost, False),
        ("lost without a reason", found.lost_without_reason, True),
        ("Recycled to marketing", found.recycled, False),
        ("Lost for good, of all that were given up", found.lost_for_good, False),
    )
    for words, counted, part in lines:
        if counted is not None:
            yield FateLine(words, counted, part)


def tier(one: Speed) -> str:
    """Return the tier's name, or that these are all leads."""
    return one.tier or "all leads"


def promise(one: Kept) -> str:
    """Return what the promise is called."""
    return PROMISES[one.promise]


def group(one: Group) -> str:
    """Return the name of the group."""
    return f"{number(one.merged)} with few leads each" if one.merged else one.value


def unknown(one: Kept) -> str:
    """Say for how many leads a promise could not be judged; empty for none."""
    parts = [f"{number(count)} {word}" for count, word in ((one.open, "still open"), (one.unknown, "not known")) if count]
    return ", ".join(parts)
