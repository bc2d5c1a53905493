# ruff: noqa: E501 - one line a language or system
"""The words in which mail systems say that a message did not arrive, for returned mail without a usable report.

Only the words of the mail system are read: the subject, and the text before the returned message begins.
"""

from __future__ import annotations

import re
from email.header import decode_header, make_header
from email.message import Message
from itertools import islice
from typing import Final

from notifications.returned_report import outer_parts

_READ_CHARACTERS = 6000
_TEXTS_MAX = 3
_SUBJECT_MAX = 500
_TAG = re.compile(r"<[^<>]{0,500}>")

#: Where the copy of the returned message begins.
_COPY = re.compile(
    r"below this line is a copy|below is a copy of (?:the|your)|message headers? follow"
    r"|^[ \t|>*=-]{0,80}(?:returned|original|unsent|undelivered) (?:message|mail)\b(?! (?:was|could|has|is|did|not))[^\n]{0,80}$"
    r"|^[ \t|>*=-]{2,80}[ \t]?message text follows|^begin message header",
    re.IGNORECASE | re.MULTILINE,
)


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE | re.MULTILINE)


#: A warning: the mail system still tries.
STILL_TRYING: Final = _any_of(
    r"\b(?:this is|as) a warning (?:message )?only\b", r"\bwarning message only\b", r"\bthis is a warning only\b",
    r"do not need to re-?send", r"\b(?:temporary|transient) (?:failure|delivery failure) report\b", r"only a temporary failure",
    r"\bwill be retried\b", r"\bstill being retried\b", r"\bwill (?:continue|keep)(?: to)? (?:try|trying|attempt)", r"\bwill retry (?:for|until|again)",
    r"\bhas(?: not yet| been| not) (?:been )?delayed\b", r"\bis delayed for more than\b", r"\bdelivery status notification[: (]{1,3}(?:delay|warning)",
    r"^(?:delayed|verzögert|retardé|retrasado|in ritardo)\b", r"\bwarning: (?:could not send|message .{1,60} delayed)",
    r"отложена\b|будет (?:повторена|предпринята)", r"再送信を(?:試み|行い)|配信が遅(?:延|れ)",
)  # fmt: skip

#: General words, which every mail system may use. They count only in mail that a system sent, and not in an answer.
_GENERAL = _any_of(
    r"\b(?:could|can|was|has|have|did|would)(?: ?n[o']t|not)\b[^\n.]{0,60}?\b(?:be|been)?\s*(?:delivered|deliver|reached|reach|sent|send)\b",
    r"\b(?:unable|failed|failure|trouble|impossible|error|errors|problem) (?:occurred |while )*(?:to |in |attempting to |trying to )*(?:send|sending|deliver|delivering)\b",
    r"\berror (?:has )?occurred while (?:trying|attempting) to deliver\b", r"\bundeliver(?:able|ed)\b", r"\bnon-?deliver(?:y|able)\b",
    r"\bdelivery[^\n.]{0,60}\b(?:has |have )?(?:been )?fail(?:ed|ure)\b", r"\bmail (?:delivery )?fail(?:ed|ure)\b", r"\bfailure (?:notice|reasons)\b", r"\breturned (?:mail|to sender)\b",
    r"\breturning (?:message )?to sender\b", r"\bmessage (?:was )?not delivered\b", r"\b(?:permanent|fatal|delivery) (?:fatal )?errors?\b",
    r"\brecipients?[^\n.]{0,40}\b(?:was|were) rejected\b", r"\bmail system error\b", r"\bbounced?\b[^\n]{0,20}\bmessage\b",
)  # fmt: skip

#: The same in other languages, as the big mail systems write it.
_TRANSLATED = _any_of(
    r"unzustellbar|nicht zustellbar|nicht zugestellt werden|zustellung[^\n.]{0,40}(?:fehlgeschlagen|nicht möglich)",
    r"non remis|n'a pas pu être (?:remis|distribué|livré)|échec de (?:la )?(?:remise|livraison)|impossible de remettre",
    r"no se (?:puede|pudo|ha podido) entregar|no entregado|error en la entrega|fallo (?:en|de) la entrega",
    r"non recapitabile|impossibile recapitare|mancato recapito|recapito non riuscito",
    r"não (?:é|foi) possível entregar|não entregue|falha na entrega|não pôde ser entregue",
    r"onbestelbaar|kan niet worden (?:bezorgd|afgeleverd)|niet (?:bezorgd|afgeleverd)",
    r"nie można dostarczyć|niedostarczon|nie (?:została|zostało|mogła być) dostarczon", r"nedoručiteln|nelze doručit|nedoručen",
    r"kunde inte levereras|går inte att leverera|olevererbar|kan ikke leveres|kunne ikke leveres|toimitus epäonnistui|ei voi(?:tu)? toimittaa",
    r"недоставлен|не (?:было|был|может быть|удалось|удается) (?:доставлен|доставить)|невозможно доставить|сообщение не доставлено",
    r"(?:配信|送信|配送|配達|送達|お届け)(?:は|が|に)?(?:でき|失敗|不能|エラー)|送信に失敗|メールエラー|届きませんでした|宛先不明",
    r"无法(?:投递|送达|发送|传递)|退信|未送达|投递失败|無法(?:投遞|傳遞|送達)|未傳遞|배달되지 않|배달할 수 없|전송(?:하지 못|실패)|teslim edilemedi|iletilemedi",
)  # fmt: skip

#: Exact forms of single systems. They count whoever the sender seems to be, except where a person quotes them.
_FAMILIES: Final = {
    "Amazon SES": r"^An error occurred while trying to deliver the mail to the following recipients?:",
    "Amazon WorkMail": r"^Technical report:",
    "Apple, Sendmail": r"^[ \t-]{3,20}(?:The following addresses had|Transcript of session follows)",
    "au, KDDI": r"^\s{0,10}Could not be delivered to: ?<",
    "DragonFly Mail Agent": r"^This is the DragonFly Mail Agent\b",
    "Exim": r"^A message that you sent could not be delivered to (?:one or more|all) of",
    "Google": r"^\*\* (?:Message|Address|Your message)[^\n]{0,60}\*\*$|^Delivery to the following recipients? failed permanently",
    "InterScan": r"^Sent <<< RCPT TO:<",
    "JAMES": r"^Error message below:\s{1,4}[45]\d\d\b",
    "m-FILTER": r"^-{5,10}server message$",
    "MailMarshal": r"^Could not be delivered because of$",
    "MessageLabs": r"^This is the mail delivery agent at (?:Symantec|MessageLabs|Broadcom)",
    "Microsoft": r"^Delivery has failed to these recipients or groups:|^Your message did not reach some or all of the intended recipients|^Diagnostic information for administrators:",
    "Mimecast": r"^An email that you attempted to send to the following address(?:es)? could not be",
    "MMSC": r"^Message could not be delivered to mobile\.",
    "OpenSMTPD": r"^\s{0,8}This is the MAILER-DAEMON, please DO NOT REPLY",
    "Postfix": r"^This is the (?:Postfix program|mail system) at host\b",
    "qmail": r"^Hi\. This is the\b",
    "Yahoo": r"^Sorry, we were unable to deliver your message to the following address",
    "others, with the transcript": r"^Remote host said\b|^The following recipients returned permanent errors:|^no valid recipients were found for this message",
}  # fmt: skip
_EXACT = _any_of(*_FAMILIES.values())


def subject_of(message: Message) -> str:
    """Return the subject as it is read, on one line."""
    raw = next((str(value) for name, value in message.raw_items() if name.lower() == "subject"), "")[:_SUBJECT_MAX]
    raw = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return " ".join(str(make_header(decode_header(raw))).split())
    except (LookupError, UnicodeError, ValueError):
        return raw


def notice_of(message: Message) -> str:
    """Return the words of the mail system: the first texts, up to the place where the returned message begins. Bounded."""
    texts = islice((part for part in outer_parts(message) if _is_text(part)), _TEXTS_MAX)
    read = "\n".join(_decoded(part) for part in texts)[:_READ_CHARACTERS]
    copy = _COPY.search(read)
    return read[: copy.start()] if copy and read[: copy.start()].strip() else read


def _is_text(part: Message) -> bool:
    """Whether the part is text. A part that claims to have parts and names no edge between them is text as well."""
    is_edgeless = part.get_content_maintype() == "multipart" and not part.is_multipart()
    return is_edgeless or part.get_content_type() in ("text/plain", "text/html")


def is_exact(notice: str) -> bool:
    """Whether the text has the exact form of a known mail system."""
    return bool(_EXACT.search(notice))


def says_undelivered(text: str) -> bool:
    """Whether the text says in general words, in any known language, that a message did not arrive."""
    return bool(_GENERAL.search(text) or _TRANSLATED.search(text))


def says_still_trying(text: str) -> bool:
    """Whether the text says that the mail system still tries."""
    return bool(STILL_TRYING.search(text))


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    raw = raw[: 4 * _READ_CHARACTERS]
    try:
        text = raw.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, UnicodeError):
        text = raw.decode("latin-1")
    return _TAG.sub("\n", text) if part.get_content_type() == "text/html" else text
