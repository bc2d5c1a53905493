"""Every total of a review, counted again: how it is taken from the report, and rows by plain SQL from which it is counted a second time.

The name of each total is its place in the JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from statistics import median, quantiles
from typing import Any
from zoneinfo import ZoneInfo

from agreements.review.share import Share
from app.review.report import Review
from tests.app.review.ground import period

ZONE = ZoneInfo("Europe/London")
Rows = Sequence[tuple[Any, ...]]
#: The passes: a handoff that goes on after a new version, or after a ruling, is the same pass as the one before.
PASSES = """
WITH RECURSIVE goes_on(id, before) AS (
  SELECT h.id, p.id FROM handoffs h JOIN handoffs p ON p.id = h.previous_id
  WHERE p.stage = 'withdrawn' OR h.id IN (SELECT again_id FROM disputes WHERE again_id IS NOT NULL)
),
chain(id, root) AS (
  SELECT id, id FROM handoffs WHERE id NOT IN (SELECT id FROM goes_on)
  UNION ALL SELECT g.id, c.root FROM goes_on g JOIN chain c ON c.id = g.before
),
ends AS (SELECT root, max(id) AS newest FROM chain GROUP BY root),
passes AS (
  SELECT e.root AS id, f.lead_id, f.previous_id, f.brought_by, f.created_at AS began, l.stage, l.rep, l.tier, leads.source,
    CASE WHEN l.ended_at < :as_of THEN l.ended_at END AS ended,
    (SELECT min(h.mql_at) FROM chain c JOIN handoffs h ON h.id = c.id WHERE c.root = e.root) AS mql,
    (SELECT min(h.first_assigned_at) FROM chain c JOIN handoffs h ON h.id = c.id WHERE c.root = e.root) AS assigned,
    (SELECT min(a.answered_at) FROM chain c JOIN answers a ON a.handoff_id = c.id
       WHERE c.root = e.root AND a.state = 'counted' AND a.kind = 'accepted') AS accepted,
    (SELECT min(a.answered_at) FROM chain c JOIN answers a ON a.handoff_id = c.id
       WHERE c.root = e.root AND a.state = 'counted' AND a.kind IN ('rejected', 'returned')) AS given_back,
    (SELECT min(a.answered_at) FROM chain c JOIN answers a ON a.handoff_id = c.id
       WHERE c.root = e.root AND a.state = 'counted' AND a.kind = 'opportunity') AS opportunity,
    (SELECT min(a.answered_at) FROM chain c JOIN answers a ON a.handoff_id = c.id
       WHERE c.root = e.root AND a.state = 'counted' AND a.kind IN ('sql', 'opportunity')) AS sql,
    (SELECT min(n.proven_at) FROM chain c JOIN assignments n ON n.handoff_id = c.id WHERE c.root = e.root) AS proven,
    (SELECT count(*) FROM chain c JOIN waits w ON w.handoff_id = c.id
       WHERE c.root = e.root AND w.kind = 'delivery' AND w.about IN ('hold', 'release', 'no-clock')) AS held,
    (SELECT count(*) FROM chain c JOIN opportunities o ON o.handoff_id = c.id WHERE c.root = e.root AND o.state = 'won'
       AND o.settled_at < :as_of) AS won,
    (SELECT min(t.at) FROM chain c JOIN touches t ON t.handoff_id = c.id WHERE c.root = e.root) AS touched,
    (SELECT count(*) FROM chain c JOIN touches t ON t.handoff_id = c.id WHERE c.root = e.root) AS touches,
    (SELECT min(w.promised_at) FROM chain c JOIN waits w ON w.handoff_id = c.id LEFT JOIN answers a ON a.id = w.answer_id
       WHERE c.root = e.root AND w.kind = 'acceptance' AND w.rung = 0 AND w.promised_at < :as_of
       AND (a.kind = 'deadline' OR (a.id IS NULL AND w.closed_at IS NULL))) AS missed,
    (SELECT min(w.promised_at) FROM chain c JOIN waits w ON w.handoff_id = c.id LEFT JOIN answers a ON a.id = w.answer_id
       WHERE c.root = e.root AND w.kind = 'first_attempt' AND w.rung = 0 AND w.promised_at < :as_of
       AND (a.kind = 'deadline' OR (a.id IS NULL AND w.closed_at IS NULL))) AS not_attempted
  FROM ends e JOIN handoffs f ON f.id = e.root JOIN handoffs l ON l.id = e.newest JOIN leads ON leads.id = f.lead_id
),
own AS (SELECT * FROM passes WHERE stage <> 'merged'),
mqls AS (SELECT * FROM own WHERE mql >= :begins AND mql < :as_of),
back AS (
  SELECT a.id, a.answered_at AS at, a.data ->> 'reason' AS reason, d.id AS dispute, d.ruling, w.assignment_id, leads.source,
    CASE WHEN a.data ->> 'reason' IN ('no-authority', 'not-icp', 'bad-data') THEN 'marketing'
         WHEN a.data ->> 'reason' IN ('customer-or-open-deal', 'wrong-rep', 'duplicate') THEN 'routing' ELSE 'nobody' END AS party
  FROM answers a JOIN waits w ON w.id = a.wait_id JOIN handoffs h ON h.id = a.handoff_id JOIN leads ON leads.id = h.lead_id
  LEFT JOIN disputes d ON d.answer_id = a.id
  WHERE a.kind IN ('rejected', 'returned') AND a.state = 'counted' AND a.answered_at >= :begins AND a.answered_at < :as_of
),
due AS (
  SELECT w.kind, w.about, w.holder, w.handoff_id, h.tier, w.promised_at, chain.root AS pass,
    CASE WHEN w.about IN ('hold', 'release', 'no-clock') OR a.kind IN ('away', 'left', 'back') THEN 'void'
         WHEN a.kind <> 'deadline' AND a.answered_at <= w.promised_at THEN 'kept'
         WHEN a.kind IS NULL AND w.closed_at <= w.promised_at AND w.closed_because = 'proven' THEN 'kept'
         WHEN a.kind IS NULL AND w.closed_at <= w.promised_at THEN 'void' ELSE 'missed' END AS verdict,
    coalesce((SELECT max(b.party) FROM back b WHERE b.assignment_id = w.assignment_id AND b.party <> 'nobody'), 'nobody') AS party
  FROM waits w JOIN handoffs h ON h.id = w.handoff_id JOIN chain ON chain.id = h.id LEFT JOIN answers a ON a.id = w.answer_id
  WHERE w.rung = 0 AND w.kind <> 'revisit' AND w.promised_at >= :begins AND w.promised_at < :as_of
),
deals AS (
  SELECT o.*, leads.created_at AS came, CASE WHEN o.settled_at >= :begins AND o.settled_at < :as_of THEN o.state ELSE 'open' END AS ended
  FROM opportunities o JOIN leads ON leads.id = o.lead_id
)
"""


@dataclass(frozen=True, slots=True)
class Total:
    """A total. told: as the report has it. sql: asks for rows. counted: makes the same of them."""

    told: Callable[[Review], Any]
    sql: str
    counted: Callable[[Rows], Any] = list


def of(one: Share) -> tuple[int, int]:
    """Return both parts of a share."""
    return one.count, one.of


def share(told: Callable[[Review], Share], count: str, whole: str) -> Total:
    """Return a share of which both parts are counted."""
    return Total(lambda found: [of(told(found))], f"SELECT ({count}), ({whole})")


def number(told: Callable[[Review], Any], sql: str) -> Total:
    """Return a total that is one number."""
    return Total(lambda found: [(told(found),)], sql)


def at(value: Any) -> datetime:
    """Return an instant as either database writes it."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day(value: Any) -> date:
    """Return the day of an instant, in the agreement's zone."""
    return at(value).astimezone(ZONE).date()


# Promises: each kept or missed one, with who owes it. Baton owes proofs, and the delivery of a lead is counted from its pass.
DUE = """SELECT 'due', kind, about, holder, party, verdict, tier, promised_at, NULL, NULL, NULL, 0 FROM due
  WHERE verdict IN ('kept', 'missed')
UNION ALL SELECT 'way', '', '', '', '', '', tier, mql, assigned, proven, ended, held FROM own WHERE mql IS NOT NULL"""
WITHIN = {"hot": timedelta(hours=1), "normal": timedelta(hours=12)}
OWED = {
    "acceptance": "sales",
    "first_attempt": "sales",
    "outcome": "sales",
    "decision": "sales",
    "note": "marketing",
    "delivery": "marketing",
}


def promises(rows: Rows) -> list[tuple[str, str, str, bool, date, str]]:
    """Return clock, who owes it, who caused a miss, whether it was kept, its day, and the tier."""
    found = []
    for what, kind, about, holder, party, verdict, tier, promised, assigned, proven, ended, held in rows:
        if what == "due":
            owes = "baton" if about == "proof" else OWED[kind]
            cause = "nobody" if holder == "several" else party if owes == "sales" and party != "nobody" else owes
            found.append((kind, owes, cause, verdict == "kept", day(promised), tier))
        elif judged := delivered(promised, assigned, proven, ended, held, tier):
            found.append(judged)
    return found


def delivered(mql: Any, assigned: Any, proven: Any, ended: Any, held: int, tier: str) -> tuple[str, str, str, bool, date, str] | None:
    """Return the promise that this MQL reaches a rep; None where it was not due, nobody could keep it, or the pass was over."""
    due, closed = at(mql) + WITHIN[tier], proven or ended
    if held or not period().holds(due) or (closed and at(closed) <= due and not proven):
        return None
    cause = "baton" if assigned and at(assigned) <= due else "marketing"
    return "delivery", "marketing", cause, bool(closed and at(closed) <= due), day(due), tier


def kept(rows: Rows) -> dict[tuple[str, str], tuple[tuple[int, int], dict[str, int]]]:
    """Return for each clock and who owes it how many were kept, of how many, and the misses that others caused."""
    found: dict[tuple[str, str], tuple[tuple[int, int], dict[str, int]]] = {}
    for key in sorted({(clock, owes) for clock, owes, *_ in promises(rows)}):
        own = [one for one in promises(rows) if one[:2] == key]
        charged = [is_kept for _, owes, cause, is_kept, *_ in own if is_kept or cause == owes]
        others = Counter(cause for _, owes, cause, is_kept, *_ in own if not is_kept and cause != owes)
        found[key] = ((sum(charged), len(charged)), dict(others))
    return found


def sides(rows: Rows) -> dict[str, tuple[int, int]]:
    """Return how many promises each side kept, of how many."""
    return {side: added(one for (_, owes), (one, _) in kept(rows).items() if owes == side) for side in ("marketing", "sales")}


def added(pairs: Any) -> tuple[int, int]:
    """Return the sums of the first and of the second parts."""
    whole = list(pairs)
    return sum(one for one, _ in whole), sum(two for _, two in whole)


def weeks(rows: Rows) -> dict[tuple[str, date], tuple[int, int]]:
    """Return the same by week, without the weeks of which there is nothing."""
    found: dict[tuple[str, date], tuple[int, int]] = {}
    for _, owes, cause, is_kept, due, _ in promises(rows):
        if owes != "baton" and (is_kept or cause == owes):
            key = (owes, due - timedelta(days=due.weekday()))
            found[key] = added([found.get(key, (0, 0)), (int(is_kept), 1)])
    return found


def told_weeks(found: Review) -> dict[tuple[str, date], tuple[int, int]]:
    """Return the same of the report."""
    both = [(side, one.monday, getattr(one, side)) for one in found.weeks for side in ("marketing", "sales")]
    return {(side, monday): of(one) for side, monday, one in both if one.of}


def clock_share(clock: str) -> Callable[[Rows], tuple[int, int]]:
    """Return what counts one clock over all who owe it, without Baton's proofs."""
    return lambda rows: added(one for (name, owes), (one, _) in kept(rows).items() if name == clock and owes != "baton")


def by_tier(rows: Rows) -> dict[str, Any]:
    """Return of each tier, and of all together, the touched ones of how many, and the median and 90th percentile of the speed."""
    found = {}
    for tier in ["", *sorted({row[0] for row in rows})]:
        own = [(began, touched) for name, began, touched in rows if tier in ("", name)]
        took = sorted((at(touched) - at(began)).total_seconds() for began, touched in own if touched)
        found[tier] = (len(took), len(own)), median(took) if took else None, took[ceil(0.9 * len(took)) - 1] if took else None
    return found


def in_time_by_tier(rows: Rows) -> dict[str, tuple[int, int]]:
    """Return how many first attempts of each tier, and of all, were in time."""
    own = [
        (tier, is_kept)
        for clock, owes, cause, is_kept, _, tier in promises(rows)
        if clock == "first_attempt" and (is_kept or cause == owes)
    ]
    return {
        tier: (sum(kept for name, kept in own if tier in ("", name)), sum(tier in ("", name) for name, _ in own))
        for tier in ["", *{name for name, _ in own}]
    }


def first_attempts(rows: Rows) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many leads became opportunities, of those touched in time and of the late ones. A lead counts by its first promise."""
    first: dict[int, tuple[bool, bool]] = {}
    for ident, _, verdict, won in sorted(rows, key=lambda row: at(row[1])):
        first.setdefault(ident, (verdict == "kept", won is not None))
    both = [[won for kept, won in first.values() if kept is word] for word in (True, False)]
    return (sum(both[0]), len(both[0])), (sum(both[1]), len(both[1]))


def months(rows: Rows) -> dict[str, tuple[int, ...]]:
    """Return the MQLs of each month, and how many of them took each step."""
    found: dict[str, tuple[int, ...]] = {}
    for mql, *steps in rows:
        name, taken = f"{day(mql):%Y-%m}", (1, *(bool(step) for step in steps))
        found[name] = tuple(one + two for one, two in zip(found.get(name, (0,) * len(taken)), taken, strict=True))
    return found


def ages(rows: Rows) -> dict[int | None, tuple[int, dict[str, int]]]:
    """Return how many leads of each age are open, and what they wait for."""
    found: dict[int | None, list[str]] = {}
    for began, kind in rows:
        days = (period().as_of - at(began)) / timedelta(days=1)
        found.setdefault(next((most for most in (1, 7, 30, 90) if days < most), None), []).append(kind or "moving")
    return {most: (len(kinds), dict(Counter(kinds))) for most, kinds in found.items()}


def touches(rows: Rows) -> tuple[int, float | None, tuple[int, ...]]:
    """Return how many leads sales gave up, the median of their touches, and how many had 0, 1, … 5, and more."""
    tried = [count for (count,) in rows]
    return (
        len(tried),
        median(tried) if tried else None,
        tuple([sum(count == most for count in tried) for most in range(6)] + [sum(count > 5 for count in tried)]),
    )


def days_to_won(rows: Rows) -> tuple[int, int, tuple[float, ...] | None, int | None]:
    """Return how many wins there were, how many of them count, the quartiles of their days from lead to win, and the longest."""
    took = [(date.fromisoformat(str(closed)) - day(came)).days for closed, came, faults in rows if closed and "closed-before" not in faults]
    took = [one for one in took if one >= 0]
    middle = tuple(quantiles(took, n=4, method="inclusive")) if len(took) > 1 else (float(took[0]),) * 3 if took else None
    return len(rows), len(took), middle, max(took, default=None)
