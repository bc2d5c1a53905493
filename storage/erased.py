"""Erased people: Baton recognises each by keyed hashes, so that it stores nothing about them when somebody sends them in again."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from agreements.lead import IncomingLead, mail_key
from agreements.opt_out import phone_key
from storage import suppressions, wakes
from storage.tables import ErasedPerson, Lead, LeadSource, SharedSource, Suppression


def is_erased(session: Session, incoming: IncomingLead, *, by_id: bool = True) -> bool:
    """Whether this person was erased: by address, by the id under which the source knows them, or by phone number and last name.

    The phone number alone is enough where the inquiry gives no address, or where nobody may call the number. Otherwise it is not enough:
    colleagues share the number of their switchboard. by_id: whether the id counts; a source may give one id to several people.
    """
    hashes = _hashes(session, _names_of(incoming, by_id=by_id))
    return session.exec(select(ErasedPerson.hash).where(col(ErasedPerson.hash).in_(hashes)).limit(1)).first() is not None


def of_many(session: Session, inquiries: Sequence[IncomingLead]) -> list[bool]:
    """Of each inquiry, whether its person was erased, in one statement for all."""
    hashes = [_hashes(session, _names_of(one, by_id=True)) for one in inquiries]
    asked = list(dict.fromkeys(hash for several in hashes for hash in several))
    known = set(session.exec(select(ErasedPerson.hash).where(col(ErasedPerson.hash).in_(asked))))
    return [not known.isdisjoint(several) for several in hashes]


def _names_of(incoming: IncomingLead, *, by_id: bool) -> list[str]:
    names = [_by_mail(incoming.email), _by_name(incoming.phone, incoming.last_name)]
    names += [_by_source(incoming.source, incoming.source_id)] if by_id else []
    names.append(_listed(incoming.phone))
    return names if incoming.email else [*names, _by_phone(incoming.phone)]


def without_person(session: Session, incoming: IncomingLead) -> IncomingLead:
    """The inquiry of an erased person as Baton takes it in: only that it came, from somebody whom nobody may contact.

    Its hash replaces the source's id, so that the same inquiry twice is still one.
    """
    [known_as] = _hashes(session, [_by_source(incoming.source, incoming.source_id)])
    [done] = _hashes(session, [f"done {incoming.key_of_conversion()}"])
    return IncomingLead(
        source=incoming.source,
        source_id=f"erased-{known_as[:32]}",
        conversion_id=f"erased-{done[:32]}",
        activity=incoming.activity,
        entry_channel=incoming.entry_channel,
        at=incoming.at,
        do_not_contact=True,
    )


def remember(session: Session, leads: Iterable[Lead], *, now: datetime) -> None:
    """Keeps the hashes of these leads, and deletes their plain entries from the list of people whom nobody may contact."""
    for lead in leads:
        known = [_by_mail(lead.email), _by_phone(lead.phone), _by_name(lead.phone, lead.last_name)]
        rows = session.exec(select(LeadSource).where(LeadSource.lead_id == lead.id))
        known += [_by_source(row.source, row.source_id) for row in rows if not _is_shared(session, row)]
        _keep(session, known, now)
        _drop_plain(session, lead, now)


def _is_shared(session: Session, row: LeadSource) -> bool:
    """Whether the source gave this id to somebody else too: then the id does not say that it is this person."""
    query = select(SharedSource.lead_id).where(SharedSource.source == row.source, SharedSource.source_id == row.source_id)
    return session.exec(query.limit(1)).first() is not None


def remember_suppressed(session: Session, leads: Iterable[Lead], *, now: datetime) -> None:
    """Keeps, of these leads whose time is over, the hashes of those whom nobody may contact: that wish does not end."""
    for lead in leads:
        plain = _plain(session, lead)
        if lead.do_not_contact or plain:
            _keep(session, [_by_mail(lead.email), _by_phone(lead.phone), _by_name(lead.phone, lead.last_name)], now)
            _drop_plain(session, lead, now)


def _plain(session: Session, lead: Lead) -> list[str]:
    values = [*suppressions.of_person(lead.email, lead.phone, lead.country), lead.mail_key]
    return list(session.exec(select(Suppression.value).where(col(Suppression.value).in_(values))))


def _drop_plain(session: Session, lead: Lead, now: datetime) -> None:
    if plain := _plain(session, lead):
        if set(suppressions.of_person("", lead.phone, lead.country)) & set(plain):
            _keep(session, [_listed(lead.phone)], now)
        session.execute(delete(Suppression).where(col(Suppression.value).in_(plain)))


def _keep(session: Session, names: list[str], now: datetime) -> None:
    for hash in _hashes(session, names):
        wakes.insert_once(session, ErasedPerson, hash=hash, since=now)


def _by_mail(email: str) -> str:
    return f"mail {key}" if (key := mail_key(email)) else ""


def _by_phone(phone: str) -> str:
    return f"phone {key}" if (key := phone_key(phone)) else ""


def _listed(phone: str) -> str:
    return f"listed phone {key}" if (key := phone_key(phone)) else ""


def _by_name(phone: str, last_name: str) -> str:
    name = " ".join(last_name.split()).casefold()
    return f"name {key}\n{name}" if name and (key := phone_key(phone)) else ""


def _by_source(source: str, source_id: str) -> str:
    return f"source {source}\n{source_id}"


def _hashes(session: Session, names: list[str]) -> list[str]:
    key: bytes = session.info.get("person_key", bytes)()
    return [hmac.new(key, name.encode(), hashlib.sha256).hexdigest() for name in names if name]


def mark_of(session: Session, value: str) -> str:
    """The keyed hash of an address or a number, so that the trail can name it without naming the person."""
    [mark] = _hashes(session, [f"listed {value}"])
    return mark[:16]
