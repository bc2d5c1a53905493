"""Shows what taking in a list would do, and asks before it is done."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import typer
from rich.progress import Progress
from rich.table import Table

from app import terminal
from app.csv_import.file import ReadLeads
from tasks.list_preview import Becomes, Preview, Queue, preview
from tasks.wiring.toolbox import Toolbox

#: The days that the plan shows one by one.
DAYS_SHOWN = 10
_WORDS: dict[Becomes, str] = {
    "qualifies": "would qualify",
    "not ready": "not ready: marketing keeps them in nurture",
    "customer": "customers, or with a deal or an owner in the CRM",
    "opted out": "opted out: nobody contacts them",
    "sorted out": "sorted out",
    "held": "held: no agreement is for them",
    "known": "known already: their activity is added",
}


def as_list(read: ReadLeads, campaign: str) -> ReadLeads:
    """Return the rows as leads of this campaign. A row that names another campaign keeps it."""
    rows = [row if row.lead.campaign else replace(row, lead=row.lead.model_copy(update={"campaign": campaign})) for row in read.rows]
    return replace(read, rows=rows)


def shown_and_agreed(box: Toolbox, read: ReadLeads, campaign: str, *, yes: bool) -> bool:
    """Print what the list would do, and ask. True when it may be taken in. yes: do not ask."""
    with terminal.told(), Progress(console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("looking", total=len(read.rows))
        found = asyncio.run(preview(box, [row.lead for row in read.rows], progress=lambda rows: progress.advance(bar, rows)))
    _show(found, read, campaign)
    return yes or typer.confirm("Take these rows in?")


def _show(found: Preview, read: ReadLeads, campaign: str) -> None:
    _say(f"List {campaign!r}: {len(read.rows) + len(read.bad)} rows.")
    for becomes, words in _WORDS.items():
        if count := found.rows[becomes]:
            _say(f"  {count:>6} {words}{_reasons(found) if becomes == 'sorted out' else ''}")
    if read.bad:
        _say(f"  {len(read.bad):>6} bad: they are not taken in")
    if found.crm_error:
        _say(f"The CRM did not answer, so customers are not counted: {found.crm_error}")
    for queue in found.queues:
        _show_queue(queue)


def _reasons(found: Preview) -> str:
    return f" ({', '.join(f'{reason} {count}' for reason, count in found.reasons.most_common())})"


def _show_queue(queue: Queue) -> None:
    where = f"Tier {queue.tier}, {f'team {queue.team}' if queue.team else 'the default acceptor'}"
    if not queue.per_rep:
        _say(f"{where}: {queue.leads} at once, because the tier has no `release`.")
        return
    behind = f", behind {queue.ahead} in the queue" if queue.ahead else ""
    last = f"; the last on {queue.days[-1].day:%a %d %b %Y}" if queue.days else ""
    _say(f"{where}: {queue.leads} at {queue.per_rep} per rep per working day{behind}{last}. Hot leads go first on every day.")
    if queue.unplanned:
        _say(f"  {queue.unplanned} have no day: nobody of the team is there for long enough.")
    if queue.days:
        terminal.console.print(_table(queue))
    if (left := len(queue.days) - DAYS_SHOWN) > 0:
        _say(f"  … and {left} more day{'s' if left > 1 else ''}.")


def _table(queue: Queue) -> Table:
    reps = list(dict.fromkeys(rep for day in queue.days for rep in day.given))
    table = Table("day", *reps, box=None)
    for day in queue.days[:DAYS_SHOWN]:
        table.add_row(f"{day.day:%a %d %b}", *(str(day.given.get(rep, "")) for rep in reps))
    return table


def _say(words: str) -> None:
    terminal.console.print(words, markup=False, highlight=False, soft_wrap=True)
