"""python -m benchmarks: measure the figures of docs/benchmarks.md on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import sizing
from benchmarks.databases import server
from benchmarks.facts import facts
from benchmarks.figures import rounded
from benchmarks.measures.beside_dbos import python_with_dbos
from benchmarks.parts import PARTS, Run
from benchmarks.report import figures, show
from benchmarks.sizes import FULL, QUICK

USAGE = 2
#: Parts that a quick run leaves out.
NOT_QUICK = ("storage", "audit", "import", "trail", "verify", "review", "time")


def main(words: list[str] | None = None) -> int:
    """Run the requested measures, print tables, and write JSON. Return 1 where something did not end or happen as it must."""
    asked = _parser().parse_args(words)
    console = Console()
    if asked.sizing:
        return _print_sizing(asked.sizing, console)
    chosen = asked.only or [name for name in PARTS if not (asked.quick and name in NOT_QUICK)]
    sizes = QUICK if asked.quick else FULL
    with server(sqlite=asked.sqlite) as cluster:
        run = Run(console, cluster, sizes, chosen, dbos_python=python_with_dbos(asked.dbos_python))
        known = facts(sizes, cluster, quick=asked.quick)
        run.everything()
    results = {"facts": known, "parts": run.found, "failed": run.failed}
    show(results, console)
    if asked.json:
        asked.json.write_text(json.dumps(rounded(figures(results)), indent=2) + "\n", encoding="utf-8")
    return 1 if run.failed else 0


def _print_sizing(file: Path, console: Console) -> int:
    try:
        costs = sizing.Costs.of(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        console.print(f"{file} cannot be read: {error}", style="red", markup=False)
        return USAGE
    except KeyError:
        console.print(f"{file} has no costs of a lead; measure parts a and b, or all of them.", style="red", markup=False)
        return USAGE
    console.print(sizing.as_markdown(costs), markup=False, highlight=False, soft_wrap=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    told = "\n".join(["Measures Baton on this machine. The parts:", *(f"  {name:8} {words}" for name, words in PARTS.items())])
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=told, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"within ten minutes: fewer leads, not growth, {', '.join(NOT_QUICK)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    parser.add_argument("--only", type=_parts, metavar="a,b,…", help="only these parts")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, also where PostgreSQL is installed")
    parser.add_argument("--dbos-python", default="", metavar="PROGRAM", help="a Python that has DBOS, where this one has not")
    parser.add_argument("--sizing", type=Path, metavar="FILE", help="measure nothing: print the sizing table of that JSON file")
    return parser


def _parts(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if wrong := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"there is no part {', '.join(wrong)}; there are {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
