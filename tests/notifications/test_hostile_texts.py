"""No text in a lead's fields changes a header of a mail, a link, the shape of a letter, a chat message, or what the CRM gets."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import unquote

import pytest
from aiosmtpd.smtp import Envelope
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agreements.words import TemplateName
from notifications.html_shape import Shape
from notifications.letter import Context, Letter
from notifications.plain_text import clean
from notifications.rendering import message_names, render
from notifications.samples import COLLEAGUE_LINK, full_of, is_about_a_lead, sample
from tasks.messages.lead_context import crm_facts
from tests.examples import examples
from tests.hostile import HUGE, hostile_texts
from tests.notifications.channels.test_email import sent

ABOUT_LEADS = [name for name in message_names() if is_about_a_lead(name)]
messages = st.sampled_from(ABOUT_LEADS)
some = settings(max_examples=examples(60), deadline=None)
_TEL = re.compile(r"tel:\+?\d{3,15}")
#: What chat services make links and mentions of.
_LINK = re.compile(r"\w://\S|\bwww\.\w|(?<![\w@.+-])(?:[\w-]+\.)+[a-z]{2,}\b(?!@)", re.IGNORECASE)
_MENTION = re.compile(r"(?<!\w)@\w|<[!@#]")


def letter_of(message: TemplateName, text: str) -> Letter:
    """The message with this text in every place where somebody may have written one.

    What a note lacks is not such a place: its statements have the names that the code knows, with commas between.
    """
    made_up = sample(message)
    context = full_of(made_up, text)
    if isinstance(context, Context) and isinstance(made_up, Context) and "missing" in made_up.extra:
        context = replace(context, extra={**context.extra, "missing": made_up.extra["missing"]})
    facts = crm_facts(context) if isinstance(context, Context) else {}
    return render(
        message, replace(context, to=replace(context.to, email="ana@sales.example")), key="lead-42/1", thread="lead-42", facts=facts
    )


def mailed(letter: Letter) -> Envelope:
    """What a mail server received of it, over a real connection."""
    [envelope] = asyncio.run(sent(letter))[1].received
    return envelope


def headers_of(envelope: Envelope) -> list[str]:
    """The names of the headers as they stand in the bytes; a line that is none is its own name."""
    head = (envelope.original_content or b"").partition(b"\r\n\r\n")[0]
    return [line.partition(b":")[0].decode("ascii") for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]


def parts_of(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.walk()]


def other_links(letter: Letter) -> list[str]:
    """Every link but those of the letter itself: its own, and that to a colleague's lead."""
    return [link for link in Shape(letter.html).links if link not in (letter.link, COLLEAGUE_LINK)]


def tags_of(letter: Letter) -> list[str]:
    """Every tag but those of links, which are there for a number or an address that can be used."""
    return [tag for tag in Shape(letter.html).tags if tag.split(" ")[0] not in ("a", "/a")]


@some
@given(text=hostile_texts, message=messages)
@example(text=HUGE, message="assigned")
def test_no_text_changes_a_header_of_the_mail(text: str, message: TemplateName) -> None:
    envelope, plain = mailed(letter_of(message, text)), mailed(letter_of(message, "plain"))

    mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
    assert headers_of(envelope) == headers_of(plain)
    assert (envelope.mail_from, envelope.rcpt_tos) == (plain.mail_from, ["ana@sales.example"])
    assert [address.addr_spec for address in mail["To"].addresses] == ["ana@sales.example"]
    assert [address.addr_spec for address in mail["From"].addresses] == ["baton@firm.example"]
    assert parts_of(mail) == ["multipart/alternative", "text/plain", "text/html"]
    assert [part.defects for part in mail.walk()] == [[]] * 3
    assert not re.search(r"[\r\n]", "".join(mail.values()))


@some
@given(text=hostile_texts, message=messages)
@example(text=HUGE, message="assigned")
@example(text="a@b.example,c@d.example?bcc=e@f.example", message="note-needed")
def test_no_text_changes_a_link_or_the_shape_of_a_letter(text: str, message: TemplateName) -> None:
    """A text that is empty once it is cleaned is left out, with its row: so each begins with a letter."""
    letter, plain = letter_of(message, "x" + text), letter_of(message, "plain")

    assert tags_of(letter) == tags_of(plain)
    assert Shape(letter.html).links.count(letter.link) == Shape(plain.html).links.count(letter.link)
    for link in other_links(letter):
        address = unquote(link.removeprefix("mailto:"))
        assert _TEL.fullmatch(link) or (link.startswith("mailto:") and not re.search(r"[\s,;?&<>\"]", address) and address.count("@") == 1)
    assert len(letter.html.encode()) < 100_000
    assert sum(not line.startswith(">") for line in letter.text.splitlines()) == sum(
        not line.startswith(">") for line in plain.text.splitlines()
    )


@some
@given(text=hostile_texts, message=messages)
@example(text=HUGE, message="assigned")
def test_no_text_makes_a_link_or_a_mention_in_a_chat(text: str, message: TemplateName) -> None:
    letter, plain = letter_of(message, text), letter_of(message, "plain")
    of_the_lead = letter.chat.replace(letter.link, "").replace(COLLEAGUE_LINK, "")

    assert letter.chat.count(letter.link) == plain.chat.count(plain.link)
    assert not _LINK.search(of_the_lead)
    assert not _MENTION.search(of_the_lead)
    assert not set("<>[]`|") & set(of_the_lead)
    assert len(letter.chat) < 5_000


@some
@given(text=hostile_texts, message=messages)
@example(text=HUGE, message="assigned")
def test_no_text_changes_what_the_crm_gets_besides_itself(text: str, message: TemplateName) -> None:
    letter, plain = letter_of(message, "x" + text), letter_of(message, "plain")

    assert letter.facts.keys() == plain.facts.keys()
    for name in ("link", "lead_number", "owner", "due"):
        assert letter.facts.get(name) == plain.facts.get(name)
    assert all(value == clean(value) for value in letter.facts.values())
    "".join(letter.facts.values()).encode()


@pytest.mark.parametrize("message", ABOUT_LEADS)
@pytest.mark.parametrize(
    ("wrote", "told"),
    [
        ("Booking.com", "Booking.\u200bcom"),
        ("see https://evil.example/x", "see https:\u200b//evil.\u200bexample/x"),
        ("@everyone, call maria@here.example", "@\u200beveryone, call maria@here.example"),
        ("v1.2, e.g. 3.5 t", "v1.2, e.g. 3.5 t"),
    ],
)
def test_what_is_broken_for_a_chat_reads_as_it_did(message: TemplateName, wrote: str, told: str) -> None:
    context = sample(message)
    letter = render(message, replace(context, lead=replace(context.lead, company=wrote)), key="k")

    assert told in letter.chat or message == "ops-told"
    assert wrote in letter.text or message == "ops-told"
