"""Writes agreements: one to begin with, the mistakes in a file, and the schema for editors."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import DownloadColumn, Progress
from rich.table import Table

from agreements.checks import Problem, notes_of, problems_of, problems_with_roster, unprovable
from agreements.clauses.base import NAME
from agreements.model import Agreement
from agreements.roster import Roster, read_roster
from agreements.schema import agreement_schema
from agreements.yaml_reader import read
from app import terminal
from app.commands.agreement.references import ReferenceOrFile, agreement_of, text_of


class Example(StrEnum):
    """The shipped agreements."""

    STARTER = "starter"
    B2B_SAAS = "b2b-saas"
    MULTI_PRODUCT = "multi-product"
    MARKETPLACE = "marketplace"


def new(
    name: Annotated[str, typer.Argument(help="Name of the agreement: letters, digits, -, _ and .")],
    example: Annotated[Example, typer.Option("--from", help="The shipped agreement to begin with.")] = Example.STARTER,
    out: Annotated[Path | None, typer.Option(help="File to write. Default: NAME.yaml.")] = None,
) -> None:
    """Write an agreement to begin with. It passes `check` at once. An existing file is never overwritten."""
    if len(name) > 80 or not re.fullmatch(NAME, name):
        terminal.fail(terminal.USAGE, f"{name!r} is no name; write letters, digits, -, _ and ., at most 80, such as b2b-saas.")
    text = files("agreements").joinpath("examples", f"{example}.yaml").read_text(encoding="utf-8")
    called = name if isinstance(read(name).value, str) else json.dumps(name)
    text = text.replace(f"\nagreement: {example}\n", f"\nagreement: {called}\n", 1)
    file = out or Path(f"{name}.yaml")
    _write(file, text)
    terminal.console.print(
        f"{file} is written. Fill in your signers, teams and rules (docs/agreements.md). Then run:\n"
        f"  baton agreement check {file}\n  baton agreement show {file}\n  baton agreement publish {file}",
        markup=False,
        soft_wrap=True,
    )


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        terminal.fail(terminal.FINDINGS, f"{file} exists already; name another file with --out.")
    except OSError as error:
        terminal.fail(terminal.USAGE, f"{file} cannot be written: {error.strerror}; name another file with --out.")


def schema(out: Annotated[Path | None, typer.Option(help="File to write. Default: standard output.")] = None) -> None:
    """Write the JSON Schema of an agreement file, for editors: which keys and values are allowed, and what they mean."""
    text = json.dumps(agreement_schema(), indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        terminal.fail(terminal.USAGE, f"{out} cannot be written: {error.strerror}; name another file with --out.")
    line = f"# yaml-language-server: $schema={out.name}"
    terminal.console.print(f"{out} is written. Many editors use it for a file that begins with: {line}", markup=False, soft_wrap=True)


def check(
    ref: ReferenceOrFile,
    roster: Annotated[Path | None, typer.Option(help="A roster file, to check that teams, people and calendars exist.")] = None,
    leads: Annotated[Path | None, typer.Option(help="A CSV file of leads, to check how well they answer the rules.")] = None,
    map: Annotated[Path | None, typer.Option(help="A map that names its columns, see examples/maps/.")] = None,
) -> None:
    """Show every mistake in a file at once, with its line and what to write instead. Notes name what is allowed and probably wrong."""
    with terminal.told():
        agreement = agreement_of(ref)
        problems = [_told(one) for one in problems_of(agreement)]
        people = read_roster(roster.read_text(encoding="utf-8")) if roster else None
        problems += problems_with_roster(agreement, people) if people else []
    for problem in problems:
        terminal.complaints.print(f"{ref}: {problem}", markup=False, soft_wrap=True)
    if problems:
        raise typer.Exit(terminal.FINDINGS)
    terminal.console.print(f"{agreement.reference} is fine.", markup=False)
    for note in _notes(ref, agreement):
        terminal.console.print(note, markup=False, soft_wrap=True)
    _show_proof(ref, agreement, people)
    if leads:
        _show_fill(agreement, leads, map)


def _show_proof(ref: str, agreement: Agreement, people: Roster | None) -> None:
    """Print which channels can prove something in this installation, and where they are too few for this agreement."""
    from tasks.wiring.proving import in_words, installed

    here = installed(terminal.read_settings(), people)
    terminal.console.print(in_words(here, counts_unread="unread" in agreement.notify.proof.counts), markup=False, soft_wrap=True)
    for one in unprovable(agreement, here):
        end = "A deploy here is refused." if one.nobody else "Their leads would go on as not delivered in time."
        terminal.complaints.print(f"{ref}: warning: {one}. {end}", markup=False, soft_wrap=True)


def _notes(ref: str, agreement: Agreement) -> list[str]:
    """Return what to know before signing, each with its line where the agreement is a file."""
    written = read(text_of(Path(ref))) if Path(ref).is_file() else None
    lines = [(f"{ref}:{written.line(note.where)}" if written else ref, note) for note in notes_of(agreement)]
    return [f"{line}: note: {_told(note)}" for line, note in lines]


def _told(problem: Problem) -> str:
    return f"{'.'.join(map(str, problem.where))}: {problem.what}"


def _show_fill(agreement: Agreement, leads: Path, map: Path | None) -> None:
    from app.backtest.files import LeadFile
    from app.backtest.fill import read_fill
    from app.csv_import.errors import UnreadableFile
    from app.csv_import.lead_map import read_map

    now = terminal.open_box().read_now(lambda session, now: now)
    with Progress(*Progress.get_default_columns(), DownloadColumn(), console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("reading", total=None)
        try:
            file = LeadFile(leads, read_map(map) if map else None, agreement.timezone)
            filled = read_fill(agreement, file, now=now, progress=lambda done, whole: progress.update(bar, completed=done, total=whole))
        except (UnreadableFile, ValueError) as error:
            terminal.fail(terminal.USAGE, str(error))
    table = Table("rule", "fact", "known", "values that nothing knows", title=f"{filled.leads:,} leads of {leads.name}")
    told: set[str] = set()
    for fill in filled.fills:
        known = "not in a file" if fill.known is None else f"{fill.known:.0%}"
        values = ", ".join(f"{value[:40]} ({count:,})" for value, count in fill.unmatched)
        table.add_row(fill.rule, fill.fact, known, "as above" if fill.fact in told and values else values)
        told.add(fill.fact)
    terminal.console.print(table)
    if filled.bad:
        first = filled.bad[0]
        said = f"{len(filled.bad):,} rows could not be read, the first of them {leads}:{first.line}: {first.reason}"
        terminal.complaints.print(said, markup=False, soft_wrap=True)
