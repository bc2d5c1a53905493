"""Returned mail: what of it says that a message did not arrive, and which message that was. Nothing is stored here.

Delays, receipts and automatic replies are no bounces, whatever they quote.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parseaddr

MAX_BYTES = 2_000_000
"""Longest returned message that is read."""
BOUNCED, DELAYED, REPLY, OTHER = "bounced", "delayed", "reply", "other"

_MARK_DIGITS = 16
_MARK = re.compile(rf"(\d{{1,15}})-([a-z2-7]{{{_MARK_DIGITS}}})")
_MARKED = re.compile(rf"[+=](\d{{1,15}}-[a-z2-7]{{{_MARK_DIGITS}}})(?=[@=])", re.IGNORECASE)
#: Where a mail system writes for whom a message came in.
_RECIPIENTS = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "X-Rcpt-To", "Resent-To", "To", "Cc")
_SYSTEMS = re.compile(r"mailer-?daemon|postmaster|mail-?(delivery|system|daemon)|mdaemon|microsoftexchange[0-9a-f]+", re.IGNORECASE)
_NAMED_MAX = 5


class UnreadableMessage(ValueError):  # noqa: N818 - errors here are named as states
    """This cannot be read as a message."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A message that came to the address for bounces. kind: bounced, delayed, reply or other; why: what the mail system said,
    in one line. marks: which may name the delivery that came back."""

    kind: str
    why: str = ""
    marks: tuple[str, ...] = ()


class BounceMarks:
    """Writes and reads the marks in return paths (bounces+MARK@…): the number of a delivery, and what only this installation
    can add to it. Whatever key wrote a mark, it is read as long as that key is kept. Capitals do not matter."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [hmac.digest(secret.encode(), b"baton.bounce", "sha256") for secret in secrets]

    def of(self, delivery_id: int) -> str:
        """The mark of that delivery."""
        return f"{delivery_id}-{_sign(self._keys[-1], delivery_id)}"

    def read(self, mark: str) -> int | None:
        """The delivery whose mark this is, None for a mark that was not written here."""
        found = _MARK.fullmatch(mark.lower())
        if found is None or f"{int(found[1])}" != found[1]:
            return None
        delivery_id = int(found[1])
        known = [hmac.compare_digest(_sign(key, delivery_id), found[2]) for key in self._keys]
        return delivery_id if any(known) else None


def _sign(key: bytes, delivery_id: int) -> str:
    return b32encode(hmac.digest(key, str(delivery_id).encode(), hashlib.sha256)).decode("ascii").lower()[:_MARK_DIGITS]


def read(raw: bytes) -> Returned:
    """What a returned message says. Raises UnreadableMessage for what is none, or is too long to be one."""
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
        )
    except UnreadableMessage:
        raise
    except Exception as error:  # mail is written by strangers: what the readers of it stumble over is not our fault to pass on
        raise UnreadableMessage(f"it cannot be taken apart ({type(error).__name__})") from error


def _judged(message: Message) -> tuple[str, str]:
    reports = list(_status_blocks(message))
    if reports:
        return _by_report(reports)
    if message.get_content_type() == "multipart/report":  # a receipt that it was read, a complaint
        return OTHER, ""
    by_system = bool(_SYSTEMS.search(parseaddr(str(message.get("From", "")))[1].rpartition("@")[0]))
    if _is_automatic(message) and not by_system:
        return REPLY, ""
    if not by_system and str(message.get("Return-Path", "")).strip() != "<>":  # people forward and quote what came back to them
        return OTHER, ""
    from flufl.bounce import all_failures  # its many detectors are needed for returned mail only, and marks are made by everybody

    passing, final = all_failures(message)
    if final:
        return BOUNCED, str(message.get("Subject", ""))
    return (DELAYED, "") if passing else (OTHER, "")


def _by_report(blocks: list[Message]) -> tuple[str, str]:
    """By RFC 3464: what was done for each recipient; the status decides where the action is not said."""
    kinds: dict[str, str] = {}
    for block in blocks:
        action, status = str(block.get("Action", "")).strip().lower(), str(block.get("Status", "")).strip()
        said = f"{status} {block.get('Diagnostic-Code', '')}"
        if action.startswith(("fail", "error")) or (not action and status.startswith("5")):
            kinds.setdefault(BOUNCED, said)
        elif action.startswith("delay") or (not action and status.startswith("4")):
            kinds.setdefault(DELAYED, said)
    return next(((kind, kinds[kind]) for kind in (BOUNCED, DELAYED) if kind in kinds), (OTHER, ""))


def _status_blocks(message: Message) -> Iterator[Message]:
    """What the outermost report says of each recipient; a report that somebody quotes or forwards is none."""
    parts = message.get_payload() if message.is_multipart() else []
    for part in [message, *(one for one in parts if isinstance(one, Message))]:
        if part.get_content_type() == "message/delivery-status" and isinstance(blocks := part.get_payload(), list):
            yield from (block for block in blocks if isinstance(block, Message) and ("Action" in block or "Status" in block))


def _is_automatic(message: Message) -> bool:
    said = str(message.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    precedence = str(message.get("Precedence", "")).strip().lower()
    return said not in ("no", "") or precedence == "auto_reply" or any(name in message for name in ("X-Autoreply", "X-Autorespond"))


def _all(message: Message, name: str) -> list[str]:
    return [str(value)[:2000] for value in message.get_all(name, [])]


def _first(found: Iterator[str]) -> tuple[str, ...]:
    """The first few, each once."""
    kept: dict[str, None] = {}
    for one in found:
        kept.setdefault(one)
        if len(kept) == _NAMED_MAX:
            break
    return tuple(kept)


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:300]
