"""Calendar feeds: ask each one from time to time, and keep the absences that it tells. The last good state stays while a feed is down."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from agreements.absences import NewAbsence
from agreements.calendar.absence_feed import FeedUnreadable, Reading
from agreements.calendar.instants import Span
from agreements.errors import RosterError
from agreements.roster import Person
from storage import absences, feeds, roster
from storage.feeds import Asked
from storage.tables import Absence, CalendarFeed
from tasks.feeds.fetching import fetch
from tasks.feeds.reading import read_apart
from tasks.messages import absence_message
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.feeds")
#: So many feeds are asked at once.
AT_ONCE = 4
#: How long a feed may be down before the operator gets a message.
QUIET_FOR = timedelta(days=1)
#: How far back a feed is read: the days of this month and the last one.
_BACK = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class _Due:
    """A feed that this process asks now. row: its state before; reading: what to read in it."""

    person: str
    address: str
    row: CalendarFeed
    reading: Reading


async def poll_feeds(box: Toolbox) -> int:
    """Ask every feed that is due; return how many were asked. A fault of one feed concerns no other."""
    waiting = await box.read(_waiting)
    asked = 0
    while batch := waiting[:AT_ONCE]:
        waiting = waiting[AT_ONCE:]
        due = [one for one in await box.write(lambda session, now, people=batch: _claim(session, now, box, people)) if one]  # type: ignore[misc]
        await asyncio.gather(*(_ask(box, one) for one in due))
        asked += len(due)
    return asked


def _waiting(session: Session, now: datetime) -> list[str]:
    """The people whose feed is due. Everybody with or without a feed whose row is not as the roster says counts too."""
    rows, addresses = feeds.everybodys(session), _addresses(_people(session))
    due = [row.person for row in rows if row.next_at <= now]
    return due if feeds.fit(rows, addresses) else [*{*addresses, *(row.person for row in rows)}]


def _people(session: Session) -> Mapping[str, Person]:
    try:
        return roster.current(session).people
    except RosterError:  # none is loaded, and so nobody has a feed
        return {}


def _addresses(people: Mapping[str, Person]) -> dict[str, str]:
    return {ident: person.calendar_feed for ident, person in people.items() if person.calendar_feed}


def _claim(session: Session, now: datetime, box: Toolbox, wanted: list[str]) -> list[_Due]:
    people = _people(session)
    addresses = _addresses(people)
    for person in feeds.take_over(session, addresses, now=now):
        absences.replace(session, person, "feed", [], by="feed", now=now)
    again, found = timedelta(minutes=box.settings.feed_poll_minutes), []
    for ident in wanted:
        if ident in addresses and (row := feeds.claim(session, ident, now=now, again=again)):
            session.expunge(row)
            found.append(_Due(ident, addresses[ident], row, _reading(people[ident], now, box.settings.feed_days)))
    return found


def _reading(person: Person, now: datetime, days: int) -> Reading:
    """The time to read: it begins with a month, so that an absence which is repeated each day begins on the same day at each poll."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Reading(person.timezone, person.email, (today - _BACK).replace(day=1), today + timedelta(days=days))


async def _ask(box: Toolbox, due: _Due) -> None:
    """Ask one feed and keep what it tells, or note why it cannot be read."""
    try:
        asked, spans = await _read(box, due)
    except FeedUnreadable as problem:
        said = str(problem)
    except Exception as error:  # the text of the error could quote the address
        said = f"it could not be read ({type(error).__name__}); Baton asks again at the next poll"
    else:
        await box.write(lambda session, now: _keep(session, now, due, asked, spans))
        return
    if said != due.row.problem:
        log.warning("the calendar feed of %s (%s) cannot be read: %s", due.person, due.row.host, said)
    await box.write(lambda session, now: _note_failure(session, now, due, said))


async def _read(box: Toolbox, due: _Due) -> tuple[Asked | None, list[Span]]:
    """What the feed tells now, and the absences in it; None and none if it has not changed. Raises FeedUnreadable."""
    row, private = due.row, {name.strip() for name in box.settings.feed_private_hosts.split(",")}
    known = row.etag or row.modified if row.content.startswith(_of(due.reading)) and not row.problem else ""
    same = {"etag": row.etag, "modified": row.modified} if known else {}
    fetched = await fetch(due.address, private_hosts=private, **same)
    content = _of(due.reading) + hashlib.sha256(fetched.raw or b"").hexdigest()
    if fetched.raw is None or (content == row.content and not row.problem):
        return None, []
    spans = await asyncio.to_thread(read_apart, fetched.raw, due.reading)
    return Asked(fetched.etag, fetched.modified, content, len(spans)), spans


def _of(reading: Reading) -> str:
    """A digest of everything besides the content that decides what is read in it."""
    return hashlib.sha256(repr(reading).encode()).hexdigest() + " "


def _keep(session: Session, now: datetime, due: _Due, asked: Asked | None, spans: list[Span]) -> None:
    if not _is_still_asked(session, due):
        return
    feeds.read(session, due.person, asked, now=now)
    if asked is not None:
        stored = {row.source_id: row for row in absences.of_person(session, due.person) if row.source == "feed"}
        over = [row for row in stored.values() if row.ends_at <= due.reading.first]
        known = [NewAbsence(due.person, row.starts_at, row.ends_at, "feed", row.source_id) for row in over]
        told = [_absence(due.person, span, stored.get(span[0].isoformat()), now) for span in spans]
        absences.replace(session, due.person, "feed", [*known, *told], by="feed", now=now)


def _absence(person: str, span: Span, stored: Absence | None, now: datetime) -> NewAbsence:
    """An absence that had begun when it was first read counts from then: until then the person got leads, which are handed over now."""
    start, end = span
    known = stored.starts_at if stored and stored.starts_at <= now else now
    return NewAbsence(person, max(start, known) if start < now < end else start, end, "feed", start.isoformat())


def _note_failure(session: Session, now: datetime, due: _Due, said: str) -> None:
    row = feeds.failed(session, due.person, said, now=now) if _is_still_asked(session, due) else None
    if row is None or row.told_at is not None or row.failing_since is None or now - row.failing_since < QUIET_FOR:
        return
    row.told_at = now
    session.add(row)
    absence_message.tell_of_feed(session, roster.current(session), row, now=now)


def _is_still_asked(session: Session, due: _Due) -> bool:
    """Whether the roster still names this address: it may have changed while the feed was asked."""
    return _addresses(_people(session)).get(due.person) == due.address
