"""Measure a review of 100,000 leads with its page: how long it takes, how many statements it asks, and how large the page is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import track
from sqlalchemy import event, text
from sqlmodel import Session

from agreements.review.period import Period
from app.review.page import page
from app.review.review import report
from benchmarks.ground import MONDAY, ground
from benchmarks.measures import time_of_leads
from benchmarks.measures.trial import peak
from tasks.wiring.toolbox import Toolbox

SIZES = (10_000, 100_000)
_AT_ONCE = 500
#: The day after which no lead came any more, from the first.
LAST_DAY = 304
_NAME, _ZONE = "b2b-saas", "Europe/London"
#: The page opens at once, and can be mailed.
MOST_BYTES = 2_000_000
#: The leads have many sources, campaigns and companies. Every fifth is given back, every ninth is an opportunity, and every third was
#: tried.
_SPREAD = (
    "UPDATE leads SET source = 'source-' || (id % 20), campaign = 'campaign ' || (id % 200), company = 'The Company With Number ' || id",
    "UPDATE activities SET campaign = 'campaign ' || (id % 200)",
    "UPDATE handoffs SET rep = 'rep-' || (id % 200), first_assigned_at = mql_at, tier = CASE WHEN id % 5 = 1 THEN 'hot' ELSE 'normal' END",
    "UPDATE handoffs SET ended_at = NULL, stage = 'working' WHERE id % 10 = 3",
    "UPDATE assignments SET proven_at = assigned_at",
    """UPDATE answers SET kind = 'rejected', data = json_object('reason', CASE handoff_id % 3 WHEN 0 THEN 'not-icp' WHEN 1 THEN 'not-now'
       ELSE 'wrong-rep' END) WHERE handoff_id % 5 = 0 AND wait_id = 'acceptance-' || handoff_id""",
    """INSERT INTO touches (key, handoff_id, lead_id, by, kind, channel, via, at) SELECT 'touch-' || id, id, lead_id, 'ana', 'attempted',
       'phone', 'link', first_assigned_at FROM handoffs WHERE id % 3 = 0""",
    """INSERT INTO opportunities (crm_id, lead_id, handoff_id, owner, stage, amount, currency, state, reason, opened_at, settled_at, faults,
       said, by_baton, route, updated_at) SELECT 'D' || id, lead_id, id, '', '', 100000 * (1 + id % 7),
       CASE id % 4 WHEN 0 THEN 'GBP' ELSE 'EUR' END, CASE id % 3 WHEN 0 THEN 'won' WHEN 1 THEN 'lost' ELSE 'open' END, '', mql_at,
       CASE WHEN id % 3 < 2 THEN mql_at END, '{}', '{}', 0, '', mql_at FROM handoffs WHERE id % 9 = 0""",
)


def measure(folder: Path, console: Console, sizes: tuple[int, ...] = SIZES) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. One database for each size; each review is compared with that of the fewest leads."""
    first: dict[str, float] = {}
    for size in sizes:
        box = _filled(folder / str(size), size, console)
        end = MONDAY + timedelta(days=LAST_DAY)
        today = end.astimezone(ZoneInfo(_ZONE)).date()
        for name, days in (("week", 7), ("quarter", 91)):
            found = Period(today - timedelta(days=days), today - timedelta(days=1), _ZONE, end)
            seconds, used, asked, size_of_page = _made(box, found)
            first.setdefault(name, seconds)
            figure = f"{seconds:.1f} s ({used:.1f} s of processor), {asked} statements, {size_of_page / 1000:.0f} kB, {peak() / 1e6:.0f} MB"
            what = f"the review of a {name} with its page: {size:,} leads in ten months"
            yield what, figure, f"with the fewest leads: {first[name]:.1f} s", f"{seconds / first[name]:.1f}"


def _filled(folder: Path, size: int, console: Console) -> Toolbox:
    folder.mkdir()
    box, dice = ground(folder), Random(7)
    for begin in track(range(1, size + 1, _AT_ONCE), description=f"{size:,} leads", console=console, transient=True):
        leads = range(begin, min(begin + _AT_ONCE, size + 1))
        box.write_now(lambda session, now, leads=leads: time_of_leads.write(session, leads, dice))  # type: ignore[misc]
    box.write_now(lambda session, now: _spread(session))
    return box


def _spread(session: Session) -> None:
    for statement in _SPREAD:
        session.execute(text(statement))


def _made(box: Toolbox, period: Period) -> tuple[float, float, int, int]:
    """Return the seconds, those of the processor, the statements, and the bytes of the page."""
    asked: list[str] = []

    def keep(*given: object) -> None:
        asked.append(str(given[2]))

    event.listen(box.database.engine, "before_cursor_execute", keep)
    began, processor = time.perf_counter(), time.process_time()
    try:
        with box.database.read() as session:
            found = report(session, _NAME, period)
        html = page(found).encode()
    finally:
        event.remove(box.database.engine, "before_cursor_execute", keep)
    taken, used = time.perf_counter() - began, time.process_time() - processor
    if len(html) > MOST_BYTES or not found.funnel.mqls:
        raise RuntimeError(f"the page of {found.funnel.mqls:,} MQLs has {len(html):,} bytes")
    return taken, used, len(asked), len(html)
