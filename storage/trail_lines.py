"""The bytes of a trail line and of a seal, and the digests over them that use the trail's key.

Format 1 is that of the first releases: a seal is one digest over the seal before it and its events. In format 2 each event has a mark of
its own, and a seal is a digest over its head, which names the seal before it, the count and a digest of its events. So a chain can still be
proved after the events of old seals are deleted. docs/verify_trail.py reads the same bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from agreements.words import EventKind

FORMAT = 2
_NONCE = 8
_MARK = 32


class Line(Protocol):
    """A line of the trail as it is stored: an Event, or its columns in a row."""

    @property
    def id(self) -> Any: ...
    @property
    def at(self) -> datetime: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def kind(self) -> EventKind: ...
    @property
    def lead_id(self) -> int | None: ...
    @property
    def handoff_id(self) -> int | None: ...
    @property
    def stage(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def text_id(self) -> int | None: ...
    @property
    def text_digest(self) -> str: ...
    @property
    def mark(self) -> str: ...


class Sealed(Protocol):
    """What a seal says about itself."""

    @property
    def format(self) -> int: ...
    @property
    def previous(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def events(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def first_id(self) -> int: ...
    @property
    def last_id(self) -> int: ...
    @property
    def content(self) -> str: ...
    @property
    def sealed_at(self) -> datetime: ...


def instant(at: datetime) -> str:
    """Writes an instant as in a line: ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat()


def told(event: Line) -> str:
    """All that an event says, as JSON, without what it gets later: its number and its seal."""
    return _json(
        {
            "at": instant(event.at),
            "recorded_at": instant(event.recorded_at),
            "kind": event.kind,
            "lead": event.lead_id,
            "handoff": event.handoff_id,
            "stage": event.stage,
            "actor": event.actor,
            "data": event.data,
            "text_id": event.text_id,
            "text": event.text_digest,
        }
    )


def mark(key: bytes, event: Line) -> str:
    """The mark of a new event. Nobody can make one without the key, and no two events have the same one."""
    return _mark(key, secrets.token_hex(_NONCE // 2), told(event))


def is_marked(key: bytes, mark: str, says: str) -> bool:
    """Whether a process with the key wrote an event that says this."""
    return _mark(key, mark[:_NONCE], says) == mark


def _mark(key: bytes, nonce: str, says: str) -> str:
    return nonce + hmac.digest(key, f"{nonce}{says}".encode(), "sha256").hex()[:_MARK]


def line(event: Line, place: int, says: str) -> str:
    """An event as it is sealed and exported, one line of JSON. place: its position among all events, from 1; says: see `told`."""
    return f'{{"id":{event.id},"place":{place},"mark":"{event.mark}",{says[1:]}'


def content(key: bytes, lines: Iterable[str]) -> str:
    """The digest over these lines."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for one in lines:
        mac.update(f"{one}\n".encode())
    return mac.hexdigest()


def seal_line(seal: Sealed) -> str:
    """The head of a format 2 seal, the part that its digest covers."""
    return _json(
        {
            "format": seal.format,
            "previous": seal.previous,
            "events": seal.events,
            "total": seal.total,
            "first": seal.first_id,
            "last": seal.last_id,
            "content": seal.content,
            "sealed_at": instant(seal.sealed_at),
        }
    )


def digest(key: bytes, seal: Sealed) -> str:
    """The digest of a seal of format 2."""
    return hmac.digest(key, seal_line(seal).encode(), "sha256").hex()


def first_line(event: Line) -> str:
    """An event as format 1 seals it."""
    return _json(
        {
            "id": event.id,
            "at": event.at.isoformat(),
            "kind": event.kind,
            "lead": event.lead_id,
            "handoff": event.handoff_id,
            "stage": event.stage,
            "actor": event.actor,
            "data": event.data,
            "text": event.text_digest,
        }
    )


def first_digest(key: bytes, previous: str, lines: Sequence[str]) -> str:
    """The digest of a seal of format 1."""
    mac = hmac.new(key, previous.encode(), hashlib.sha256)
    for one in lines:
        mac.update(f"{one}\n".encode())
    return mac.hexdigest()


def fits(key: bytes, seal: Sealed, events: Sequence[Line]) -> bool:
    """Whether these are the events under that seal. Does not check the seals before it."""
    if seal.format == 1:
        return len(events) == seal.events and first_digest(key, seal.previous, [first_line(event) for event in events]) == seal.digest
    before = seal.total - seal.events
    lines = [line(event, place, told(event)) for place, event in enumerate(events, start=before + 1)]
    return len(events) == seal.events and content(key, lines) == seal.content and digest(key, seal) == seal.digest


def of_text(salt: str, text: str) -> str:
    """The digest of what somebody wrote."""
    return hashlib.sha256(f"{salt}:{text}".encode()).hexdigest()


def of_proof(proof: str) -> str:
    """What the trail keeps of a proof, which may contain an address."""
    return hashlib.sha256(proof.encode()).hexdigest()[:_MARK]


_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
