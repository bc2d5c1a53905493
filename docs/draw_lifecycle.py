"""Draws docs/lifecycle.md from agreements/lifecycle.py: the picture, and the table between the two marker comments.

python docs/draw_lifecycle.py writes both files. With --check it changes nothing, and exits 1 where a file is out of date.
The picture is plain SVG with its own light and dark colours, so no page needs a program to show it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from agreements.lifecycle import ENDS, TRANSITIONS, Stage, To

PAGE = Path(__file__).with_name("lifecycle.md")
PICTURE = Path(__file__).parent / "pictures" / "lifecycle.svg"
BEGIN, END = "<!-- drawn from agreements/lifecycle.py: begin -->", "<!-- drawn from agreements/lifecycle.py: end -->"
#: The stages of the column, from the first to the last.
_COLUMN = (Stage.INQUIRY, Stage.MQL, Stage.ASSIGNED, Stage.ACCEPTED, Stage.WORKING, Stage.OPPORTUNITY)
#: Pixels: the left edge, width and line height of a stage's box; the gap below it; the distance of two lanes of arrows.
_LEFT, _WIDTH, _LINE, _GAP, _LANE = 430, 210, 18, 64, 26
_WHOLE, _TOP = 1080, 64
_STYLE = """
  .paper { fill: #fff; stroke: #d9dde3 } .box { fill: #e9f1f9; stroke: #0b5cad } .end { fill: #f3f5f7; stroke: #7f8d9b }
  text { fill: #1b2631; font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif }
  .name { font-weight: 600; font-size: 14px } .soft { fill: #536271 } .arrow { fill: none; stroke: #536271; stroke-width: 1.4 }
  .head { fill: #536271 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #14181d; stroke: #333d48 } .box { fill: #1a2c3f; stroke: #8cc0f4 } .end { fill: #1d232a; stroke: #7f8d9b }
    text { fill: #e8ebef } .soft { fill: #aab5c1 } .arrow { stroke: #aab5c1 } .head { fill: #aab5c1 }
  }
"""


def drawing() -> str:
    """Return what stands between the markers: the picture, and the table of every transition."""
    picture = "![The stages of a handoff from inquiry to opportunity, with the events between them](pictures/lifecycle.svg)"
    said = "An arrow is an event that moves the lead. An event inside a box leaves the lead in its stage."
    return "\n\n".join([said, picture, "All transitions:", _table(from_every_stage())])


def picture() -> str:
    """Return the picture as SVG: the column of stages, the common ways out below it, and the ways back from `stuck`."""
    tops = dict(_tops())
    foot = tops[Stage.OPPORTUNITY] + _height(Stage.OPPORTUNITY) + 44
    ways = {event: to.stage for event, to in TRANSITIONS[Stage.INQUIRY].items() if _is_common(event)}
    back = {event: to.stage for event, to in TRANSITIONS[Stage.STUCK].items() if event not in ways}
    panels = [*_panel("From every stage above except opportunity", ways, foot), *_panel("From stuck", back, foot + 150)]
    panels.append(_text(40, foot + 270, "From stuck, all ways out in the upper list are open too, except got-stuck.", "soft"))
    height = foot + 300
    parts = [*_arrows(tops), *(part for stage, top in tops.items() for part in _box(stage, top)), *panels]
    title = "The stages of a handoff and the events between them"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WHOLE} {height}" width="{_WHOLE}" height="{height}" role="img">',
            f"<title>{title}</title>",
            f"<style>{_STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
            '<path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>',
            f'<rect class="paper" x=".5" y=".5" width="{_WHOLE - 1}" height="{height - 1}" rx="10"/>',
            _text(40, 38, title, "name"),
            *parts,
            "</svg>\n",
        ]
    )


def from_every_stage() -> dict[str, To]:
    """The events that every open stage knows and that lead from each of them to the same place."""
    tables = [table for stage, table in TRANSITIONS.items() if stage != Stage.OPPORTUNITY]  # left only where the opportunity was lost
    return {event: to for event, to in tables[0].items() if all(table.get(event) == to for table in tables)}


def _is_common(event: str) -> bool:
    """Whether this event leads from every stage of the column, except the last, to the same place."""
    return len({TRANSITIONS[stage].get(event) for stage in _COLUMN[:-1]}) == 1


def _stays(stage: Stage) -> list[str]:
    """The events that leave a lead in this stage."""
    return [event for event, to in TRANSITIONS.get(stage, {}).items() if to.stage == stage]


def _height(stage: Stage) -> int:
    """Return the height that holds the stage's events, and the arrows at either side, in pixels."""
    past = [(one, there) for one, there, _ in _moves() if _COLUMN.index(there) != _COLUMN.index(one) + 1 and stage in (one, there)]
    back = sum(_is_back(one, there) for one, there in past)
    return max(30 + _LINE * len(_stays(stage)), 18 + _LINE * max(back, len(past) - back))


def _is_back(stage: Stage, target: Stage) -> bool:
    return _COLUMN.index(target) < _COLUMN.index(stage)


def _tops() -> Iterator[tuple[Stage, int]]:
    """Yield each stage of the column with the top of its box, in pixels."""
    top = _TOP
    for stage in _COLUMN:
        yield stage, top
        top += _height(stage) + _GAP


def _box(stage: Stage, top: int) -> Iterator[str]:
    kind = "end" if stage in ENDS else "box"
    yield f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{_height(stage)}" rx="8"/>'
    yield _text(_LEFT + 12, top + 20, stage, "name")
    for place, event in enumerate(_stays(stage)):
        yield _text(_LEFT + 12, top + 38 + _LINE * place, event, "soft")


def _moves() -> Iterator[tuple[Stage, Stage, str]]:
    """Yield each pair of stages of the column that events connect, with these events."""
    for stage in _COLUMN[:-1]:
        own = {event: to.stage for event, to in TRANSITIONS[stage].items() if not _is_common(event) and to.stage != stage}
        for target in dict.fromkeys(own.values()):
            yield stage, target, ", ".join(event for event, to in own.items() if to == target)


def _arrows(tops: Mapping[Stage, int]) -> Iterator[str]:
    """Yield the arrows: straight to the next stage, on the right past some stages, on the left back. Each has its own lane."""
    left = right = 0
    used: dict[tuple[Stage, bool], int] = {}  # by box and side: how many arrows touch it already
    for stage, target, events in _moves():
        if _COLUMN.index(target) == _COLUMN.index(stage) + 1:
            middle, start, end = _LEFT + _WIDTH // 2, tops[stage] + _height(stage), tops[target]
            yield _arrow(f"M{middle} {start} V{end}")
            yield _text(middle + 10, (start + end) // 2 + 5, events)
            continue
        is_back = _is_back(stage, target)
        lane = _LEFT - 190 - _LANE * left if is_back else _LEFT + _WIDTH + 120 + _LANE * right
        edge = _LEFT if is_back else _LEFT + _WIDTH
        start, end = (tops[one] + 24 + _LINE * _place(used, one, is_back) for one in (stage, target))
        left, right = (left + 1, right) if is_back else (left, right + 1)
        yield _arrow(f"M{edge} {start} H{lane} V{end} H{edge}")
        yield _text(_LEFT - 8 if is_back else edge + 8, start - 4, events, "right" if is_back else "")


def _place(used: dict[tuple[Stage, bool], int], stage: Stage, is_back: bool) -> int:
    """Return the place of the next arrow at this side of the box, counted from 0, and take the place."""
    used[stage, is_back] = used.get((stage, is_back), -1) + 1
    return used[stage, is_back]


def _panel(title: str, ways: Mapping[str, Stage], top: int) -> Iterator[str]:
    """Yield a list of events, each with the stage to which it leads, in rows of four."""
    yield _text(40, top, title, "name")
    for place, (event, stage) in enumerate(ways.items()):
        left, y = 40 + 255 * (place % 4), top + 16 + 44 * (place // 4)
        yield _text(left, y + 20, event)
        yield _arrow(f"M{left + 104} {y + 15} H{left + 126}")
        yield f'<rect class="{"end" if stage in ENDS else "box"}" x="{left + 130}" y="{y}" width="100" height="30" rx="15"/>'
        yield _text(left + 142, y + 20, stage)


def _arrow(path: str) -> str:
    return f'<path class="arrow" d="{path}" marker-end="url(#tip)"/>'


def _text(x: int, y: int, words: str, kind: str = "") -> str:
    anchor = ' text-anchor="end"' if kind == "right" else ""
    named = f' class="{kind}"' if kind and kind != "right" else ""
    return f'<text x="{x}" y="{y}"{named}{anchor}>{words}</text>'


def _table(shared: dict[str, To]) -> str:
    own = [(stage, event, to) for stage, table in TRANSITIONS.items() for event, to in table.items()]
    rows = [_row(*one) for one in own if one[1] not in shared or one[0] == Stage.OPPORTUNITY]
    rows += [_row("every open stage", event, to) for event, to in shared.items()]
    return "\n".join(["| in stage | when | goes to | next step |", "|---|---|---|---|", *rows])


def _row(stage: str, event: str, to: To) -> str:
    return f"| {stage} | {event} | {to.stage} | {to.step.replace('_', ' ') or '–'} |"


def redrawn(page: str) -> str:
    """Return the page with a new drawing between the markers. Raises ValueError where a marker is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} needs the two marker comments")
    return f"{before}{BEGIN}\n{drawing()}\n{END}{after}"


def main(words: list[str]) -> int:
    """Write both files, or check them. Return the exit code."""
    fresh = {PAGE: redrawn(PAGE.read_text(encoding="utf-8")), PICTURE: picture()}
    if "--check" in words:
        old = [path for path, text in fresh.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        for path in old:
            print(f"{path} is out of date: run python docs/draw_lifecycle.py", file=sys.stderr)
        return int(bool(old))
    for path, text in fresh.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
