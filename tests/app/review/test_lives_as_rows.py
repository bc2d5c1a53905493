"""The rows of made-up lives are what the steps leave behind: a review and a backtest count lived ones and written ones alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from sqlmodel import Session

from agreements.model import Agreement
from agreements.review.period import Period
from agreements.words import GivenAnswer
from app.backtest.compare import compare
from app.backtest.stored import read_stored
from app.review.review import report
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.review.made_lives import Law, Life, lives
from tests.app.review.made_quarter import the_text
from tests.app.review.written_home import NAME, agree, due, write
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture

#: The week in which leads come, and the weeks in which they end; they are written as if they came four weeks later.
MONDAY, LATER = date(2027, 2, 1), timedelta(weeks=4)


def of_week() -> list[Life]:
    """Return leads of each fate that come in one week."""
    law = Law(leads=2_500, highest=0.6)
    own = [one for one in lives(7, law) if MONDAY <= one.at.date() < MONDAY + timedelta(days=5)]
    return list(islice(own, 0, None, 5))


def plan(one: Life, driver: Driver, box: Toolbox, agreement: Agreement) -> None:
    """Plan what happens to the lead, at its instants."""
    taken: list[Taken] = []
    facts = {name: "yes" if has else "no" for name, has in one.facts.items()}
    inquiry: dict[str, Any] = {"source": one.source, "activity": "content_downloaded", "fields": facts}
    driver.plan(one.at, lambda: taken.append(capture(box, source_id=f"{one.at.timestamp()}", **inquiry)))
    if one.is_mql:
        for at, choice in answers(one, agreement):
            reason = {"reason": one.reason} if choice in ("rejected", "returned") else {}
            driver.plan(at, partial(answer, box, taken, choice, reason))


def answer(box: Toolbox, taken: list[Taken], choice: GivenAnswer, reason: dict[str, str]) -> None:
    """Answer as the rep who has the lead."""
    answer_by_link(box, taken[0], choice, **reason)


def answers(one: Life, agreement: Agreement) -> Iterator[tuple[datetime, GivenAnswer]]:
    """Yield when the rep says what."""
    answered = due("acceptance", one.at, agreement) + one.answered
    if one.fate == "rejected":
        yield answered, "rejected"
        return
    attempted = max(answered, due("first_attempt", answered, agreement) + one.attempted)
    yield answered, "accepted"
    yield attempted, "attempted"
    yield attempted + one.ended, one.fate


async def test_lives_that_were_written_count_as_lives_that_were_lived(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agreement = box.write_now(lambda session, now: agree(session, the_text(2, effective={"from": date(2027, 1, 1)}), now=now))
    lived = [replace(one, answered=-abs(one.answered), attempted=-abs(one.attempted)) for one in of_week()]
    for one in lived:
        plan(one, driver, box, agreement)
    await driver.run(until=lived[-1].at + timedelta(days=24))
    time.at = lived[-1].at + timedelta(days=24)
    first = counted(box, agreement, MONDAY)

    moved = [replace(one, at=one.at + LATER) for one in lived]
    box.write_now(lambda session, now: write(session, moved, {2: agreement}, first=1_000))
    time.at += LATER
    second, whole = counted(box, agreement, MONDAY + LATER), backtested(box, agreement)

    assert {one.fate for one in lived if one.is_mql} == {"opportunity", "returned", "rejected"}
    assert second[0] == first[0]
    assert whole == tuple(2 * count for count in first[1])


def counted(box: Toolbox, agreement: Agreement, monday: date) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Return what a review of three weeks says of the figures behind proposals, and what a backtest of all leads counts."""
    of = Period(monday, monday + timedelta(days=23), agreement.timezone, box.read_now(lambda session, now: now))
    found = box.read_now(lambda session, now: report(session, NAME, of))
    return {
        "funnel": found.funnel,
        "reasons": [(one.reason, one.given, one.by_source) for one in found.reasons],
        "promises": [(one.clock, one.kept, one.caused_by) for one in found.promises if one.owed_by == "sales"],
        "aims": [(one.aim, one.share) for one in found.objectives if one.aim != "delivery"],
    }, backtested(box, agreement)


def backtested(box: Toolbox, agreement: Agreement) -> tuple[int, ...]:
    """Return how many leads would be MQLs, and of these the decided and the won ones; then those at each threshold."""

    def work(session: Session, now: Any) -> tuple[int, ...]:
        side = compare(agreement, None, read_stored(session, [agreement], now=now, by="source")).draft
        return (side.qualified.leads, side.qualified.known, side.qualified.won, *(one.leads for one in side.curve))

    return box.read_now(work)
