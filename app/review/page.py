"""Writes a review as one self-contained page, in the style of a backtest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from app.backtest.page import style
from app.backtest.wording import percent
from app.charts.figure import figure
from app.charts.kinds import Chart
from app.review import charts, wording
from app.review.proposal_wording import NOTHING_PROPOSED, in_words
from app.review.report import Review
from app.review.tables import Table, tables
from app.review.wording import Cell
from notifications.html_templates import html_templates

#: A table on the page has at most so many rows; its CSV file has all of them.
MOST_ROWS = 25
#: Tables with more columns are as wide as the page.
_NARROW = 4
#: So many currencies are on the first sheet; the pipeline has all of them.
_CURRENCIES = 2


@dataclass(frozen=True, slots=True)
class Shown:
    """A table on the page. rows: the first ones; left_out: how many more there are; whole: as wide as the page; title: empty where the
    section says it."""

    table: Table
    title: str
    rows: Sequence[tuple[Cell, ...]]
    left_out: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its charts, and its tables."""

    title: str
    charts: tuple[Markup, ...]
    tables: tuple[Shown, ...]


#: The sections in order: their title, and the names of their tables.
_SECTIONS = (
    ("What was promised and kept", ("promises",)),
    ("What became of the leads", ("funnel", "touches", "speed", "sources")),
    ("From an MQL to a win", ("recycled", "cohorts", "pipeline", "open-opportunities", "first-campaigns", "last-campaigns")),
    ("Why sales gave leads back", ("against", "disputes", "ticks", "reasons")),
    ("Where the time went", ()),
    ("Open leads", ("open",)),
    ("Leads to discuss", ("to-discuss",)),
    ("What was decided before", ("decisions", "proposals-followed")),
)


def page(found: Review) -> str:
    """Return the page as HTML."""
    environment = html_templates(Path(__file__).parent / "templates")
    environment.filters.update(cell=wording.cell, percent=percent, faint=wording.is_faint)
    by_name = {one.name: one for one in tables(found)}
    worth = [(f"{one.opened_amount:,.0f} {one.currency}".rstrip(), one.opened.of) for one in found.money if one.opened.of]
    return environment.get_template("review.html").render(
        found=found,
        style=style(),
        days=wording.days(found),
        headline=wording.headline(found),
        objectives=_shown(by_name["objectives"], "", alone=True),
        worth=worth[:_CURRENCIES],
        more_worth=len(worth[_CURRENCIES:]),
        mqls=next(one for one in found.objectives if one.aim == "mqls"),
        pace=wording.pace,
        warnings=list(wording.warnings(found)),
        proposals=None if found.proposals is None else [in_words(one, at) for at, one in enumerate(found.proposals, 1)],
        nothing_proposed=NOTHING_PROPOSED,
        sections=list(_sections(found, by_name)),
    )


def _sections(found: Review, by_name: dict[str, Table]) -> Iterator[Section]:
    drawn = {
        "What was promised and kept": charts.promises(found),
        "From an MQL to a win": charts.leads(found),
        "Why sales gave leads back": charts.reasons(found),
        "Where the time went": charts.time_spent(found),
        "Open leads": charts.open_leads(found),
    }
    for title, names in _SECTIONS:
        own, figures = [by_name[name] for name in names if name in by_name], tuple(map(_figure, drawn.get(title, ())))
        alone = len(own) + len(figures) == 1
        if own or figures:
            yield Section(title, figures, tuple(_shown(one, one.title if one.title != title else "", alone=alone) for one in own))


def _figure(chart: Chart) -> Markup:
    return figure(chart)


def _shown(table: Table, title: str, *, alone: bool) -> Shown:
    rows = table.rows[:MOST_ROWS]
    return Shown(table, title, rows, len(table.rows) - len(rows), alone or len(table.columns) > _NARROW)
