"""Shows in the terminal where the leads of a backtest would go."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.backtest.report import Backtest
from app.backtest.route_lines import HEAD, Cell, basis, model, promise_lines, rep_lines, sentences
from app.backtest.route_report import RoutingFound
from app.backtest.tables import titled


def show_routing(found: Backtest, console: Console) -> None:
    """Print for each version where its leads would go, or why nobody knows."""
    if found.no_routing:
        console.print(f"\n[bold]Where leads would go[/bold]\n{escape(found.no_routing)}", soft_wrap=True)
    for side in found.sides:
        if side.routing is not None:
            console.print()
            console.print(_reps(side.reference, side.routing))
            _say(console, basis(side.routing), *sentences(side.routing))
            console.print(_promises(side.routing))
            _say(console, model(side.routing), *side.routing.notes)


def greyed(cell: Cell) -> str:
    """Return the text of a cell, in grey where it says little."""
    return f"[dim]{escape(cell.text)}[/dim]" if cell.few else escape(cell.text)


def _reps(reference: str, found: RoutingFound) -> Table:
    table = titled(f"Where the leads of {escape(reference)} would go", "rep", *HEAD)
    for line in rep_lines(found):
        table.add_row(escape(f"{line.name} ({line.team})" if line.team else line.name), *map(greyed, line.cells))
    return table


def _promises(found: RoutingFound) -> Table:
    table = titled("Promises of the reps", "promise", "expected to be missed", "ends while the rep is closed or away")
    for name, missed, off in promise_lines(found):
        table.add_row(name, greyed(missed), greyed(off))
    return table


def _say(console: Console, *sentences: str) -> None:
    for one in sentences:
        console.print(one, markup=False, soft_wrap=True)
