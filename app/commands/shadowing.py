"""Audits a live CRM, from what it knows of its past leads."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from agreements.errors import CrmError
from app import terminal
from app.commands.auditing import DAYS, present, progress_bars, tell_audit, timed_agreement
from app.report_output import unusable_input

if TYPE_CHECKING:
    from app.audit.report import Audit
    from app.shadow.reading import ReadPast
    from app.shadow.words import Words
    from storage.crm.past import Asked, CrmPast

#: How far back a report looks, unless the user says it.
DAYS_BACK = 90


def shadow(
    agreement: Annotated[str, typer.Option(help="The draft whose promises are timed: a file or name@version.")] = "",
    map: Annotated[Path | None, typer.Option(help="A map that says what the CRM's fields and words mean, see docs/audit.md.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only leads created since this day. Default: 90 days back.", formats=DAYS)] = None,
    until: Annotated[datetime | None, typer.Option(help="Only leads created on this day or earlier.", formats=DAYS)] = None,
    out: Annotated[Path | None, typer.Option(help="Write a page with charts to this file.")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON to this file; - is standard output.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep what was read in this folder, for `baton audit`.")] = None,
) -> None:
    """Show how marketing and sales treat their leads today, from the CRM itself. Sends nothing, and writes nothing to the CRM.

    Reads the CRM that BATON_CRM_URL names, with a token that needs to read only. Times both sides against the agreement, else against
    the starter agreement. The exit code is 3 when something was left out, and 4 when the CRM could not be read to the end.
    """
    from app.audit.audit import audit as audited
    from app.csv_import.map_file import read_map_as
    from app.shadow.crm_map import CrmMap
    from app.shadow.words import words_of
    from tasks.wiring.crm import wire_past

    _refuse_missing_folders(out, as_json)
    with terminal.told(), unusable_input(), TemporaryDirectory() as made:
        past = wire_past(terminal.read_settings())
        chosen, now = timed_agreement(agreement), present()
        words = words_of(past.name, chosen if agreement else None, read_map_as(CrmMap, map) if map else None)
        zone = ZoneInfo(chosen.timezone)
        asked = _asked(since, until, now.astimezone(zone), words)
        _tell_words(past, words)
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
        read = _read(past, asked, words, Path(made), chosen.timezone)
        with progress_bars() as tell:
            found = audited(read.files, chosen, drafted=bool(agreement), now=now, progress=tell)
        if keep:
            _keep(Path(made), keep, read, agreement)
        for sentence in (*read.untold, *_unexplained(found)):
            terminal.complaints.print(sentence, markup=False, soft_wrap=True)
    tell_audit(found, out=out, as_json=as_json)


def _refuse_missing_folders(*files: Path | None) -> None:
    """End the command before a long reading whose result has no place."""
    for file in files:
        if file and not file.absolute().parent.is_dir():
            terminal.fail(terminal.USAGE, f"{file}: there is no such folder; name a file that can be written")


def _asked(since: datetime | None, until: datetime | None, now: datetime, words: Words) -> Asked:
    """Return which leads to ask for. now: in the zone of the agreement, in which days begin."""
    from storage.crm.past import Asked

    first = since.date() if since else now.date() - timedelta(days=DAYS_BACK)
    last = until.date() if until else now.date()
    if first > last:
        terminal.fail(terminal.USAGE, f"--since {first} is after --until {last}; write the earlier day first.")
    begin, end = (datetime.combine(day, time(), now.tzinfo) for day in (first, last + timedelta(days=1)))
    return Asked(begin, end, words.fields, words.source, words.created)


def _tell_words(past: CrmPast, words: Words) -> None:
    """Say what the values of the status mean, and who says it."""
    terminal.complaints.print(f"What the field {words.status} of {past.name} says, by {words.by}:", markup=False, soft_wrap=True)
    for meaning, cells in words.statuses.items():
        terminal.complaints.print(f"  {meaning}: {', '.join(cells)}", markup=False, soft_wrap=True)


def _unexplained(found: Audit) -> Iterator[str]:
    """Yield a sentence about the statuses that nobody explains."""
    if unknown := found.unmapped_statuses:
        named = ", ".join(f"{word} ({number:,})" for word, number in unknown.items())
        yield f"Nobody says what these statuses mean, so they count as new: {named}. Name them under `audit: statuses` in a map."


def _read(past: CrmPast, asked: Asked, words: Words, folder: Path, timezone: str) -> ReadPast:
    """Read the CRM to the end, and show how far it is. An error of the CRM ends the command, and nothing is reported."""
    from app.shadow.reading import read_past

    reached = 0
    with _spinner(past.name) as tell:

        def progress(leads: int) -> None:
            nonlocal reached
            reached = leads
            tell(leads)

        try:
            return asyncio.run(read_past(past, asked, words, folder=folder, timezone=timezone, progress=progress))
        except CrmError as error:
            gave_up = f"Baton gave up after {reached:,} leads, so there is no report. Run the command again."
            terminal.fail(terminal.AWAY, f"{error}\n{gave_up}")


@contextmanager
def _spinner(name: str) -> Iterator[Callable[[int], None]]:
    """Show on standard error how many leads were read."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=terminal.complaints, transient=True) as progress:
        task = progress.add_task(f"reading {name}")
        yield lambda leads: progress.update(task, description=f"reading {name}: {leads:,} leads")


def _keep(made: Path, folder: Path, read: ReadPast, agreement: str) -> None:
    """Keep the files, and say how to audit them again."""
    for one in sorted(made.iterdir()):
        shutil.copyfile(one, folder / one.name)
    words = ["baton", "audit"]
    for option, file in (("leads", read.files.leads), ("activities", read.files.activities)):
        if file:
            words += [f"--{option}", str(folder / file.name)]
            words += ["--map" if option == "leads" else f"--{option}-map", str((folder / file.name).with_suffix(".yaml"))]
    words += ["--agreement", agreement] if agreement else []
    terminal.complaints.print(f"The same report again: {shlex.join(words)}", markup=False, soft_wrap=True)
