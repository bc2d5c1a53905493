"""The reports of mail systems: delivery reports (RFC 3464 and 6533), complaints (RFC 5965) and read receipts (RFC 8098).

Mail systems write them badly. Fields come in any order, lines are folded wrongly, parts are nested, encoded or missing. The reader takes
the fields line by line, and only from the outermost message: quoted and forwarded reports are ignored.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Final

from agreements.words import BounceCause

#: By the second number of a status code: the address, a full or closed mailbox, the mail system, the way there, and so on.
_CAUSES: Final[Mapping[str, BounceCause]] = {
    "1": "address", "2": "mailbox", "3": "system", "4": "network", "5": "protocol", "6": "content", "7": "policy",
}  # fmt: skip

_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_COMPLAINT_PART = "message/feedback-report"
_RECEIPT_PARTS = ("message/disposition-notification", "message/global-disposition-notification")
_OUTLOOK_COMPLAINT = "X-HmXmrOriginalRecipient"
_PARTS_MAX, _REPORT_MAX, _BLOCKS_MAX = 200, 200_000, 200
_FIELD = re.compile(
    r"[ \t>]{0,20}(action|status|diagnostic-code|final-recipient|original-recipient|remote-mta|feedback-type)[ \t]{0,20}:(.*)",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \t-]|$)")
_ADDRESS = re.compile(r"[^\s<>;,:\"']{1,64}@[^\s<>;,:\"']{1,190}")


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a report says about one recipient. action: in lower case, such as failed. code: such as 5.1.1. said: the server's words."""

    action: str = ""
    code: str = ""
    said: str = ""
    address: str = ""

    @property
    def failed(self) -> bool:
        """Whether the message did not arrive and nobody tries again. Where the report names no action, the code decides."""
        return self.action.startswith(("fail", "error")) or (not self.action and self.code.startswith("5"))

    @property
    def delayed(self) -> bool:
        """Whether the mail system still tries."""
        return self.action.startswith("delay") or (not self.action and self.code.startswith("4"))


def outer_parts(message: Message) -> Iterator[Message]:
    """Yield the message and its parts, in order, except what is inside a returned or forwarded message. Yields a bounded number."""
    waiting, given = [message], 0
    while waiting and given < _PARTS_MAX:
        part = waiting.pop()
        given += 1
        yield part
        if part.get_content_maintype() != "message" and isinstance(parts := part.get_payload(), list):
            waiting.extend(reversed([one for one in parts[:_PARTS_MAX] if isinstance(one, Message)]))


def recipients(message: Message) -> list[Recipient]:
    """Return what the delivery reports of the message say about each recipient, empty where there is no report."""
    return [one for part in outer_parts(message) if part.get_content_type() in _STATUS_PARTS for one in recipients_in(_text_of(part))]


def complaint_type(message: Message) -> str:
    """Return the type of a complaint report in lower case ("abuse", "opt-out" …), empty for another message."""
    for part in outer_parts(message):
        if part.get_content_type() == _COMPLAINT_PART:
            found = [value for name, value in _fields(_text_of(part)) if name == "feedback-type"]
            return (found[0].strip().lower() if found else "") or "abuse"
    return ""


def is_complaint_of_outlook(message: Message) -> bool:
    """Whether Outlook.com complains. It sends no report, but the message itself with a header of its own."""
    copies = (part.get_payload() for part in outer_parts(message) if part.get_content_type() == "message/rfc822")
    return any(isinstance(copy, list) and copy and _OUTLOOK_COMPLAINT in copy[0] for copy in copies)


def is_receipt(message: Message) -> bool:
    """Whether the message is a read receipt, which says that a message arrived."""
    return any(part.get_content_type() in _RECEIPT_PARTS for part in outer_parts(message))


def recipients_in(text: str) -> list[Recipient]:
    """Return the recipients of a report that is written as text. An empty line or a repeated field begins the next recipient."""
    found: list[Recipient] = []
    block: dict[str, str] = {}
    for name, value in [*_fields(text), ("", "")]:
        if not name or name in block:
            if "action" in block or "status" in block:
                found.append(_recipient(block))
            block = {}
        if name:
            block[name] = value.strip()
        if len(found) == _BLOCKS_MAX:
            break
    return found


def _recipient(block: Mapping[str, str]) -> Recipient:
    said, address = block.get("diagnostic-code", ""), block.get("final-recipient") or block.get("original-recipient", "")
    named = _ADDRESS.search(address.partition(";")[2] or address)
    code = code_in(block.get("status", "")) or code_in(said)
    return Recipient(block.get("action", "").lower(), code, f"{block.get('status', '')} {said}".strip(), named[0] if named else "")


def code_in(text: str) -> str:
    """Return the first status code in the text, such as 5.1.1; otherwise the reply of the server, such as 550; otherwise nothing."""
    text = text[:2000]
    found = _CODE.search(text) or _REPLY.search(text)
    return found[1] if found else ""


def address_in(text: str) -> str:
    """Return the first address in the text, empty for none."""
    found = _ADDRESS.search(text[:2000])
    return found[0] if found else ""


def cause_of(code: str) -> BounceCause:
    """Return what a status code is about. A reply such as 550 does not say it."""
    parts = code.split(".")
    return _CAUSES.get(parts[1], "unknown") if len(parts) == 3 else "unknown"


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield the known fields in order, and ("", "") for an empty line. Folded lines belong to the field before them."""
    name, value = "", ""
    for line in text[:_REPORT_MAX].splitlines():
        found = _FIELD.match(line)
        if (found or not line.strip()) and name:
            yield name, value
            name, value = "", ""
        if found:
            name, value = found[1].lower(), found[2]
        elif not line.strip():
            yield "", ""
        elif name and line[:1] in " \t" and len(value) < 2000:
            value += f" {line.strip()}"
    if name:
        yield name, value


def _text_of(part: Message) -> str:
    """Return the text of a report's part. The standard library reads such a part as headers, so they are put together again."""
    text = "\n\n".join(_lines_of(part))[:_REPORT_MAX]
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding not in ("base64", "quoted-printable"):
        return text
    raw = text.encode("utf-8", "surrogateescape")
    try:
        decoded = binascii.a2b_base64(raw) if encoding == "base64" else quopri.decodestring(raw)
    except (binascii.Error, ValueError):
        return text
    return decoded.decode("utf-8", "replace")


def _lines_of(part: Message) -> Iterator[str]:
    payload = part.get_payload()
    if not isinstance(payload, list):
        yield str(payload or "")
        return
    for block in (one for one in payload[:_BLOCKS_MAX] if isinstance(one, Message)):
        inner = block.get_payload()
        yield "\n".join(f"{name}: {value}" for name, value in block.items())
        if isinstance(inner, str) and inner.strip():
            yield inner
