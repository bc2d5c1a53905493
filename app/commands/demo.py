"""The demo command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app import terminal


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop when the week is over, instead of staying open for you.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="One morning's leads instead of a week's: under two minutes.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON to this file.")] = None,
    leads: Annotated[Path | None, typer.Option(help="Any CSV file instead of the example.")] = None,
    map: Annotated[Path | None, typer.Option(help="How its columns are called, see examples/maps/.")] = None,
    agreement: Annotated[Path | None, typer.Option(help="Any agreement file instead of the example.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many rows.", min=1)] = None,
    scanners: Annotated[
        bool, typer.Option("--scanners", help="A mail scanner opens every link of every message before the rep does.")
    ] = False,
    home: Annotated[Path, typer.Option(help="Folder of the demo; emptied at the start.")] = Path("~/.baton/demo"),
) -> None:
    """A working week in about four minutes: real e-mails, reps who answer by link (or do not), a clock that leaps to the next thing due.

    It ends with four leads and a signature that wait for you, and stays open at the start page that it prints until Ctrl-C.
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
        found = run_demo(options, terminal.console)
    except (UnreadableFile, ValueError) as error:
        terminal.fail(terminal.USAGE, str(error))
    except StackError as error:
        terminal.fail(terminal.AWAY, str(error))
    if found["unaccounted"] or found["tracebacks"]:
        terminal.fail(terminal.FINDINGS, f"{found['unaccounted']} leads are unaccounted for, {found['tracebacks']} tracebacks in the logs.")
