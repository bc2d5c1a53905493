"""What every channel promises, over a small real receiver of each kind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from agreements.errors import CrmError, DeliveryError
from notifications.chat import ChatChannel
from notifications.crm import CrmChannel
from notifications.email import EmailChannel
from notifications.letter import Channel, CodeContext, Context, LeadView, Letter, Recipient, SigningContext
from notifications.rendering import message_names, render

# Apprise loads a module of the standard library that Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

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
class ChatServer:
    keys: list[str] = field(default_factory=list)
    status: int = 200

    def refuse(self, *, permanent: bool) -> None:
        self.status = 500


@dataclass
class Crm:
    """Takes every key once and returns the same proof for a repeat."""

    keys: list[str] = field(default_factory=list)
    changes: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    error: CrmError | None = None

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


@pytest.fixture
def chat_server() -> Iterator[tuple[ChatServer, int]]:
    room = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            room.keys.append(self.headers["X-Baton-Key"])
            self.send_response(room.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield room, server.server_port
        server.shutdown()
        serving.join()


@pytest.fixture(params=["email", "chat", "crm"])
async def both(request: pytest.FixtureRequest, chat_server: tuple[ChatServer, int]) -> AsyncIterator[tuple[Channel, Receiver]]:
    if request.param == "crm":
        crm = Crm()
        yield CrmChannel(crm), crm
    elif request.param == "chat":
        room, port = chat_server
        yield ChatChannel(default_url=f"json://127.0.0.1:{port}/"), room
    else:
        box, loop = MailServer(), asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(box, loop=loop, hostname="mail.example"), "127.0.0.1", 0)
        email = EmailChannel(host="127.0.0.1", port=server.sockets[0].getsockname()[1], sender="baton@firm.example")
        yield email, box
        await email.close()
        server.close()


def letter(message: str = "assigned", key: str = "lead-42/assigned/ana", text: str = "Nordlicht") -> Letter:
    ana = Recipient("ana", text or "Ana", "ana@sales.example")
    if message == "signature-asked":
        asked = SigningContext(ana, "https://baton.example/sign/token", f"{text or 'deal'}@2", text, text, differences=(text, text))
        return render(message, asked, key=key, thread=text, facts={"lead_number": "42", "owner": "ana", "company": text})
    if message == "device-code":
        code = CodeContext(ana, "https://baton.example/me", "123456", 15)
        return render(message, code, key=key, thread=text, facts={"lead_number": "42", "owner": "ana", "company": text})
    lead = LeadView(42, text, text, text, text, text, message=text, statements={"next_step": text})
    context = Context(ana, lead, "https://baton.example/l/token", what=text, rep=text)
    return render(message, context, key=key, thread=text, facts={"lead_number": "42", "owner": "ana", "company": text})


async def test_a_letter_is_taken_and_proven_under_its_key(both: tuple[Channel, Receiver]) -> None:
    channel, receiver = both
    proof = await channel.send(letter())
    assert proof
    assert proof.isprintable()
    assert receiver.keys == ["lead-42/assigned/ana"]


async def test_a_repeat_goes_under_the_same_key(both: tuple[Channel, Receiver]) -> None:
    channel, receiver = both
    assert await channel.send(letter()) == await channel.send(letter())
    assert receiver.keys == ["lead-42/assigned/ana"] * 2


@pytest.mark.parametrize("message", message_names())
async def test_every_message_can_be_sent(both: tuple[Channel, Receiver], message: str) -> None:
    channel, receiver = both
    await channel.send(letter(message, key=message))
    assert receiver.keys == [message]


@pytest.mark.parametrize("permanent", [True, False])
async def test_a_refusal_names_the_channel_and_whether_it_lasts(both: tuple[Channel, Receiver], permanent: bool) -> None:
    channel, receiver = both
    receiver.refuse(permanent=permanent)

    with pytest.raises(DeliveryError) as error:
        await channel.send(letter())

    assert error.value.channel == channel.name
    assert str(error.value).startswith(f"{channel.name}: ")
    assert error.value.permanent == (permanent and not isinstance(channel, ChatChannel))


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_texts_are_delivered_like_any_other(both: tuple[Channel, Receiver], text: str) -> None:
    channel, receiver = both
    await channel.send(letter(text=text))
    assert receiver.keys == ["lead-42/assigned/ana"]


async def test_many_at_once_are_all_taken_once(both: tuple[Channel, Receiver]) -> None:
    channel, receiver = both
    await asyncio.gather(*(channel.send(letter(key=f"k{number}")) for number in range(8)))
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
