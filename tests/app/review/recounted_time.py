"""What hangs on open hours, counted a second time: they are written out day by day here, and SQLite sums how stored times overlap them.

Nothing here asks a calendar, a clock or a rule of Baton. The hours, the holidays and who owes what are typed from the agreement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from app.review.report import Review
from tests.app.review.ground import FIRST, LAST, period
from tests.app.review.recounting import Rows, at

Window = tuple[str, date, int, int]
_DAY = timedelta(days=1)
_SECOND = 1_000_000
#: The hours from Monday to Friday by the clock on the wall, in which zone, and the holidays of the quarter.
LONDON = ((time(9), time(12, 30)), (time(13, 30), time(17, 30))), "Europe/London", (date(2027, 3, 26), date(2027, 3, 29))
NEW_YORK = ((time(9), time(17)),), "America/New_York", (date(2027, 2, 15),)
CALENDARS = {"london": LONDON, "new-york": NEW_YORK}
#: Who owes what a wait is about, and on which calendar the clock runs; a clock that counts elapsed time has none.
OWES = (
    ("delivery", "routing", ""), ("proof", "notification", ""), ("note", "marketing", ""), ("triage", "marketing", "london"),
    ("acceptance", "rep", "london"), ("first_attempt", "rep", "london"), ("outcome", "rep", "london"), ("decision", "manager", "london"),
)  # fmt: skip
#: The rows of all leads that were open in the quarter, as they are stored: lead, handoff, a word, and three instants.
SEGMENTS = """
, aged AS (SELECT DISTINCT lead_id FROM own WHERE ended IS NULL OR ended >= :begins)
SELECT 'handoff', lead_id, id, CAST(version AS TEXT), created_at, ended_at, coalesce(mql_at, first_assigned_at) FROM handoffs
  WHERE lead_id IN (SELECT lead_id FROM aged)
UNION ALL SELECT 'act', lead_id, id, '', at, received_at, NULL FROM activities WHERE lead_id IN (SELECT lead_id FROM aged)
UNION ALL SELECT 'wait', h.lead_id, h.id, CASE WHEN w.about IN ('proof', 'triage') THEN w.about ELSE w.kind END, w.opened_at,
    a.answered_at, w.closed_at
  FROM waits w JOIN handoffs h ON h.id = w.handoff_id LEFT JOIN answers a ON a.id = w.answer_id
  WHERE h.lead_id IN (SELECT lead_id FROM aged)
UNION ALL SELECT 'dispute', h.lead_id, h.id, '', d.raised_at, d.decided_at, NULL FROM disputes d JOIN handoffs h ON h.id = d.handoff_id
  WHERE h.lead_id IN (SELECT lead_id FROM aged)
UNION ALL SELECT 'wish', id, 0, '', requested_time, NULL, NULL FROM leads
  WHERE requested_time IS NOT NULL AND id IN (SELECT lead_id FROM aged)"""
#: Who claims which time of a lead; where two claims meet, the one with the higher place has it. See docs/where-time-went.md.
_OVERLAPS = """
WITH told AS (
  SELECT of_lead, handoff, word AS version, since AS created, coalesce(until, :now) AS ended, coalesce(other, until, :now) AS qualified,
    lead(since, 1, :now) OVER of_one AS next,
    coalesce(max(coalesce(until, :now)) OVER (of_one ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
  FROM segments WHERE what = 'handoff' WINDOW of_one AS (PARTITION BY of_lead ORDER BY handoff)
),
acts AS (
  SELECT told.handoff, act.since, max(act.until) AS until FROM told JOIN segments act USING (of_lead)
  WHERE act.what = 'act' AND act.until <= told.created AND act.until > told.before GROUP BY told.handoff
),
begun AS (
  SELECT told.*, max(before, coalesce(acts.since, created)) AS acted, coalesce(acts.until, created) AS received
  FROM told LEFT JOIN acts USING (handoff)
),
owed AS (
  SELECT w.of_lead, 1000 * w.handoff + 10 + 2 * row_number() OVER (PARTITION BY w.handoff ORDER BY w.since) AS place, w.word, owes.party,
    max(w.since, b.received) AS since, min(coalesce(w.until, :now), coalesce(w.other, :now), b.ended) AS until,
    CASE WHEN w.word = 'outcome' AND b.version = '2' THEN 'new-york' ELSE owes.calendar END AS calendar
  FROM segments w JOIN begun b USING (handoff) JOIN owes USING (word) WHERE w.what = 'wait'
),
nurtured AS (
  SELECT b.of_lead, b.handoff, max(min(w.since), b.received) AS since,
    min(CASE WHEN count(*) = count(w.other) THEN max(w.other) ELSE b.next END, b.next) AS until
  FROM segments w JOIN begun b USING (handoff) WHERE w.what = 'wait' AND w.word = 'revisit' GROUP BY b.handoff
),
claims AS (
  SELECT of_lead, 1000 * handoff AS place, 'source' AS party, acted AS since, received AS until, '' AS calendar FROM begun
  UNION ALL SELECT of_lead, 1000 * handoff + 1, 'scoring', received, qualified, '' FROM begun
  UNION ALL SELECT of_lead, 1000 * handoff + 2, 'routing', qualified, ended, '' FROM begun
  UNION ALL SELECT of_lead, place, party, since, until, calendar FROM owed
  UNION ALL SELECT of_lead, place + 1, 'prospect''s wish', owed.since, min(owed.until, wish.since), ''
    FROM owed JOIN segments wish USING (of_lead) WHERE wish.what = 'wish' AND owed.word = 'first_attempt'
  UNION ALL SELECT of_lead, 1000 * handoff + 900, 'nurture', since, until, '' FROM nurtured
  UNION ALL SELECT n.of_lead, 1000 * n.handoff + 901, 'manager', max(d.since, n.since), min(coalesce(d.until, n.until), n.until), 'london'
    FROM nurtured n JOIN segments d USING (handoff) WHERE d.what = 'dispute'
),
edges AS (SELECT of_lead, since AS edge FROM claims WHERE since < until UNION SELECT of_lead, until FROM claims WHERE since < until),
pieces AS (SELECT of_lead, edge AS since, lead(edge) OVER (PARTITION BY of_lead ORDER BY edge) AS until FROM edges),
topmost AS (
  SELECT p.since, p.until, c.party, c.calendar, max(c.place) FROM pieces p JOIN claims c USING (of_lead)
  WHERE c.since <= p.since AND c.until >= p.until GROUP BY of_lead, p.since
),
own AS (
  SELECT party, calendar, max(since, :begins) AS since, min(until, :now) AS until FROM topmost WHERE until > :begins AND since < :now
),
counted AS (
  SELECT party, until - since AS whole, CASE WHEN calendar = '' THEN until - since ELSE
    (SELECT coalesce(sum(min(closes, until) - max(opens, since)), 0) FROM windows
     WHERE windows.calendar = own.calendar AND opens < until AND closes > since) END AS open FROM own
)
SELECT party, sum(open) FROM counted GROUP BY party UNION ALL SELECT 'closed hours', sum(whole - open) FROM counted
"""


def windows(*, holidays: bool = True, summer_time: bool = True) -> Iterator[Window]:
    """Yield calendar, day, opening and closing of every open stretch of the quarter, in microseconds since 1970.

    holidays, summer_time: False for how it would be without them.
    """
    for name, (hours, zone, closed) in CALENDARS.items():
        for number in range((LAST - FIRST).days + 1):
            day = FIRST + number * _DAY
            if day.weekday() < 5 and not (holidays and day in closed):
                offset = datetime.combine(day if summer_time else FIRST, time(12), ZoneInfo(zone)).utcoffset() or timedelta()
                for opens, closes in hours:
                    yield name, day, _at_wall(day, opens, offset), _at_wall(day, closes, offset)


def _at_wall(day: date, wall: time, offset: timedelta) -> int:
    return _number(datetime.combine(day, wall, UTC) - offset)


def time_of(rows: Rows, opened: Sequence[Window] | None = None) -> dict[str, int]:
    """Return the seconds that each party had of these leads in the quarter. opened: the open hours, those of `windows` if not given."""
    own = period()
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE segments (what, of_lead, handoff, word, since, until, other)")
        db.execute("CREATE TABLE windows (calendar, day, opens, closes)")
        db.execute("CREATE TABLE owes (word, party, calendar)")
        numbers = [(*words, *(_number(at(one)) if one else None for one in instants)) for *words, instants in map(_parted, rows)]
        db.executemany("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)", numbers)
        db.executemany("INSERT INTO windows VALUES (?, ?, ?, ?)", [(one[0], str(one[1]), *one[2:]) for one in opened or windows()])
        db.executemany("INSERT INTO owes VALUES (?, ?, ?)", OWES)
        parts: dict[str, int] = {}
        for party, part in db.execute(_OVERLAPS, {"begins": _number(own.begins), "now": _number(own.as_of)}):
            parts[party] = parts.get(party, 0) + (part or 0)
    db.close()
    return {party: round(part / _SECOND) for party, part in parts.items() if part}


def _parted(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return *row[:4], row[4:]


def told_time(found: Review) -> dict[str, int]:
    """Return the same of the report."""
    return {str(one.party): one.seconds for one in found.time_spent if one.seconds}


def paced(rows: Rows) -> tuple[float | None, ...]:
    """Return the pace of the month's MQLs: of how many, done, expected, working days passed and in all, and needed on each that is left."""
    [(done,)] = rows
    days = {day for name, day, *_ in windows() if name == "london" and day.replace(day=1) == LAST.replace(day=1)}
    passed = len([day for day in days if day < LAST])  # the last day is not over
    needed = round(max(0, 120 - done) / (len(days) - passed), 2)
    return 120, done, round(120 * passed / len(days), 2), passed, len(days), needed


def told_pace(found: Review) -> tuple[float | None, ...]:
    """Return the same of the report."""
    one = next(one.pace for one in found.objectives if one.aim == "mqls")
    assert one is not None, "the example agreement has an aim for MQLs"
    return one.target, one.done, one.expected, one.working_days_passed, one.working_days, one.needed_a_day


def maturities(rows: Rows) -> dict[str, float | None]:
    """Return how old a month has to be for each step: nine of ten took it by then, or the clocks together where fewer than 20 did."""
    clocks = {"sal": _clocks("delivery", "acceptance"), "sql": _clocks("delivery", "acceptance", "first_attempt", "outcome"), "won": None}
    clocks["opportunity"] = clocks["sql"]
    found = {}
    for place, step in enumerate(("sal", "sql", "opportunity", "won"), 1):
        took = sorted((at(row[place]) - at(row[0])).total_seconds() for row in rows if row[place])
        found[step] = took[ceil(0.9 * len(took)) - 1] if len(took) >= 20 else clocks[step]
    return found


def _clocks(*names: str) -> float:
    """Return how long these clocks run together, from the first instant of the quarter on, for the tier that has most time."""
    starts = _number(period().begins)
    london = [(opens, closes) for name, _, opens, closes in windows() if name == "london"]
    new_york = [closes for name, _, _, closes in windows() if name == "new-york"]
    morning = london[0][1] - london[0][0]
    ends = {
        "delivery": starts + 12 * 3600 * _SECOND,
        "acceptance": london[1][0] + 4 * 3600 * _SECOND - morning,  # the rest of four working hours
        "first_attempt": london[1][1],
        "outcome": new_york[9],
    }
    return sum(ends[name] - starts for name in names) / _SECOND


def _number(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
