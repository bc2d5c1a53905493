"""Tries an agreement out: what it would have made of past leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlmodel import Session

from agreements.model import Agreement
from agreements.roster import read_roster
from app import terminal
from app.commands.agreement.references import ReferenceOrFile, agreement_of
from app.csv_import.lead_map import read_map
from app.report_output import json_text, name_unused, unusable_input, writable, write_page
from storage import contracts
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox

if TYPE_CHECKING:
    from app.backtest.crew import Crew
    from app.backtest.report import Backtest

STORED = "stored"


def backtest(
    ref: ReferenceOrFile,
    leads: Annotated[str, typer.Option(help="A CSV file of past leads, or `stored`: those in the database.")],
    against: Annotated[str, typer.Option(help="name@version or file to compare with. Default: the version in force.")] = "",
    map: Annotated[Path | None, typer.Option(help="A map that names the columns of the file, see examples/maps/.")] = None,
    outcomes: Annotated[Path | None, typer.Option(help="A CSV file with the outcomes of the leads, instead of the map's.")] = None,
    by: Annotated[str, typer.Option(help="The fact that groups the leads.")] = "entry_channel",
    timezone: Annotated[str, typer.Option(help="Zone of times without a zone.")] = "UTC",
    limit: Annotated[int | None, typer.Option(help="At most this many rows of the file, or of the newest handoffs.", min=1)] = None,
    roster_file: Annotated[Path | None, typer.Option("--roster", help="A roster file, instead of the loaded roster.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts to this file.")] = None,
) -> None:
    """Show what a version would have made of past leads: who qualifies, who would get them, and how many were won. Changes nothing.

    Compares it with the version in force, or with the one that --against names. The exit code is 3 when rows were left out.
    """
    from app.backtest.compare import compare
    from app.backtest.files import LeadFile, read_past
    from app.backtest.stored import read_stored
    from storage.past import Which

    with terminal.told(), unusable_input():
        draft, box = agreement_of(ref), _installed()
        other = agreement_of(against) if against else _in_force(box, draft, ref) if box else None
        agreements = [draft, other] if other else [draft]
        now = box.read_now(lambda session, now: now) if box else _now()
        mapping, crew, which = read_map(map) if map else None, _crew(box, roster_file), Which(limit)
        with _progress() as tell:
            if leads == STORED:
                past = _box(box).read_now(
                    lambda session, now: read_stored(session, agreements, now=now, by=by, which=which, mapping=mapping, outcomes=outcomes)
                )
            else:
                file = LeadFile(Path(leads), mapping, timezone, outcomes, by, limit)
                past = read_past(file, agreements, now=now, progress=tell)
            found = compare(draft, other, past, crew=crew, progress=tell)
        _tell(found, as_json=as_json, html=html)
    if found.left_out:
        raise typer.Exit(terminal.PARTLY)


def _crew(box: Toolbox | None, file: Path | None) -> Crew | None:
    """Return who takes the leads: the roster of this file, else the loaded one; None where there is neither."""
    from app.backtest.crew import Crew, crew_of

    people = read_roster(file.read_text(encoding="utf-8")) if file else None
    if box:
        return box.read_now(lambda session, now: crew_of(session, people, now=now))
    return Crew(people) if people else None


def _installed() -> Toolbox | None:
    """Return the installation, None where there is none: a backtest creates none."""
    settings = Settings()
    there = settings.database_url or (settings.home.expanduser() / "baton.db").exists()
    return terminal.open_box(settings) if there else None


def _box(box: Toolbox | None) -> Toolbox:
    return box or terminal.fail(terminal.USAGE, "There is no database here yet; name a file of leads instead of `stored`.")


def _now() -> datetime:
    return datetime.now(UTC)


def _in_force(box: Toolbox, draft: Agreement, ref: str) -> Agreement | None:
    """Return the version in force of the same agreement; None where there is none, or it is the one to be tried."""

    def work(session: Session, now: datetime) -> Agreement | None:
        row = next((row for row in contracts.counting(session, now) if row.name == draft.agreement), None)
        return contracts.agreement_of(session, row.name, row.version) if row else None

    found = box.read_now(work)
    return None if found and found.reference == ref else found


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show progress bars on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=terminal.complaints, transient=True) as progress:
        bars: dict[str, TaskID] = {}

        def tell(what: str, done: int, whole: int) -> None:
            kind = what if what in ("leads", "outcomes") else "routing" if what.startswith("routing") else "judging"
            if kind not in bars:
                bars[kind] = progress.add_task(kind, total=whole)
            progress.update(bars[kind], description=f"reading {what}" if kind == what else what, completed=done, total=whole)

        yield tell


def _tell(found: Backtest, *, as_json: bool, html: Path | None) -> None:
    """Show the result, and name unusable rows on standard error."""
    from app.backtest.document import as_json as document
    from app.backtest.page import page
    from app.backtest.terminal_view import show

    name_unused((str(one) for one in found.left_out), len(found.left_out))
    if html:
        with writable():
            write_page(page(found), html)
    if as_json:
        print(json_text(document(found)))
    else:
        show(found, terminal.marked)
