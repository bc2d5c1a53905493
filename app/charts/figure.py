"""A chart as a part of a page: its title, how to read it, its legend, the picture, and its figures as a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from app.charts.drawing import plain, svg
from app.charts.kinds import Aging, Bars, Chart, Curves, Load, Rates, Shares, StackedBars, TimeSpent, Trend, is_empty
from app.charts.look import CLOCK_TONES
from app.charts.parts import FEW, lasting
from app.charts.row_charts import MOST_ROWS, merged
from app.charts.tables import table
from notifications.html_templates import html_templates

_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Key:
    """A line of a legend: its name, the number of its colour from 1, and whether it stands for a line."""

    name: str
    tone: int
    line: bool


def figure(chart: Chart, *, with_table: bool = True) -> Markup:
    """Return the chart as HTML, or a sentence where it is empty. The page needs `style` once.

    with_table: whether the figures follow as a table that can be opened. Leave it out only where the page has them beside the chart.
    """
    shown = not is_empty(chart)
    return Markup(
        _template().render(
            chart=chart,
            note=_note(chart),
            keys=_keys(chart) if shown else [],
            picture=svg(chart, label=f"{chart.title}. The figures are in the table.") if shown else "",
            table=table(chart) if shown and with_table else None,
        )
    )


@cache
def _template() -> Template:
    environment = html_templates(_FOLDER)
    environment.filters.update(plain=plain)
    return environment.get_template("figure.html")


def style() -> Markup:
    """Return the style sheet of all charts. It takes the colours of paper and ink from the page's."""
    return Markup((_FOLDER / "charts.css").read_text(encoding="utf-8"))


def _note(chart: Chart) -> str:
    said = [chart.note]
    if isinstance(chart, TimeSpent) and not is_empty(chart):
        said.append(
            f"100 % is {lasting(sum(row.seconds for row in chart.rows))}, of {chart.leads:,} {'lead' if chart.leads == 1 else 'leads'}."
        )
        said.append(f"These are fewer than {FEW} leads." if chart.leads < FEW else "")
    more = _rows(chart) - MOST_ROWS
    said.append(f"{more:,} more are in the table only." if more > 0 else "")
    return " ".join(filter(None, said))


def _rows(chart: Chart) -> int:
    match chart:
        case Rates(rows=rates) | Shares(rows=rates):
            return len(rates)
        case StackedBars(rows=stacks):
            return len(stacks)
        case Bars(rows=bars):
            return len(bars)
        case Load(reps=reps):
            return len(reps)
        case _:
            return 0


def _keys(chart: Chart) -> list[Key]:
    match chart:
        case Trend(lines=lines):
            return [Key(line.name, at, line=True) for at, line in enumerate(lines, start=1)]
        case Curves(curves=curves):
            return [
                Key(f"{one.name}: {one.mark}" if one.mark is not None else one.name, at, line=True)
                for at, one in enumerate(curves, start=1)
            ]
        case StackedBars():
            return [Key(name, at, line=False) for at, name in enumerate(merged(chart)[0], start=1)]
        case Aging():
            return [Key(name, tone + 1, line=False) for name, tone in zip(("on track", "due soon", "breached"), CLOCK_TONES, strict=True)]
        case _:
            return []
