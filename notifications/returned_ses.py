"""Mails of Amazon SNS with what Amazon SES says about an e-mail, as JSON in the text.

No signature of such a mail is checked. It therefore counts like any other returned mail: only a valid mark names a delivery, and
no such mail proves that a message arrived.
"""

from __future__ import annotations

import json
import re
from email.message import Message
from email.utils import parseaddr
from itertools import chain

from notifications.bounce_marks import few_marks
from notifications.provider_events import from_ses, ses_kind
from notifications.returned import BOUNCED, COMPLAINT, DELAYED, OTHER, MailEvent, Returned
from notifications.returned_report import outer_parts

_MAILERS: tuple[str, ...] = ("no-reply@sns.amazonaws.com", "no-reply@sns.amazonaws.com.cn")
_JSON_MAX = 300_000
"""SNS sends at most 256 KB."""
#: How mail systems break a line that is too long: Sendmail after a "!", Postfix and newer Sendmail with a space after the break.
_BREAK = re.compile(r"!?\r?\n ?")


def notice_in(message: Message) -> Returned | None:
    """Return what a mail of SNS says, None for other mail. Read only mail that SNS itself sent, because people forward it."""
    if parseaddr(str(message.get("From", "")))[1].lower() not in _MAILERS:
        return None
    try:
        return _judged(from_ses(_json_of(message)))
    except (ValueError, RecursionError):
        return None


def _judged(events: list[MailEvent]) -> Returned:
    """Return the worst of the events. A mail has the marks of all of them."""
    marks = few_marks(chain.from_iterable(one.marks for one in events))
    for one in events:
        if one.kind == BOUNCED:
            return Returned(BOUNCED, one.why, marks, cause=one.cause)
    kinds = [one.kind for one in events]
    if COMPLAINT in kinds:
        return Returned(COMPLAINT, "abuse", marks)
    return Returned(DELAYED, events[0].why, marks) if DELAYED in kinds else Returned(OTHER, marks=marks, is_report=True)


def _json_of(message: Message) -> str:
    """Return the notice, which SNS mails alone or inside its own JSON, as subscribed. Raises ValueError where there is none."""
    sent, end = json.JSONDecoder().raw_decode(text := _BREAK.sub("", _text_of(message)).lstrip())
    if isinstance(sent, dict) and isinstance(inner := sent.get("Message"), str):
        sent, text, end = json.loads(inner), inner, len(inner)
    if not isinstance(sent, dict) or not ses_kind(sent):
        raise ValueError("no notice of Amazon SES")
    return text[:end]


def _text_of(message: Message) -> str:
    """Return the first plain text of the message. Bounded."""
    texts = (part.get_payload(decode=True) for part in outer_parts(message) if part.get_content_type() == "text/plain")
    raw = next((one for one in texts if isinstance(one, bytes)), b"")
    return raw[:_JSON_MAX].decode("utf-8", "replace")
