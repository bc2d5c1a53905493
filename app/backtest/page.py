"""Writes a backtest as one self-contained page: this module makes words and numbers, templates/ decides how they look."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from app.backtest import charts, wording
from app.backtest.lines import steps, verdict_lines
from app.backtest.report import Backtest, Share, SideFound
from app.backtest.route_lines import HEAD, basis, model, promise_lines, rep_lines, sentences
from app.charts.figure import figure
from app.charts.figure import style as charts_style
from notifications.html_templates import html_templates

FOLDER = Path(__file__).parent / "templates"
#: The classes of both versions in the style sheet.
KINDS = ("draft", "other")
GROUPS_SHOWN = 25
LEFT_OUT_SHOWN = 50


def report_templates(folder: Path) -> Environment:
    """Return the templates of a report: those of this folder, with the parts that all reports share. Texts are escaped."""
    return html_templates(folder, FOLDER)


def page(found: Backtest) -> str:
    """Return the page as HTML."""
    environment = report_templates(FOLDER)
    environment.filters.update(
        change=_change,
        never_mattered=wording.never_mattered,
        number=wording.number,
        percent=wording.percent,
        between=wording.between,
        mattered=wording.mattered,
    )
    shown = found.groups[:GROUPS_SHOWN]
    return environment.get_template("backtest.html").render(
        found=found,
        style=style(),
        sides=list(zip(KINDS, found.sides, strict=False)),
        headline=wording.headline(found),
        told_apart=wording.told_apart(found),
        basis=wording.basis(found),
        verdicts=list(verdict_lines(found)),
        moves=[figure(chart) for chart in charts.moves(found)],
        curves=[figure(chart, with_table=False) for chart in charts.thresholds(found)],
        thresholds=[side.threshold for side in found.sides],
        steps=[(threshold, [side.curve[threshold] for side in found.sides]) for threshold in steps(found)],
        rules=[figure(chart, with_table=False) for chart in charts.rules(found)],
        groups=[(group, [group.draft, *([group.other] if group.other else [])]) for group in shown],
        group_charts=[figure(chart, with_table=False) for chart in charts.groups(found, shown=shown)] if shown else [],
        more_groups=max(0, len(found.groups) - GROUPS_SHOWN),
        stages=[figure(chart) for chart in charts.stages(found)],
        routes=[_Route(side, number) for number, side in enumerate(found.sides) if side.routing],
        left_out=found.left_out[:LEFT_OUT_SHOWN],
        more_left_out=max(0, len(found.left_out) - LEFT_OUT_SHOWN),
    )


class _Route:
    """What the page shows of where the leads of one version would go."""

    head = HEAD

    def __init__(self, side: SideFound, tone: int) -> None:
        found = side.routing
        assert found is not None, "only a version whose leads were routed has this part"
        self.reference = side.reference
        self.basis, self.model, self.notes = basis(found), model(found), found.notes
        self.sentences, self.reps, self.promises = list(sentences(found)), list(rep_lines(found)), list(promise_lines(found))
        self.charts = [figure(chart, with_table=False) for chart in charts.routing(found, tone=tone)]


def _change(shares: tuple[Share, ...]) -> str:
    return wording.change(shares[1].leads, shares[0].leads)


def style() -> Markup:
    """Return the style sheet of a page with charts. The audit has the same."""
    return charts_style() + Markup((FOLDER / "backtest.css").read_text(encoding="utf-8"))
