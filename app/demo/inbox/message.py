"""One e-mail in the inbox: decoded headers, the text and HTML part, and their links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from html.parser import HTMLParser
from pathlib import Path

_WEB = ("http://", "https://")
_URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Received:
    """One e-mail as the inbox received it, never changed afterwards.

    ``number`` rises with every message, ``at`` is the time of the inbox, aware. ``sender`` and ``recipients`` are the
    bare addresses of the SMTP envelope, so blind copies are among them and a bounce has the sender ``""``.
    ``subject``, ``key`` (header ``X-Baton-Key``), ``text`` and ``html`` are decoded, and ``""`` where the
    e-mail has none. ``path`` is the .eml file holding the bytes exactly as they came.
    """

    number: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    key: str
    text: str
    html: str
    path: Path


def received_from(raw: bytes, *, number: int, at: datetime, sender: str, recipients: list[str], path: Path) -> Received:
    """Decode the e-mail in ``raw``. Never fails, however broken the e-mail is."""
    message = message_from_bytes(raw)
    return Received(
        number=number,
        at=at,
        sender=_printable("" if sender == "<>" else sender),
        recipients=tuple(_printable(recipient) for recipient in recipients),
        subject=_header(message, "subject"),
        key=_header(message, "x-baton-key"),
        text=_part(message, "text/plain"),
        html=_part(message, "text/html"),
        path=path,
    )


def header_lines(raw: bytes) -> list[tuple[str, str]]:
    """Return all headers of the e-mail in ``raw`` as (name, decoded value), in their order."""
    return list(_headers(message_from_bytes(raw)))


def addresses(raw: bytes) -> tuple[str, list[str]]:
    """Return the bare address in From and those in To and Cc. Without an envelope nobody else is known."""
    named = {name: [value for key, value in header_lines(raw) if key.lower() == name] for name in ("from", "to", "cc")}
    found = {name: [address for _, address in getaddresses(values) if address] for name, values in named.items()}
    return next(iter(found["from"]), ""), found["to"] + found["cc"]


def links(received: Received) -> list[str]:
    """Return all http and https links, those of the text part before those of the HTML part, each once."""
    found = [_without_punctuation(match.group()) for match in _URL.finditer(received.text)]
    return list(dict.fromkeys(found + _Hrefs.of(received.html)))


class _Hrefs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def of(cls, html: str) -> list[str]:
        parser = cls()
        try:
            parser.feed(html)
            parser.close()
        except AssertionError:
            # HTMLParser raises this for an unknown "<![..."; what it found before that is still right.
            pass
        return parser.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = (dict(attrs).get("href") or "").strip()
        if tag in ("a", "area") and href.lower().startswith(_WEB):
            self.found.append(href)


def _without_punctuation(url: str) -> str:
    while url:
        last = url[-1]
        opening = _CLOSING.get(last)
        if last not in ".,;:!?'" and (opening is None or url.count(opening) >= url.count(last)):
            break
        url = url[:-1]
    return url


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    # The old e-mail policy with our own decoding, since the new policy raises on some malformed headers.
    for name, value in message.raw_items():
        plain = _printable(str(value).replace("\r", "").replace("\n", "")).strip()
        try:
            yield name, _printable(str(make_header(decode_header(plain))))
        except (HeaderParseError, LookupError, ValueError):
            yield name, plain


def _header(message: Message, name: str) -> str:
    return next((value for key, value in _headers(message) if key.lower() == name), "")


def _part(message: Message, content_type: str) -> str:
    for part in message.walk():
        wanted = part.get_content_type() == content_type and not part.is_multipart()
        if wanted and part.get_content_disposition() != "attachment":
            return _decoded(part)
    return ""


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    charset = part.get_content_charset("utf-8")
    try:
        text = raw.decode("utf-8" if charset == "us-ascii" else charset, errors="replace")
    except (LookupError, ValueError):
        text = raw.decode("utf-8", errors="replace")
    return _printable(text.replace("\r\n", "\n"))


def _printable(text: str) -> str:
    """Turn bytes that came in as surrogates into the characters they encode, or into a replacement mark."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
