"""Read returned mail: whether a message failed to arrive, and which message. Nothing is stored here.

Delays, receipts and automatic replies are not bounces, whatever they quote.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parseaddr
from typing import Final, Literal

from notifications.automatic_replies import days_in, is_automatic, is_automatic_reply

MAX_BYTES = 2_000_000
"""Longest returned message that is read, in bytes."""
ReturnedKind = Literal["bounced", "delayed", "reply", "other"]
"""What a message that came to the address for bounces is."""
BOUNCED: Final = "bounced"
DELAYED: Final = "delayed"
REPLY: Final = "reply"
OTHER: Final = "other"

_MARK_DIGITS = 16
_MARK = re.compile(rf"(\d{{1,15}})-([a-z2-7]{{{_MARK_DIGITS}}})")
_MARKED = re.compile(rf"[+=](\d{{1,15}}-[a-z2-7]{{{_MARK_DIGITS}}})(?=[@=])", re.IGNORECASE)
#: What a report may say, the worst first.
_REPORTED: tuple[ReturnedKind, ...] = (BOUNCED, DELAYED)
#: The headers in which a mail system writes the recipient of an incoming message.
_RECIPIENTS = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "X-Rcpt-To", "Resent-To", "To", "Cc")
_SYSTEMS = re.compile(r"mailer-?daemon|postmaster|mail-?(delivery|system|daemon)|mdaemon|microsoftexchange[0-9a-f]+", re.IGNORECASE)
_NAMED_MAX = 5


class UnreadableMessage(ValueError):  # noqa: N818 - errors here are named as states
    """The bytes cannot be read as an e-mail message."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A message that came to the address for bounces. kind: bounced, delayed, reply or other. why: the mail system's reason,
    in one line. marks: the marks that may name the returned delivery. days: the days that an automatic reply names, none for
    other mail."""

    kind: ReturnedKind
    why: str = ""
    marks: tuple[str, ...] = ()
    days: tuple[date, ...] = ()


class BounceMarks:
    """Writes and reads the marks in return paths (bounces+MARK@…): the number of a delivery with a signature of this
    installation. A mark can be read for as long as the key that wrote it is kept. Capitals do not matter."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [hmac.digest(secret.encode(), b"baton.bounce", "sha256") for secret in secrets]

    def of(self, delivery_id: int) -> str:
        """Return the mark of a delivery."""
        return f"{delivery_id}-{_sign(self._keys[-1], delivery_id)}"

    def read(self, mark: str) -> int | None:
        """Return the delivery of a mark, None for a mark that this installation did not write."""
        found = _MARK.fullmatch(mark.lower())
        if found is None or f"{int(found[1])}" != found[1]:
            return None
        delivery_id = int(found[1])
        known = [hmac.compare_digest(_sign(key, delivery_id), found[2]) for key in self._keys]
        return delivery_id if any(known) else None


def _sign(key: bytes, delivery_id: int) -> str:
    return b32encode(hmac.digest(key, str(delivery_id).encode(), hashlib.sha256)).decode("ascii").lower()[:_MARK_DIGITS]


def read(raw: bytes) -> Returned:
    """Read a returned message. Raises UnreadableMessage for bytes that are not a message, or are too long."""
    if len(raw) > MAX_BYTES:
        raise UnreadableMessage(f"longer than {MAX_BYTES:,} bytes")
    try:
        message = message_from_bytes(raw, policy=policy.compat32)
        if not message.keys():
            raise UnreadableMessage("it has no headers")
        kind, why = _judged(message)
        return Returned(
            kind,
            _line(why),
            _first(mark.lower() for name in _RECIPIENTS for value in _all(message, name) for mark in _MARKED.findall(value)),
            days_in(message) if kind == REPLY else (),
        )
    except UnreadableMessage:
        raise
    except Exception as error:  # strangers write mail: an error of a mail parser means an unreadable message, not a fault of ours
        raise UnreadableMessage(f"it cannot be taken apart ({type(error).__name__})") from error


def _judged(message: Message) -> tuple[ReturnedKind, str]:
    reports = list(_status_blocks(message))
    if reports:
        return _by_report(reports)
    if message.get_content_type() == "multipart/report":  # a read receipt, a complaint
        return OTHER, ""
    sender = parseaddr(str(message.get("From", "")))[1]
    by_system = bool(_SYSTEMS.search(sender.rpartition("@")[0] or sender))
    if not by_system and is_automatic_reply(message):
        return REPLY, ""
    if not by_system and is_automatic(message):
        return OTHER, ""
    if not by_system and str(message.get("Return-Path", "")).strip() != "<>":  # people forward and quote bounces
        return OTHER, ""
    from flufl.bounce import all_failures  # imported here: only returned mail needs its many detectors, but every process makes marks

    passing, final = all_failures(message)
    if final:
        return BOUNCED, str(message.get("Subject", ""))
    return (DELAYED, "") if passing else (OTHER, "")


def _by_report(blocks: list[Message]) -> tuple[ReturnedKind, str]:
    """Read the report by RFC 3464: the action for each recipient. Where the action is missing, the status decides."""
    kinds: dict[ReturnedKind, str] = {}
    for block in blocks:
        action, status = str(block.get("Action", "")).strip().lower(), str(block.get("Status", "")).strip()
        said = f"{status} {block.get('Diagnostic-Code', '')}"
        if action.startswith(("fail", "error")) or (not action and status.startswith("5")):
            kinds.setdefault(BOUNCED, said)
        elif action.startswith("delay") or (not action and status.startswith("4")):
            kinds.setdefault(DELAYED, said)
    return next(((kind, kinds[kind]) for kind in _REPORTED if kind in kinds), (OTHER, ""))


def _status_blocks(message: Message) -> Iterator[Message]:
    """Yield the outermost report's block for each recipient. Quoted and forwarded reports are ignored."""
    parts = message.get_payload() if message.is_multipart() else []
    for part in [message, *(one for one in parts if isinstance(one, Message))]:
        if part.get_content_type() == "message/delivery-status" and isinstance(blocks := part.get_payload(), list):
            yield from (block for block in blocks if isinstance(block, Message) and ("Action" in block or "Status" in block))


def _all(message: Message, name: str) -> list[str]:
    return [str(value)[:2000] for value in message.get_all(name, [])]


def _first(found: Iterator[str]) -> tuple[str, ...]:
    """Return the first few values, without repeats."""
    kept: dict[str, None] = {}
    for one in found:
        kept.setdefault(one)
        if len(kept) == _NAMED_MAX:
            break
    return tuple(kept)


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:300]
