"""Shows a backtest in the terminal: tables, and the curve in characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.backtest.lines import move_lines, steps, verdict_lines
from app.backtest.report import Backtest, Share, SideFound
from app.backtest.route_lines import stage_lines
from app.backtest.route_view import greyed, show_routing
from app.backtest.tables import titled
from app.backtest.wording import basis, change, headline, mattered, never_mattered, number, percent, told_apart, won

GROUPS_SHOWN = 15
_BAR = 30


def show(found: Backtest, console: Console) -> None:
    """Print the whole backtest, the result first."""
    console.print(f"\n{headline(found)}", markup=False, soft_wrap=True)
    if said := told_apart(found):
        console.print(said, markup=False, soft_wrap=True)
    for table in (_verdicts(found), _stages(found), _moves(found), *map(_criteria, found.sides), _curve(found), _groups(found)):
        if table is not None:
            console.print()
            console.print(table)
    show_routing(found, console)
    print_warnings(console, found.warnings)


def print_warnings(console: Console, warnings: Sequence[str]) -> None:
    """Print what the reader has to know beside the figures; nothing where there is nothing."""
    if warnings:
        console.print("\n[bold]Please note[/bold]")
        for warning in warnings:
            console.print(f"[yellow]•[/yellow] {escape(warning)}")


def _verdicts(found: Backtest) -> Table:
    names = [side.reference for side in found.sides]
    table = titled(f"Verdicts on {found.leads.leads:,} leads of {escape(found.origin)}", "", *_pairs(names, found))
    for line in verdict_lines(found):
        table.add_row(("  " if line.part else "") + escape(line.name), *_cells(line.shares))
    return table


def _pairs(names: list[str], found: Backtest) -> Iterator[str]:
    for name in names:
        yield name
        yield basis(found)
    if len(names) > 1:
        yield "change"


def _cells(shares: tuple[Share, ...]) -> Iterator[str]:
    for one in shares:
        yield number(one.leads)
        yield percent(one.share)
    if len(shares) > 1:
        yield change(shares[1].leads, shares[0].leads)


def _stages(found: Backtest) -> Table | None:
    """Return how far the leads came; None where nothing is told of any stage."""
    lines = list(stage_lines(found))
    if not lines:
        return None
    heads = [f"{side.reference}: {whom}" for side in found.sides for whom in ("qualify", "do not")]
    table = titled("Stages reached, so far", "stage", *heads)
    for name, cells in lines:
        table.add_row(name, *map(greyed, cells))
    return table


def _moves(found: Backtest) -> Table | None:
    lines = list(move_lines(found))
    if not lines:
        return None
    table = titled("Who moves", "qualify", "leads", "outcome")
    for line in lines:
        table.add_row(escape(line.name), number(line.shares[0].leads), won(line.shares[0], found.word))
    return table


def _criteria(side: SideFound) -> Table:
    table = titled(f"What the points of {escape(side.reference)} did", "rule", "points", "held for", "points given", "decided for")
    for one in side.criteria:
        style = "" if one.mattered else "yellow"
        row = (f"{one.place}: {escape(one.words)}", f"{one.points:+}", number(one.held), f"{one.given:+,}", mattered(one))
        table.add_row(*row, style=style)
    table.caption = escape(never_mattered(side)) or None
    table.caption_justify = "left"
    return table


def _curve(found: Backtest) -> Table:
    shown = [f"{side.reference} (now {side.threshold})" for side in found.sides]
    table = titled(
        "Who would qualify with another number of points needed", "threshold", *(name for pair in shown for name in (pair, basis(found)))
    )
    table.columns[1].justify = "left"
    most = max(1, found.draft.curve[0].leads)
    for threshold in steps(found):
        here = any(side.threshold == threshold for side in found.sides)
        cells = []
        for index, side in enumerate(found.sides):
            one = side.curve[threshold]
            bar = "█" * round(_BAR * one.leads / most) if index == 0 else ""
            mark = " ◄" if side.threshold == threshold else ""
            cells += [f"{bar} {one.leads:,}{mark}".strip(), percent(one.share)]
        table.add_row(str(threshold), *cells, style="bold" if here else "")
    return table


def _groups(found: Backtest) -> Table:
    sides = [name for side in found.sides for name in (side.reference, basis(found))]
    table = titled(f"By {found.by}", found.by, "leads", basis(found), *sides)
    for group in found.groups[:GROUPS_SHOWN]:
        shares = [group.leads, group.draft, *([group.other] if group.other else [])]
        table.add_row(escape(group.value), *(cell for one in shares for cell in (number(one.leads), percent(one.share))))
    if len(found.groups) > GROUPS_SHOWN:
        table.caption = f"and {len(found.groups) - GROUPS_SHOWN:,} more"
    return table
