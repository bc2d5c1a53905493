"""Draws docs/lifecycle.md from agreements/lifecycle.py: the pictures and the table between the two marker comments.

python docs/draw_lifecycle.py writes the page; with --check it changes nothing and exits 1 where the page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agreements.lifecycle import ENDS, TRANSITIONS, Stage, To

PAGE = Path(__file__).with_name("lifecycle.md")
BEGIN, END = "<!-- drawn from agreements/lifecycle.py: begin -->", "<!-- drawn from agreements/lifecycle.py: end -->"


def drawing() -> str:
    """Two pictures (Mermaid) and the table of every transition."""
    shared = from_every_stage()
    way = [stage for stage in TRANSITIONS if stage != Stage.STUCK]
    return "\n\n".join(
        [
            "Along the way. What is named inside a box leaves the lead in its stage:",
            _picture("TD", [*_boxes(way, shared), *_arrows(way, shared)]),
            "Out of the way, from every open stage, and back again:",
            _picture("LR", [*_exits(shared), *_arrows([Stage.STUCK], shared)]),
            "All of it:",
            _table(shared),
        ]
    )


def from_every_stage() -> dict[str, To]:
    """The events that every open stage knows and that lead from each of them to the same place."""
    tables = list(TRANSITIONS.values())
    return {event: to for event, to in tables[0].items() if all(table.get(event) == to for table in tables)}


def _picture(direction: str, lines: list[str]) -> str:
    return "\n".join(["```mermaid", f"flowchart {direction}", *(f"  {line}" for line in lines), "```"])


def _boxes(stages: list[Stage], shared: dict[str, To]) -> list[str]:
    boxes = []
    for stage in stages:
        stays = [event for event, to in _own(stage, shared).items() if to == stage]
        boxes.append(f'{stage}["{"<br/>".join([f"<b>{stage}</b>", *stays])}"]')
    return boxes


def _arrows(stages: list[Stage], shared: dict[str, To]) -> list[str]:
    arrows = []
    for stage in stages:
        own = _own(stage, shared)
        for target in dict.fromkeys(to for to in own.values() if to != stage):
            arrows.append(f"{stage} -->|{_listed(own, target)}| {_end(target)}")
    return arrows


def _exits(shared: dict[str, To]) -> list[str]:
    return ['every["every open stage"]', *(f"every -->|{event}| {_end(to.stage)}" for event, to in shared.items())]


def _own(stage: Stage, shared: dict[str, To]) -> dict[str, Stage]:
    return {event: to.stage for event, to in TRANSITIONS[stage].items() if event not in shared}


def _end(stage: Stage) -> str:
    return f'{stage}(["{stage}"])' if stage in ENDS else str(stage)


def _listed(events: dict[str, Stage], target: Stage) -> str:
    return "<br/>".join(event for event, to in events.items() if to == target)


def _table(shared: dict[str, To]) -> str:
    rows = [_row(stage, event, to) for stage, table in TRANSITIONS.items() for event, to in table.items() if event not in shared]
    rows += [_row("every open stage", event, to) for event, to in shared.items()]
    return "\n".join(["| in stage | when | goes to | next step |", "|---|---|---|---|", *rows])


def _row(stage: str, event: str, to: To) -> str:
    return f"| {stage} | {event} | {to.stage} | {to.step.replace('_', ' ') or '–'} |"


def redrawn(page: str) -> str:
    """The page with what stands between the markers drawn anew. Raises ValueError where a marker is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} needs the two marker comments")
    return f"{before}{BEGIN}\n{drawing()}\n{END}{after}"


def main(words: list[str]) -> int:
    """Writes the page, or checks it; the exit code."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = redrawn(page)
    if "--check" in words:
        if page != fresh:
            print(f"{PAGE} is out of date: run python docs/draw_lifecycle.py", file=sys.stderr)
        return int(page != fresh)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
