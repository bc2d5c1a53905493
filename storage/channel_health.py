"""How the channels do: when each took a message last, and what it has not taken since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, get_args

from sqlalchemy import func, select
from sqlmodel import Session, col

from agreements.alarms import Failure
from agreements.errors import NoAddress
from agreements.words import ChannelName
from storage import mail_findings
from storage.tables import Delivery, DeliveryState

CHANNELS: tuple[ChannelName, ...] = get_args(ChannelName)
#: Older failures say nothing about the channel as it is now, and so many failures say enough.
LOOKED_BACK, MOST = timedelta(days=1), 300
_NOT_TAKEN = (DeliveryState.QUEUED, DeliveryState.FAILED, DeliveryState.UNKNOWN)


def sent_at(session: Session) -> dict[ChannelName, datetime | None]:
    """When each channel took a message last."""
    newest = [
        select(func.max(col(Delivery.sent_at))).where(col(Delivery.channel) == one, col(Delivery.sent_at).is_not(None)) for one in CHANNELS
    ]
    return dict(zip(CHANNELS, session.execute(select(*(one.scalar_subquery() for one in newest))).one(), strict=True))


def failures(session: Session, *, now: datetime) -> dict[ChannelName, list[Failure]]:
    """The newest failures of the last day by channel. A mailbox that is closed because of a complaint is no fault of the channel, and
    neither is a person without an address."""
    found: dict[ChannelName, list[Failure]] = {}
    for channel, failure in _failures(session, now):
        found.setdefault(channel, []).append(failure)
    return found


def _failures(session: Session, now: datetime) -> Iterator[tuple[ChannelName, Failure]]:
    at: Any = col(Delivery.failed_at)
    columns = (col(Delivery.channel), col(Delivery.person), col(Delivery.tries), col(Delivery.permanent), at)
    query = select(*columns).where(at > now - LOOKED_BACK, at <= now)
    query = query.where(col(Delivery.state).in_(_NOT_TAKEN), col(Delivery.error) != mail_findings.CLOSED)
    query = query.where(~col(Delivery.error).endswith(NoAddress.ENDING))
    for channel, person, tries, permanent, failed_at in session.execute(query.order_by(at.desc()).limit(MOST)):
        yield channel, Failure(person, tries, permanent, failed_at)
