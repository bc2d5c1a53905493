"""Every total of a review equals a recount by plain SQL, over a made-up quarter with leads of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, text
from sqlmodel import Session

from agreements.review.share import Share
from app.review.report import Review
from app.review.week_counting import count_week
from storage import contracts
from storage.database import UtcDateTime
from tasks.wiring.toolbox import Toolbox
from tests.app.review.ground import END, period, quarter, reviewed
from tests.conftest import MONDAY
from tests.driver import Driver
from tests.kept import Kept
from tests.stage import Taken

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
  SELECT e.root AS id, f.lead_id, f.previous_id, f.created_at AS began, l.stage, l.rep, l.tier, leads.source,
    CASE WHEN l.ended_at < :as_of THEN l.ended_at END AS ended,
    (SELECT min(h.mql_at) FROM chain c JOIN handoffs h ON h.id = c.id WHERE c.root = e.root) AS mql,
    (SELECT min(h.first_assigned_at) FROM chain c JOIN handoffs h ON h.id = c.id WHERE c.root = e.root) AS assigned,
    (SELECT min(a.answered_at) FROM chain c JOIN answers a ON a.handoff_id = c.id
       WHERE c.root = e.root AND a.state = 'counted' AND a.kind = 'accepted') AS accepted,
    (SELECT min(a.answered_at) FROM chain c JOIN answers a ON a.handoff_id = c.id
       WHERE c.root = e.root AND a.state = 'counted' AND a.kind IN ('rejected', 'returned')) AS given_back,
    (SELECT min(a.answered_at) FROM chain c JOIN answers a ON a.handoff_id = c.id
       WHERE c.root = e.root AND a.state = 'counted' AND a.kind = 'opportunity') AS opportunity,
    (SELECT count(*) FROM chain c JOIN touches t ON t.handoff_id = c.id WHERE c.root = e.root) AS touches,
    (SELECT count(*) FROM chain c JOIN waits w ON w.handoff_id = c.id LEFT JOIN answers a ON a.id = w.answer_id
       WHERE c.root = e.root AND w.kind = 'acceptance' AND w.rung = 0 AND w.promised_at < :as_of
       AND (a.kind = 'deadline' OR (a.id IS NULL AND w.closed_at IS NULL))) AS missed
  FROM ends e JOIN handoffs f ON f.id = e.root JOIN handoffs l ON l.id = e.newest JOIN leads ON leads.id = f.lead_id
),
own AS (SELECT * FROM passes WHERE stage <> 'merged'),
mqls AS (SELECT * FROM own WHERE mql >= :begins AND mql < :as_of),
back AS (
  SELECT a.id, a.data ->> 'reason' AS reason, d.id AS dispute, d.ruling, w.assignment_id, leads.source,
    CASE WHEN a.data ->> 'reason' IN ('no-authority', 'not-icp', 'bad-data') THEN 'marketing'
         WHEN a.data ->> 'reason' IN ('customer-or-open-deal', 'wrong-rep', 'duplicate') THEN 'routing' ELSE 'nobody' END AS party
  FROM answers a JOIN waits w ON w.id = a.wait_id JOIN handoffs h ON h.id = a.handoff_id JOIN leads ON leads.id = h.lead_id
  LEFT JOIN disputes d ON d.answer_id = a.id
  WHERE a.kind IN ('rejected', 'returned') AND a.state = 'counted' AND a.answered_at >= :begins AND a.answered_at < :as_of
),
due AS (
  SELECT w.kind, w.about, w.holder, w.handoff_id, h.tier,
    CASE WHEN w.about IN ('hold', 'release', 'no-clock') OR a.kind IN ('away', 'left', 'back') THEN 'void'
         WHEN a.kind <> 'deadline' AND a.answered_at <= w.promised_at THEN 'kept'
         WHEN a.kind IS NULL AND w.closed_at <= w.promised_at AND w.closed_because = 'proven' THEN 'kept'
         WHEN a.kind IS NULL AND w.closed_at <= w.promised_at THEN 'void' ELSE 'missed' END AS verdict,
    coalesce((SELECT max(b.party) FROM back b WHERE b.assignment_id = w.assignment_id AND b.party <> 'nobody'), 'nobody') AS party
  FROM waits w JOIN handoffs h ON h.id = w.handoff_id LEFT JOIN answers a ON a.id = w.answer_id
  WHERE w.rung = 0 AND w.kind <> 'revisit' AND w.promised_at >= :begins AND w.promised_at < :as_of
),
deals AS (
  SELECT o.*, CASE WHEN o.settled_at >= :begins AND o.settled_at < :as_of THEN o.state ELSE 'open' END AS ended
  FROM opportunities o WHERE o.lead_id IS NOT NULL
)
"""
SALES = "party = 'nobody' AND verdict IN ('kept', 'missed')"


def share(pick: Callable[[Review], Share], count: str, of: str) -> tuple[Callable[[Review], Any], str]:
    """Return how a share is taken from the review, and the SQL that counts both its parts."""

    def both(found: Review) -> list[tuple[int, int]]:
        one = pick(found)
        return [(one.count, one.of)]

    return both, f"SELECT ({count}), ({of})"


def number(pick: Callable[[Review], Any], sql: str) -> tuple[Callable[[Review], Any], str]:
    """Return how a number is taken from the review, and the SQL that counts it."""
    return lambda found: [(pick(found),)], sql


def kept(clock: str, owed_by: str) -> Callable[[Review], Share]:
    """Return what takes how often a clock was kept."""
    return lambda found: next(one.kept for one in found.promises if (one.clock, one.owed_by) == (clock, owed_by))


def aim(name: str) -> Callable[[Review], Any]:
    """Return what takes one objective."""
    return lambda found: next(one for one in found.objectives if one.aim == name)


MQLS = "SELECT count(*) FROM mqls"
TOTALS: dict[str, tuple[Callable[[Review], Any], str]] = {
    "passes that began": number(
        lambda found: found.funnel.began, "SELECT count(*) FROM own WHERE began >= :begins AND began < :as_of"
    ),
    "of leads that came back": number(
        lambda found: found.funnel.came_back,
        "SELECT count(*) FROM own WHERE began >= :begins AND began < :as_of AND previous_id IS NOT NULL",
    ),
    "mqls": number(lambda found: found.funnel.mqls, MQLS),
    "assigned": share(lambda found: found.funnel.assigned, f"{MQLS} WHERE assigned IS NOT NULL", MQLS),
    "accepted": share(lambda found: found.funnel.accepted, f"{MQLS} WHERE accepted IS NOT NULL", MQLS),
    "rejected": share(lambda found: found.funnel.rejected, f"{MQLS} WHERE accepted IS NULL AND given_back IS NOT NULL", MQLS),
    "unanswered": share(
        lambda found: found.funnel.unanswered, f"{MQLS} WHERE accepted IS NULL AND given_back IS NULL AND missed > 0", MQLS
    ),
    "waiting": share(
        lambda found: found.funnel.waiting,
        f"{MQLS} WHERE accepted IS NULL AND given_back IS NULL AND missed = 0 AND ended IS NULL",
        MQLS,
    ),
    "never touched": share(
        lambda found: found.funnel.never_touched, f"{MQLS} WHERE assigned IS NOT NULL AND touches = 0", f"{MQLS} WHERE assigned IS NOT NULL"
    ),
    "merged": number(lambda found: found.funnel.merged, "SELECT count(*) FROM handoffs WHERE stage = 'merged'"),
    "acceptances": share(
        kept("acceptance", "sales"),
        "SELECT count(*) FROM due WHERE kind = 'acceptance' AND verdict = 'kept'",
        f"SELECT count(*) FROM due WHERE kind = 'acceptance' AND (verdict = 'kept' OR {SALES})",
    ),
    "first attempts": share(
        kept("first_attempt", "sales"),
        "SELECT count(*) FROM due WHERE kind = 'first_attempt' AND verdict = 'kept'",
        f"SELECT count(*) FROM due WHERE kind = 'first_attempt' AND (verdict = 'kept' OR {SALES})",
    ),
    "first attempts that marketing caused to be missed": number(
        lambda found: sum(one.caused_by.get("marketing", 0) for one in found.promises if one.clock == "first_attempt"),
        "SELECT count(*) FROM due WHERE kind = 'first_attempt' AND verdict = 'missed' AND party = 'marketing'",
    ),
    "proofs": share(
        kept("delivery", "baton"),
        "SELECT count(*) FROM due WHERE about = 'proof' AND verdict = 'kept'",
        "SELECT count(*) FROM due WHERE about = 'proof' AND verdict IN ('kept', 'missed')",
    ),
    "sales' side": number(
        lambda found: next(one.kept.count for one in found.sides if one.side == "sales"),
        "SELECT count(*) FROM due WHERE kind IN ('acceptance', 'first_attempt', 'outcome') AND verdict = 'kept'",
    ),
    "sales' side by week": number(
        lambda found: sum(one.sales.count for one in found.weeks),
        "SELECT count(*) FROM due WHERE kind IN ('acceptance', 'first_attempt', 'outcome') AND verdict = 'kept'",
    ),
    "touched": share(
        lambda found: found.speeds[0].touched,
        "SELECT count(*) FROM own WHERE assigned >= :begins AND assigned < :as_of AND touches > 0",
        "SELECT count(*) FROM own WHERE assigned >= :begins AND assigned < :as_of",
    ),
    "touches before sales gave up": number(
        lambda found: found.attempts.by_touches,
        "SELECT touches, count(*) FROM own WHERE assigned IS NOT NULL AND ended IS NOT NULL AND opportunity IS NULL GROUP BY touches",
    ),
    "opportunities": number(
        lambda found: aim("opportunities")(found).count,
        "SELECT count(*) FROM deals WHERE opened_at >= :begins AND opened_at < :as_of",
    ),
    "mql to opportunity": share(
        lambda found: aim("mql_to_opportunity")(found).share,
        "SELECT count(*) FROM own WHERE mql IS NOT NULL AND ended IS NOT NULL AND opportunity IS NOT NULL",
        "SELECT count(*) FROM own WHERE mql IS NOT NULL AND ended IS NOT NULL",
    ),
    "pipeline by currency": (
        lambda found: [(one.currency, one.opened.of, round(100 * one.opened_amount)) for one in found.money],
        "SELECT currency, count(*), coalesce(sum(amount), 0) FROM deals WHERE opened_at >= :begins AND opened_at < :as_of"
        " GROUP BY currency ORDER BY currency",
    ),
    "won by currency": (
        lambda found: [(one.currency, one.won.of, round(100 * one.won_amount)) for one in found.money if one.won.of],
        "SELECT currency, count(*), coalesce(sum(amount), 0) FROM deals WHERE ended = 'won' GROUP BY currency ORDER BY currency",
    ),
    "pipeline by last campaign": (
        lambda found: sorted((one.campaign, one.money.currency, one.money.opened.of) for one in found.campaigns if one.which == "last"),
        """SELECT (SELECT a.campaign FROM activities a WHERE a.lead_id = deals.lead_id AND a.campaign <> '' AND a.at <= deals.opened_at
             ORDER BY a.at DESC, a.id DESC LIMIT 1) AS name, currency, count(*) FROM deals
           WHERE opened_at >= :begins AND opened_at < :as_of GROUP BY name, currency ORDER BY name, currency""",
    ),
    "by source": (
        lambda found: [(one.source, one.mqls, one.accepted.count) for one in found.by_source],
        "SELECT source, count(*), sum(CASE WHEN accepted IS NULL THEN 0 ELSE 1 END) FROM mqls GROUP BY source ORDER BY source",
    ),
    "by month": (
        lambda found: [(sum(one.mqls for one in found.cohorts), sum(one.sal.reached.count for one in found.cohorts))],
        "SELECT count(*), sum(CASE WHEN accepted IS NULL THEN 0 ELSE 1 END) FROM mqls",
    ),
    "open": number(lambda found: found.open_leads, "SELECT count(*) FROM own WHERE ended IS NULL"),
    "open by age": number(lambda found: sum(one.leads for one in found.open_by_age), "SELECT count(*) FROM own WHERE ended IS NULL"),
    "what open leads wait for": number(
        lambda found: sum(count for one in found.open_by_age for kind, count in one.waits_for.items() if kind != "moving"),
        "SELECT count(*) FROM waits WHERE kind <> 'revisit' AND closed_at IS NULL",
    ),
    "load": (
        lambda found: [(one.rep, one.open) for one in found.load],
        "SELECT rep, count(*) FROM own WHERE ended IS NULL AND rep <> '' GROUP BY rep ORDER BY rep",
    ),
    "ticks": number(
        lambda found: [(one.ticked.count, one.ticked.of) for one in found.ticks],
        """SELECT sum(CASE WHEN CAST(a.data AS TEXT) LIKE '%"campaign"%' THEN 1 ELSE 0 END), count(*) FROM answers a
           WHERE a.kind = 'accepted' AND a.state = 'counted' AND a.answered_at >= :begins AND a.answered_at < :as_of""",
    ),
    "disputes": share(
        lambda found: found.disputes.raised, "SELECT count(*) FROM back WHERE dispute IS NOT NULL", "SELECT count(*) FROM back"
    ),
    "overturned": share(
        lambda found: found.disputes.overturned,
        "SELECT count(*) FROM back WHERE ruling = 'overturned'",
        "SELECT count(*) FROM back WHERE dispute IS NOT NULL",
    ),
    "reasons": (
        lambda found: sorted((one.reason, one.given.count) for one in found.reasons),
        "SELECT reason, count(*) FROM back GROUP BY reason ORDER BY reason",
    ),
    "reasons by source": (
        lambda found: sorted((one.reason, source, count) for one in found.reasons for source, count in one.by_source.items()),
        "SELECT reason, source, count(*) FROM back GROUP BY reason, source ORDER BY reason, source",
    ),
    "counts against": (
        lambda found: sorted((party, count) for party, count in found.against.items() if count),
        "SELECT party, count(*) FROM back WHERE ruling IS NULL OR ruling <> 'overturned' GROUP BY party ORDER BY party",
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=[1, pytest.param(4, marks=pytest.mark.long)])
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Kept[list[Taken]]]:
    """On how many Mondays leads come, and the quarter, which the first test lives through."""
    return request.param, Kept(tmp_path_factory.mktemp("quarter") / "kept")


async def test_every_total_equals_a_recount_by_sql(driver: Driver, box: Toolbox, lived: tuple[int, Kept[list[Taken]]]) -> None:
    mondays, kept_quarter = lived
    await kept_quarter.on(box, lambda: quarter(driver, box, mondays=mondays))
    of = period()
    found = reviewed(box, of)

    def recount(session: Session, now: object) -> dict[str, list[tuple[Any, ...]]]:
        return {name: rows(session, sql) for name, (_, sql) in TOTALS.items()}

    def rows(session: Session, sql: str) -> list[tuple[Any, ...]]:
        query = text(PASSES + sql)
        named = {"begins": of.begins, "as_of": of.as_of}
        used = [bindparam(name, type_=UtcDateTime) for name in named if f":{name}" in PASSES + sql]
        return [tuple(row) for row in session.execute(query.bindparams(*used), named)]

    counted = box.read_now(recount)

    told = {name: pick(found) for name, (pick, _) in TOTALS.items()}
    tries = dict(counted.pop("touches before sales gave up"))
    assert told.pop("touches before sales gave up") == [(tuple(tries.get(at, 0) for at in range(6)) + (0,),)]
    [ticks] = told.pop("ticks")
    assert ticks[0] == counted.pop("ticks")
    assert told == counted
    assert found.funnel.mqls >= 8 * mondays, "a quarter without leads proves nothing"


async def test_the_week_on_the_page_equals_the_review_of_its_days(
    driver: Driver, box: Toolbox, lived: tuple[int, Kept[list[Taken]]]
) -> None:
    """It reads less of the past, and counts by the same rules."""
    mondays, kept_quarter = lived
    await kept_quarter.on(box, lambda: quarter(driver, box, mondays=mondays))

    for at in (MONDAY + timedelta(days=3), END):
        counted = box.read_now(lambda session, _, at=at: count_week(contracts.read(contracts.in_force(session, at, {})), session, at))  # type: ignore[misc]
        found = reviewed(box, period(counted.first, at.date(), now=at))

        assert counted.objectives == found.objectives
        assert counted.sides == {one.side: one.kept for one in found.sides}
        assert (counted.leads, counted.seconds) == (found.time_of_leads, {one.party: one.seconds for one in found.time_spent})
        assert sum(counted.by_person.values(), Share()).of <= counted.sides["sales"].of
        assert counted.leads > 0
        assert counted.sides["sales"].of > 0
