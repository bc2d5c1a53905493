"""Proves the trail: walks along the whole chain, the texts beside it, and the rows that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage import trail_lines
from storage.tables import Event, PersonalText, Seal
from storage.trail_rows import Rows

#: One query reads this many seals, with their events.
SEALS_AT_ONCE = 100
_READ_AT_ONCE = 1000
#: The most findings that are listed; the rest are counted.
TOLD = 100
#: Read as rows and not as objects: there may be millions.
_EVENTS = Event.__table__.c  # type: ignore[attr-defined]
_SEALS = Seal.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class TrailCheck:
    """What a walk along the chain found: events sealed and still open, the first seal that does not fit (None for none), and the first
    event whose text is no longer what was written (None for none; an erased text does not count).

    findings: everything that was changed, in words. pruned: events that were deleted as agreed, up to the seal of `pruned_until`.
    """

    sealed: int
    unsealed: int
    broken_seal: int | None
    head: str
    changed_text: int | None = None
    findings: tuple[str, ...] = ()
    pruned: int = 0
    pruned_until: datetime | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing that was sealed has been changed or taken away."""
        return self.broken_seal is None and self.changed_text is None and not self.findings


def check(session: Session, *, key: bytes, now: datetime | None = None) -> TrailCheck:
    """Walks the whole chain and calculates every link again. now: Baton's time; where given, also compares the rows with the events that
    name them, and finds rows without an event.

    Call it with a session that has read nothing yet, so that all reads see one moment.
    """
    if session.get_bind().dialect.name == "postgresql" and not session.in_transaction():
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return _Walk(session, key, Rows(session, now) if now else None).whole()


@dataclass(slots=True)
class _Walk:
    session: Session
    key: bytes
    rows: Rows | None
    broken: int | None = None
    sealed: int = 0
    unsealed: int = 0
    pruned: int = 0
    pruned_seal: Any = None
    asked_for: dict[int, tuple[str, int]] = field(default_factory=dict)
    previous: Any = None
    last_id: int | None = None
    since: datetime | None = None
    found: list[str] = field(default_factory=list)

    def whole(self) -> TrailCheck:
        counts_up = self.session.get_bind().dialect.name == "sqlite"
        for seals in self._seals():
            events = self._events_of(seals)
            for row in seals:
                self._seal(row, events.get(row.id, ()), counts_up)
        self._orphans()
        self._unsealed(counts_up)
        self._pruned()
        self._twice()
        changed = self._texts()
        if self.rows:
            for finding in self.rows.findings(since=self.since):
                self._find(finding)
        more = len(self.found) - TOLD
        told = (*self.found[:TOLD], *([f"{more} further findings are not told."] if more > 0 else []))
        until = self.pruned_seal.sealed_at if self.pruned_seal else None
        head = self.previous.digest if self.previous else ""
        return TrailCheck(self.sealed, self.unsealed, self.broken, head, changed, told, self.pruned, until)

    def _seals(self) -> Iterator[Sequence[Any]]:
        last = 0
        while seals := self.session.execute(select(*_SEALS).where(_SEALS.id > last).order_by(_SEALS.id).limit(SEALS_AT_ONCE)).all():
            yield seals
            last = seals[-1].id

    def _events_of(self, seals: Sequence[Any]) -> dict[int, list[Any]]:
        query = select(*_EVENTS).where(_EVENTS.seal_id.between(seals[0].id, seals[-1].id))
        rows = self.session.execute(query.order_by(_EVENTS.seal_id, _EVENTS.id))
        return {ident: list(events) for ident, events in groupby(rows, key=lambda row: row.seal_id)}

    def _seal(self, row: Any, events: Sequence[Any], counts_up: bool) -> None:
        before = self.previous
        problem = self._linked(row, before)
        if row.pruned:
            self.pruned, self.pruned_seal = row.total, row
            if events:
                problem = f"Seal {row.id} has events, and they were deleted as agreed: event {events[0].id} was added."
        elif row.format == 1:
            fits = trail_lines.fits(self.key, row, events) and before_digest(before) == row.previous
            problem = problem or ("" if fits else self._first_format(row, events))
        else:
            problem = self._events(row, events) or problem
            if counts_up and not problem and before is not None and before.format == row.format and row.first_id != before.last_id + 1:
                problem = f"Events {before.last_id + 1} to {row.first_id - 1} are missing: they were deleted before they were sealed."
            if counts_up and not problem and row.last_id - row.first_id + 1 != row.events:
                missing = row.last_id - row.first_id + 1 - row.events
                problem = f"Of events {row.first_id} to {row.last_id}, {missing} were deleted before they were sealed."
        if row.format == 1 or row.pruned:
            self.since = row.sealed_at
        if row.format == 1:
            for event in events:
                self._note(event, is_ours=False)
        if problem:
            self.broken = self.broken or row.id
            self._find(problem)
        self.previous, self.sealed = row, self.sealed + len(events)

    def _linked(self, row: Any, before: Any) -> str:
        """What is wrong with a seal itself and its place in the chain, empty for nothing."""
        if row.previous != before_digest(before):
            return f"Seal {row.id} does not follow the one before it: seals were taken away, added or changed."
        if before is not None and before.format > row.format:
            return f"Seal {row.id} was made in an older way than the one before it."
        total = (before.total if before is not None else 0) + row.events
        if row.total != total:
            return f"Seal {row.id} counts {row.total} events up to it, and there were {total}."
        if row.pruned and before is not None and not before.pruned:
            return f"The events of seal {row.id} were deleted, and those of older seals were not."
        if row.format != 1 and trail_lines.digest(self.key, row) != row.digest:
            return f"Seal {row.id} is not as it was made."
        return ""

    def _first_format(self, row: Any, events: Sequence[Any]) -> str:
        if len(events) != row.events:
            return f"Seal {row.id} covers {row.events} events, and {len(events)} are there."
        return f"Seal {row.id} does not fit: one of events {events[0].id} to {events[-1].id} was changed."

    def _events(self, row: Any, events: Sequence[Any]) -> str:
        """Walks along the events of a seal; returns what is wrong with them, empty for nothing."""
        lines, foreign = [], []
        for place, event in enumerate(events, start=row.total - row.events + 1):
            says = trail_lines.told(event)
            lines.append(trail_lines.line(event, place, says))
            ours = trail_lines.is_marked(self.key, event.mark, says)
            if not ours:
                foreign.append(event.id)
            self._note(event, is_ours=ours)
        if foreign:
            which = ", ".join(map(str, foreign))
            return f"Seal {row.id} does not fit: event {which} was changed, or was not written by Baton."
        if len(events) != row.events:
            return f"Seal {row.id} covers {row.events} events, and {len(events)} are there: events were deleted or added."
        if trail_lines.content(self.key, lines) != row.content:
            return f"Seal {row.id} does not fit: events {events[0].id} to {events[-1].id} changed their places, or others were put in."
        return ""

    def _note(self, event: Any, *, is_ours: bool) -> None:
        if event.text_digest and event.text_id is None:
            self._find(f"Event {event.id} had a text, which was unlinked from it.")
        if is_ours and event.kind == "trail-pruned":
            self.asked_for[event.data["seal"]] = event.data["head"], event.id
        if self.rows and (is_ours or event.kind == "signed"):
            self.rows.told(event)

    def _orphans(self) -> None:
        kept = select(Seal.id)
        query = select(Event.seal_id, func.count()).where(col(Event.seal_id).is_not(None), col(Event.seal_id).not_in(kept))
        for ident, count in self.session.exec(query.group_by(col(Event.seal_id)).order_by(col(Event.seal_id))):
            self.broken = self.broken or ident
            self._find(f"Seal {ident} is gone, and {count} of its events are there.")

    def _unsealed(self, counts_up: bool) -> None:
        """Checks events that nobody has sealed yet: they have marks already, and on SQLite their numbers have no gap."""
        query = select(*_EVENTS).where(_EVENTS.seal_id.is_(None)).order_by(_EVENTS.id)
        last = self.previous.last_id if self.previous is not None and self.previous.format != 1 else None
        with closing(self.session.execute(query.execution_options(yield_per=_READ_AT_ONCE))) as events:
            for event in events:
                self.unsealed += 1
                if not event.mark and (self.previous is None or self.previous.format == 1):
                    continue  # older than marks; the first format seals it
                ours = trail_lines.is_marked(self.key, event.mark, trail_lines.told(event))
                if not ours:
                    self._find(f"Event {event.id} is not sealed yet, and was changed or was not written by Baton.")
                if counts_up and last is not None and event.id != last + 1:
                    self._find(f"Event {event.id} comes after event {last}: what was between them was deleted, or it was put in.")
                self._note(event, is_ours=ours)
                last = event.id

    def _pruned(self) -> None:
        row = self.pruned_seal
        if row is not None and (row.id not in self.asked_for or self.asked_for[row.id][0] != row.digest):
            self.broken = self.broken or row.id
            self._find(f"Events up to seal {row.id} are gone, and no event of the trail says that they were deleted as agreed.")

    def _twice(self) -> None:
        """Finds copied events: a copy has the mark of another event."""
        twice = select(func.max(Event.id)).where(Event.mark != "").group_by(col(Event.mark)).having(func.count() > 1)
        for ident in self.session.exec(twice):
            self._find(f"Event {ident} is a copy of another one.")

    def _texts(self) -> int | None:
        written = select(Event.id, Event.text_digest, PersonalText.salt, PersonalText.text)
        query = written.join(PersonalText, col(PersonalText.id) == Event.text_id).order_by(col(Event.id))
        first = None
        with closing(self.session.exec(query.execution_options(yield_per=_READ_AT_ONCE))) as rows:
            for ident, digest, salt, text in rows:
                if trail_lines.of_text(salt, text) != digest:
                    first = first or ident
                    self._find(f"The text of event {ident} is not what was written.")
        return first

    def _find(self, what: str) -> None:
        self.found.append(what)


def before_digest(seal: Any) -> str:
    """The digest by which the next seal names this one; empty where there is no seal before."""
    return seal.digest if seal is not None else ""
