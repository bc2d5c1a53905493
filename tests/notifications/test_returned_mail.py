# ruff: noqa: E501 - one line a message
"""The many forms of returned mail, each in a message of our own, and the bounds of the reader. A folder of real messages is read too
where it exists."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from notifications.bounce_marks import BounceMarks
from notifications.bounces import MAX_BYTES, UnreadableMessage, read
from notifications.returned import BOUNCED, COMPLAINT, DELAYED, OTHER, REPLY, Cause

MARK = BounceMarks(["the-key-that-signs-now"]).of(17)
SYSTEM = "Mail Delivery System <MAILER-DAEMON@mx.elsewhere.example>"
REAL = Path(os.environ.get("BATON_RETURNED_MAIL", Path(__file__).parents[3] / "shared" / "cases" / "bounces"))
FIELDS = "Final-Recipient: rfc822; ana@firm.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 nobody here"


def mail(body: str, *, sender: str = SYSTEM, subject: str = "About your message", charset: str = "utf-8", **headers: str) -> bytes:
    """A message to our return path. headers: with _ for -; content_type replaces plain text."""
    named = {"From": sender, "To": f"bounces+{MARK}@firm.example", "Subject": subject}
    named |= {"Content-Type": f"text/plain; charset={charset}"}
    named |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    return ("".join(f"{name}: {value}\n" for name, value in named.items()) + "\n").encode() + body.encode(charset)


def parts(*given: tuple[str, str], kind: str = "multipart/report; report-type=delivery-status", sender: str = SYSTEM) -> bytes:
    """A message of several parts, each with its type and its text."""
    body = "".join(f"--edge\nContent-Type: {one}\n\n{text}\n" for one, text in given)
    return mail(f"{body}--edge--\n", sender=sender, content_type=f"{kind}; boundary=edge")


def inner(text: str) -> str:
    return f"--in\nContent-Type: text/plain\n\nIt failed.\n--in\nContent-Type: message/delivery-status\n\n{text}\n--in--"


COPY = ("message/rfc822", f"From: baton@firm.example\nX-Baton-Mark: {MARK}\nSubject: A lead for you\n\nHello Ana")
NOTE = ("text/plain", "See the report.")
PER_MESSAGE = "Reporting-MTA: dns; mx.elsewhere.example\nArrival-Date: Mon, 1 Feb 2027 09:00:00 +0000"

REPORTS: Mapping[str, bytes] = {
    "as the standard says": parts(NOTE, ("message/delivery-status", f"{PER_MESSAGE}\n\n{FIELDS}"), COPY),
    "with addresses in utf-8": parts(
        NOTE, ("message/global-delivery-status", f"{PER_MESSAGE}\n\nFinal-Recipient: utf-8; änne@firm.example\nAction: failed\nStatus: 5.1.1")
    ),
    "without the note": parts(("message/delivery-status", f"{PER_MESSAGE}\n\n{FIELDS}")),
    "without fields about the message": parts(NOTE, ("message/delivery-status", FIELDS)),
    "with the status first": parts(NOTE, ("message/delivery-status", f"{PER_MESSAGE}\n\nStatus: 5.1.1\nAction: failed")),
    "with a reason folded wrongly": parts(
        NOTE, ("message/delivery-status", f"{PER_MESSAGE}\n\nDiagnostic-Code: smtp; 550-first\n550 second line\nStatus: 5.1.1\nAction: failed")
    ),
    "without empty lines": parts(NOTE, ("message/delivery-status", f"{PER_MESSAGE}\n{FIELDS}")),
    "of a mixed message": parts(NOTE, ("message/delivery-status", FIELDS), kind="multipart/mixed"),
    "within another part": parts(("multipart/mixed; boundary=in", inner(FIELDS)), COPY),
    "in base64": parts(("message/delivery-status\nContent-Transfer-Encoding: base64", b64encode(f"{PER_MESSAGE}\n\n{FIELDS}\n".encode()).decode())),
    "with the action in capitals": parts(NOTE, ("message/delivery-status", FIELDS.replace("failed", "FAILED (bad address)"))),
    "without an action": parts(NOTE, ("message/delivery-status", FIELDS.replace("Action: failed\n", ""))),
    "of which only one of three failed": parts(
        NOTE, ("message/delivery-status", "Action: delivered\nStatus: 2.0.0\n\nAction: delayed\nStatus: 4.0.0\n\nAction: failed\nStatus: 5.2.2")
    ),
    "written into the text": mail(f"Something went wrong.\n\nTechnical facts:\n\n{PER_MESSAGE}\n\n{FIELDS}\n"),
    "with an empty report, but with words": parts(("text/plain", "Your message could not be delivered."), ("message/delivery-status", ""), COPY),
    "without the report that its type promises": parts(("text/plain", "Delivery to these recipients failed."), COPY),
    "from no sender": parts(NOTE, ("message/delivery-status", FIELDS), sender="<>"),
}  # fmt: skip


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_read_in_whatever_form_it_comes(name: str) -> None:
    assert read(REPORTS[name]).kind == BOUNCED


WORDS: Mapping[str, tuple[str, str]] = {
    "Amazon": ("Delivery Status Notification (Failure)", "An error occurred while trying to deliver the mail to the following recipients:\nana@firm.example"),
    "DragonFly": ("Mail", "This is the DragonFly Mail Agent v0.13 at mx.example.\n\nmx.firm.example did not like our RCPT TO:\n550 5.1.1 nobody"),
    "Exim": ("Mail", "A message that you sent could not be delivered to one or more of its recipients."),
    "Google": ("Mail", "** Address not found **\n\nYour message was not sent to ana@firm.example"),
    "InterScan": ("Mail", "Sent <<< RCPT TO:<ana@firm.example>\nReceived >>> 550 no"),
    "MailMarshal": ("Mail", "Could not be delivered because of\n\n550 5.1.1 nobody"),
    "MessageLabs": ("Mail", "This is the mail delivery agent at MessageLabs.\nReason: 550 no"),
    "Microsoft 365": ("Mail", "Delivery has failed to these recipients or groups:\n\nana@firm.example"),
    "Exchange": ("Mail", "Your message did not reach some or all of the intended recipients."),
    "Mimecast": ("[Postmaster] Mail", "An email that you attempted to send to the following address could not be delivered:\n-- ana@firm.example"),
    "OpenSMTPD": ("Mail", "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.\n\n    An error has occurred."),
    "Postfix": ("Mail", "This is the mail system at host mx.example.\n\n<ana@firm.example>: unknown user"),
    "Sendmail": ("Mail", "   ----- The following addresses had permanent fatal errors -----\nana@firm.example"),
    "Yahoo": ("Failure Notice", "Sorry, we were unable to deliver your message to the following address.\n\n<ana@firm.example>:\n554 no"),
    "general words": ("Mail", "The message to ana@firm.example was rejected. It could not be delivered."),
    "the subject alone": ("Undeliverable: A lead for you", "ana@firm.example"),
    "German": ("Unzustellbar: A lead for you", "ana@firm.example"),
    "German, in the text": ("Mail", "Ihre Nachricht konnte nicht zugestellt werden."),
    "French": ("Non remis : A lead for you", "…"),
    "Spanish": ("No se puede entregar: A lead for you", "…"),
    "Italian": ("Non recapitabile: A lead for you", "…"),
    "Portuguese": ("Não é possível entregar: A lead for you", "…"),
    "Dutch": ("Onbestelbaar: A lead for you", "…"),
    "Polish": ("Niedostarczone: A lead for you", "…"),
    "Swedish": ("Det går inte att leverera: A lead for you", "…"),
    "Russian": ("Недоставленное сообщение", "…"),
    "Japanese": ("メールを配信できません", "…"),
    "Chinese": ("系统退信", "…"),
    "Korean": ("배달되지 않음: A lead for you", "…"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_mail_of_a_system_without_a_report_is_read_by_its_words(name: str) -> None:
    subject, body = WORDS[name]

    assert read(mail(body, subject=subject)).kind == BOUNCED


@pytest.mark.parametrize(("charset", "text"), [("iso-2022-jp", "このメールは送信できませんでした。"), ("koi8-r", "Сообщение не доставлено"), ("utf-16", "Delivery failed")])  # fmt: skip
def test_words_are_read_in_their_own_encoding(charset: str, text: str) -> None:
    assert read(mail(text, charset=charset)).kind == BOUNCED


STILL: Mapping[str, bytes] = {
    "a report": parts(NOTE, ("message/delivery-status", "Action: delayed\nStatus: 4.4.1\nWill-Retry-Until: Fri, 5 Feb 2027 09:00:00 +0000")),
    "a report in utf-8": parts(NOTE, ("message/global-delivery-status", "Action: delayed\nStatus: 4.4.1")),
    "a report in the text": mail("It could not be delivered for two hours.\n\nAction: delayed\nStatus: 4.4.1\n"),
    "Google": mail("THIS IS A WARNING MESSAGE ONLY.\n\nDelivery has been delayed.", subject="Delivery Status Notification (Delay)"),
    "OpenSMTPD": mail("A message is delayed for more than 10 minutes for:\nana@firm.example\n\nYou DO NOT NEED to re-send the message."),
    "words": mail("Your message could not be delivered for 4 hours. It will be retried until it is 5 days old."),
    "the subject": mail("ana@firm.example", subject="Warning: could not send message for past 4 hours"),
}  # fmt: skip


@pytest.mark.parametrize("name", STILL)
def test_a_system_that_still_tries_is_no_bounce(name: str) -> None:
    assert read(STILL[name]).kind == DELAYED


ABUSE = "Feedback-Type: abuse\nUser-Agent: Loop/1.0\nVersion: 1"
FEEDBACK = "multipart/report; report-type=feedback-report"
NEITHER: Mapping[str, tuple[bytes, str]] = {
    "a complaint": (parts(NOTE, ("message/feedback-report", ABUSE), COPY, kind=FEEDBACK, sender="fbl@elsewhere.example"), COMPLAINT),
    "a wish to get no more": (parts(("message/feedback-report", "Feedback-Type: opt-out"), kind=FEEDBACK), COMPLAINT),
    "a complaint without its type": (parts(("message/feedback-report", "Version: 1"), COPY, kind=FEEDBACK), COMPLAINT),
    "a complaint of Outlook": (
        parts(("message/rfc822", "X-HmXmrOriginalRecipient: ana@firm.example\nSubject: A lead\n\nHi"), kind="multipart/mixed", sender="staff@x.example"),
        COMPLAINT,
    ),
    "a report about DMARC": (parts(("message/feedback-report", "Feedback-Type: auth-failure"), kind=FEEDBACK), OTHER),
    "a receipt": (parts(NOTE, ("message/disposition-notification", "Disposition: manual-action; displayed"), sender="ana@firm.example"), OTHER),
    "news of success": (parts(NOTE, ("message/delivery-status", "Action: delivered\nStatus: 2.0.0")), OTHER),
    "news of a relay": (parts(NOTE, ("message/delivery-status", "Action: relayed\nStatus: 2.0.0")), OTHER),
    "a person who quotes a bounce": (mail("> This is the mail system at host mx.\n> It could not be delivered.\nIs that ours?", sender="oscar@firm.example"), OTHER),
    "a person who writes about one": (mail("Your message could not be delivered, I hear.", sender="oscar@firm.example"), OTHER),
    "a postmaster who answers": (mail("It could not be delivered, sorry.", sender="postmaster@firm.example", subject="Re: A lead"), OTHER),
    "a forwarded bounce": (parts(NOTE, ("message/rfc822", mail("This is the mail system at host mx.").decode()), sender="oscar@firm.example", kind="multipart/mixed"), OTHER),
    "a mailbox that answers with a null sender": (mail("I could not be reached until Friday.", sender="ana@firm.example", return_path="<>", subject="Automatic reply: A lead"), REPLY),
    "a list": (mail("Delivery failed? Not with us!", sender="news@shop.example", list_id="<news.shop.example>"), OTHER),
    "a system that says nothing of it": (mail("Your quarantine holds 3 messages.", sender="postmaster@firm.example"), OTHER),
    "a system that quotes only our letter": (mail("Received, thank you.\n\n----- Original message -----\n\nIt could not be delivered."), OTHER),
}  # fmt: skip


@pytest.mark.parametrize("name", NEITHER)
def test_neither_a_bounce_nor_a_warning(name: str) -> None:
    raw, kind = NEITHER[name]

    assert read(raw).kind == kind


def test_the_mark_of_a_complaint_is_in_the_copy_that_it_encloses() -> None:
    raw = NEITHER["a complaint"][0].replace(f"bounces+{MARK}@firm.example".encode(), b"abuse@firm.example")
    headers = raw.replace(b"Content-Type: message/rfc822", b"Content-Type: text/rfc822-headers")

    assert (read(raw).marks, read(headers).marks) == ((MARK,), (MARK,))


def test_a_bounce_is_not_matched_by_the_copy_that_it_encloses() -> None:
    raw = REPORTS["as the standard says"].replace(f"bounces+{MARK}@firm.example".encode(), b"bounces@firm.example")

    assert read(raw).marks == ()


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        (FIELDS, Cause(True, "5.1.1", "address", "ana@firm.example")),
        (FIELDS.replace("5.1.1", "5.2.2"), Cause(True, "5.2.2", "mailbox", "ana@firm.example")),
        (FIELDS.replace("5.1.1", "4.4.7"), Cause(False, "4.4.7", "network", "ana@firm.example")),
        (FIELDS.replace("5.1.1", "5.7.26"), Cause(True, "5.7.26", "policy", "ana@firm.example")),
        ("Action: failed\nDiagnostic-Code: smtp; 552 5.2.3 too big", Cause(True, "5.2.3", "mailbox")),
        ("Action: failed\nDiagnostic-Code: smtp; 550 nobody", Cause(True, "550")),
        ("Action: failed\nStatus: nonsense", Cause()),
    ],
)
def test_the_cause_is_a_code(fields: str, cause: Cause) -> None:
    assert read(parts(NOTE, ("message/delivery-status", fields))).cause == cause


def test_the_cause_is_read_from_words_too() -> None:
    found = read(mail("This is the mail system at host mx.\n\n<ana@firm.example>: host mx said: 552 5.2.2 mailbox full"))

    assert found.cause == Cause(True, "5.2.2", "mailbox", "ana@firm.example")
    assert found.why == "<ana@firm.example>: host mx said: 552 5.2.2 mailbox full"


def nested(depth: int, body: bytes) -> bytes:
    heads = b"".join(b"Content-Type: multipart/mixed; boundary=e%d\n\n--e%d\n" % (one, one) for one in range(depth))
    return b"From: mailer-daemon@x.example\n" + heads + body


HEAD = b"From: mailer-daemon@x.example\nSubject: x\n"
HOSTILE: Mapping[str, bytes] = {
    "parts in parts, and many lines": nested(300, b"\n" * 1_500_000),
    "parts in parts": nested(60, b"x\n" * 20_000),
    "messages in messages": b"Content-Type: message/rfc822\n\n" * 40_000,
    "a header with many parameters": HEAD + b"Content-Type: multipart/report; " + b'a="b;";' * 200_000 + b"\n\nx",
    "a header with many parameters, after a brace": HEAD + b"{:\rContent-Type: multipart/report; " + b'a="b;";' * 200_000 + b"\n\nx",
    "a notice of brackets": HEAD.replace(b"mailer-daemon@x.example", b"no-reply@sns.amazonaws.com") + b"\n" + b'{"a":' * 400_000,
    "a header with many quotes": HEAD + b"Content-Type: multipart/report; x=" + b'"\\";' * 300_000 + b"\n\nx",
    "many headers": HEAD + b"A: b\n" * 300_000,
    "a sender of brackets": b"From: " + b"<" * 1_500_000 + b"\n\nx",
    "many reports": HEAD + b"Content-Type: message/delivery-status\n\n" + b"Action: x\n\n" * 20_000,
    "a report of spaces": HEAD + b"Content-Type: message/delivery-status\n\nFinal-Recipient:" + b" " * 1_500_000,
    "words without an end": HEAD + b"\n" + b"could not " * 150_000,
    "tags without an end": HEAD + b"Content-Type: text/html\n\n" + b"<a" * 700_000,
    "all bytes": HEAD + b"\n" + bytes(range(256)) * 5_000,
    "parts without an end": HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n" * 15_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_costs_no_more_than_its_length(name: str) -> None:
    """Read in a bounded number of steps: before the bounds, the slowest of these took minutes."""
    with suppress(UnreadableMessage):
        assert read(HOSTILE[name]).kind in (OTHER, BOUNCED)


def test_a_message_of_fifty_megabytes_is_refused_at_once() -> None:
    with pytest.raises(UnreadableMessage, match="longer than"):
        read(b"From: a@b.example\n\n" + b"x" * 25 * MAX_BYTES)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real returned mail is not on this machine")
def test_real_returned_mail_is_read() -> None:
    """97 % of real bounces. Those that say themselves that the system still tries count as missed here. One is a complaint."""
    kinds = {path: read(path.read_bytes()).kind for path in sorted(REAL.glob("*/*.eml"))}
    wanted = {path: COMPLAINT if path.name == "lhost-amazonses-11.eml" else BOUNCED for path in kinds if path.parent.name == "bounced"}
    missed = [path.name for path, kind in wanted.items() if kinds[path] != kind]

    print(f"read {len(wanted) - len(missed)} of {len(wanted)}, missed: {', '.join(missed)}")
    assert len(missed) <= 0.03 * len(wanted), missed
    assert {kind for path, kind in kinds.items() if path.parent.name == "delayed"} == {DELAYED}
    assert not {kind for path, kind in kinds.items() if path.parent.name == "other"} & {BOUNCED, DELAYED}
