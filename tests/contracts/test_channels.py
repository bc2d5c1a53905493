"""What every channel promises, over a small real receiver of each kind."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from agreements.errors import CrmError, DeliveryError
from agreements.lifecycle import Stage
from agreements.words import Party
from notifications.channels.chat import ChatChannel
from notifications.channels.crm import CrmChannel
from notifications.channels.email import EmailChannel, SmtpServer
from notifications.channels.slack import SlackApi, SlackChannel
from notifications.channels.sms import SmsChannel
from notifications.channels.webhook import WebhookChannel
from notifications.circuit_breaker import CircuitBreaker
from notifications.letter import (
    AbsenceContext,
    AlarmContext,
    AlarmRow,
    Channel,
    CodeContext,
    Context,
    DigestContext,
    DigestRow,
    HeadContext,
    LeadView,
    Letter,
    NewsContext,
    NewsGroup,
    NewsRow,
    Recipient,
    ReviewContext,
    ReviewRow,
    SignatureContext,
    SigningContext,
)
from notifications.rendering import message_names, render
from tests.patience import PATIENCE_SECONDS

# Apprise loads a module of the standard library that Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = "a-secret-for-tests-only"
PATIENT: dict[str, Any] = {"timeout_seconds": PATIENCE_SECONDS}
HOSTILE = ["x\r\nBcc: all@evil.example\r\n\r\n", '"><b>&{{ 7 * 7 }}\u202e\x00\udcff', "y" * 10_000, ""]


class Receiver(Protocol):
    """The other side: which keys arrived, and how it answers from now on."""

    keys: list[str]

    def refuse(self, *, permanent: bool) -> None: ...


@dataclass
class MailServer:
    keys: list[str] = field(default_factory=list)
    answer: str = "250 queued"

    def refuse(self, *, permanent: bool) -> None:
        self.answer = "550 unknown" if permanent else "451 later"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        headers = (envelope.original_content or b"").partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
        self.keys += [line.removeprefix("X-Baton-Key: ") for line in headers if line.startswith("X-Baton-Key: ")]
        return self.answer


@dataclass
class WebServer:
    """What chat services, text message services, Slack and webhooks are: somebody who takes a POST. told: path and body of each."""

    port: int = 0
    keys: list[str] = field(default_factory=list)
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"ok": True, "channel": "D1", "ts": "1.2"})

    def refuse(self, *, permanent: bool) -> None:
        self.status = 400 if permanent else 503

    def take(self, headers: Mapping[str, str], body: bytes) -> None:
        """Remembers the key, wherever this kind of message carries it."""
        told = json.loads(body)
        key = headers.get("X-Baton-Key") or headers.get("webhook-id") or told["metadata"]["event_payload"]["key"]
        self.keys.append(key)


@dataclass
class SlackServer(WebServer):
    """Slack says what it refuses in an answer with status 200."""

    def refuse(self, *, permanent: bool) -> None:
        self.answer = {"ok": False, "error": "channel_not_found" if permanent else "internal_error"}


@dataclass
class Crm:
    """Takes every key once and returns the same proof for a repeat."""

    keys: list[str] = field(default_factory=list)
    changes: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    error: CrmError | None = None
    read_by_people: bool = True

    def refuse(self, *, permanent: bool) -> None:
        self.error = CrmError("the CRM did not take it", permanent=permanent)

    async def assign(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        return self._take(key, ("assign", lead_number, owner))

    async def note(self, *, key: str, lead_number: str, owner: str, subject: str, facts: Mapping[str, str]) -> str:
        return self._take(key, ("note", lead_number, owner))

    def _take(self, key: str, change: tuple[str, str, str]) -> str:
        if self.error:
            raise self.error
        self.keys.append(key)
        self.changes.setdefault(key, change)
        return f"crm: change {list(self.changes).index(key) + 1}"


@contextmanager
def web(server: WebServer) -> Iterator[WebServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.take(dict(self.headers), self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps(server.answer).encode()
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.port = listening.server_port
        serving = threading.Thread(target=listening.serve_forever, args=(0.01,))
        serving.start()
        yield server
        listening.shutdown()
        serving.join()


@asynccontextmanager
async def mail_channel() -> AsyncIterator[tuple[Channel, Receiver]]:
    box, loop = MailServer(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, loop=loop, hostname="mail.example"), "127.0.0.1", 0)
    email = EmailChannel(SmtpServer("127.0.0.1", server.sockets[0].getsockname()[1], **PATIENT), sender="baton@firm.example")
    yield email, box
    await email.close()
    server.close()


def web_channel(kind: str, server: WebServer) -> Channel:
    address = f"127.0.0.1:{server.port}/"
    if kind == "slack":
        return ChatChannel(slack=SlackChannel(SlackApi("xoxb-token", url=f"http://{address}", **PATIENT)))
    if kind == "sms":
        return SmsChannel(f"json://{address}{{phone}}")
    if kind == "webhook":
        return WebhookChannel(f"http://{address}", SECRET, **PATIENT)
    return ChatChannel(default_url=f"json://{address}")


@pytest.fixture(params=["email", "chat", "slack", "sms", "crm", "webhook", "gated email", "gated webhook"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Channel, Receiver]]:
    gated, kind = request.param.startswith("gated"), request.param.removeprefix("gated ")
    if kind == "crm":
        crm = Crm()
        yield CrmChannel(crm), crm
    elif kind == "email":
        async with mail_channel() as (channel, box):
            yield CircuitBreaker(channel) if gated else channel, box
    else:
        with web(SlackServer() if kind == "slack" else WebServer()) as server:
            channel = web_channel(kind, server)
            yield CircuitBreaker(channel) if gated else channel, server


def letter(message: str = "assigned", key: str = "lead-42/assigned/ana", text: str = "Nordlicht") -> Letter:
    ana = Recipient("ana", text or "Ana", "ana@sales.example", "+44 20 7946 0101")
    if message == "signature-asked":
        link, reference = "https://baton.example/sign/token", f"{text or 'deal'}@2"
        asked = SigningContext(ana, link, reference, "sales", text, "482913", differences=(text, text))
        return render(message, asked, key=key, thread=text, facts={"lead_number": "42", "owner": "ana", "company": text})
    if message == "signature-told":
        told = SignatureContext(ana, "https://baton.example/sign/token", f"{text or 'deal'}@2", text, text)
        return render(message, told, key=key, thread=text, facts={"lead_number": "42"})
    if message in ("device-code", "links-ended", "number-guessed"):
        code = CodeContext(ana, "https://baton.example/me", "482913", 15, whose=text)
        return render(message, code, key=key, thread=text, facts={"lead_number": "42"})
    if message in ("absence-told", "complaint-told", "crm-told"):
        absence = AbsenceContext(ana, "https://baton.example/m/token", text, text, text, text, text, "4829")
        return render(message, absence, key=key, thread=text, facts={"lead_number": "42"})
    if message in ("alarm-told", "reason-told"):
        alarm = AlarmContext(ana, "https://baton.example/m/token", text, (AlarmRow(text, text),), text)
        return render(message, alarm, key=key, thread=text, facts={"lead_number": "42"})
    if message == "review-told":
        row = ReviewRow(text, "sales", text, text, "no", text)
        review = ReviewContext(ana, "", text, text, text, text, (text,), (row,), text)
        return render(message, review, key=key, thread=text, facts={"lead_number": "42"})
    if message == "trail-head":
        head = HeadContext(ana, "", text, text, text, text)
        return render(message, head, key=key, thread=text, facts={"lead_number": "42"})
    if message == "digest":
        rows = (DigestRow(42, text, Stage.ASSIGNED, text), DigestRow(43, text, Stage.WORKING, text, done=True))
        return render(message, DigestContext(ana, "https://baton.example/d/token", rows), key=key, thread=text, facts={"lead_number": "42"})
    if message == "marketing-digest":
        news = (NewsRow(42, text, text, text, ((text, datetime(2026, 12, 1, 13, tzinfo=UTC)),), text, "https://baton.example/q/token"),)
        waiting = (DigestRow(43, text, Stage.MQL, text),)
        told_of = NewsContext(
            ana, "https://baton.example/d/token", waiting, (NewsGroup(text, 1, news),), page="https://baton.example/m/token"
        )
        return render(message, told_of, key=key, thread=text, facts={"lead_number": "42"})
    lead = LeadView(42, text, text, text, text, text, message=text, statements={"next_step": text})
    context = Context(ana, lead, "https://baton.example/l/token", what=text, rep=text)
    return render(message, context, key=key, thread=text, facts={"lead_number": "42", "owner": "ana", "company": text})


def to(channel: Channel, sent: Letter) -> Letter:
    """The letter as this channel can deliver it: to somebody in Slack where it is the Slack app."""
    inner = getattr(channel, "channel", channel)
    in_slack = isinstance(inner, ChatChannel) and not inner.default_url
    return replace(sent, to=replace(sent.to, chat="slack:U0123ABCD")) if in_slack else sent


async def test_a_letter_is_taken_and_proven_under_its_key(both: tuple[Channel, Receiver]) -> None:
    channel, receiver = both
    proof = await channel.send(to(channel, letter()))
    assert proof
    assert proof.isprintable()
    assert receiver.keys == ["lead-42/assigned/ana"]


async def test_a_repeat_goes_under_the_same_key(both: tuple[Channel, Receiver]) -> None:
    channel, receiver = both
    assert await channel.send(to(channel, letter())) == await channel.send(to(channel, letter()))
    assert receiver.keys == ["lead-42/assigned/ana"] * 2


@pytest.mark.parametrize("message", message_names())
async def test_every_message_can_be_sent(both: tuple[Channel, Receiver], message: str) -> None:
    channel, receiver = both
    await channel.send(to(channel, letter(message, key=message)))
    assert receiver.keys == [message]


@pytest.mark.parametrize("permanent", [True, False])
async def test_a_refusal_names_the_channel_and_whether_it_lasts(both: tuple[Channel, Receiver], permanent: bool) -> None:
    channel, receiver = both
    receiver.refuse(permanent=permanent)

    with pytest.raises(DeliveryError) as error:
        await channel.send(to(channel, letter()))

    assert error.value.channel == channel.name
    assert str(error.value).startswith(f"{channel.name}: ")
    by_apprise = channel.name == "sms" or (
        isinstance(receiver, WebServer) and not isinstance(receiver, SlackServer) and channel.name == "chat"
    )
    assert error.value.permanent == (permanent and not by_apprise), "Apprise does not say why it failed, so it may pass"


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_texts_are_delivered_like_any_other(both: tuple[Channel, Receiver], text: Party) -> None:
    channel, receiver = both
    await channel.send(to(channel, letter(text=text)))
    assert receiver.keys == ["lead-42/assigned/ana"]


async def test_many_at_once_are_all_taken_once(both: tuple[Channel, Receiver]) -> None:
    channel, receiver = both
    await asyncio.gather(*(channel.send(to(channel, letter(key=f"k{number}"))) for number in range(8)))
    assert sorted(receiver.keys) == [f"k{number}" for number in range(8)]


async def test_the_crm_gets_assignments_as_such_and_the_rest_as_notes() -> None:
    crm = Crm()
    for message in ("assigned", "reminder"):
        await CrmChannel(crm).send(letter(message, key=message))
    assert crm.changes == {"assigned": ("assign", "42", "ana"), "reminder": ("note", "42", "ana")}


async def test_the_crm_cannot_be_told_of_no_lead() -> None:
    with pytest.raises(DeliveryError, match="which lead") as error:
        await CrmChannel(Crm()).send(replace(letter(), facts={}))
    assert error.value.permanent
