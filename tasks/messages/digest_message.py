"""The letter of a digest: loaded, written outside of any transaction, and claimed only if nothing was added meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from agreements import presence
from agreements.lifecycle import Stage
from agreements.roster import Person, Roster
from notifications.letter import DigestContext, DigestRow
from notifications.links import Links
from notifications.prefect_window import window_links
from storage import deliveries, digests, handoffs, outcomes, roster, waits
from storage.tables import Delivery, DigestItem
from tasks.messages import marketing_digest
from tasks.messages.digest import (
    ANSWERED,
    HOW_IT_STANDS,
    MESSAGE,
    MISSED,
    Writing,
    calendar_of_person,
    check_ins,
    expect,
    matter_of,
    row_of,
    still_counts,
)
from tasks.messages.drafts import Draft
from tasks.messages.lead_context import number_of, recipient

#: The most rows in the message; the page has all of them.
ROWS_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Found:
    """The content from which a digest was put together: ids of items, and of waits that may ask for a check-in.

    news: ids of the items for whoever speaks for marketing.
    """

    items: tuple[int, ...] = ()
    owed: tuple[str, ...] = ()
    news: tuple[int, ...] = ()

    @property
    def all_items(self) -> tuple[int, ...]:
        """Return the ids of everything that a digest with this content tells."""
        return self.items + self.news


@dataclass(frozen=True, slots=True)
class Composed:
    """A digest as it would be sent now. draft: None if it must not be sent; later: it has content, but not for today."""

    found: Found
    draft: Draft | None = None
    later: bool = False


def compose(session: Session, row: Delivery, links: Links, *, now: datetime, window: str = "") -> Composed:
    """Puts together the digest of one person and day. links: write the links in it. window: the address of Prefect's window. Reads only."""
    found = _found(session, row.person, now=now)  # read first: an item that comes meanwhile is missing here, so may_go sees it
    people = roster.current(session)
    who = people.person(row.person)
    rows = _rows(session, row.person, digests.untold(session, row.person, now=now), links, now=now) if who else ()
    news = outcomes.untold(session, now=now) if found.news else []
    if who is None or not (rows or news):
        return Composed(found)
    if not _is_the_day(session, row, who, now=now):
        return Composed(found, later=True)
    if news:
        return Composed(found, marketing_digest.draft(session, row, news, rows, links, now=now))
    context = _context(people, row, rows, links, now)
    if presence.decides_for_others(people, row.person, now):
        context = replace(context, window=window_links(window, row.person))
    return Composed(found, Draft(MESSAGE, context, row.key, f"{MESSAGE}-{row.person}"))


def may_go(session: Session, row: Delivery, composed: Composed, *, now: datetime) -> bool:
    """Whether the digest may be sent as it was put together. Deletes the row of a digest without content.

    Call it with the row locked. A process that stores an item now sees the row as queued, and then this function finds the item,
    or as gone, and then it queues the next digest. If an item came meanwhile, the next round puts the digest together again.
    """
    if _found(session, row.person, now=now) != composed.found:
        return False
    if composed.draft is None:
        deliveries.drop(session, row.id)
    else:
        digests.make(session, row.key, row.person, now=now)
    if composed.draft is not None or composed.later:
        expect(session, row.person, now=now)
    return composed.draft is not None


def _found(session: Session, person: str, *, now: datetime) -> Found:
    reads_news = marketing_digest.is_read_by(session, person, now=now)
    news = tuple(outcomes.untold_ids(session, now=now)) if reads_news else ()
    return Found(tuple(digests.untold_ids(session, person, now=now)), tuple(digests.outcomes_owed(session, person)), news)


def _context(people: Roster, row: Delivery, rows: tuple[DigestRow, ...], links: Links, now: datetime) -> DigestContext:
    link = links.for_digest(row.person, str(row.context["day"]), at=now)
    page = links.for_person(row.person, at=now) if _has_a_page(people, row.person, now) else ""
    more = max(0, len(rows) - ROWS_SHOWN)
    return DigestContext(recipient(people, row.person), link, rows[:ROWS_SHOWN], more=more, number=number_of(links, link), page=page)


def _has_a_page(people: Roster, person: str, now: datetime) -> bool:
    """Whether this person oversees leads, so that their page can show more than their digest."""
    return presence.is_marketing(people, person, now) or presence.decides_for_others(people, person, now)


def _is_the_day(session: Session, row: Delivery, who: Person, *, now: datetime) -> bool:
    """Whether the person is there and works today, and got no digest yet today: a clock that had stopped sends late, not twice."""
    calendar = calendar_of_person(session, row.person, who, now=now, handoff=None)
    if calendar is None or who.is_away(now):
        return False
    local = now.astimezone(calendar.timezone)
    began = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return bool(calendar.hours_on(local.date())) and not digests.made_since(session, row.person, began, but=row.key)


#: The kind of an item about what a lead did while the person had it, and how many of them a row names.
ACTIVITY: Final = "activity"
_NAMED = 3
_IN_HAND = (Stage.ASSIGNED, Stage.ACCEPTED, Stage.WORKING)


def _activities(session: Session, person: str, items: list[DigestItem]) -> dict[int, str]:
    """What each lead did that the person still has, in one sentence each."""
    done: dict[int, list[str]] = {}
    for item in (one for one in items if one.kind == ACTIVITY):
        done.setdefault(item.handoff_id, []).append(item.what)
    theirs = {ident: what for ident, what in done.items() if handoffs.get(session, ident).stage in _IN_HAND}
    return {ident: _sentence(what) for ident, what in theirs.items()}


def _sentence(done: list[str]) -> str:
    names = list(dict.fromkeys(done))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"New: {', '.join(names[:_NAMED])}{more}."


def _rows(session: Session, person: str, items: list[DigestItem], links: Links, *, now: datetime) -> tuple[DigestRow, ...]:
    """One row for each lead: the first due first, the settled ones last."""
    told: dict[int, DigestRow] = {}
    writing = Writing(links, now, now)
    for wait, handoff in check_ins(session, person):
        told[handoff.id] = row_of(session, handoff, wait, person, HOW_IT_STANDS, writing=writing)
    for item in (one for one in items if one.kind not in (ANSWERED, ACTIVITY)):
        matter = matter_of(session, item)
        if matter is not None or item.kind == MISSED:
            told[item.handoff_id] = row_of(session, handoffs.get(session, item.handoff_id), matter, person, item.what, writing=writing)
    for item in (one for one in items if one.kind == ANSWERED and still_counts(session, one)):
        row = told.get(item.handoff_id) or row_of(session, handoffs.get(session, item.handoff_id), None, person, "", writing=writing)
        told[item.handoff_id] = replace(row, what=f"{item.what} {row.what}".strip())
    for handoff_id, what in _activities(session, person, items).items():
        still = waits.open_of(session, handoff_id)
        row = told.get(handoff_id) or row_of(session, handoffs.get(session, handoff_id), still, person, "", writing=writing)
        told[handoff_id] = replace(row, what=f"{row.what} {what}".strip())
    far = now + timedelta(days=36500)
    return tuple(sorted(told.values(), key=lambda row: (row.done, row.due_at or far, row.number)))
