"""What mail providers say became of an e-mail, each in the shape that its provider documents, as one kind of event."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from notifications.bounce_marks import MARK_HEADER, few_marks, marks_in
from notifications.returned import BOUNCED, COMPLAINT, DELAYED, DELIVERED, OTHER, Cause, EventKind, MailEvent
from notifications.returned_report import cause_of, code_in

#: The names under which providers give back the mark that a message carried.
MARK_NAMES = ("baton_mark", "baton-mark")
_EVENTS_MAX = 1_000
_SENDGRID_BOUNCES: tuple[str, ...] = ("bounce", "dropped")
_MAILGUN_BOUNCES: tuple[str, ...] = ("failed", "rejected")
_POSTMARK_DELAYS: tuple[str, ...] = ("Transient", "DnsError")
_POSTMARK_BOUNCES: tuple[str, ...] = (
    "HardBounce", "SoftBounce", "BadEmailAddress", "SpamNotification", "ManuallyDeactivated", "Blocked", "SMTPApiError", "InboundError",
    "DMARCPolicy", "TemplateRenderingFailed", "VirusNotification", "Undeliverable",
)  # fmt: skip


def from_ses(text: str) -> list[MailEvent]:
    """Read a notification or an event of Amazon SES. Raises ValueError for what is no JSON object."""
    sent = json.loads(text)
    if not isinstance(sent, dict):
        raise ValueError("no object")
    kind, marks = ses_kind(sent), few_marks(_marks_of_ses(_part(sent, "mail")))
    if kind == "Bounce":
        bounce = _part(sent, "bounce")
        hard = bounce.get("bounceType") == "Permanent"
        return [_bounce(one, hard, marks) for one in _rows(bounce, "bouncedRecipients")] or [_bounce({}, hard, marks)]
    if kind == "Complaint":
        complaint = _part(sent, "complaint")
        kind_of: EventKind = COMPLAINT if complaint.get("complaintFeedbackType") != "not-spam" else OTHER
        people = [str(one.get("emailAddress", "")) for one in _rows(complaint, "complainedRecipients")] or [""]
        return [MailEvent(kind_of, marks, address=one) for one in people]
    known: dict[str, EventKind] = {"Delivery": DELIVERED, "DeliveryDelay": DELAYED, "Reject": BOUNCED}
    return [MailEvent(known.get(kind, OTHER), marks, why=f"Amazon SES: {kind}"[:300])]


def ses_kind(sent: Mapping[str, Any]) -> str:
    """Return the kind of a notification or an event of Amazon SES, such as Bounce; empty for something else."""
    return str(sent.get("notificationType") or sent.get("eventType") or "")


def _marks_of_ses(mail: Mapping[str, Any]) -> Iterator[str]:
    yield from marks_in(str(mail.get("source", "")))
    yield from (str(one.get("value", "")) for one in _rows(mail, "headers") if str(one.get("name", "")).lower() == MARK_HEADER.lower())
    yield from _strings(_part(mail, "tags").get(MARK_NAMES[1]))


def _bounce(one: Mapping[str, Any], hard: bool, marks: Sequence[str]) -> MailEvent:
    said = f"{one.get('status', '')} {one.get('diagnosticCode', '')}".strip()
    return _bounced(said, hard, str(one.get("emailAddress", "")), marks)


def _bounced(said: str, hard: bool, address: str, marks: Sequence[str]) -> MailEvent:
    code = code_in(said)
    cause = Cause(hard, code, cause_of(code), address)
    return MailEvent(BOUNCED, tuple(marks), " ".join(said.split())[:300], cause, address)


def from_sendgrid(sent: Any) -> list[MailEvent]:
    """Read a list of SendGrid's events. Raises ValueError for something else."""
    if not isinstance(sent, list) or len(sent) > _EVENTS_MAX:
        raise ValueError("no list of events")
    return [_of_sendgrid(one) for one in sent if isinstance(one, dict)]


def _of_sendgrid(one: Mapping[str, Any]) -> MailEvent:
    kind, address, marks = one.get("event"), str(one.get("email", "")), _named(one)
    if kind in _SENDGRID_BOUNCES:
        said = f"{one.get('status', '')} {one.get('reason', '')}".strip()
        return _bounced(said, kind == "dropped" or one.get("type") != "blocked", address, marks)
    known: dict[str, EventKind] = {"spamreport": COMPLAINT, "delivered": DELIVERED, "deferred": DELAYED}
    return MailEvent(known.get(str(kind), OTHER), tuple(marks), address=address)


def from_mailgun(sent: Mapping[str, Any]) -> list[MailEvent]:
    """Read the one event of a call from Mailgun. Raises ValueError where there is none."""
    event = sent.get("event-data")
    if not isinstance(event, dict):
        raise ValueError("no event-data")
    kind, address, marks = event.get("event"), str(event.get("recipient", "")), _named(_part(event, "user-variables"))
    status = _part(event, "delivery-status")
    said = f"{status.get('enhanced-code') or status.get('code', '')} {status.get('message') or status.get('description', '')}".strip()
    if kind in _MAILGUN_BOUNCES and event.get("severity") != "temporary":
        return [_bounced(said, True, address, marks)]
    known: dict[str, EventKind] = {"complained": COMPLAINT, "delivered": DELIVERED, "failed": DELAYED}
    return [MailEvent(known.get(str(kind), OTHER), tuple(marks), said[:300], address=address)]


def from_postmark(sent: Any) -> list[MailEvent]:
    """Read the one event of a call from Postmark. Raises ValueError for something else."""
    if not isinstance(sent, dict):
        raise ValueError("no object")
    record, kind, address, marks = sent.get("RecordType"), sent.get("Type"), str(sent.get("Email", "")), _named(_part(sent, "Metadata"))
    said = f"{sent.get('Details', '')} {sent.get('Description', '')}".strip()
    if record == "SpamComplaint" or (record == "Bounce" and kind == "SpamComplaint"):
        return [MailEvent(COMPLAINT, tuple(marks), address=address)]
    if record == "Bounce" and kind in _POSTMARK_BOUNCES:
        return [_bounced(said, kind != "SoftBounce", address, marks)]
    delayed = record == "Bounce" and kind in _POSTMARK_DELAYS
    found: EventKind = DELIVERED if record == "Delivery" else DELAYED if delayed else OTHER
    return [MailEvent(found, tuple(marks), address=address)]


def _part(sent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = sent.get(name)
    return found if isinstance(found, dict) else {}


def _rows(sent: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = sent.get(name)
    yield from (one for one in (found[:_EVENTS_MAX] if isinstance(found, list) else []) if isinstance(one, dict))


def _strings(found: Any) -> list[str]:
    return [one for one in (found if isinstance(found, list) else [found])[:10] if isinstance(one, str)]


def _named(values: Mapping[str, Any]) -> list[str]:
    return [str(values[name])[:100] for name in MARK_NAMES if isinstance(values.get(name), str)]
