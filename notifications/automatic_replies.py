"""Automatic replies: whether a mailbox answered by itself for a person who is away, and which days the reply names.

The headers of RFC 3834 and of mail programs decide. Only where they say nothing does the subject, in the words of a few languages.
"""

from __future__ import annotations

import re
from datetime import date
from email.header import decode_header, make_header
from email.message import Message
from itertools import islice

#: The words with which mail programs begin the subject of an automatic reply, in lower case.
_SUBJECTS = (
    "automatic reply", "auto reply", "autoreply", "auto-reply", "out of office", "out of the office", "automatische antwort",
    "automatisch antwoord", "abwesenheitsnotiz", "abwesend", "réponse automatique", "absence du bureau", "respuesta automática",
    "fuera de la oficina", "risposta automatica", "fuori sede", "resposta automática", "fora do escritório", "odpowiedź automatyczna",
    "autosvar", "automatiskt svar", "automatisk svar", "automaattinen vastaus", "automatická odpověď", "自動応答", "自動返信", "自动答复",
    "自动回复", "자동 회신", "автоматический ответ",
)  # fmt: skip
#: The first word of a header; a parameter or a comment may follow.
_WORD = re.compile(r"\s*[A-Za-z-]+")
_READ_CHARACTERS, _DAYS_MAX = 4000, 20
_MONTHS = "january february march april may june july august september october november december".split()
_DAY = re.compile(
    rf"(?<![\d-])(?P<iso>20\d\d-\d\d-\d\d)(?![\d-])"
    rf"|(?<!\d)(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\.?\s(?P<m1>{'|'.join(_MONTHS)}),?\s(?P<y1>20\d\d)"
    rf"|(?P<m2>{'|'.join(_MONTHS)})\s(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<y2>20\d\d)",
    re.IGNORECASE,
)


def is_automatic(message: Message) -> bool:
    """Whether a program wrote the message, by its headers."""
    return _submitted(message) not in ("no", "") or _is_marked(message)


def is_automatic_reply(message: Message) -> bool:
    """Whether a mailbox answered another message by itself, as for somebody who is away.

    A program's message that answers nothing, such as a reminder, is none. Exchange calls its replies auto-generated, so such a message
    is one if it names the message that it answers.
    """
    answers = "In-Reply-To" in message or "References" in message
    if _submitted(message) == "auto-replied" or _is_marked(message):
        return True
    if _submitted(message) == "auto-generated":
        return ("X-Auto-Response-Suppress" in message and answers) or _subject_says_so(message)
    return _submitted(message) in ("", "no") and _subject_says_so(message)


def days_in(message: Message) -> tuple[date, ...]:
    """Return the days that the message names without any doubt, in order: as 2027-02-08, or with the month as an English word.

    A day as 3/4/2027 means two things, so it counts for nothing. Quoted lines are not read.
    """
    found: set[date] = set()
    for one in islice(_DAY.finditer(_text(message)), _DAYS_MAX):
        try:
            if one["iso"]:
                found.add(date.fromisoformat(one["iso"]))
            else:
                month = _MONTHS.index((one["m1"] or one["m2"]).lower()) + 1
                found.add(date(int(one["y1"] or one["y2"]), month, int(one["d1"] or one["d2"])))
        except ValueError:  # the 31st of June
            continue
    return tuple(sorted(found))


def _submitted(message: Message) -> str:
    found = _WORD.match(str(message.get("Auto-Submitted", "")))
    return found[0].strip().lower() if found else ""


def _is_marked(message: Message) -> bool:
    precedence = str(message.get("Precedence", "")).strip().lower()
    return precedence == "auto_reply" or any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-AutoReply-From"))


def _subject_says_so(message: Message) -> bool:
    try:
        subject = str(make_header(decode_header(str(message.get("Subject", ""))[:500])))
    except (LookupError, UnicodeError, ValueError):
        return False
    return subject.strip().lower().startswith(_SUBJECTS)


def _text(message: Message) -> str:
    """The beginning of the first part that is plain text, without quoted lines."""
    part = next((one for one in message.walk() if one.get_content_type() == "text/plain"), None)
    raw = part.get_payload(decode=True) if part is not None else None
    if not isinstance(raw, bytes):
        return ""
    text = raw[: 4 * _READ_CHARACTERS].decode("utf-8", errors="replace")[:_READ_CHARACTERS]
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">"))
