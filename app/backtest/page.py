"""Writes a backtest as one self-contained page: this module makes words and numbers, templates/ decides how they look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.backtest import charts, wording
from app.backtest.lines import move_lines, steps, verdict_lines
from app.backtest.report import Backtest, Share, SideFound

FOLDER = Path(__file__).parent / "templates"
GROUPS_SHOWN = 25
LEFT_OUT_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Bar:
    """A row with a bar: its class, its length in per cent, and the range of its won share."""

    name: str
    kind: str
    length: float
    share: Share
    whisker: charts.Whisker | None


def page(found: Backtest) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        change=_change, never_mattered=wording.never_mattered, number=wording.number, percent=wording.percent, between=wording.between
    )
    style = (FOLDER / "backtest.css").read_text(encoding="utf-8")
    return environment.get_template("backtest.html").render(
        found=found,
        style=style,
        sides=list(zip(charts.KINDS, found.sides, strict=False)),
        headline=wording.headline(found),
        told_apart=wording.told_apart(found),
        basis=wording.basis(found),
        verdicts=list(verdict_lines(found)),
        moves=_moves(found),
        curve=charts.curve(found),
        thresholds=[side.threshold for side in found.sides],
        steps=[(threshold, [side.curve[threshold] for side in found.sides]) for threshold in steps(found)],
        criteria=[(kind, side, _criteria(side)) for kind, side in zip(charts.KINDS, found.sides, strict=False)],
        groups=_groups(found),
        more_groups=max(0, len(found.groups) - GROUPS_SHOWN),
        left_out=found.left_out[:LEFT_OUT_SHOWN],
        more_left_out=max(0, len(found.left_out) - LEFT_OUT_SHOWN),
    )


def _change(shares: tuple[Share, ...]) -> str:
    return wording.change(shares[1].leads, shares[0].leads)


def _moves(found: Backtest) -> list[Bar]:
    lines = list(move_lines(found))
    shares = [line.shares[0] for line in lines]
    parts = zip(lines, _MOVES, charts.bars([one.leads for one in shares]), charts.whiskers(shares), strict=False)
    return [Bar(line.name, kind, length, line.shares[0], ends) for line, kind, length, ends in parts]


_MOVES = ("both", "draft", "other", "neither")


def _criteria(side: SideFound) -> list[tuple[object, float, str]]:
    lengths = charts.bars([one.mattered for one in side.criteria])
    return [(one, length, wording.mattered(one)) for one, length in zip(side.criteria, lengths, strict=True)]


def _groups(found: Backtest) -> list[tuple[str, Share, charts.Whisker | None, tuple[Share, ...]]]:
    shown = found.groups[:GROUPS_SHOWN]
    ranges = charts.whiskers([group.leads for group in shown])
    return [
        (group.value, group.leads, ends, (group.draft, *([group.other] if group.other else [])))
        for group, ends in zip(shown, ranges, strict=True)
    ]
