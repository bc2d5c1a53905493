"""Shows a review in the terminal: the result first, then tables."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from app.backtest.tables import titled
from app.backtest.terminal_view import print_warnings
from app.review import wording
from app.review.proposal_wording import NOTHING_PROPOSED, InWords, in_words
from app.review.report import Review
from app.review.tables import Table, tables

#: The tables that stand in other places of the terminal.
_ELSEWHERE = ("notes", "to-decide")


def show(found: Review, console: Console) -> None:
    """Print the whole review. Shares of fewer than 20 are grey."""
    console.print(f"\n{found.agreement}@{found.version}, {wording.days(found)}", style="bold", markup=False)
    console.print(wording.headline(found), markup=False, soft_wrap=True)
    if found.to_decide:
        console.print("\n[bold]To decide[/bold]")
        for at, one in enumerate(found.to_decide, 1):
            console.print(f"{at}. {one.what}", markup=False, soft_wrap=True)
    for at, proposed in enumerate(found.proposals or (), 1):
        _show_proposal(in_words(proposed, at), at, console)
    if found.proposals == ():
        console.print(f"\n{NOTHING_PROPOSED}", markup=False)
    for table in tables(found):
        if table.name not in _ELSEWHERE:
            _print(table, console)
    print_warnings(console, tuple(wording.warnings(found)))


def _show_proposal(one: InWords, number: int, console: Console) -> None:
    console.print(f"\n[bold]Proposal {number}[/bold]")
    for line in (one.what, *one.why):
        console.print(line, markup=False, soft_wrap=True)
    if one.adopting:
        console.print("To adopt it, publish the draft that --out writes, and send it for signature:")
    for command in one.adopting:
        console.print(f"  {command}", markup=False, soft_wrap=True)
    console.print(f"To keep what you decide about it:\n  {one.deciding}", markup=False, soft_wrap=True)


def _print(table: Table, console: Console) -> None:
    shown = titled(table.title, *table.columns)
    for row in table.rows:
        shown.add_row(*(_cell(value) for value in row))
    if table.remark:
        shown.caption = escape(table.remark)
        shown.caption_justify = "left"
    console.print()
    console.print(shown)


def _cell(value: wording.Cell) -> Text:
    return Text(wording.cell(value), style="bright_black" if wording.is_faint(value) else "")
