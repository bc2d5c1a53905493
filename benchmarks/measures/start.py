"""Measure the processor time of commands that need no server, compared with importing the database library."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks.ground import ROOT

#: How often each command is started. The quickest start counts, because other work on the machine slows the others.
TIMES = 5
BARE = ("-c", "import sqlmodel")
COMMANDS = (
    "--help",
    "agreement --help",
    "agreement check agreements/examples/b2b-saas.yaml",
    "agreement diff agreements/examples/b2b-saas.yaml agreements/examples/starter.yaml",
    "keys list",
    "leads list",
    "agreement deploy b2b-saas@1",
)


def measure(folder: Path, console: Console) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. The database is migrated. The last command stops because no Prefect server runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"BATON_HOME": str(folder), "PREFECT_HOME": str(folder / "prefect")}
    _seconds(("-m", "app.cli", "keys", "list"), environment)
    bare = min(_seconds(BARE, environment) for _ in range(TIMES))
    for command in track(COMMANDS, description="starts", console=console, transient=True):
        ours = min(_seconds(("-m", "app.cli", *command.split()), environment) for _ in range(TIMES))
        yield f"baton {command}", f"{ours:.2f} s of processor", f"python -c 'import sqlmodel': {bare:.2f} s", f"{ours / bare:.1f}"


def _seconds(words: tuple[str, ...], environment: dict[str, str]) -> float:
    """Return the processor time of one process and everything that it starts, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, check=False, capture_output=True, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
