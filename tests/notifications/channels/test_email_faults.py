"""E-mail when the other side is not as it should be: certificates, logins, tokens, hanging servers; and where bounces go."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway
from notifications.channels.email import EmailChannel, SmtpServer
from tests.loop_time import until_given_up
from tests.notifications.certificates import Authority
from tests.notifications.channels.test_email import LETTER, Postbox, channel, hang_up, serving
from tests.present import the

USER, TOKEN = "baton@firm.example", "ya29.topsecret"
BOTH = pytest.mark.parametrize("tls", ["starttls", "implicit"])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path)


def secured(tls: str, context: ssl.SSLContext) -> dict[str, Any]:
    return {"tls_context": context} if tls == "starttls" else {"implicit": context, "auth_require_tls": False}


async def failing(email: EmailChannel) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        await email.send(LETTER)
    assert "topsecret" not in str(error.value)
    assert "\n" not in str(error.value)
    return error.value


@BOTH
async def test_a_certificate_of_an_authority_that_is_trusted_by_setting_is_good(authority: Authority, tls: str) -> None:
    async with (
        serving(Postbox(), **secured(tls, authority.server())) as port,
        channel(port, tls=tls, ca_file=authority.file) as email,
    ):
        assert await email.send(LETTER) == "250 queued as 17"


@BOTH
@pytest.mark.parametrize(
    ("server", "said"),
    [
        ({"self_signed": True}, "self-signed"),
        ({"host": "mail.elsewhere.example"}, "Hostname mismatch"),
        ({"ended": True}, "expired"),
    ],
    ids=["self-signed", "wrong host", "expired"],
)
async def test_a_bad_certificate_is_named_and_nothing_is_sent(authority: Authority, tls: str, server: dict[str, Any], said: str) -> None:
    box = Postbox()
    async with serving(box, **secured(tls, authority.server(**server))) as port, channel(port, tls=tls, ca_file=authority.file) as email:
        error = await failing(email)
    assert "the mail server's certificate is not trusted" in str(error)
    assert said in str(error)
    assert (error.permanent, type(error), box.received) == (False, ServiceAway, [])


@BOTH
async def test_an_authority_that_nobody_named_is_not_trusted(authority: Authority, tls: str) -> None:
    box = Postbox()
    async with serving(box, **secured(tls, authority.server())) as port, channel(port, tls=tls) as email:
        assert "not trusted" in str(await failing(email))
    assert box.received == []


async def test_a_server_that_takes_starttls_away_gets_no_letter_and_no_password() -> None:
    box = Postbox()
    async with serving(box) as port, channel(port, tls="starttls", username=USER, password="topsecret") as email:
        error = await failing(email)
    assert "STARTTLS" in str(error)
    assert (type(error), box.received) == (ServiceAway, [])


class WithToken(Postbox):
    """A server that takes one token, by XOAUTH2 only; a wrong one is first answered by a challenge, as the large ones do."""

    def __init__(self) -> None:
        super().__init__()
        self.offered: list[str] = []

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        self.offered.append(base64.b64decode(args[1]).decode())
        if self.offered[-1] == f"user={USER}\x01auth=Bearer {TOKEN}\x01\x01":
            return AuthResult(success=True)
        await server.challenge_auth('{"status":"401"}', encode_to_b64=True)
        return AuthResult(success=False, handled=False)


@asynccontextmanager
async def with_token(authority: Authority, box: Postbox, file: Path) -> AsyncIterator[EmailChannel]:
    options = {"username": USER, "token_file": str(file), "ca_file": authority.file}
    async with (
        serving(box, **secured("starttls", authority.server()), auth_required=True) as port,
        channel(port, tls="starttls", **options) as email,
    ):
        yield email


async def test_a_token_lets_us_in(authority: Authority, tmp_path: Path) -> None:
    box, file = WithToken(), tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    async with with_token(authority, box, file) as email:
        assert await email.send(LETTER) == "250 queued as 17"


async def test_a_refused_token_is_named_and_a_renewed_one_is_read_at_the_next_connection(authority: Authority, tmp_path: Path) -> None:
    box, file = WithToken(), tmp_path / "token"
    file.write_text("topsecret-old")
    async with with_token(authority, box, file) as email:
        error = await failing(email)
        assert "the mail server refused our login: 535" in str(error)
        assert (error.permanent, type(error), box.received) == (False, ServiceAway, [])

        file.write_text(TOKEN)
        assert await email.send(LETTER) == "250 queued as 17"
    assert len(box.offered) == 2


@pytest.mark.parametrize("content", [None, "", " \n", b"\xff"])
async def test_a_token_that_cannot_be_read_may_pass(authority: Authority, tmp_path: Path, content: str | bytes | None) -> None:
    box, file = WithToken(), tmp_path / "token"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    async with with_token(authority, box, file) as email:
        error = await failing(email)
    assert "token" in str(error)
    assert (error.permanent, type(error), box.offered) == (False, ServiceAway, [])


async def test_a_server_without_tokens_is_named(authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    async with with_token(authority, Postbox(), file) as email:
        assert "XOAUTH2" in str(await failing(email))


@pytest.mark.parametrize("options", [{"username": ""}, {"username": USER, "password": "topsecret"}, {"username": USER, "tls": "none"}])
def test_a_token_without_a_user_or_without_tls_is_told_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="smtps://user@host") as error:
        EmailChannel(SmtpServer("localhost", 25, token_file="token", **{"tls": "implicit", **options}), sender=USER)
    assert "topsecret" not in str(error.value)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_told_at_once(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=r"No certificates can be read from .*ca\.pem"):
        EmailChannel(SmtpServer("localhost", 25, ca_file=str(file)), sender=USER)


async def test_a_greylisted_letter_is_taken_when_it_comes_again() -> None:
    box = Postbox({"RCPT": "451 4.7.1 Greylisted, come back in a minute"})
    async with serving(box) as port, channel(port) as email:
        error = await failing(email)
        assert (error.permanent, type(error)) == (False, DeliveryError), "the server is well, it is this letter that has to wait"
        box.answers["RCPT"] = "250 ok"
        assert await email.send(LETTER) == "250 queued as 17"


async def test_an_unknown_mailbox_is_permanent_and_the_next_letter_goes() -> None:
    box = Postbox({"RCPT": "550 5.1.1 No such user"})
    async with serving(box) as port, channel(port) as email:
        error = await failing(email)
        assert (error.permanent, type(error)) == (True, DeliveryError)
        box.answers["RCPT"] = "250 ok"
        assert await email.send(LETTER) == "250 queued as 17"


@pytest.mark.parametrize(("command", "kind"), [("MAIL", ServiceAway), ("RCPT", ServiceAway), ("DATA", DeliveryUnknown)])
async def test_a_dropped_connection_after_the_letter_may_have_arrived(command: str, kind: type) -> None:
    async with serving(Postbox({command: None})) as port, channel(port) as email:
        assert type(await failing(email)) is kind


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_says_it_closes_is_away(command: str) -> None:
    async with serving(Postbox({command: "421 4.3.2 shutting down"})) as port, channel(port) as email:
        error = await failing(email)
    assert (error.permanent, type(error)) == (False, ServiceAway)


@asynccontextmanager
async def talking(talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    """A server that talks as told and then hangs; when the block ends, it has heard the last of every connection. Its port."""
    left = list[asyncio.Task[Any]]()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left.append(the(asyncio.current_task()))
        with suppress(ConnectionError):
            await talk(reader, writer)
            await until_given_up(reader)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*left)


class Hanging:
    """A server that speaks SMTP until a stage and then says nothing more, keeping the connection."""

    STAGES = ("connect", "EHLO", "MAIL", "RCPT", "DATA", ".")

    def __init__(self, stage: str) -> None:
        self.stage = stage

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = {"EHLO": b"250-mail\r\n250 8BITMIME\r\n", "DATA": b"354 go on\r\n"}
        if self.stage == "connect":
            return
        writer.write(b"220 mail.example\r\n")
        while line := await reader.readline():
            word = line.decode("utf-8", "replace").strip()[:4]
            if word == self.stage:
                return
            if word in self.STAGES:
                writer.write(answers.get(word, b"250 ok\r\n"))


@pytest.mark.parametrize("stage", Hanging.STAGES)
async def test_a_server_that_hangs_is_given_up_wherever_it_does(stage: str) -> None:
    async with talking(Hanging(stage).talk) as port, channel(port) as email:
        error = await failing(email)
    assert not error.permanent
    assert isinstance(error, DeliveryUnknown if stage in ("DATA", ".") else ServiceAway)


@BOTH
async def test_a_server_that_hangs_in_the_handshake_is_given_up(tls: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if tls == "starttls":
            writer.write(b"220 mail.example\r\n")
            await reader.readline()
            writer.write(b"250-mail\r\n250 STARTTLS\r\n")
            await reader.readline()
            writer.write(b"220 go on\r\n")

    async with talking(talk) as port, channel(port, tls=tls) as email:
        error = await failing(email)
    assert (error.permanent, type(error)) == (False, ServiceAway)


async def return_path(*, bounces: str, mark: str) -> str | None:
    box = Postbox()
    async with serving(box) as port, channel(port, bounces=bounces) as email:
        await email.send(replace(LETTER, bounce_mark=mark))
    assert box.mails()[0]["From"] == "Baton <baton@firm.example>"
    return box.received[0].mail_from


@pytest.mark.parametrize(
    ("bounces", "mark", "path"),
    [
        ("bounces@firm.example", "d42-3fa9", "bounces+d42-3fa9@firm.example"),
        ("bounces@firm.example", "", "bounces@firm.example"),
        ("", "d42-3fa9", "baton@firm.example"),
        ("baton@firm.example", "d42", "baton+d42@firm.example"),
        ("bounces@firm.example", "a@b>", "bounces@firm.example"),
        ("bounces@firm.example", "x\r\nRCPT TO:<y@z.example>", "bounces@firm.example"),
        ("bounces@firm.example", "m" * 100, "bounces@firm.example"),
    ],
)
async def test_a_bounce_comes_back_to_where_it_names_its_letter(bounces: str, mark: str, path: str) -> None:
    assert await return_path(bounces=bounces, mark=mark) == path


async def test_one_connection_carries_many_letters_until_the_server_hangs_up(authority: Authority) -> None:
    box = Postbox()
    async with (
        serving(box, **secured("starttls", authority.server())) as port,
        channel(port, tls="starttls", ca_file=authority.file) as email,
    ):
        for _ in range(3):
            await email.send(LETTER)
        assert len(set(map(id, box.talks))) == 1
        hang_up(box.talks[0])
        await email.send(LETTER)
        assert len(set(map(id, box.talks))) == 2
