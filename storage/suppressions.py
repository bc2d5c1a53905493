"""The do-not-contact list: addresses, domains and phone numbers that nobody may use, or not over one channel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from agreements.lead import domain_of, mail_key
from agreements.opt_out import dialled_key, phone_key
from agreements.words import OptOutChannel
from storage import held, wakes
from storage.tables import Suppression


@dataclass(frozen=True, slots=True)
class Told:
    """How a refusal was told. source: where it came from; by: who lists it; since: when it was told, now where not given."""

    channel: OptOutChannel = "all"
    source: str = ""
    by: str = ""
    since: datetime | None = None


def suppress(session: Session, value: str, *, reason: str, now: datetime, told: Told = Told()) -> bool:
    """Lists an address, a domain or a number; False where it was listed for this channel already."""
    held.forget(session)
    known = {"reason": reason, "source": told.source, "added_by": told.by, "since": told.since or now}
    listed = mail_key(value) or phone_key(value) or value
    return wakes.insert_once(session, Suppression, value=listed, channel=told.channel, **known)


def remove(session: Session, value: str, channel: OptOutChannel | None = None) -> list[Suppression]:
    """Takes this value from the list, for one channel or for all; returns the entries that it had."""
    held.forget(session)
    query = select(Suppression).where(Suppression.value == value)
    rows = list(session.exec(query if channel is None else query.where(Suppression.channel == channel)))
    for row in rows:
        session.expunge(row)
        session.execute(delete(Suppression).where(col(Suppression.value) == row.value, col(Suppression.channel) == row.channel))
    return rows


def of_person(email: str, phone: str, country: str = "") -> list[str]:
    """The values by which a person may be listed: the address, and the number as it was written, in digits, and as one dials it.

    country: of the person, by which a number without a country code is read.
    """
    return [one for one in dict.fromkeys((mail_key(email), phone, phone_key(phone), dialled_key(phone, country))) if one]


def channels(session: Session, values: Iterable[str]) -> frozenset[OptOutChannel]:
    """What is refused under these values."""
    known = [one for one in values if one]
    if not known:
        return frozenset()
    query: Any = select(Suppression.channel).where(col(Suppression.value).in_(known)).distinct()
    return frozenset(session.exec(query))


def values_of(email: str, phone: str = "", country: str = "") -> list[str]:
    """The values by which an address and a number may be listed; a domain counts for each of its addresses."""
    return [one for one in (*of_person(email, phone, country), domain_of(email)) if one]


def listed(session: Session, values: Iterable[str]) -> set[str]:
    """Those of these values that are listed for any channel."""
    known = list(dict.fromkeys(values))
    return set(session.exec(select(Suppression.value).where(col(Suppression.value).in_(known)))) if known else set()


def of_address(session: Session, email: str, phone: str = "", country: str = "") -> frozenset[OptOutChannel]:
    """What somebody with this address and number has refused; a domain counts for each of its addresses."""
    return channels(session, values_of(email, phone, country))


def is_suppressed(session: Session, email: str, phone: str = "", country: str = "") -> bool:
    """Whether nobody may contact this address, its whole domain, or this number."""
    return "all" in of_address(session, email, phone, country)


def is_person_suppressed(session: Session, email: str, phone: str = "", country: str = "") -> bool:
    """Whether nobody may contact the person with this address or number, at any company."""
    return "all" in channels(session, of_person(email, phone, country))


def page(session: Session, *, after: str = "", limit: int = 500) -> list[Suppression]:
    """The entries in the order of their values, from the first value behind `after`."""
    query = select(Suppression).where(col(Suppression.value) > after).order_by(col(Suppression.value), col(Suppression.channel))
    return list(session.exec(query.limit(limit)))
