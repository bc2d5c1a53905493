"""Retention: delete data that is older than the agreed time. Open handoffs are never touched."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from agreements import keeping
from agreements.lifecycle import Stage
from storage import chores, clearing, contracts, erased, identity, kept_payloads, kept_reviews, retention, trail
from storage.clearing import Person
from storage.database import ROWS_AT_ONCE
from storage.tables import Handoff, Lead
from tasks.erasure import clearing as clear_tasks
from tasks.erasure import traces
from tasks.wiring.toolbox import Toolbox

#: From this number of words on, no more words are added to the later search of the databases' files.
WORDS_SEARCHED_FOR = 250
#: Files of the home folder that hold personal data as a rule: messages in the demo's inbox, and exported tables.
FILES = (".eml", ".csv")


@dataclass(slots=True)
class Kept:
    """The result of one run of retention. deleted: counts by kind; left: what the operator has to do, in sentences."""

    deleted: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)


def in_words(kept: Kept) -> str:
    """Return the deleted counts in one sentence."""
    parts = [f"{count} {name}" for name, count in kept.deleted.items() if count]
    return f"Deleted: {', '.join(parts)}." if parts else "Nothing was past its time."


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next run would delete. leads, texts: counts; trail_before: events before this instant, None if none is agreed.

    chores: how many earlier deletions still wait for Prefect.
    """

    leads: int
    texts: int
    trail_before: datetime | None
    chores: int


def plan(session: Session, *, now: datetime) -> Plan:
    """Return what the next run would delete. Changes nothing."""
    leads = texts = after = 0
    while (looked := retention.look(session, now=now, after=after)).last:
        after = looked.last
        leads += sum(len(one.leads) for one in looked.due)
        texts += sum(retention.texts_of(session, one) for one in looked.due)
    return Plan(leads, texts, retention.trail_is_kept_since(session, now=now), chores.count(session))


async def carry_out(box: Toolbox, *, progress: Callable[[int], None] = lambda leads: None) -> Kept:
    """Deletes the personal data of leads, and the oldest events of the trail and reviews, once their time is over. Prefect's part becomes
    chores.

    Every transaction is short. After an interruption, call it again: deleted data is not due any more. progress: called after
    each person with the number of leads that were cleared.
    """
    kept, words, after = Kept(), set[str](), 0
    while (looked := await box.read(lambda session, now, after=after: retention.look(session, now=now, after=after))).last:  # type: ignore[misc]
        after = looked.last
        theirs = await box.read(lambda session, now, due=looked.due: _words_of(session, due))  # type: ignore[misc]
        words |= theirs if len(words) < WORDS_SEARCHED_FOR else frozenset()
        found = await asyncio.to_thread(traces.clean, box.settings.folder, theirs, kinds=FILES)
        kept.deleted.update({"kept messages": len(found.deleted), "tables with rows of them": len(found.changed)})
        for person in looked.due:
            kept.deleted += await _clear(box, person)
            progress(len(person.leads))
    if old := await _old_payloads(box):
        kept.deleted["payloads that were never taken in"] = old
    if pruned := await _prune(box):
        kept.deleted["events of the trail"] = pruned
    if emptied := await box.write(_old_reviews):
        kept.deleted["figures of reviews"] = emptied
    kept.deleted = +kept.deleted  # leaves out kinds with no hits
    if kept.deleted:
        counts = dict(kept.deleted)
        await box.write(lambda session, now: trail.record(session, "retention", now=now, deleted=counts))
        kept.left = await clear_tasks.scrub_files(box, frozenset(words))
    return kept


def _words_of(session: Session, due: tuple[Person, ...]) -> frozenset[str]:
    return frozenset(word for person in due for word in traces.words_of(session, person))


async def _clear(box: Toolbox, person: Person) -> Counter[str]:
    """Clears one person, unless a change meanwhile means that their time is not over."""
    if not await box.write(lambda session, now: _begin(session, person, now)):
        return Counter()
    total: Counter[str] = Counter()

    def note(session: Session, now: datetime, counts: dict[str, int]) -> None:
        total.update(counts)
        if "leads" in counts:
            clearing.record(session, person, dict(total), why="retention", actor="baton", now=now)

    return await clear_tasks.clear(box, person, note)


def _begin(session: Session, person: Person, now: datetime) -> bool:
    leads = [lead for one in person.leads if (lead := session.get(Lead, one))]
    identity.reserve_known(session, leads)
    clearing.lock(session, person)
    longest = max(contracts.read(row).retention.personal for row in contracts.all_of(session))
    if not retention.is_over(session, person.leads[0], otherwise=longest, now=now):
        return False
    for handoff_id in person.handoffs:
        handoff = session.get(Handoff, handoff_id)
        if handoff is not None and handoff.stage == Stage.NURTURING:
            clear_tasks.end(session, handoff_id, actor="baton", why="retention", now=now)
    erased.remember_suppressed(session, leads, now=now)
    identity.forget(session, leads)
    clear_tasks.ask_prefect(session, person, now=now)
    return True


async def _old_payloads(box: Toolbox) -> int:
    """Deletes payloads of intake doors that were kept as long as any agreement keeps personal data at least; returns how many."""

    def some(session: Session, now: datetime) -> int:
        shortest = keeping.shortest_personal(contracts.read(row) for row in contracts.all_of(session))
        return kept_payloads.remove_before(session, now - shortest, limit=ROWS_AT_ONCE) if shortest else 0

    gone = 0
    while few := await box.write(some):
        gone += few
    return gone


def _old_reviews(session: Session, now: datetime) -> int:
    """Deletes the figures of reviews that are older than the trail is kept; returns of how many reviews."""
    before = retention.trail_is_kept_since(session, now=now)
    return kept_reviews.empty(session, before=before) if before is not None else 0


async def _prune(box: Toolbox) -> int:
    """Deletes the oldest events of the trail, past their agreed time; returns how many."""
    before = await box.read(lambda session, now: retention.trail_is_kept_since(session, now=now))
    if before is None:
        return 0
    pruned = 0
    while some := await box.write(lambda session, now: trail.prune(session, before=before, now=now, limit=ROWS_AT_ONCE)):
        pruned += some
    return pruned


def agreed(session: Session) -> list[tuple[str, int, int]]:
    """Return for each version: its reference, the days it keeps personal data, and the days it keeps the trail."""
    versions = [(contracts.reference_of(row), contracts.read(row)) for row in contracts.all_of(session)]
    return [(name, keeping.shortest_personal([one]).days, keeping.longest_trail([one]).days) for name, one in versions]  # type: ignore[union-attr]
