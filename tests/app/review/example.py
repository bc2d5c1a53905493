"""A made-up company's month for pictures: sales answers more and more of its leads in time, and a fair brings leads that are not ready."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from agreements.review.deals import Deal
from agreements.review.followed import Followed, Source
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.promises import Promise
from agreements.review.proposal import Change, Proposal
from agreements.review.reasons import GivenBack
from agreements.review.share import Share
from agreements.words import OpportunityState
from app.review.reading import Read
from app.review.report import Decision, Proposed, Review, Tried
from app.review.review import review_of
from tests.agreements.review.values import DAY, HOUR, START, a_deal, a_pass, a_promise, example, given_back

FEBRUARY = Period(date(2027, 2, 1), date(2027, 2, 28), "Europe/London", START + 60 * DAY)
FIRST = START - 26 * 7 * DAY
SOURCES = ("website", "fair", "partner")
COMPANIES = ("Alder Freight", "Birch Software", "Cedar Logistics", "Dogwood Tools", "Elm Mobility")


def example_review() -> Review:
    """Return the review of February."""
    passes = [_pass(number) for number in range(1, 730)]
    decided = (
        Decision(
            number=2, text="Leads of the fair get a call before they count as MQL", by="Mina Okoro",
            decided_on=date(2027, 2, 1), until=date(2027, 2, 15), done_on=None, overdue=True,
        ),
        Decision(
            number=1, text="Hot leads that come before nine are called first", by="Maria Keller",
            decided_on=date(2027, 1, 4), until=None, done_on=date(2027, 1, 20), overdue=False, about=_adopted(),
        ),
    )  # fmt: skip
    spent: dict[Any, timedelta] = {"routing": 9 * HOUR, "rep": 260 * HOUR, "manager": 40 * HOUR, "closed hours": 900 * HOUR}
    ticks = [("campaign",) if number % 6 == 0 else () for number in range(90)]
    read = Read(example(), passes, list(_promises(passes)), list(_given(passes)), list(_deals(passes)), ticks, {}, 131, spent)
    names = {"ana": "Ana Silva", "ben": "Ben Adler"}
    return review_of(read, FEBRUARY, name_of=lambda ident: names.get(ident, ident), decided=decided, proposed=_proposed())


def _adopted() -> Followed:
    """What became of a proposal of December that a version has adopted since."""
    source = Source(
        kind="clock", subject="acceptance", what="Nobody keeps the clock for 'acceptance'. Agree 2 times as long.",
        changes=(Change(path=("clocks", "acceptance", "within"), value={"normal": "8 working hours"}),), version=1,
        first=date(2026, 12, 1), last=date(2026, 12, 31), figure=Share(count=12, of=80),
    )  # fmt: skip
    return Followed(proposal=source, adopted=2, adopted_on=date(2027, 1, 11), now=Share(count=71, of=84))


def _proposed() -> tuple[Proposed, ...]:
    """A change with a draft that was tried on past leads, and one without."""
    raised = Proposal(
        kind="threshold", subject="total", what="Raise the threshold for an MQL from 60 to 70 points.",
        grounds=("Of the leads with 60 to 69 points, 6 of 214 (2.8 %) became opportunities; of those with more, 48 of 402 (11.9 %).",),
        leads=214,
    )  # fmt: skip
    slow = Proposal(
        kind="clock", subject="first_attempt", what="Talk about the clock for the first attempt: nobody keeps it.",
        grounds=("Sales made 12 of 64 (18.8 %) first attempts in time.",), leads=64,
    )  # fmt: skip
    then, now = Share(count=48, of=402), Share(count=54, of=616)
    tried = Tried(leads=5_120, newest=False, now=616, now_won=now, then=402, then_won=then, first=date(2026, 9, 1), last=FEBRUARY.last)
    drafted = Proposed(proposal=raised, draft="agreement: b2b-saas", tried=tried, reference="b2b-saas@3")
    return (drafted, Proposed(proposal=slow, draft="", tried=None))


def empty_review() -> Review:
    """Return the review of a February in which nothing happened."""
    return review_of(Read(example(), (), (), (), (), (), {}), FEBRUARY, proposed=())


def _pass(number: int) -> Pass:
    at = FIRST + number * 7 * HOUR
    base: dict[str, Any] = {"source": SOURCES[number % 3], "company": COMPANIES[number % 5], "tier": ("hot", "normal")[number % 2]}
    base |= {"rep": ("ana", "ben")[number % 2], "proven_at": at + HOUR / 10}
    if number % 9 == 0:
        return a_pass(number, at, **base, missed_at=at + HOUR, ended_at=at + 4 * DAY)
    if number % 4 == 0:
        return a_pass(number, at, **base, given_back_at=at + 2 * HOUR, ended_at=at + 2 * HOUR)
    worked = {**base, "accepted_at": at + HOUR, "first_touch_at": at + (1 + number % 11) * HOUR / 2, "touches": 1 + number % 7}
    if number % 7 == 0:
        return a_pass(number, at, **worked, sql_at=at + 6 * DAY, opportunity_at=at + 9 * DAY, ended_at=at + 9 * DAY)
    return a_pass(number, at, **worked, ended_at=None if number > 715 else at + 12 * DAY)


def _promises(passes: list[Pass]) -> Iterator[Promise]:
    for one in passes:
        at, week = one.began_at, one.id // 24
        late = one.id % 30 > 14 + week // 3
        against = "marketing" if one.given_back_at else "nobody"
        answered = at + 2 * HOUR if late else at
        yield a_promise(one.id, promised_at=at + HOUR, given="accepted", answered_at=answered, tier=one.tier, against=against)
        first = {"kind": "first_attempt", "promised_at": at + 3 * HOUR, "given": "attempted", "tier": one.tier}
        if one.first_touch_at:
            yield a_promise(one.id, **first, answered_at=one.first_touch_at)
        proven = at + (3 * HOUR if one.id % 12 == 0 else HOUR / 10)
        owed: dict[str, Any] = {"kind": "delivery", "owed_by": "marketing", "promised_at": at + HOUR}
        yield a_promise(one.id, **owed, closed_at=proven, closed_because="proven")


def _given(passes: list[Pass]) -> Iterator[GivenBack]:
    reasons = (("not-icp", "marketing"), ("not-now", "nobody"), ("wrong-rep", "routing"), ("no-budget", "nobody"))
    for one in passes:
        if one.given_back_at:
            code, against = reasons[one.id % 3 if one.source == "fair" else one.id // 4 % 4]
            ruling = "overturned" if one.id % 40 == 0 else ""
            yield given_back(
                one.id, code, at=one.given_back_at, source=one.source, against=against, disputed=one.id % 20 == 0, ruling=ruling
            )


def _deals(passes: list[Pass]) -> Iterator[Deal]:
    for one in passes:
        if one.opportunity_at:
            won = one.id % 3 == 0
            ended = one.opportunity_at + 20 * DAY
            over = {"settled_at": ended, "state": OpportunityState.WON if won else OpportunityState.LOST, "days": 29}
            worth = {"amount": (4 + one.id % 9) * 250_000, "currency": "GBP" if one.source == "partner" else "EUR"}
            campaigns = ("spring fair" if one.source == "fair" else "webinar", "pricing guide")
            yield a_deal(one.id, opened_at=one.opportunity_at, **worth, campaigns=campaigns, **(over if ended < FEBRUARY.ends else {}))
