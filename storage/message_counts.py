"""Attention: how many messages each person got on each day, counted from the deliveries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from agreements.roster import Roster
from agreements.words import ChannelName
from storage.tables import Delivery, DeliveryState

#: Channels that change a record; they interrupt nobody.
RECORDS: tuple[ChannelName, ...] = ("crm", "webhook")
_SENT = (DeliveryState.SENT, DeliveryState.CONFIRMED, DeliveryState.BOUNCED)


def messages_per_day(session: Session, people: Roster, *, first: date | None = None, last: date | None = None) -> Counter[tuple[str, date]]:
    """How many messages went to each person on each day in their own zone, from the first day to the last.

    Leaves out entries in the CRM, and messages that were not sent.
    """
    query = select(Delivery.person, Delivery.sent_at, Delivery.send_at)
    query = query.where(col(Delivery.state).in_(_SENT), col(Delivery.channel).not_in(RECORDS))
    counts: Counter[tuple[str, date]] = Counter()
    for person, sent_at, send_at in session.exec(query):
        known = people.person(person)
        day = (sent_at or send_at).astimezone(ZoneInfo(known.timezone if known else "UTC")).date()
        if (first is None or day >= first) and (last is None or day <= last):
            counts[person, day] += 1
    return counts


def summary(counts: Mapping[tuple[str, date], int]) -> dict[str, Any]:
    """The highest and the median number of messages on a day with any, and all counts by person and day."""
    people: dict[str, dict[str, int]] = {}
    for (person, day), count in sorted(counts.items()):
        people.setdefault(person, {})[day.isoformat()] = count
    return {"max": max(counts.values(), default=0), "median": median(counts.values()) if counts else 0, "people": people}
