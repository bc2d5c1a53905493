"""python -m benchmarks: the figures of the README, measured here and now."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import answers, intake, trial


def main() -> None:
    """Runs every benchmark and prints one table."""
    console = Console()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    console.print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {cores} cores, SQLite\n")
    table = Table("what", "figure", "against", "ratio")
    for measure in (answers.measure, intake.measure, trial.measure):
        with tempfile.TemporaryDirectory() as folder:
            for row in measure(Path(folder), console):
                table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
