"""Verify: is every lead accounted for, and is the trail whole?"""

from __future__ import annotations

import typer

from app import terminal
from storage import figures, strays, trail


def verify() -> None:
    """Prove that leads in = the sum over stages, and that the trail is whole.

    Every open lead must have an owner, a due time, and something that will move it.
    """
    box = terminal.open_box()
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    lost = box.read_now(lambda session, now: figures.unowned(session, now=now))
    with box.database.read() as session:  # all of it as of one moment
        chain = trail.check(session, key=box.settings.seal_key(), now=box.read_now(lambda _, now: now))
    terminal.console.print(f"leads {found.leads} = " + " + ".join(f"{count} {stage}" for stage, count in found.stages.items()))
    terminal.console.print(f"trail: {chain.sealed} events sealed, {chain.unsealed} not yet, head {chain.head[:16] or 'none'}")
    stranded, rescued = box.read_now(lambda session, now: (strays.all_stranded(session), strays.rescued(session)))
    if rescued:
        terminal.console.print(f"{rescued} times a lead was stranded and was set moving again: please report that.", style="yellow")
    if stranded:
        terminal.complaints.print(f"Nothing would move: handoff {', '.join(map(str, stranded))}", style="red")
    if lost:
        terminal.complaints.print(f"Without owner or due time: lead {', '.join(map(str, lost))}", style="red")
    if chain.pruned_until is not None:
        terminal.console.print(f"{chain.pruned} events up to {chain.pruned_until:%Y-%m-%d %H:%M} UTC were removed as agreed.")
    for finding in chain.findings:
        terminal.complaints.print(f"The trail was changed: {finding}", style="red", markup=False, soft_wrap=True)
    if lost or stranded or not chain.whole or found.unaccounted:
        raise typer.Exit(terminal.FINDINGS)
