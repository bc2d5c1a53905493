"""Measure the processor time of commands that need no server, compared with importing the database library."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track

from benchmarks.ground import ROOT

#: How often each command is started. Commands and import take turns, so that other work on the machine slows them alike.
TIMES = 7
BARE = ("-c", "import sqlmodel")
COMMANDS = (
    "--help",
    "agreement --help",
    "agreement check agreements/examples/b2b-saas.yaml",
    "agreement diff agreements/examples/b2b-saas.yaml agreements/examples/starter.yaml",
    "roster check examples/roster.yaml",
    "messages list",
    "agreement list",
    "roster show",
    "leads list",
    "leads show 1",
    "disputes list",
    "keys list",
    "verify",
    "agreement deploy b2b-saas@1",
)
#: Exit codes of a command that did its work, and of one that stopped because no server is named.
_EXPECTED = (0, 4)
_LEAD = "source_id,at,email,company,activity\nbench-1,2026-01-05 09:00,ana@rail.example,Rail,demo_requested\n"


def measure(folder: Path, console: Console) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. The database has people, a published agreement and a lead.

    The last command stops because no Prefect server is named.
    """
    environment = installed(folder)
    (folder / "leads.csv").write_text(_LEAD, encoding="utf-8")
    for words in ("roster load examples/roster.yaml", "agreement publish agreements/examples/b2b-saas.yaml"):
        _seconds(("-m", "app.cli", *words.split()), environment)
    _seconds(("-m", "app.cli", "leads", "import", str(folder / "leads.csv")), environment)
    rounds = track(range(TIMES), description="starts", console=console, transient=True)
    yield from compared(COMMANDS, environment, rounds)


def installed(folder: Path) -> dict[str, str]:
    """Return the environment of an installation in that folder: it names no Prefect server, and modules are kept compiled."""
    left_out = ("PREFECT_", "BATON_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return kept | {"BATON_HOME": str(folder), "PREFECT_HOME": str(folder / "prefect")}


def compared(commands: Sequence[str], environment: Mapping[str, str], rounds: Iterable[int]) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each command: its median beside that of the import. A first start of each, which compiles, does not count.

    Raises RuntimeError for a command that fails.
    """
    starts = {words: ("-m", "app.cli", *words.split()) for words in commands}
    for program in (BARE, *starts.values()):
        _seconds(program, environment)
    bare: list[float] = []
    ours: dict[str, list[float]] = {words: [] for words in commands}
    for _ in rounds:
        for words, program in starts.items():
            bare.append(_seconds(BARE, environment))
            ours[words].append(_seconds(program, environment))
    against = median(bare)
    for words, times in ours.items():
        figure = median(times)
        yield f"baton {words}", f"{figure:.2f} s of processor", f"python -c 'import sqlmodel': {against:.2f} s", f"{figure / against:.2f}"


def _seconds(words: tuple[str, ...], environment: Mapping[str, str]) -> float:
    """Return the processor time of one process and everything that it starts, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in _EXPECTED:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
