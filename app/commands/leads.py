"""Leads: import, export, release, restart a stuck one."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress
from sqlmodel import Session

from agreements.countries import unclear_country
from agreements.lifecycle import Stage, again
from agreements.words import NoWord, word
from app import terminal
from app.files import standard_output, written_whole
from storage import handoffs, wakes
from tasks.background.held_leads import release_held

if TYPE_CHECKING:
    from app.csv_import.file import ReadLeads
    from app.csv_import.lead_map import LeadMap
    from tasks.wiring.toolbox import Toolbox


def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file.")],
    map: Annotated[Path | None, typer.Option(help="A map that names its columns, see examples/maps/.")] = None,
    timezone: Annotated[str, typer.Option(help="Zone of dates without a zone.")] = "UTC",
    hold: Annotated[bool, typer.Option("--hold", help="Store the leads, but start nothing until `baton leads release`.")] = False,
    limit: Annotated[int | None, typer.Option(help="Import at most this many rows.", min=1)] = None,
    list_of: Annotated[str, typer.Option("--as-list", help="A list of this campaign: show what it would do, then ask.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not show the first rows, and do not ask.")] = False,
    encoding: Annotated[str, typer.Option(help="Encoding, such as windows-1252. Default: what the map says, otherwise UTF-8.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only show the first rows as they are understood.")] = False,
) -> None:
    """Import a CSV file. Good rows go in. The command names each bad row with its line and reason, and then ends with exit code 3."""
    from app.commands import import_preview, list_import
    from app.csv_import.importing import import_leads, keep_for_good

    box = terminal.open_box()
    read, mapping = _read(box, file, map, Reading(timezone, limit, encoding))
    asks = import_preview.asks(yes=yes) and not list_of
    if preview or asks:
        import_preview.show(read, file, mapping, encoding)
    if preview:
        return
    if asks and not import_preview.agreed():
        terminal.fail(terminal.FINDINGS, "Nothing was taken in.")
    if list_of:
        read = list_import.as_list(read, list_of)
        if not list_import.shown_and_agreed(box, read, list_of, yes=yes):
            terminal.fail(terminal.FINDINGS, "Nothing was taken in.")
    keep_for_good()
    with terminal.told(), Progress(console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("importing", total=len(read.rows))
        result = import_leads(box, read, hold=hold, actor="cli", progress=lambda done: progress.advance(bar, done))
    for bad in result.bad:
        terminal.complaints.print(f"{file}:{bad.line}: {bad.reason}", markup=False, soft_wrap=True)
    terminal.console.print(
        f"{result.new} new, {result.activity} activities of known leads, {result.merged} merged, "
        f"{result.repeated} known before, {len(result.bad)} bad."
    )
    if result.bad:
        raise typer.Exit(terminal.PARTLY)


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file: the zone of dates without one, how many rows at most, and the encoding, empty for what the map says."""

    timezone: str
    limit: int | None
    encoding: str


def _read(box: Toolbox, file: Path, map: Path | None, how: Reading) -> tuple[ReadLeads, LeadMap | None]:
    """Read the rows of the file, and say what was left out or is unclear. A file that cannot be used ends the command."""
    from app.csv_import.file import UnreadableFile, read_leads, read_map

    today = box.read_now(lambda session, now: now)
    try:
        mapping = read_map(map) if map else None
        read = read_leads(file, mapping=mapping, timezone=how.timezone, limit=how.limit, today=today, encoding=how.encoding)
    except (UnreadableFile, ValueError) as error:
        terminal.fail(terminal.USAGE, str(error))
    for part in read.left_out:
        terminal.complaints.print(f"{file}: {part}", markup=False, soft_wrap=True)
    if read.ignored_columns:
        left_out = ", ".join(read.ignored_columns)
        terminal.complaints.print(f"Unknown columns were left out: {left_out}", markup=False, soft_wrap=True)
    for problem, count in Counter(unclear_country(row.lead.country) for row in read.rows).items():
        if problem:
            terminal.complaints.print(f"country: {problem} ({count} row{'s' if count > 1 else ''})", markup=False, soft_wrap=True)
    return read, mapping


def export_file(
    file: Annotated[str, typer.Argument(help="File to write; - for standard output.")],
    stage: Annotated[str, typer.Option(help="Only leads in this stage.")] = "",
    agreement: Annotated[str, typer.Option(help="Only leads under this agreement: name, or name@version.")] = "",
    excel: Annotated[bool, typer.Option("--excel", help="Add a byte order mark, so that Excel reads UTF-8.")] = False,
) -> None:
    """Write leads as CSV. Texts that a spreadsheet would calculate get an apostrophe in front."""
    from app.exporting import Wanted, count, export

    wanted = Wanted(_stage(stage), _agreement(agreement))
    encoding = "utf-8-sig" if excel else "utf-8"
    box = terminal.open_box()
    with terminal.told(), Progress(console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("exporting", total=box.read_now(lambda session, now: count(session, wanted)))
        with standard_output(encoding=encoding) if file == "-" else written_whole(Path(file), encoding=encoding) as out:
            done = export(box, out, wanted, progress=lambda rows: progress.advance(bar, rows))
    terminal.complaints.print(f"{done} lead{'' if done == 1 else 's'} written.")


def _stage(stage: str) -> Stage | NoWord:
    known = word(stage, list(Stage))
    if stage and known is None:
        terminal.fail(terminal.USAGE, f"There is no stage {stage!r}; there are {', '.join(Stage)}.")
    return known or ""


def _agreement(reference: str) -> str:
    _, at, version = reference.partition("@")
    if at and not version.isdecimal():
        terminal.fail(
            terminal.USAGE, f"{reference!r} is no agreement; write its name, as in b2b-saas, or name and version, as in b2b-saas@3."
        )
    return reference


def release(limit: Annotated[int | None, typer.Option(help="Start at most this many leads.", min=1)] = None) -> None:
    """Start the leads that were imported with --hold."""
    box = terminal.open_box()
    with terminal.told(), Progress(console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("releasing", total=box.read_now(lambda session, now: handoffs.count_held(session)))
        count = asyncio.run(release_held(box, limit=limit, progress=lambda more: progress.advance(bar, more)))
    terminal.console.print(f"{count} started.")


def unstick(lead: Annotated[int, typer.Argument(help="Number of the lead.")]) -> None:
    """Let a stuck lead continue where it stopped, in a new run."""
    box = terminal.open_box()

    def work(session: Session, now) -> bool:  # type: ignore[no-untyped-def]
        handoff = handoffs.latest_of(session, lead)
        if handoff is None or handoff.stage != Stage.STUCK:
            return False
        handoff.failures, handoff.retry_at = 0, None
        handoff.run_no, handoff.flow_run_id = handoff.run_no + 1, ""
        handoffs.move(session, handoff, again(handoff.track), now=now, actor="operator")
        wakes.add(session, handoff.id, "unstuck", key=f"unstuck:{handoff.id}:{handoff.run_no}", not_before=now)
        return True

    with terminal.told():
        if not box.write_now(work):
            terminal.fail(terminal.FINDINGS, f"Lead {lead} is not stuck.")
        terminal.console.print(f"Lead {lead} goes on.")
