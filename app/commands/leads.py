"""Leads: import, export, list, show, release."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from agreements.roster import Roster
from app import terminal
from app.commands import erasing
from app.files import standard_output, written_whole
from storage import consents, handoffs, leads, proof, roster, wakes
from storage.tables import Assignment, Delivery, DeliveryState, Handoff, Lead
from storage.time_ledger import Ledger, ledger
from tasks.background.held_leads import release_held
from tasks.messages import lead_view
from tasks.messages.template_faults import FAULTY

app = typer.Typer(no_args_is_help=True, help="Leads: take in, look at, write out, erase.")
app.command("erase")(erasing.erase)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file.")],
    map: Annotated[Path | None, typer.Option(help="How its columns are called, see examples/maps/.")] = None,
    timezone: Annotated[str, typer.Option(help="In which dates without a zone are meant.")] = "UTC",
    hold: Annotated[bool, typer.Option("--hold", help="Store, but start nothing until `baton leads release`.")] = False,
    limit: Annotated[int | None, typer.Option(help="At most so many rows.", min=1)] = None,
) -> None:
    """Take in a CSV file. Good rows go in; each bad one is named with its line and reason, and the exit code is 3."""
    from app.csv_import.file import UnreadableFile, read_leads, read_map
    from app.csv_import.importing import import_leads

    box = terminal.open_box()
    today = box.read_now(lambda session, now: now)
    try:
        mapping = read_map(map) if map else None
        read = read_leads(file, mapping=mapping, timezone=timezone, limit=limit, today=today)
    except (UnreadableFile, ValueError) as error:
        terminal.fail(terminal.USAGE, str(error))
    if read.ignored_columns:
        left_out = ", ".join(read.ignored_columns)
        terminal.complaints.print(f"Columns that nobody asked for were left out: {left_out}", markup=False, soft_wrap=True)
    with terminal.told(), Progress(console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("importing", total=len(read.rows))
        result = import_leads(box, read, hold=hold, actor="cli", progress=lambda done: progress.advance(bar, done))
    for bad in result.bad:
        terminal.complaints.print(f"{file}:{bad.line}: {bad.reason}", markup=False, soft_wrap=True)
    terminal.console.print(
        f"{result.new} new, {result.activity} activities of known leads, {result.merged} merged, "
        f"{result.repeated} were here already, {len(result.bad)} bad."
    )
    if result.bad:
        raise typer.Exit(terminal.PARTLY)


@app.command("export")
def export_file(
    file: Annotated[str, typer.Argument(help="Where to; - is standard output.")],
    stage: Annotated[str, typer.Option(help="Only leads in this stage.")] = "",
    agreement: Annotated[str, typer.Option(help="Only leads under this agreement: name, or name@version.")] = "",
    excel: Annotated[bool, typer.Option("--excel", help="With a byte order mark, by which Excel knows UTF-8.")] = False,
) -> None:
    """Write leads as CSV. Texts that a spreadsheet would calculate get an apostrophe before them."""
    from app.exporting import Wanted, count, export

    wanted = Wanted(_stage(stage), _agreement(agreement))
    encoding = "utf-8-sig" if excel else "utf-8"
    box = terminal.open_box()
    with terminal.told(), Progress(console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("exporting", total=box.read_now(lambda session, now: count(session, wanted)))
        with standard_output(encoding=encoding) if file == "-" else written_whole(Path(file), encoding=encoding) as out:
            done = export(box, out, wanted, progress=lambda rows: progress.advance(bar, rows))
    terminal.complaints.print(f"{done} lead{'' if done == 1 else 's'} written.")


def _stage(stage: str) -> str:
    if stage and stage not in list(Stage):
        terminal.fail(terminal.USAGE, f"There is no stage {stage!r}; there are {', '.join(Stage)}.")
    return stage


def _agreement(reference: str) -> str:
    _, at, version = reference.partition("@")
    if at and not version.isdecimal():
        terminal.fail(
            terminal.USAGE, f"{reference!r} is no agreement; write its name, as in b2b-saas, or name and version, as in b2b-saas@3."
        )
    return reference


@app.command("release")
def release(limit: Annotated[int | None, typer.Option(help="At most so many.", min=1)] = None) -> None:
    """Start what was imported with --hold."""
    box = terminal.open_box()
    with terminal.told(), Progress(console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("releasing", total=box.read_now(lambda session, now: leads.count_held(session)))
        count = asyncio.run(release_held(box, limit=limit, progress=lambda more: progress.advance(bar, more)))
    terminal.console.print(f"{count} started.")


@app.command("unstick")
def unstick(lead: Annotated[int, typer.Argument(help="Number of the lead.")]) -> None:
    """Let a stuck lead go on where it stood, in a new run."""
    box = terminal.open_box()

    def work(session: Session, now) -> bool:  # type: ignore[no-untyped-def]
        handoff = handoffs.latest_of(session, lead)
        if handoff is None or handoff.stage != Stage.STUCK:
            return False
        handoff.failures, handoff.retry_at = 0, None
        handoff.run_no, handoff.flow_run_id = handoff.run_no + 1, ""
        handoffs.move(session, handoff, f"{handoff.track}-again", now=now, actor="operator")
        wakes.add(session, handoff.id or 0, "unstuck", key=f"unstuck:{handoff.id}:{handoff.run_no}", not_before=now)
        return True

    with terminal.told():
        if not box.write_now(work):
            terminal.fail(terminal.FINDINGS, f"Lead {lead} is not stuck.")
        terminal.console.print(f"Lead {lead} goes on.")


@app.command("list")
def list_leads(
    stage: Annotated[str, typer.Option(help="Only leads in this stage.")] = "",
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """The newest leads: stage, owner, agreement."""
    box = terminal.open_box()
    table = Table("lead", "company", "stage", "tier", "score", "owner", "rep", "agreement")
    for handoff, lead in box.read_now(lambda session, now: _newest(session, stage, limit)):
        row = (lead.company or "–", handoff.stage, handoff.tier, str(handoff.score), handoff.owner, handoff.rep)
        table.add_row(str(handoff.lead_id), *row, f"{handoff.agreement}@{handoff.version}")
    terminal.console.print(table)


def _newest(session: Session, stage: str, limit: int) -> list[tuple[Handoff, Lead]]:
    query = select(Handoff, Lead).join(Lead, col(Lead.id) == col(Handoff.lead_id))
    if stage:
        query = query.where(Handoff.stage == stage)
    return list(session.exec(query.order_by(col(Handoff.id).desc()).limit(limit)))


@app.command("show")
def show(lead: Annotated[int, typer.Argument(help="Number of the lead.")]) -> None:
    """Everything known of one lead: facts, note, timeline, messages, and where its time went."""
    box = terminal.open_box()
    with terminal.told():
        row = box.read_now(lambda session, now: session.get(Lead, lead))
        if row is None:
            terminal.fail(terminal.FINDINGS, f"There is no lead {lead}.")
        box.read_now(lambda session, now: _print(session, row, now))


def _print(session: Session, lead: Lead, now) -> None:  # type: ignore[no-untyped-def]
    people = roster.current(session)
    lead_id = lead.id or 0
    handoff = handoffs.latest_of(session, lead_id)
    console = terminal.console
    console.print(f"[bold]Lead {lead_id}[/bold]", end=" ")
    console.print(f"{lead.company} · {lead.first_name} {lead.last_name} · {lead.job_title} · {lead.email} · {lead.phone}", markup=False)
    if lead.erased_at:
        console.print(f"Everything personal was deleted at {lead.erased_at:%a %d %b %Y %H:%M} UTC.")
    for consent in consents.of_lead(session, lead_id):
        since = f", since {consent.at:%d %b %Y}" if consent.at else ""
        told = f" ({consent.source})" if consent.source else ""
        console.print(f"  may be contacted by {consent.channel} for {consent.purpose}: {consent.basis}{since}{told}", markup=False)
    if handoff is None:
        return
    points = f"score {handoff.score} (fit {handoff.fit}, engagement {handoff.engagement})"
    console.print(f"{handoff.stage}, owner {people.name_of(handoff.owner)}, {points}")
    view = lead_view.lead_view(session, handoff)
    for name, value, source, at in view.beside:
        console.print(f"  {name.replace('_', ' ')}: {value} (also given by {source}, on {at:%d %b %Y %H:%M} UTC)", markup=False)
    for name, text in view.statements.items():
        console.print(f"  {name.replace('_', ' ')}: {text}", markup=False)
    console.print("\n[bold]What happened[/bold]")
    for at, text in lead_view.timeline(session, lead_id, people=people):
        console.print(f"  {at:%a %d %b %Y %H:%M} UTC  {text}", markup=False)
    console.print("\n[bold]Messages[/bold]")
    for one in session.exec(select(Delivery).join(Handoff, col(Handoff.id) == col(Delivery.handoff_id)).where(Handoff.lead_id == lead_id)):
        instead = f" (Baton's own template instead of {', '.join(one.context[FAULTY])})" if FAULTY in one.context else ""
        said = f"{one.message} to {people.name_of(one.person)} over {one.channel}: {_state(one)} {one.error or one.proof}"
        console.print(f"  {said}{instead}", markup=False)
    _print_tenures(session, lead_id, people)
    console.print("\n[bold]Where the time went[/bold]")
    print_bar(ledger(session, lead_id, now=now))


def _state(one: Delivery) -> str:
    if one.state == DeliveryState.SENT and one.confirm_at:
        return f"sent, has arrived at {one.confirm_at:%H:%M} UTC unless it comes back;"
    return str(one.state)


def _print_tenures(session: Session, lead_id: int, people: Roster) -> None:
    """Who was told, whether they looked, and whether they answered: three different things."""
    rows = list(session.exec(select(Assignment).where(Assignment.lead_id == lead_id).order_by(col(Assignment.assigned_at))))
    if rows:
        terminal.console.print("\n[bold]Who had it[/bold]")
    for row in rows:
        reached = f"delivered {row.proven_at:%a %d %b %H:%M} UTC" if row.proven_at else "not delivered"
        looked = "seen" if proof.was_seen(session, row.id) else "not seen"
        ended = f", until {row.ended_at:%a %d %b %H:%M} UTC: {row.ended_because}" if row.ended_at else ""
        terminal.console.print(f"  {people.name_of(row.rep)}: {reached}, {looked}{ended}", markup=False)


def print_bar(found: Ledger) -> None:
    """The ledger as a bar of 60 characters and a line for each account."""
    whole = found.whole or timedelta(seconds=1)
    colours = {
        "baton": "cyan",
        "marketing": "magenta",
        "sales": "green",
        "manager": "yellow",
        "closed hours": "bright_black",
        "nurture": "blue",
    }
    for name, part in found.parts.items():
        if part:
            cells = max(1, round(60 * (part / whole)))
            terminal.console.print(f"  {name:13}{part / whole:6.1%}  [{colours[name]}]{'█' * cells}[/] {_span(part)}")


def _span(part: timedelta) -> str:
    minutes = round(part.total_seconds() / 60)
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    return f"{days} d {hours} h" if days else f"{hours} h {left} min" if hours else f"{left} min"
