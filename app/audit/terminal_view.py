"""Shows an audit in the terminal: the result first, then tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.audit import wording
from app.audit.report import Audit, Group
from app.backtest.tables import titled
from app.backtest.terminal_view import print_warnings
from app.backtest.wording import number, percent

GROUPS_SHOWN = 15


def show(found: Audit, console: Console) -> None:
    """Print the whole audit."""
    console.print(f"\n{wording.headline(found)}", markup=False, soft_wrap=True)
    for said in wording.by_side(found):
        console.print(said, markup=False, soft_wrap=True)
    for table in _tables(found):
        if table.row_count:
            console.print()
            console.print(table)
    if found.days_to_won.quartiles:
        first, middle, last = found.days_to_won.quartiles
        console.print(f"\nDays to a win: quartiles {first:g}, {middle:g}, {last:g}; longest {found.days_to_won.longest:,}.", markup=False)
    print_warnings(console, found.warnings)


def _tables(found: Audit) -> Iterator[Table]:
    if not found.leads:
        return
    fates = titled("What became of the leads", "", "leads", "of", "share")
    for line in wording.fates(found):
        name = ("  " if line.part else "") + line.words
        fates.add_row(name, number(line.counted.count), number(line.counted.of), percent(line.counted.share))
    speeds = titled("Speed to the first touch", "tier", "median", "9 of 10 within", "median, working", "agreed", "in time")
    for one in found.speeds:
        times = (one.elapsed.median_seconds, one.elapsed.p90_seconds, one.working.median_seconds)
        speeds.add_row(escape(wording.tier(one)), *map(wording.lasting, times), one.agreed, wording.of(one.in_time))
    promises = titled(
        f"What each promise of {escape(found.agreement)} would have been worth",
        *("promise", "made by", "kept", "broken", "kept in", "won if kept", "won if broken"),
    )
    for kept in found.promises:
        if kept.not_in_file:
            promises.add_row(wording.promise(kept), kept.owed_by, "not in these files")
            continue
        shares = (percent(kept.share_kept), percent(kept.won_if_kept.as_share.share), percent(kept.won_if_broken.as_share.share))
        promises.add_row(wording.promise(kept), kept.owed_by, number(kept.kept), number(kept.broken), *shares)
    yield from (fates, speeds, promises, _groups("source", found.by_source), _groups("owner", found.by_owner))


def _groups(name: str, groups: Sequence[Group]) -> Table:
    table = titled(f"By {name}", name, "leads", "never touched", "median to first touch", "won so far")
    for one in groups[:GROUPS_SHOWN]:
        untouched = percent(one.untouched.count / one.untouched.of if one.untouched and one.untouched.of else None)
        table.add_row(escape(wording.group(one)), number(one.leads), untouched, wording.lasting(one.median_seconds), wording.won(one.won))
    if len(groups) > GROUPS_SHOWN:
        table.caption = f"and {len(groups) - GROUPS_SHOWN:,} more"
    return table
