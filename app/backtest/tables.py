"""Tables of a report in the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table


def titled(title: str, *columns: str) -> Table:
    """Return an empty table with this title. The first column holds words, the others hold numbers."""
    table = Table(title=title, title_style="bold", title_justify="left")
    for index, name in enumerate(columns):
        table.add_column(escape(name), justify="left" if index == 0 else "right", overflow="fold")
    return table
