"""Tell the signers when sales gives a reason in more of a month's rejections than the agreement's `alert_above` allows."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from agreements.clauses.after import Reason
from agreements.model import Agreement
from agreements.review.period import midnight
from agreements.review.reasons import alerts
from agreements.review.share import Share
from storage import contracts, review_rows
from storage.review_rows import Span
from tasks.messages import reason_message
from tasks.wiring.toolbox import Toolbox

#: What is above its limit under an agreement, in the month that begins on this day.
Above = tuple[Agreement, date, list[tuple[Reason, Share]]]


async def tell_frequent_reasons(box: Toolbox) -> int:
    """Queue a mail to each signer about each reason that is above its limit in this month; return how many mails are new."""
    told = 0
    for one, month, found in await box.read(_above):
        told += await box.write(
            lambda session, now, of=one, month=month, found=found: reason_message.tell_signers(  # type: ignore[misc]
                session, of, found, month=month, now=now
            )
        )
    return told


def _above(session: Session, now: datetime) -> list[Above]:
    """Return the reasons above their limits, by agreement in force. Reads one statement for each agreement with a limit."""
    found: list[Above] = []
    for row in contracts.counting(session, now):
        agreement = contracts.read(row)
        if all(reason.alert_above is None for reason in agreement.reasons):
            continue
        month = now.astimezone(ZoneInfo(agreement.timezone)).date().replace(day=1)
        times = review_rows.given_back(session, Span(agreement.agreement, midnight(month, agreement.timezone), now))
        if above := list(alerts(times, agreement)):
            found.append((agreement, month, above))
    return found
