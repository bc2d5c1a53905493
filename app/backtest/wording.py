"""Figures of a backtest as people read them, for both the terminal and the page."""

from __future__ import annotations

from app.backtest.past import counted
from app.backtest.report import Backtest, CriterionFound, Share, SideFound
from app.charts.parts import percent as share_in_words

DASH = "–"


def number(value: int) -> str:
    """1,234"""
    return f"{value:,}"


def percent(share: float | None) -> str:
    """12.3 %; a dash for unknown."""
    return DASH if share is None else share_in_words(share)


def change(before: int, after: int) -> str:
    """+120; ±0 where nothing changed."""
    return f"{after - before:+,}" if after != before else "±0"


def between(one: Share) -> str:
    """10.1 to 14.9 %; empty where nothing is known."""
    ends = one.interval
    return f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f} %" if ends else ""


def won(one: Share, word: str = "won") -> str:
    """12 of 98 won: 12.2 % (7.1 to 20.2 %); "outcomes not known" where none is known."""
    if not one.known:
        return "outcomes not known" if one.leads else DASH
    return f"{one.won:,} of {one.known:,} {word}: {percent(one.share)} ({between(one)})"


def basis(found: Backtest) -> str:
    """Say which leads a share is of."""
    return f"{found.word} of decided" if found.losses else f"{found.word} so far"


def headline(found: Backtest) -> str:
    """State the result in one or two sentences."""
    said = [f"{found.draft.reference} qualifies {_part(found.draft, found)}{_won(found.draft, found)}."]
    if found.other:
        said.append(f"{found.other.reference} qualifies {_part(found.other, found)}{_won(found.other, found)}.")
    return " ".join(said)


def _part(side: SideFound, found: Backtest) -> str:
    return f"{side.qualified.leads:,} of {counted(found.leads.leads, 'lead', 'leads')}"


def _won(side: SideFound, found: Backtest) -> str:
    whom = (
        f"of those decided {percent(side.qualified.share)} {found.word}"
        if found.losses
        else f"{percent(side.qualified.share)} of them {basis(found)}"
    )
    return f"; {whom}" if side.qualified.known else ""


def told_apart(found: Backtest) -> str:
    """Say whether those who move were won more or less often than chance explains; empty where nobody moves or nothing is known."""
    if not found.moves or not found.other:
        return ""
    moves, draft, other = found.moves, found.draft.reference, found.other.reference
    only_draft, only_other, both = (
        (f"only {draft} takes", moves.only_draft),
        (f"only {other} takes", moves.only_other),
        ("both take", moves.both),
    )
    if moves.only_draft.known and moves.only_other.known:
        return _compared(only_draft, only_other, found.word)
    moved = next((one for one in (only_draft, only_other) if one[1].known), None)
    return _compared(moved, both, found.word) if moved and moves.both.known else ""


def _compared(one: tuple[str, Share], other: tuple[str, Share], word: str) -> str:
    (low, high), (other_low, other_high) = one[1].interval or (0.0, 1.0), other[1].interval or (0.0, 1.0)
    shares = f"{percent(one[1].share)} {word} of the leads that {one[0]}, {percent(other[1].share)} of the leads that {other[0]}"
    if low > other_high or other_low > high:
        return f"{shares}: chance alone hardly explains this difference."
    return f"{shares}: chance alone may explain this difference."


def mattered(one: CriterionFound) -> str:
    """Say for how many leads a criterion made the difference."""
    return number(one.mattered) if one.mattered else "nobody"


def never_mattered(side: SideFound) -> str:
    """Name the criteria without which every verdict would be the same; empty for none."""
    idle = [f"{one.words} ({one.points:+})" for one in side.criteria if not one.mattered]
    return f"Points that never mattered: {'; '.join(idle)}." if idle else ""
