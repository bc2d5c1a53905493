"""Compares rows with what the trail says about them. Finds an answer, promise, assignment, delivery or signature that somebody changed by
hand, and one that the trail does not know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import or_
from sqlmodel import Session, col, select

from agreements.words import EventKind
from storage import trail_lines
from storage.tables import Answer, AnswerState, Assignment, Delivery, DeliveryState, Signature, Wait
from storage.trail_lines import Line

#: One query reads this many rows.
AT_ONCE = 500
#: The kind of event for a signature that was taken back. It carries `hash` and `party`, as `signed` does.
SIGNATURE_WITHDRAWN: Final = "signature-withdrawn"
#: The kinds of events that say who has an assignment; the last one counts.
_CHANGES_HANDS: tuple[EventKind, ...] = ("accepted", "acceptance-undone")
_HAS_IT: tuple[EventKind, ...] = ("assigned", "taken", "taken-at-work", *_CHANGES_HANDS)
_UNDOING: tuple[EventKind, ...] = ("answer-undone", "undo-overtaken")
_OF_DELIVERIES: tuple[EventKind, ...] = ("sent", "delivered", "bounced")
#: Many events are of these kinds, which name no row.
_QUIET: frozenset[EventKind] = frozenset({"captured", "qualified", "documented", "activity", "nudged", "touched", "missed"})
_SENT = (DeliveryState.SENT, DeliveryState.CONFIRMED, DeliveryState.BOUNCED)
#: The clock's own answer may stop counting, because the answer that was due had come or is due no longer.
_OF_DEADLINE = {AnswerState.COUNTED, AnswerState.LATE, AnswerState.UNDONE}
_GIVEN = (AnswerState.COUNTED, AnswerState.LATE, AnswerState.UNDONE)
#: The words that name a row.
_NAMES = {"Answer": "answer", "Wait": "wait", "Assignment": "assignment", "Delivery": "delivery"}

Key = int | str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """What one event says about one row. says: column -> the value, or a set of values that fit; None: the row is gone."""

    table: type[Any]
    row: Key
    event: int
    says: Mapping[str, Any] | None


def claims(event: Line) -> Iterator[Claim]:
    """What an event says about rows. An event that is older than such entries says nothing."""
    data, kind, ident = event.data, event.kind, int(event.id)
    if kind == "signed" or kind == SIGNATURE_WITHDRAWN:
        signed: dict[str, Any] = {"name": event.actor, "signed_at": event.at}
        signed |= {name: data[name] for name in ("via", "address") if name in data}
        yield Claim(Signature, (str(data.get("hash")), str(data.get("party"))), ident, signed if kind == "signed" else None)
    elif "answer_id" in data and (kind.startswith("answered-") or kind in _UNDOING):
        yield from _of_answer(event, data["answer_id"])
    elif kind == "wait-opened" and "wait_id" in data:
        opened = {"kind": data["wait"], "opened_at": event.at, "handoff_id": event.handoff_id}
        yield Claim(Wait, data["wait_id"], ident, {**opened, **_times_of(data)})
    elif kind == "asked-in-hand" and "wait_id" in data:
        yield Claim(Wait, data["wait_id"], ident, _times_of(data))
    elif kind in _HAS_IT and "assignment_id" in data:
        began = {"assigned_at": event.at, "handoff_id": event.handoff_id}
        whose = {"rep": data["rep"]}
        yield Claim(Assignment, data["assignment_id"], ident, whose if kind in _CHANGES_HANDS else {**whose, **began})
    elif "delivery_id" in data and kind in _OF_DELIVERIES:
        yield from _of_delivery(event, data["delivery_id"])


def _times_of(data: Mapping[str, Any]) -> dict[str, datetime]:
    """The due time of a wait, and the agreed one."""
    return {"due_at": _at(data["due"]), "promised_at": _at(data["promise"])}


def _of_answer(event: Line, row: int) -> Iterator[Claim]:
    data, kind, ident = event.data, event.kind, int(event.id)
    if kind in _UNDOING:
        yield Claim(Answer, row, ident, {"state": {AnswerState.UNDONE if kind == "answer-undone" else AnswerState.COUNTED}})
        return
    late = kind == "answered-late"
    said = data["answer"] if late else kind.removeprefix("answered-")
    given = {"kind": said, "by": event.actor, "answered_at": event.at, "via": data["via"], "wait_id": data["wait_id"]}
    yield Claim(Answer, row, ident, given)
    counts = _OF_DEADLINE if said == "deadline" else {AnswerState.COUNTED}
    yield Claim(Answer, row, ident, {"state": {AnswerState.LATE} if late else counts})
    yield Claim(Wait, data["wait_id"], ident, {"promised_at": _at(data["promise"])})


def _of_delivery(event: Line, row: int) -> Iterator[Claim]:
    data, ident = event.data, int(event.id)
    if event.kind == "bounced":
        yield Claim(Delivery, row, ident, {"state": {DeliveryState.BOUNCED}})
        return
    from_then = _at(data["counts_from"]) if data["counts_from"] else None
    to = {"message": data["message"], "person": data["to"], "channel": data["channel"]}
    yield Claim(Delivery, row, ident, {**to, "proof": data["proof"], "confirm_at": from_then, "sent_at": event.at})
    taken = {DeliveryState.SENT, DeliveryState.CONFIRMED} if event.kind == "sent" else {DeliveryState.CONFIRMED}
    yield Claim(Delivery, row, ident, {"state": taken})


def _at(said: str) -> datetime:
    return datetime.fromisoformat(said)


@dataclass(slots=True)
class Rows:
    """Compares rows with what events say about them, some hundred at a time; of several events about the same columns the last counts.

    now: Baton's time; what counts only later must not count yet.
    """

    session: Session
    now: datetime
    _waiting: list[Claim] = field(default_factory=list)
    _doubts: dict[tuple[str, Key, str], str] = field(default_factory=dict)
    _known: dict[type[Any], set[Key]] = field(default_factory=lambda: defaultdict(set))

    def told(self, event: Line) -> None:
        """Takes in what the next event says."""
        if event.kind in _QUIET:
            return
        self._waiting += claims(event)
        if len(self._waiting) >= AT_ONCE:
            self._compare()

    def findings(self, *, since: datetime | None) -> list[str]:
        """What does not fit, in words. since: older rows need no event, because it may be gone or name no rows; None: all need one."""
        self._compare()
        return [*self._doubts.values(), *self._unknown(since)]

    def _compare(self) -> None:
        asked: dict[type[Any], list[Claim]] = defaultdict(list)
        for one in self._waiting:
            asked[one.table].append(one)
        self._waiting = []
        for table, said in asked.items():
            found = self._rows(table, {one.row for one in said})
            for one in said:
                self._judge(one, found.get(one.row))

    def _judge(self, one: Claim, row: Any) -> None:
        if one.says is None:
            self._known[one.table].discard(one.row)
            self._doubts = {doubt: words for doubt, words in self._doubts.items() if doubt[:2] != (one.table.__name__, one.row)}
            return
        self._known[one.table].add(one.row)
        if row is None:
            self._doubts[(one.table.__name__, one.row, "")] = f"{_called(one.table, one.row)} is gone, but event {one.event} names it."
            return
        for name, value in one.says.items():
            doubt = (one.table.__name__, one.row, name)
            if self._doubts:
                self._doubts.pop(doubt, None)
            stands = getattr(row, name)
            if stands != value and not _fits(stands, value, name):
                called = _called(one.table, one.row)
                self._doubts[doubt] = f"{called} was changed: its {name} is not what event {one.event} says."

    def _rows(self, table: type[Any], keys: Iterable[Key]) -> dict[Key, Any]:
        if table is Signature:
            hashes = [key[0] for key in keys if isinstance(key, tuple)]
            rows = self.session.execute(select(*_columns(Signature)).where(col(Signature.hash).in_(hashes))).all()
            return {(row.hash, row.party): row for row in rows}
        found: dict[Key, Any] = {}
        wanted = list(keys)
        for begin in range(0, len(wanted), AT_ONCE):
            query = select(*_columns(table)).where(table.id.in_(wanted[begin : begin + AT_ONCE]))
            found.update((row[0], row) for row in self.session.execute(query))
        return found

    def _unknown(self, since: datetime | None) -> Iterator[str]:
        """Rows that no event names, and messages that count before their time."""
        late = (col(Delivery.state) == DeliveryState.CONFIRMED, col(Delivery.confirm_at) > self.now)
        for ident in self.session.exec(select(Delivery.id).where(*late).order_by(col(Delivery.id))):
            yield f"{_called(Delivery, ident or 0)} was changed: it counts as arrived too early."
        given = col(Answer.state).in_(_GIVEN)
        taken = col(Delivery.state).in_(_SENT)
        sources: Sequence[tuple[type[Any], Any, Any, Callable[[Any], Key]]] = (
            (Answer, Answer.answered_at, given, lambda row: cast(int, row.id)),
            (Wait, Wait.opened_at, True, lambda row: cast(str, row.id)),
            (Assignment, Assignment.assigned_at, True, lambda row: cast(str, row.id)),
            (Delivery, Delivery.sent_at, taken, lambda row: cast(int, row.id)),
            (Signature, Signature.signed_at, True, lambda row: (row.hash, row.party)),
        )
        for table, at, which, key_of in sources:
            columns = (table.hash, table.party) if table is Signature else (table.id,)
            query = select(*columns).order_by(table.id).execution_options(yield_per=5 * AT_ONCE)
            query = query if which is True else query.where(which)
            query = query if since is None else query.where(or_(at > since, at.is_(None)))
            with closing(self.session.execute(query)) as rows:
                for row in rows:
                    if (key := key_of(row)) not in self._known[table]:
                        yield f"{_called(table, key)} is in no event of the trail."


def _called(table: type[Any], row: Key) -> str:
    if isinstance(row, tuple):
        return f"The signature for {row[1]} over {row[0][:12]}"
    return f"The {_NAMES[table.__name__]} {row}"


def _columns(table: type[Any]) -> list[Any]:
    names = {
        "Answer": ("id", "kind", "by", "answered_at", "via", "wait_id", "state"),
        "Wait": ("id", "kind", "opened_at", "due_at", "promised_at", "handoff_id"),
        "Assignment": ("id", "rep", "assigned_at", "handoff_id"),
        "Delivery": ("id", "message", "person", "channel", "proof", "confirm_at", "sent_at", "state"),
        "Signature": ("hash", "party", "name", "via", "address", "signed_at"),
    }
    return [table.__table__.c[name] for name in names[table.__name__]]


def _fits(stands: Any, said: Any, name: str) -> bool:
    if isinstance(said, set):
        return stands in said
    return bool(trail_lines.of_proof(stands) == said if name == "proof" else stands == said)
