"""Turn a letter into an e-mail message: its headers, its parts, and the characters that an address may hold."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate, parseaddr
from hashlib import sha256

from agreements.words import MailSource
from notifications.bounce_marks import MARK_HEADER
from notifications.letter import Letter
from notifications.plain_text import one_line

_ADDRESS = re.compile(r"([^\s@<>()\[\]\\,;:\"]{1,64})@((?:[^\W_](?:[\w-]*[^\W_])?\.)*[^\W_](?:[\w-]*[^\W_])?)")
_ADDRESS_MAX = 254
#: The standard library would encode these headers when they are long. Mail programs could not read the thread or the key then.
_UNFOLDED = {
    "references",
    "in-reply-to",
    "message-id",
    "x-baton-key",
    "x-baton-mark",
    "x-smtpapi",
    "x-mailgun-variables",
    "x-pm-metadata-baton-mark",
}
_HEADER_MAX = 900
#: The header of each provider whose value its calls give back. Amazon SES gives back the return path and our own headers.
_ECHOED: Mapping[MailSource, tuple[str, str]] = {
    "sendgrid": ("X-SMTPAPI", '{"unique_args": {"baton_mark": "MARK"}}'),
    "mailgun": ("X-Mailgun-Variables", '{"baton_mark": "MARK"}'),
    "postmark": ("X-PM-Metadata-baton-mark", "MARK"),
}


class _Policy(EmailPolicy):
    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _UNFOLDED:
            return f"{name}: {value}\r\n".encode("ascii", "backslashreplace")
        return super().fold_binary(name, value)


POLICY = _Policy(linesep="\r\n", cte_type="7bit")


def message_of(letter: Letter, recipient: str, *, sender: str, sender_name: str, echoes: Collection[MailSource] = ()) -> EmailMessage:
    """Return the letter as it is sent, with the headers by which receivers recognise a repeat and a thread.

    echoes: the mail providers that give back the letter's mark when they report what became of it.
    """
    message = EmailMessage(policy=POLICY)
    message["From"] = _address(sender_name, sender)
    message["To"] = _address(letter.to.name, recipient)
    message["Subject"] = _undecodable(letter.subject)
    message["Auto-Submitted"] = "auto-generated"
    message["Date"] = formatdate(usegmt=True)  # real time, even where Baton's time is stepped
    for name, value in _marks(letter, sender.rpartition("@")[2]).items():
        message[name] = one_line(value)[:_HEADER_MAX]
    for source in echoes if letter.bounce_mark else ():
        if source in _ECHOED:
            name, value = _ECHOED[source]
            message[name] = value.replace("MARK", letter.bounce_mark)
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    if letter.attachment:
        message.add_attachment(letter.attachment.html, subtype="html", filename=letter.attachment.name)
    return message


def _marks(letter: Letter, domain: str) -> dict[str, str]:
    """Return the headers by which receivers recognise a repeat and mail programs group the letters of one lead."""
    with suppress(ValueError):
        domain = split_address(letter.thread)[1] or domain
    marks = {"Message-ID": _message_id("letter", letter.key, domain), "X-Baton-Key": letter.key}
    marks |= {MARK_HEADER: letter.bounce_mark} if letter.bounce_mark else {}
    thread = _message_id("thread", letter.thread, domain)
    return marks | ({"In-Reply-To": thread, "References": thread} if letter.thread else {})


def sender_of(text: str) -> tuple[str, str, str]:
    """Return name, address and domain of "Baton <baton@firm.example>". Raises ValueError where the text holds no address."""
    name, address = parseaddr(one_line(text))
    return name, *split_address(address)


def split_address(address: str) -> tuple[str, str]:
    """Return the address with its domain in network form (IDNA), and that domain. Raises ValueError for an invalid address."""
    found = _ADDRESS.fullmatch(address) if len(address) <= _ADDRESS_MAX and address.isprintable() else None
    domain = _network_name(found[2].lower()) if found else ""
    if not found or not domain:
        raise ValueError(f"{one_line(address)[:80]!r} is not an e-mail address" if address else "there is no e-mail address")
    return f"{found[1]}@{domain}", domain


def _network_name(domain: str) -> str:
    try:
        name = domain.encode("idna")
        # Python follows the IDNA rules of 2003, which turn "ß" into "ss": the result would be somebody else's domain.
        exact = domain.isascii() or name.decode("idna") == domain
    except UnicodeError:
        return ""
    return name.decode("ascii") if exact else ""


def _address(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    # Without these characters no mail program can read a name as a second address. A name must not begin with a dot either.
    plain = " ".join(re.sub(r'[<>@,;:"()\[\]\\]', " ", _undecodable(name)).split())
    return Address(plain.lstrip(". ")[:100], local, domain)


def _undecodable(text: str) -> str:
    """Return the text on one line, without anything that reads as an encoded word: that could hide any character."""
    return one_line(text).replace("=?", "= ?")


def _message_id(kind: str, text: str, domain: str) -> str:
    return f"<{kind}.{sha256(text.encode(errors='replace')).hexdigest()[:32]}@{domain}>"
