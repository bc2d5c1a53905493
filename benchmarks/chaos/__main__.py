"""python -m benchmarks.chaos: check that Baton keeps its promises while every part is killed and restarted. Exit code 1 on any finding."""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.chaos.cluster import installed
from benchmarks.chaos.run import Options, Outcome, run_chaos
from benchmarks.chaos.terminal_view import Screen


def main(words: list[str] | None = None) -> int:
    """Run chaos as the command line asks, and return the exit code."""
    given = _parser().parse_args(words)
    sqlite = given.sqlite or installed() is None
    options = Options(given.seed, given.leads, given.minutes, sqlite, (given.gap[0], given.gap[1]))
    logging.basicConfig(level=logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="baton-chaos-"))
    with Screen(Console()) as screen:
        screen.say(f"Seed {options.seed}, {options.leads} leads, {'SQLite' if sqlite else 'PostgreSQL'} for both databases")
        outcome = run_chaos(options, folder, screen)
    screen.conclude(outcome)
    if given.json:
        given.json.write_text(json.dumps(report(options, outcome), indent=2, default=str) + "\n", encoding="utf-8")
    if outcome.is_clean:
        shutil.rmtree(folder, ignore_errors=True)
        screen.say(f"Seed {options.seed}: clean.")
        return 0
    screen.say(f"Seed {options.seed}: findings. The logs are in {folder / 'logs'}; --seed {options.seed} deals the same blows again.")
    return 1


def report(options: Options, outcome: Outcome) -> dict[str, Any]:
    """Return the whole outcome as one mapping for JSON."""
    late = [
        {"handoff": one.handoff_id, "wait": one.wait, "seconds": one.by.total_seconds(), "reasons": one.reasons} for one in outcome.late
    ]
    return {"options": asdict(options), "clean": outcome.is_clean, "findings": outcome.findings, "late": late, "figures": outcome.figures}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the plan; drawn at random and printed")
    parser.add_argument("--leads", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=15, help="how long things are broken at most; then the leads go on in peace")
    parser.add_argument("--gap", type=float, nargs=2, default=(2.0, 8.0), metavar=("LEAST", "MOST"), help="seconds between two blows")
    parser.add_argument("--sqlite", action="store_true", help="also where PostgreSQL is installed")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
