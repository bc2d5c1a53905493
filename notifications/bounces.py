"""Read returned mail: whether a message failed to arrive, and which message. Nothing is stored here.

Delays, receipts and automatic replies are not bounces, whatever they quote.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parseaddr
from itertools import chain

from notifications import returned_report, returned_ses, returned_text
from notifications.automatic_replies import days_in, is_automatic, is_automatic_reply
from notifications.bounce_marks import MARK_HEADER, few_marks, marks_in, marks_in_headers
from notifications.returned import BOUNCED, COMPLAINT, DELAYED, OTHER, REPLY, Cause, Returned
from notifications.returned_report import Recipient

MAX_BYTES = 2_000_000
"""Longest returned message that is read, in bytes."""
#: The headers in which a mail system writes the recipient of an incoming message.
_RECIPIENTS = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "X-Rcpt-To", "Resent-To", "To", "Cc")
_SYSTEMS = re.compile(r"mailer-?daemon|post_?master|mail[-.]?(delivery|system|daemon)|mdaemon|microsoftexchange[0-9a-f]+", re.IGNORECASE)
_NO_REPLY = re.compile(r"(?:no|do-?not)[-_.]?reply\b", re.IGNORECASE)
#: The return paths of mail that must not be answered.
_NULL_SENDERS = ("<>", "<mailer-daemon>", "mailer-daemon")
_ANSWER = re.compile(r"(?:re|aw|sv|antw|odp|ynt|rif|r)\s?(?:\[\d+\])?:", re.IGNORECASE)
#: Reports in the format of complaints that complain about nothing: about DMARC, and that a message was no spam.
_NO_COMPLAINTS = ("auth-failure", "not-spam")
#: The parser compares each line with the boundary of each part around it, so their product limits its time.
_BOUNDARY, _LINES_BY_PARTS_MAX, _LINES_MAX = re.compile(rb"boundary", re.IGNORECASE), 2_000_000, 50_000
#: The parser of parameters takes quadratic time for a long header. SMTP allows lines of 1,000 bytes. JSON, which is no header, stays whole.
_LONG_LINE, _KEPT_OF_LINE = re.compile(rb"^(?!\{[^\r\n]*+\r?$)([^\n]{8000})[^\n]+", re.MULTILINE), rb"\1"


class UnreadableMessage(ValueError):  # noqa: N818 - errors here are named as states
    """The bytes cannot be read as an e-mail message."""


def read(raw: bytes) -> Returned:
    """Read a returned message. Raises UnreadableMessage for bytes that are not a message, are too long or are nested too deeply."""
    if len(raw) > MAX_BYTES:
        raise UnreadableMessage(f"longer than {MAX_BYTES:,} bytes")
    if (raw.count(b"\n") + 1) * (len(_BOUNDARY.findall(raw)) + 1) > _LINES_BY_PARTS_MAX or raw.count(b"\n") > _LINES_MAX:
        raise UnreadableMessage("it has too many lines and parts")
    try:
        message = message_from_bytes(_LONG_LINE.sub(_KEPT_OF_LINE, raw), policy=policy.compat32)
        if not message.keys():
            raise UnreadableMessage("it has no headers")
        found = _judged(message)
        return replace(
            found,
            why=_line(found.why),
            marks=few_marks(chain(_marks(message), found.marks, _marks_inside(message) if found.kind == COMPLAINT else ())),
            days=days_in(message) if found.kind == REPLY else (),
            once=hashlib.sha256(str(message.get("Message-ID", "")).strip().encode("utf-8", "replace") or raw).hexdigest()[:32],
            is_answer=found.kind == OTHER and ("In-Reply-To" in message or "References" in message or _is_answer(message)),
        )
    except UnreadableMessage:
        raise
    except Exception as error:  # strangers write mail: an error of a mail parser means an unreadable message, not a fault of ours
        raise UnreadableMessage(f"it cannot be taken apart ({type(error).__name__})") from error


def _marks(message: Message) -> Iterator[str]:
    """Yield the marks in the recipient of the message."""
    yield from (mark for name in _RECIPIENTS for value in message.get_all(name, []) for mark in marks_in(str(value)))


def _marks_inside(message: Message) -> Iterator[str]:
    """Yield the marks in the headers of the copies that the message encloses: a complaint goes to another address than a bounce."""
    for part in returned_report.outer_parts(message):
        if part.get_content_type() in ("message/rfc822", "message/global") and isinstance(copies := part.get_payload(), list):
            yield from (
                str(value).strip().lower()[:100]
                for copy in copies[:1]
                if isinstance(copy, Message)
                for value in copy.get_all(MARK_HEADER, [])
            )
        elif part.get_content_type() in ("text/rfc822-headers", "text/rfc822-header", "message/global-headers"):
            yield from marks_in_headers(str(part.get_payload()))


def _judged(message: Message) -> Returned:
    """Return what the message is. Reports decide; where there is none, the sender and the words of mail systems do."""
    if complained := returned_report.complaint_type(message):
        return Returned(OTHER, is_report=True) if complained in _NO_COMPLAINTS else Returned(COMPLAINT, complained)
    if (reported := returned_report.recipients(message)) and (found := _by_report(reported)).kind != OTHER:
        return found
    if reported or returned_report.is_receipt(message):
        return Returned(OTHER, is_report=True)
    if returned_report.is_complaint_of_outlook(message):
        return Returned(COMPLAINT, "abuse")
    if noticed := returned_ses.notice_in(message):
        return noticed
    sender = parseaddr(str(message.get("From", "")))[1]
    by_name = not sender or bool(_SYSTEMS.search(sender.rpartition("@")[0] or sender))
    if not by_name and is_automatic_reply(message):
        return Returned(REPLY)
    null_sender = str(message.get("Return-Path", "")).strip().lower() in _NULL_SENDERS
    if not by_name and not null_sender:  # people forward and quote bounces
        exact = bool(_NO_REPLY.match(sender)) and returned_text.is_exact(returned_text.notice_of(message))
        return _bounced_by_text(message) if exact else Returned(OTHER)
    if not by_name and is_automatic(message):
        return Returned(OTHER)
    return _by_text(message)


def _by_report(reported: list[Recipient]) -> Returned:
    """Read the report: the action for each recipient, the worst first."""
    if failed := next((one for one in reported if one.failed), None):
        return Returned(BOUNCED, failed.said, cause=_cause(failed.code, failed.address))
    return next((Returned(DELAYED, one.said) for one in reported if one.delayed), Returned(OTHER))


def _by_text(message: Message) -> Returned:
    """Read mail of a system without a usable report, by its words."""
    subject, notice = returned_text.subject_of(message), returned_text.notice_of(message)
    found = _by_report(returned_report.recipients_in(notice))
    if found.kind != OTHER:
        return found
    if returned_text.says_still_trying(subject) or returned_text.says_still_trying(notice):
        return Returned(DELAYED)
    if "X-Failed-Recipients" in message or returned_text.is_exact(notice):
        return _bounced_by_text(message)
    if not _is_answer(message) and (returned_text.says_undelivered(subject) or returned_text.says_undelivered(notice)):
        return _bounced_by_text(message)
    from flufl.bounce import all_failures  # imported here: only returned mail needs its many detectors, but every process makes marks

    passing, final = all_failures(message)
    if final:
        return _bounced_by_text(message)
    return Returned(DELAYED if passing else OTHER)


def _bounced_by_text(message: Message) -> Returned:
    """Return a bounce with the cause that its words name."""
    notice = returned_text.notice_of(message)
    code = returned_report.code_in(notice)
    said = next((line for line in notice.splitlines() if code and code in line), "") or returned_text.subject_of(message)
    address = str(message.get("X-Failed-Recipients", "")) or notice
    return Returned(BOUNCED, said, cause=_cause(code, returned_report.address_in(address)))


def _cause(code: str, address: str) -> Cause:
    return Cause(code.startswith("5"), code, returned_report.cause_of(code), address)


def _is_answer(message: Message) -> bool:
    return bool(_ANSWER.match(returned_text.subject_of(message)))


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:300]
