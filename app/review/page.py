"""Writes a review as one self-contained page, with the looks of a backtest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agreements.review.share import Share
from app.backtest.page import style
from app.backtest.wording import percent
from app.charts.figure import figure
from app.charts.kinds import Chart
from app.review import charts, wording
from app.review.proposal_wording import NOTHING_PROPOSED, in_words
from app.review.report import Review
from app.review.tables import Table, tables


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its charts, and its tables."""

    title: str
    charts: tuple[Markup, ...]
    tables: tuple[Table, ...]


#: The sections in order: their title, and the names of their tables.
_SECTIONS = (
    ("What was promised and kept", ("promises",)),
    ("What became of the leads", ("funnel", "speed", "sources", "touches", "recycled")),
    ("From an MQL to a win", ("cohorts", "pipeline", "campaigns")),
    ("Why sales gave leads back", ("reasons", "against", "disputes", "ticks")),
    ("Where the time went", ()),
    ("Open leads", ("open",)),
    ("Leads to discuss", ("to-discuss",)),
    ("What was decided before", ("decisions", "proposals-followed")),
)


def page(found: Review) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(cell=wording.cell, of=wording.of, percent=percent, few=lambda value: isinstance(value, Share) and value.few)
    by_name = {one.name: one for one in tables(found)}
    return environment.get_template("review.html").render(
        found=found,
        style=style(),
        days=wording.days(found),
        headline=wording.headline(found),
        objectives=by_name["objectives"],
        worth=[(f"{one.opened_amount:,.0f} {one.currency}".rstrip(), one.opened.of) for one in found.money if one.opened.of],
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
        own = tuple(by_name[name] for name in names if name in by_name)
        section = Section(title, tuple(map(_figure, drawn.get(title, ()))), own)
        if section.charts or section.tables:
            yield section


def _figure(chart: Chart) -> Markup:
    return figure(chart)
