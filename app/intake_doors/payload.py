"""Reads the body of a delivery: JSON, a form as browsers encode it, or a form in parts."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from agreements.lead import storable
from app.web.bodies import NotJson, read_json

MOST_FIELDS = 500
#: Kinds that do not say what a body is.
_UNSAID: tuple[str, ...] = ("", "text/plain")
_FORM, _PARTS = "application/x-www-form-urlencoded", "multipart/form-data"


class PayloadUnreadable(ValueError):
    """The body cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What a body says, as objects, lists and single values. notes: what was left out of it."""

    value: Any
    notes: tuple[str, ...] = ()


def read(body: bytes, content_type: str) -> Payload:
    """Return what the body says. Numbers keep all their digits. Raises PayloadUnreadable."""
    kind, options = _kind_of(content_type)
    if kind == _PARTS:
        return _parts(body, options.get("boundary", ""))
    if kind == _FORM:
        return Payload(_form(_decoded(body, options)))
    if kind == "application/json" or kind.endswith("+json") or (kind in _UNSAID and body.lstrip()[:1] in (b"{", b"[")):
        try:
            return Payload(read_json(_decoded(body, options).encode("utf-8", "surrogatepass")))
        except NotJson as error:
            raise PayloadUnreadable(str(error)) from error
    raise PayloadUnreadable(f"Content-Type {kind[:60] or '(none)'} cannot be read; send JSON, {_FORM} or {_PARTS}.")


def _kind_of(content_type: str) -> tuple[str, dict[str, str]]:
    message = Message()
    message["content-type"] = content_type.replace("\r", " ").replace("\n", " ")
    found = message.get_params(failobj=[("", "")])
    options = {name.lower(): value for name, value in found[1:] if isinstance(value, str)}
    return found[0][0].strip().lower(), options


def _decoded(body: bytes, options: dict[str, str]) -> str:
    """Return the text. A byte order mark is believed, then the declared charset, else it is UTF-8."""
    for mark, charset in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if body.startswith(mark):
            return _with(body, charset)
    return _with(body, options.get("charset", "") or "utf-8")


def _with(body: bytes, charset: str) -> str:
    try:
        if not codecs.lookup(charset)._is_text_encoding:
            raise LookupError
        return body.decode(charset)
    except LookupError:
        raise PayloadUnreadable(f"The charset {charset[:40]!r} is unknown; send UTF-8.") from None
    except UnicodeDecodeError as error:
        raise PayloadUnreadable(f"Byte {error.start + 1} is not {charset[:40].upper()}.") from None


def _form(text: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise PayloadUnreadable(f"The form cannot be read: {str(error)[:100]}.") from error
    return _fields(pairs)


def _fields(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields by name, several values of one name as a list."""
    found: dict[str, Any] = {}
    for name, value in ((storable(name), storable(value)) for name, value in pairs):
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


@dataclass(slots=True)
class _Part:
    """One part of a form while it is read."""

    name: str = ""
    filename: str | None = None
    charset: str = ""
    header: list[bytes] = field(default_factory=lambda: [b"", b""])
    data: list[bytes] = field(default_factory=list)


def _parts(body: bytes, boundary: str) -> Payload:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser

    if not boundary:
        raise PayloadUnreadable("The form has no boundary in its Content-Type.")
    done: list[_Part] = []
    try:
        parser = MultipartParser(boundary.encode("latin-1", "replace"), _callbacks(done))
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise PayloadUnreadable(f"The form cannot be read: {str(error)[:100]}.") from error
    if len(done) > MOST_FIELDS:
        raise PayloadUnreadable(f"The form has more than {MOST_FIELDS} fields.")
    pairs = [(part.name, _with(b"".join(part.data), part.charset or "utf-8")) for part in done if part.name and part.filename is None]
    left = [part.name for part in done if part.filename]
    return Payload(_fields(pairs), tuple(f"The file in {name[:60]!r} was left out." for name in left))


def _callbacks(done: list[_Part]) -> Any:
    from python_multipart.multipart import parse_options_header

    parts: list[_Part] = []

    def header_ends() -> None:
        name, value = (piece for piece in parts[-1].header)
        if name.lower() == b"content-disposition":
            options = parse_options_header(value)[1]
            parts[-1].name = options.get(b"name", b"").decode("utf-8", "replace")
            parts[-1].filename = options[b"filename"].decode("utf-8", "replace") if b"filename" in options else None
        elif name.lower() == b"content-type":
            parts[-1].charset = parse_options_header(value)[1].get(b"charset", b"").decode("latin-1")
        parts[-1].header = [b"", b""]

    def add_to(index: int) -> Callable[[bytes, int, int], None]:
        def add(data: bytes, start: int, end: int) -> None:
            parts[-1].header[index] += data[start:end]

        return add

    def take(data: bytes, start: int, end: int) -> None:
        if parts[-1].filename is None:
            parts[-1].data.append(data[start:end])

    return {
        "on_part_begin": lambda: parts.append(_Part()),
        "on_header_field": add_to(0),
        "on_header_value": add_to(1),
        "on_header_end": header_ends,
        "on_part_data": take,
        "on_part_end": lambda: done.append(parts[-1]),
    }
