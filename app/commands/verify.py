"""Verifies that every lead is accounted for and that the trail is whole."""

from __future__ import annotations

import gc
from typing import Annotated

import typer
from sqlmodel import col, select

from agreements.crm_comparison import DAYS
from app import terminal
from storage import figures, mail_findings, strays, trail
from storage.tables import Seal
from storage.trail import TrailCheck
from tasks.trail import sealing
from tasks.trail.heads import HeadFile, HeadsUnreadable
from tasks.wiring.toolbox import Toolbox

#: How many characters of a head are enough to find it.
ENOUGH = 16


def verify(
    head: Annotated[str, typer.Option(help="The first 16 characters or more of a head that Baton mailed or printed earlier.")] = "",
    crm: Annotated[bool, typer.Option("--crm", help="Compare leads and opportunities with the CRM instead.")] = False,
    days: Annotated[int, typer.Option(help="With --crm: compare leads that ended within so many days.", min=0, max=3650)] = DAYS,
    as_json: Annotated[bool, typer.Option("--json", help="With --crm: as JSON.")] = False,
) -> None:
    """Prove that every lead is in exactly one stage, and that nobody changed the trail.

    Every open lead must have an owner, a due time, and something that will move it. Answers, promises, assignments, deliveries and
    signatures must match the trail. With --crm, list leads that Baton or the CRM lacks, or of which they say different things.
    """
    if crm:
        from app.commands import verify_crm

        verify_crm.compare(terminal.open_box(), days=days, as_json=as_json)
        return
    head = head.strip().lower()
    if head and (len(head) < ENOUGH or not set(head) <= set("0123456789abcdef")):
        terminal.fail(terminal.USAGE, f"--head takes at least {ENOUGH} characters of a head, which are digits and the letters a to f.")
    box = terminal.open_box()
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    lost = box.read_now(lambda session, now: figures.unowned(session, now=now))
    chain = _chain(box)
    terminal.console.print(f"leads {found.leads} = " + " + ".join(f"{count} {stage}" for stage, count in found.stages.items()))
    terminal.console.print(f"trail: {chain.sealed} events sealed, {chain.unsealed} not yet, head {chain.head[:ENOUGH] or 'none'}")
    if chain.pruned_until is not None:
        terminal.console.print(f"{chain.pruned} events up to {chain.pruned_until:%Y-%m-%d %H:%M} UTC were removed as agreed.")
    stranded, rescued = box.read_now(lambda session, now: (strays.all_stranded(session), strays.rescued(session)))
    if rescued:
        terminal.console.print(f"{rescued} times Baton had to move a stranded lead again. Please report this.", style="yellow")
    if to_look_at := box.read_now(lambda session, now: mail_findings.open_count(session)):
        terminal.console.print(f"{to_look_at} returned mails or complaints wait for somebody: `baton bounces list`.", style="yellow")
    if stranded:
        terminal.complaints.print(f"Nothing will move these handoffs: {', '.join(map(str, stranded))}", style="red")
    if lost:
        terminal.complaints.print(f"Without owner or due time: lead {', '.join(map(str, lost))}", style="red")
    changed = [f"The trail was changed: {finding}" for finding in chain.findings] + _lost_heads(box)
    if head and (unknown := _place_of(box, head)):
        changed.append(unknown)
    for finding in changed:
        terminal.complaints.print(finding, style="red", markup=False, soft_wrap=True)
    if lost or stranded or changed or not chain.whole or found.unaccounted:
        raise typer.Exit(terminal.FINDINGS)


def _chain(box: Toolbox) -> TrailCheck:
    """Check the whole trail as of one moment. Without garbage collection, which would take a sixth of the time and find nothing."""
    now = box.read_now(lambda _, now: now)
    gc.disable()
    try:
        with box.database.read() as session:
            return trail.check(session, key=box.settings.seal_key(), now=now)
    finally:
        gc.enable()


def _lost_heads(box: Toolbox) -> list[str]:
    """Return where the heads that this machine has kept contradict the database."""
    heads = HeadFile(box.settings.folder)
    try:
        missing = box.read_now(lambda session, now: sealing.lost_heads(session, heads))
    except HeadsUnreadable as error:
        return [str(error)]
    if not heads.path.exists():
        terminal.console.print("No head of the trail is kept on this machine.")
    return [sealing.what_is_missing(missing[-1], heads)] if missing else []


def _place_of(box: Toolbox, head: str) -> str:
    """Return a text about the seal with this head, or that there is none."""
    query = select(Seal).where(col(Seal.digest).startswith(head, autoescape=True)).order_by(col(Seal.id)).limit(1)
    row = box.read_now(lambda session, now: session.exec(query).first())
    if row is None:
        return f"No seal has the head {head}: the trail was cut off before it or made anew, or the head is of another installation."
    terminal.console.print(f"head {row.digest[:ENOUGH]}: seal {row.id} of {row.sealed_at:%Y-%m-%d %H:%M} UTC, {row.total} events up to it")
    return ""
