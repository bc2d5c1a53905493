"""Writes an audit as one self-contained page, with the looks of a backtest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup

from app.audit import charts, wording
from app.audit.report import Audit, Group
from app.backtest.page import report_templates, style
from app.backtest.wording import between, number, percent
from app.charts.figure import figure

GROUPS_SHOWN = 25
NOT_USED_SHOWN = 50


def page(found: Audit) -> str:
    """Return the page as HTML."""
    environment = report_templates(Path(__file__).parent / "templates")
    environment.filters.update(
        {name: getattr(wording, name) for name in ("of", "lasting", "tier", "promise", "group", "unknown", "won", "share_of", "kept")},
        number=number,
        percent=percent,
        between=between,
        money=lambda value: wording.money(value, found.money.currency if found.money else ""),
    )
    shown = [one for one in found.promises if not one.not_in_file]
    return environment.get_template("audit.html").render(
        found=found,
        style=style(),
        headline=wording.headline(found),
        period=wording.period(found),
        fates=[figure(chart) for chart in charts.fates(found)],
        promises=shown,
        promise_charts=[figure(chart, with_table=False) for chart in charts.promises(shown)] if found.leads and shown else [],
        sides=list(wording.by_side(found)),
        not_in_file=[one for one in found.promises if one.not_in_file],
        tables=list(_tables(found)),
        not_used=found.not_used.first[:NOT_USED_SHOWN],
        more=max(0, found.not_used.count - NOT_USED_SHOWN),
    )


def _tables(found: Audit) -> Iterator[tuple[str, Sequence[Group], list[Markup], int]]:
    for name, groups in (("source", found.by_source), ("owner", found.by_owner)):
        if shown := groups[:GROUPS_SHOWN]:
            drawn = [figure(chart, with_table=False) for chart in charts.groups(found, shown=shown)]
            yield name, shown, drawn, len(groups) - len(shown)
