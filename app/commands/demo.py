"""Runs the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app import terminal


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop when the week is over, instead of staying open for you.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Play one morning instead of a week: under two minutes.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON to this file.")] = None,
    leads: Annotated[Path | None, typer.Option(help="A CSV file to play instead of the example leads.")] = None,
    map: Annotated[Path | None, typer.Option(help="A map that names the columns of the CSV file, see examples/maps/.")] = None,
    agreement: Annotated[Path | None, typer.Option(help="An agreement file to use instead of the example.")] = None,
    limit: Annotated[int | None, typer.Option(help="Play at most this many rows.", min=1)] = None,
    scanners: Annotated[bool, typer.Option("--scanners", help="Add a mail scanner that opens every link before the rep does.")] = False,
    home: Annotated[Path, typer.Option(help="Folder of the demo. The demo empties it at the start.")] = Path("~/.baton/demo"),
) -> None:
    """Play a working week in about four minutes, with real e-mails and simulated reps. Time leaps to the next thing that is due.

    Then four leads and a signature wait for you. The start page, whose address the demo prints, stays open until Ctrl-C.
    """
    from app.csv_import.file import UnreadableFile
    from app.demo.run import Options, run_demo
    from app.stack import StackError, end_on_sigterm

    end_on_sigterm()
    options = Options(
        leave=leave,
        report=report,
        leads=leads,
        mapping=map,
        agreement=agreement,
        limit=limit,
        scanners=scanners,
        quick=quick,
        folder=home,
    )
    try:
        found = run_demo(options, terminal.marked)
    except (UnreadableFile, ValueError) as error:
        terminal.fail(terminal.USAGE, str(error))
    except StackError as error:
        terminal.fail(terminal.AWAY, str(error))
    if found["unaccounted"] or found["tracebacks"]:
        terminal.fail(terminal.FINDINGS, f"{found['unaccounted']} leads are unaccounted for, {found['tracebacks']} tracebacks in the logs.")
