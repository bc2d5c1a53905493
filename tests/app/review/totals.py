"""The totals of a review by their places in its JSON, and the plain SQL that counts each a second time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agreements.review.funnel import Speed
from agreements.review.share import Share
from app.review.report import Review
from tests.app.review import recounted_time as times
from tests.app.review import recounting as again
from tests.app.review.recounting import DUE, Total, number, of, share

MQLS, BACK = "SELECT count(*) FROM mqls", "SELECT count(*) FROM back"
UNANSWERED = "accepted IS NULL AND given_back IS NULL"
OPENED = "opened_at >= :begins AND opened_at < :as_of"
GIVEN = "SELECT tier, began, touched FROM own WHERE assigned >= :begins AND assigned < :as_of AND brought_by = ''"
#: The leads of reps that were first answered, or first not answered in time, in the period.
ANSWERED = """(SELECT own.*, (SELECT min(at) FROM (
    SELECT own.accepted AS at UNION ALL SELECT own.given_back UNION ALL SELECT own.missed)) AS first FROM own)
  WHERE assigned IS NOT NULL AND brought_by = '' AND first >= :begins AND first < :as_of"""
#: The accepted leads that were first attempted in the period, or first overdue, or over without an attempt.
WORKED = """(SELECT own.*, (SELECT min(at) FROM (
    SELECT max(own.accepted, own.touched) AS at UNION ALL SELECT own.not_attempted UNION ALL SELECT own.ended)) AS first FROM own)
  WHERE accepted IS NOT NULL AND first >= :begins AND first < :as_of"""
OVER = "SELECT count(*) FROM own WHERE mql IS NOT NULL AND ended IS NOT NULL"
GAVE_UP = "own WHERE assigned IS NOT NULL AND ended IS NOT NULL AND opportunity IS NULL"
MONEY = (
    """count(CASE WHEN {when} THEN amount END), count(CASE WHEN {when} THEN 1 END), coalesce(sum(CASE WHEN {when} THEN amount END), 0)"""
)
THREE = ", ".join(MONEY.format(when=when) for when in (OPENED, "ended = 'won'", "ended = 'lost'"))
CAMPAIGN = """(SELECT a.campaign FROM activities a WHERE a.lead_id = deals.lead_id AND a.campaign <> '' AND a.at <= deals.opened_at
  ORDER BY a.at {order}, a.id {order} LIMIT 1)"""
CAMPAIGNS = " UNION ALL ".join(
    f"SELECT '{which}', {CAMPAIGN.format(order=order)} AS name, currency, {THREE} FROM deals"
    f" WHERE {OPENED} OR ended <> 'open' GROUP BY name, currency"
    for which, order in (("first", "ASC"), ("last", "DESC"))
)
MATURED = """SELECT mql, accepted, sql, opportunity, (SELECT min(o.settled_at) FROM chain c JOIN opportunities o ON o.handoff_id = c.id
  WHERE c.root = own.id AND o.state = 'won' AND o.settled_at < :as_of) FROM own WHERE mql IS NOT NULL"""
NOTES = {
    "came-twice": "SELECT count(*) FROM handoffs WHERE stage = 'merged'",
    "opportunity-without-lead": f"SELECT count(*) FROM opportunities WHERE lead_id IS NULL AND {OPENED}",
    "closed-before-opened": """SELECT count(*) FROM opportunities WHERE CAST(faults AS TEXT) LIKE '%"closed-before-opened"%'""",
    "faulty-opportunity": """SELECT count(*) FROM opportunities WHERE CAST(faults AS TEXT) LIKE '%"amount-%'""",
    "no-currency": "SELECT count(*) FROM deals WHERE amount IS NOT NULL AND currency = ''",
    "no-amount": "SELECT count(*) FROM deals WHERE amount IS NULL",
}


def _aim(name: str) -> Callable[[Review], Any]:
    """Return what takes one objective."""
    return lambda found: next(one for one in found.objectives if one.aim == name)


def _share(name: str) -> Callable[[Review], Share]:
    """Return what takes the share of one objective."""
    return lambda found: _aim(name)(found).share


def _both(name: str) -> Callable[[Review], tuple[int, int]]:
    """Return what takes both parts of it."""
    return lambda found: of(_share(name)(found))


def _count(where: str) -> str:
    return f"SELECT count(*) FROM {where}"


def _speeds(pick: Callable[[Speed], Any]) -> Callable[[Review], Any]:
    """Return what takes something of the speed of each tier."""
    return lambda found: {one.tier: pick(one) for one in found.speeds if one.touched.of}


def _part(found: Mapping[str, Any], place: int) -> dict[str, Any]:
    return {tier: parts[place] for tier, parts in found.items()}


def _money(one: Any) -> tuple[int, ...]:
    """Return how many opportunities have an amount, how many there are, and the sum in hundredths: opened, won and lost."""
    return tuple(
        part for name in ("opened", "won", "lost") for part in (*of(getattr(one, name)), round(100 * getattr(one, f"{name}_amount")))
    )


TOTALS: Mapping[str, Total] = {
    "version": number(
        lambda found: found.version, "SELECT max(version) FROM agreement_versions WHERE deployed_at IS NOT NULL AND effective_at < :as_of"
    ),
    "versions": Total(
        lambda found: list(found.versions),
        "SELECT DISTINCT h.version FROM mqls JOIN ends ON ends.root = mqls.id JOIN handoffs h ON h.id = ends.newest ORDER BY 1",
        lambda rows: [version for (version,) in rows],
    ),
    "funnel.began": number(
        lambda found: found.funnel.began, "SELECT count(*) FROM own WHERE began >= :begins AND began < :as_of"
    ),
    "funnel.came_back": number(
        lambda found: found.funnel.came_back,
        "SELECT count(*) FROM own WHERE began >= :begins AND began < :as_of AND previous_id IS NOT NULL",
    ),
    "funnel.mqls": number(lambda found: found.funnel.mqls, MQLS),
    "funnel.assigned": share(lambda found: found.funnel.assigned, f"{MQLS} WHERE assigned IS NOT NULL", MQLS),
    "funnel.accepted": share(lambda found: found.funnel.accepted, f"{MQLS} WHERE accepted IS NOT NULL", MQLS),
    "funnel.rejected": share(lambda found: found.funnel.rejected, f"{MQLS} WHERE accepted IS NULL AND given_back IS NOT NULL", MQLS),
    "funnel.unanswered": share(lambda found: found.funnel.unanswered, f"{MQLS} WHERE {UNANSWERED} AND missed IS NOT NULL", MQLS),
    "funnel.waiting": share(lambda found: found.funnel.waiting, f"{MQLS} WHERE {UNANSWERED} AND missed IS NULL AND ended IS NULL", MQLS),
    "funnel.otherwise": share(
        lambda found: found.funnel.otherwise, f"{MQLS} WHERE {UNANSWERED} AND missed IS NULL AND ended IS NOT NULL", MQLS
    ),
    "funnel.never_touched": share(
        lambda found: found.funnel.never_touched, f"{MQLS} WHERE assigned IS NOT NULL AND touches = 0", f"{MQLS} WHERE assigned IS NOT NULL"
    ),
    "funnel.merged": number(lambda found: found.funnel.merged, "SELECT count(*) FROM handoffs WHERE stage = 'merged'"),
    "objectives[].share accepted": share(_share("accepted"), _count(f"{ANSWERED} AND accepted IS NOT NULL"), _count(ANSWERED)),
    "objectives[].share worked": share(_share("worked"), _count(f"{WORKED} AND touches > 0"), _count(WORKED)),
    "objectives[].share mql_to_opportunity": share(_share("mql_to_opportunity"), f"{OVER} AND opportunity IS NOT NULL", OVER),
    "objectives[].share delivery": Total(_both("delivery"), DUE, again.clock_share("delivery")),
    "objectives[].share speed_to_lead": Total(_both("speed_to_lead"), DUE, again.clock_share("first_attempt")),
    "objectives[].share answered": Total(_both("answered"), DUE, again.clock_share("acceptance")),
    "objectives[].count mqls": number(lambda found: _aim("mqls")(found).count, MQLS),
    "objectives[].count opportunities": number(
        lambda found: _aim("opportunities")(found).count, f"SELECT count(*) FROM deals WHERE {OPENED}"
    ),
    "objectives[].amount": Total(
        lambda found: (_aim("pipeline")(found).currency, round(100 * _aim("pipeline")(found).amount)),
        f"SELECT currency, coalesce(sum(amount), 0), count(*) FROM deals WHERE {OPENED} GROUP BY currency ORDER BY currency",
        lambda rows: max(rows, key=lambda row: row[2])[:2],
    ),
    "objectives[].pace": Total(times.told_pace, "SELECT count(*) FROM own WHERE mql >= :month AND mql < :as_of", times.paced),
    "sides": Total(lambda found: {one.side: of(one.kept) for one in found.sides}, DUE, again.sides),
    "promises": Total(
        lambda found: {(one.clock, one.owed_by): (of(one.kept), dict(one.caused_by)) for one in found.promises}, DUE, again.kept
    ),
    "weeks": Total(again.told_weeks, DUE, again.weeks),
    "speeds[].touched": Total(_speeds(lambda one: of(one.touched)), GIVEN, lambda rows: _part(again.by_tier(rows), 0)),
    "speeds[].median_seconds": Total(_speeds(lambda one: one.median_seconds), GIVEN, lambda rows: _part(again.by_tier(rows), 1)),
    "speeds[].p90_seconds": Total(_speeds(lambda one: one.p90_seconds), GIVEN, lambda rows: _part(again.by_tier(rows), 2)),
    "speeds[].in_time": Total(
        lambda found: {one.tier: of(one.in_time) for one in found.speeds if one.in_time.of}, DUE, again.in_time_by_tier
    ),
    "touched_in_time": Total(
        lambda found: (of(found.touched_in_time.in_time), of(found.touched_in_time.late)),
        """SELECT due.pass, promised_at, verdict, own.opportunity FROM due JOIN own ON own.id = due.pass
           WHERE kind = 'first_attempt' AND verdict IN ('kept', 'missed')""",
        again.first_attempts,
    ),
    "attempts": Total(
        lambda found: (found.attempts.passes, found.attempts.median, found.attempts.by_touches),
        f"SELECT touches FROM {GAVE_UP}",
        again.touches,
    ),
    "maturities": Total(lambda found: {one.step: one.seconds for one in found.maturities}, MATURED, times.maturities),
    "cohorts": Total(
        lambda found: {
            one.month: (one.mqls, *(step.reached.count for step in (one.sal, one.sql, one.opportunity, one.won))) for one in found.cohorts
        },
        "SELECT mql, accepted, sql, opportunity, won FROM own WHERE mql IS NOT NULL",
        again.months,
    ),
    "money": Total(
        lambda found: sorted((one.currency, *_money(one)) for one in found.money),
        f"SELECT currency, {THREE} FROM deals GROUP BY currency ORDER BY currency",
    ),
    "open_money": Total(
        lambda found: [
            (one.currency, round(100 * one.amount), *of(one.stalled), round(100 * one.stalled_amount)) for one in found.open_money
        ],
        """SELECT currency, coalesce(sum(amount), 0), count(stalled_at), count(*),
             coalesce(sum(CASE WHEN stalled_at IS NOT NULL THEN amount END), 0)
           FROM deals WHERE settled_at IS NULL GROUP BY currency ORDER BY currency""",
    ),
    "campaigns": Total(
        lambda found: sorted((one.which, one.campaign, one.money.currency, *_money(one.money)) for one in found.campaigns),
        CAMPAIGNS,
        lambda rows: sorted(map(tuple, rows)),
    ),
    "days_to_won": Total(
        lambda found: (found.days_to_won.won, found.days_to_won.counted, found.days_to_won.quartiles, found.days_to_won.longest),
        "SELECT closed_on, came, CAST(faults AS TEXT) FROM deals WHERE ended = 'won'",
        again.days_to_won,
    ),
    "by_source": Total(
        lambda found: [(one.source, one.mqls, one.accepted.count, one.opportunities.count, one.won.count) for one in found.by_source],
        """SELECT source, count(*), count(accepted), count(opportunity), count(CASE WHEN won > 0 THEN 1 END) FROM mqls
           GROUP BY source ORDER BY source""",
    ),
    "recycled.came_back": share(
        lambda found: found.recycled.came_back,
        f"{OVER} AND previous_id IS NOT NULL AND opportunity IS NOT NULL",
        f"{OVER} AND previous_id IS NOT NULL",
    ),
    "recycled.new": share(
        lambda found: found.recycled.new, f"{OVER} AND previous_id IS NULL AND opportunity IS NOT NULL", f"{OVER} AND previous_id IS NULL"
    ),
    "open_leads": number(lambda found: found.open_leads, "SELECT count(*) FROM own WHERE ended IS NULL"),
    "open_by_age": Total(
        lambda found: {one.days: (one.leads, dict(one.waits_for)) for one in found.open_by_age if one.leads},
        """SELECT own.began, (SELECT max(w.kind) FROM chain c JOIN waits w ON w.handoff_id = c.id
             WHERE c.root = own.id AND w.kind <> 'revisit' AND w.closed_at IS NULL) FROM own WHERE own.ended IS NULL""",
        again.ages,
    ),
    "load": Total(
        lambda found: [(one.rep, one.open) for one in found.load],
        "SELECT rep, count(*) FROM own WHERE ended IS NULL AND rep <> '' GROUP BY rep ORDER BY rep",
    ),
    "time_of_leads": number(
        lambda found: found.time_of_leads, "SELECT count(DISTINCT lead_id) FROM own WHERE ended IS NULL OR ended >= :begins"
    ),
    "time_spent": Total(times.told_time, times.SEGMENTS, times.time_of),
    "ticks": Total(
        lambda found: [of(one.ticked) for one in found.ticks],
        """SELECT sum(CASE WHEN CAST(a.data AS TEXT) LIKE '%"campaign"%' THEN 1 ELSE 0 END), count(*) FROM answers a
           WHERE a.kind = 'accepted' AND a.state = 'counted' AND a.answered_at >= :begins AND a.answered_at < :as_of""",
    ),
    "disputes.raised": share(lambda found: found.disputes.raised, f"{BACK} WHERE dispute IS NOT NULL", BACK),
    "disputes.upheld": share(lambda found: found.disputes.upheld, f"{BACK} WHERE ruling = 'upheld'", f"{BACK} WHERE dispute IS NOT NULL"),
    "disputes.overturned": share(
        lambda found: found.disputes.overturned, f"{BACK} WHERE ruling = 'overturned'", f"{BACK} WHERE dispute IS NOT NULL"
    ),
    "disputes.open": share(
        lambda found: found.disputes.open,
        f"{BACK} WHERE dispute IS NOT NULL AND (ruling IS NULL OR ruling = '')",
        f"{BACK} WHERE dispute IS NOT NULL",
    ),
    "reasons[].given": Total(
        lambda found: sorted((one.reason, *of(one.given)) for one in found.reasons if one.given.count),
        f"SELECT reason, count(*), ({BACK}) FROM back GROUP BY reason ORDER BY reason",
    ),
    "reasons[].of_month": Total(
        lambda found: sorted((one.reason, *of(one.of_month)) for one in found.reasons if one.of_month.count),
        f"""SELECT reason, count(*), ({BACK} WHERE at >= :month) FROM back WHERE at >= :month GROUP BY reason ORDER BY reason""",
    ),
    "reasons[].by_source": Total(
        lambda found: sorted((one.reason, source, count) for one in found.reasons for source, count in one.by_source.items()),
        "SELECT reason, source, count(*) FROM back GROUP BY reason, source ORDER BY reason, source",
    ),
    "against": Total(
        lambda found: sorted((party, count) for party, count in found.against.items() if count),
        "SELECT party, count(*) FROM back WHERE ruling IS NULL OR ruling <> 'overturned' GROUP BY party ORDER BY party",
    ),
    "notes": Total(
        lambda found: {note.code: note.count for note in found.notes if note.code in NOTES},
        " UNION ALL ".join(f"SELECT '{code}', ({sql})" for code, sql in NOTES.items()),
        lambda rows: {code: count for code, count in rows if count},
    ),
}  # fmt: skip
#: Numbers of the JSON that are no totals, and what they are.
NO_TOTALS: Mapping[str, str] = {
    "to_decide[]": "repeats a share of the report",
    "reasons[].alert_above": "as agreed",
    "to_discuss[].lead": "the number of a lead",
    "decisions[].number": "the number of a decision",
    "decisions[].about": "what became of a proposal, by the rules that tests/agreements/review/test_followed.py holds",
    "proposals[]": "only where somebody asks for proposals; tests/app/review/test_planted_causes.py counts them",
}
