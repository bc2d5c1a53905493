"""Writes an audit as one self-contained page, with the looks of a backtest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.audit import wording
from app.audit.report import Audit, Group, Kept
from app.backtest import charts
from app.backtest.page import FOLDER
from app.backtest.wording import between, number, percent

GROUPS_SHOWN = 25
NOT_USED_SHOWN = 50
TOUCHES = ("0", "1", "2", "3", "4", "5", "6 or more")


def page(found: Audit) -> str:
    """Return the page as HTML."""
    folders = (Path(__file__).parent / "templates", FOLDER)
    environment = Environment(
        loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        {name: getattr(wording, name) for name in ("of", "lasting", "tier", "promise", "group", "unknown", "won", "share_of", "kept")},
        number=number,
        percent=percent,
        between=between,
        money=lambda value: wording.money(value, found.money.currency if found.money else ""),
    )
    fates = list(wording.fates(found))
    return environment.get_template("audit.html").render(
        found=found,
        style=(FOLDER / "backtest.css").read_text(encoding="utf-8"),
        headline=wording.headline(found),
        period=wording.period(found),
        fates=[(line, 100 * line.counted.count / line.counted.of if line.counted.of else 0) for line in fates],
        promises=_promises(found.promises),
        sides=list(wording.by_side(found)),
        not_in_file=[one for one in found.promises if one.not_in_file],
        attempts=_attempts(found),
        tables=[(name, _groups(groups), max(0, len(groups) - GROUPS_SHOWN)) for name, groups in _tables(found) if groups],
        shown=found.not_used.first[:NOT_USED_SHOWN],
        more=max(0, found.not_used.count - NOT_USED_SHOWN),
    )


def _promises(promises: Sequence[Kept]) -> list[tuple[Kept, tuple[charts.Whisker | None, charts.Whisker | None]]]:
    shown = [one for one in promises if not one.not_in_file]
    ends = charts.whiskers([share for one in shown for share in (one.won_if_kept.as_share, one.won_if_broken.as_share)])
    return [(one, (ends[2 * at], ends[2 * at + 1])) for at, one in enumerate(shown)]


def _attempts(found: Audit) -> list[tuple[str, int, float]]:
    if not found.attempts or not found.attempts.leads:
        return []
    numbers = found.attempts.by_touches
    return list(zip(TOUCHES, numbers, charts.bars(numbers), strict=True))


def _tables(found: Audit) -> tuple[tuple[str, tuple[Group, ...]], ...]:
    return ("source", found.by_source), ("owner", found.by_owner)


def _groups(groups: Sequence[Group]) -> list[tuple[Group, Any]]:
    shown = [*groups[:GROUPS_SHOWN]]
    return list(zip(shown, charts.whiskers([one.won.as_share for one in shown]), strict=True))
