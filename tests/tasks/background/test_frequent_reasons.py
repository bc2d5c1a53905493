"""A reason that sales gives more often than `alert_above` allows: each signer gets one mail in a month."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from notifications.letter import Letter
from storage.tables import Answer, AnswerState, Wait
from tasks.background.frequent_reasons import tell_frequent_reasons
from tasks.background.personal_outbox import send_personal_messages
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import until_accepted
from tests.driver import Driver
from tests.in_flight import published, text_of
from tests.present import the
from tests.stage import kept_by

LIMIT = ("text: required}", "text: required, alert_above: 10%}")
SIGNERS = ["cmo@northgate.example", "cro@northgate.example"]
MARCH, APRIL = datetime(2027, 3, 10, 9, tzinfo=UTC), datetime(2027, 4, 1, 9, tzinfo=UTC)


@pytest.fixture
async def limited(driver: Driver, box: Toolbox, time: SteppedTime) -> Toolbox:
    """A company whose second version, in force from March, agrees on at most 10 % for 'Something else'."""
    await until_accepted(driver, box)
    box.write_now(lambda session, now: published(session, text_of(2, "2027-03-01", LIMIT), now))
    time.at = MARCH
    return box


def give(box: Toolbox, reason: str, count: int, *, state: AnswerState = AnswerState.COUNTED) -> None:
    """Sales rejected so many leads for this reason a minute ago."""

    def work(session: Session, now: datetime) -> None:
        wait = the(session.exec(select(Wait)).first())
        at = now - timedelta(minutes=1)
        for _ in range(count):
            row = Answer(
                wait_id=wait.id, handoff_id=wait.handoff_id, kind="rejected", by="ana", via="link", answered_at=at, effective_at=at
            )
            row.data, row.state = {"reason": reason}, state
            session.add(row)

    box.write_now(work)


def mails(box: Toolbox) -> list[Letter]:
    """Look for reasons above their limits, let the clock send, and return every mail about one so far."""

    async def look() -> None:
        await tell_frequent_reasons(box)
        await send_personal_messages(box)

    asyncio.run(look())
    return [one for one in kept_by(box, "email").letters if one.message == "reason-told"]


def test_each_signer_gets_one_mail_in_a_month(limited: Toolbox, time: SteppedTime) -> None:
    give(limited, "not-icp", 17)
    give(limited, "other", 3)

    first, again = mails(limited), mails(limited)
    time.at = APRIL
    later = mails(limited)
    give(limited, "other", 20)
    next_month = mails(limited)

    assert sorted(one.to.email for one in first) == SIGNERS
    assert first[0].subject == "b2b-saas: sales often gives the reason 'Something else'"
    assert "'Something else' is 3 of 20 rejections in March 2027 (15 %). The agreed limit is 10 %." in first[0].text
    assert "baton review --agreement b2b-saas --from 2027-03-01" in first[0].text
    assert again == later == first
    assert len(next_month) == 2 * len(SIGNERS)


@pytest.mark.parametrize(("others", "own"), [(16, 3), (18, 2)], ids=["fewer than twenty", "not above the limit"])
def test_nobody_is_told_of_few_rejections_or_of_a_share_within_the_limit(limited: Toolbox, others: int, own: int) -> None:
    give(limited, "not-icp", others)
    give(limited, "other", own)
    give(limited, "other", 9, state=AnswerState.UNDONE)

    assert mails(limited) == []
