"""The charts of an audit, as values. app/charts draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.audit import wording
from app.audit.report import Audit, Counted, Group, Kept, Won
from app.backtest.charts import CHANCE
from app.charts.kinds import Bar, Bars, Chart, Rate, Rates, Shares
from app.charts.parts import Part

TOUCHES = ("0", "1", "2", "3", "4", "5", "6 or more")


def fates(found: Audit) -> Iterator[Chart]:
    """Yield what became of the leads, and how often sales touched a lead before giving it up."""
    lines = [(f"– {line.words}" if line.part else line.words, line.counted) for line in wording.fates(found)]
    if lines:
        rows = tuple(Rate(words, part(counted)) for words, counted in lines)
        yield Shares(title="As the files say", rows=rows, if_empty="There is no lead to count.")
    attempts = found.attempts
    if attempts and attempts.leads and attempts.median is not None:
        touches = "touch" if attempts.median == 1 else "touches"
        note = f"{attempts.leads:,} leads were rejected, recycled or lost. The median is {attempts.median:g} {touches}."
        rows_of = tuple(Bar(name, count, 1) for name, count in zip(TOUCHES, attempts.by_touches, strict=True))
        yield Bars(title="Touches before sales gave up", note=note, rows=rows_of)


def promises(shown: Sequence[Kept]) -> Iterator[Chart]:
    """Yield how often each promise would have been kept, and how many leads were won where it was kept and where it was broken."""
    kept = tuple(Rate(f"{one.owed_by.capitalize()}: {wording.promise(one)}", Part(one.kept, one.kept + one.broken)) for one in shown)
    yield Shares(title="Would have been kept", rows=kept)
    won = tuple(Rate(f"{word}: {wording.promise(one)}", won_part(leads)) for one in shown for word, leads in _sides(one))
    if any(rate.part.of for rate in won):
        yield Rates(title="Won, where the promise was kept and broken", note=f"{CHANCE} A difference is no proof.", rows=won)


def groups(found: Audit, *, shown: Sequence[Group]) -> Iterator[Chart]:
    """Yield for each group how many leads were touched in time, and how many were won, as far as the files tell."""
    timed = tuple(Rate(wording.group(one), part(one.in_time)) for one in shown if one.in_time)
    if timed:
        yield Shares(title="Touched in time", rows=timed, if_empty="No time is over yet.")
    if found.won:
        yield Rates(title="Won so far", note=CHANCE, rows=tuple(Rate(wording.group(one), won_part(one.won)) for one in shown))


def part(one: Counted) -> Part:
    """Return these leads as a part of a chart."""
    return Part(one.count, one.of)


def won_part(one: Won) -> Part:
    """Return the won leads as a part of a chart."""
    return Part(one.won, one.leads)


def _sides(one: Kept) -> tuple[tuple[str, Won], ...]:
    return ("Kept", one.won_if_kept), ("Broken", one.won_if_broken)
