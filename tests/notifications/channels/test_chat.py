"""Chat over a real HTTP server: what json:// delivers, and every address and answer that is not a delivery."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agreements.errors import DeliveryError, DeliveryUnknown
from notifications.channels.by_apprise import _service
from notifications.channels.chat import ChatChannel
from notifications.letter import Letter, Recipient

# Apprise loads a module of the standard library that Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

LETTER = Letter(
    key="lead-42/assigned/ana",
    message="assigned",
    to=Recipient("ana", "Ana Ruiz"),
    subject="New lead: Größe 40",
    text="",
    html="",
    chat="Nordlicht ‹GmbH› & Söhne\nReview this lead: https://baton.example/l/a_b-c.d_e",
)
SECRET = "tokentokentoken"


@dataclass
class Room:
    """A chat service that keeps what it is told."""

    port: int = 0
    status: int = 200
    hangs_up: bool = False
    told: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def url(self, rest: str = "/room") -> str:
        return f"json://127.0.0.1:{self.port}{rest}"


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            room.told.append((self.path, dict(self.headers), json.loads(body)))
            if room.hangs_up:
                self.close_connection = True
                return
            self.send_response(room.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        room.port = server.server_port
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield room
        server.shutdown()
        serving.join()


def to(url: str, **changes: Any) -> Letter:
    return replace(LETTER, to=replace(LETTER.to, chat=url), **changes)


async def refused(channel: ChatChannel, letter: Letter) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        await channel.send(letter)
    return error.value


async def test_the_short_form_arrives_as_it_is(room: Room) -> None:
    assert await ChatChannel().send(to(room.url())) == "apprise: json accepted"

    ((path, headers, told),) = room.told
    assert (path, told["title"], told["message"]) == ("/room", LETTER.subject, LETTER.chat)
    assert headers["X-Baton-Key"] == LETTER.key


async def test_people_without_an_address_share_one(room: Room) -> None:
    channel = ChatChannel("team-chat", room.url("/all"))
    await channel.send(LETTER)
    await channel.send(to(room.url("/ana")))
    assert [path for path, _, _ in room.told] == ["/all", "/ana"]
    assert channel.name == "team-chat"


@pytest.mark.parametrize("key", ["a b%20c", "50%", "k&x=1+y#z?", "A:b/c", "\r\nX-Evil: 1\r\n\r\nbody", "k" * 500])
async def test_any_key_arrives_in_one_header(room: Room, key: str) -> None:
    await ChatChannel().send(to(room.url("/room?-wait=no&+X-Team=sales"), key=key))
    _, headers, _ = room.told[0]
    assert headers["X-Baton-Key"] == " ".join(key.split())
    assert headers["X-Team"] == "sales"
    assert "X-Evil" not in headers


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
async def test_a_refusal_is_an_error_and_may_pass(room: Room, status: int) -> None:
    room.status = status
    error = await refused(ChatChannel(), to(room.url()))
    assert (error.channel, error.permanent) == ("chat", False)


@pytest.mark.parametrize("options", ["optional=yes", "retry=3&wait=0", "optional=yes&retry=2"])
async def test_an_address_can_neither_hide_a_failure_nor_ask_twice(room: Room, options: str) -> None:
    room.status = 500
    await refused(ChatChannel(), to(room.url(f"/room?{options}")))
    assert len(room.told) == 1


@pytest.mark.parametrize("host", ["127.0.0.1:1", "nobody.invalid"])
async def test_nobody_there_is_an_error_and_may_pass(room: Room, host: str) -> None:
    """Nothing was sent, so it is sent again."""
    error = await refused(ChatChannel(), to(f"json://{host}/room"))
    assert (error.permanent, type(error)) == (False, DeliveryError)


async def test_where_the_answer_is_lost_nobody_can_tell_whether_it_arrived(room: Room) -> None:
    """The room has it: sent again, it would be there twice under one key."""
    room.hangs_up = True
    error = await refused(ChatChannel(), to(room.url()))
    assert (len(room.told), error.permanent, type(error)) == (1, False, DeliveryUnknown)


async def test_one_answer_that_was_lost_says_nothing_of_the_next_message(room: Room) -> None:
    """Messages go from the same threads."""
    room.hangs_up = True
    await refused(ChatChannel(), to(room.url()))
    room.hangs_up, room.status = False, 503
    errors = [await refused(ChatChannel(), to(room.url())) for _ in range(20)]
    assert {type(error) for error in errors} == {DeliveryError}


@pytest.mark.parametrize("limit", ["rto=0.2", "rto=0.2&cto=900"])
async def test_a_service_that_hangs_is_given_up_and_the_message_may_have_arrived(limit: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = await refused(ChatChannel(), to(f"json://127.0.0.1:{silent.getsockname()[1]}/?{limit}"))
    assert (error.permanent, type(error)) == (False, DeliveryUnknown)


def test_no_address_may_make_us_wait_for_long() -> None:
    service = _service("json://127.0.0.1/?rto=900&cto=900")
    assert service is not None
    assert (service.socket_connect_timeout, service.socket_read_timeout) == (10, 10)


@pytest.mark.parametrize(
    "url",
    ["mailto://ana:pw@sales.example", "MAILTOS://ana:pw@sales.example", " mailto://ana@sales.example", "mailto:ana@sales.example"]
    + ["nonsense", "nosuch://x", "json://", "slack://", "://", "json://\r\nhost/", "ftp://files.example"],
)
async def test_an_address_that_is_none_or_for_mail_is_permanent(url: str) -> None:
    assert (await refused(ChatChannel(), to(url))).permanent
    assert (await refused(ChatChannel(default_url=url), LETTER)).permanent


async def test_no_address_at_all_is_permanent() -> None:
    error = await refused(ChatChannel(), LETTER)
    assert error.permanent
    assert "the chat address of Ana Ruiz is missing from the roster" in str(error)


@pytest.mark.parametrize("url", [f"json://ana:{SECRET}@127.0.0.1:1/", f"discord://{SECRET}", f"{SECRET}://x", SECRET])
async def test_no_secret_of_an_address_is_told(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        error = await refused(ChatChannel(), to(url))
    assert SECRET not in str(error)
    assert SECRET not in "".join(record.getMessage() for record in caplog.records)
