"""E-mail over real sockets: what the server receives, what it answers, and every way in which it may not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agreements.errors import DeliveryError
from notifications.channels.email import EmailChannel, SmtpServer
from notifications.letter import Letter, Recipient
from tests.loop_time import until_given_up
from tests.patience import PATIENCE_SECONDS
from tests.present import the

HTML = "<p>Größe & more</p>\n"
LETTER = Letter(
    key="lead-42/assigned/ana",
    message="assigned",
    to=Recipient("ana", "Ana Ruiz", "ana@sales.example"),
    subject="New lead: Größe 40 GmbH",
    text=".\nHallo Jörg\nFrom here\n..\n",
    html=HTML,
    chat="",
    thread="lead-42@crm.example",
)
Answers = dict[str, str | None]
EVIL = "x\r\nBcc: all@evil.example\r\n\r\n<b>\x00\u2028\u202e" + "y" * 10_000


class Postbox:
    """Keeps what arrives; answers can be set per command, and None hangs up instead of answering."""

    def __init__(self, answers: Answers | None = None) -> None:
        self.answers: Answers = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "250 queued as 17", **(answers or {})}
        self.received: list[Envelope] = []
        self.talks: list[SMTP] = []

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        envelope.mail_from = address
        return self._answer("MAIL", server)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self._answer("RCPT", server)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received.append(envelope)
        self.talks.append(server)
        return self._answer("DATA", server)

    def mails(self) -> list[EmailMessage]:
        contents = [envelope.original_content or b"" for envelope in self.received]
        return [message_from_bytes(content, policy=policy.default) for content in contents]

    def _answer(self, command: str, server: SMTP) -> str:
        answer = self.answers[command]
        if answer is None:
            hang_up(server)
        return answer or "421 gone"


def hang_up(talk: SMTP) -> None:
    if isinstance(talk.transport, asyncio.WriteTransport):
        talk.transport.abort()


@asynccontextmanager
async def serving(
    box: Postbox, *, implicit: ssl.SSLContext | None = None, listener: socket.socket | None = None, **options: Any
) -> AsyncIterator[int]:
    loop, talks = asyncio.get_running_loop(), list[SMTP]()

    def talk() -> SMTP:
        talks.append(SMTP(box, loop=loop, hostname="mail.example", **options))
        return talks[-1]

    server = await loop.create_server(talk, sock=listener or socket.create_server(("127.0.0.1", 0)), ssl=implicit)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in talks:
            hang_up(each)
        await asyncio.sleep(0)  # lets the transports close, no time passes


@asynccontextmanager
async def channel(port: int, **options: Any) -> AsyncIterator[EmailChannel]:
    """options: of the channel where it is `bounces`, else of its server."""
    bounces = options.pop("bounces", "")
    server = SmtpServer("localhost", port, **{"timeout_seconds": PATIENCE_SECONDS} | options)
    made = EmailChannel(server, sender="Baton <baton@firm.example>", bounces=bounces)
    try:
        yield made
    finally:
        await made.close()


async def sent(letter: Letter, answers: Answers | None = None) -> tuple[str, Postbox]:
    box = Postbox(answers)
    async with serving(box) as port, channel(port) as email:
        return await email.send(letter), box


async def refused(letter: Letter = LETTER, answers: Answers | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        await sent(letter, answers)
    assert error.value.channel == "email"
    return error.value


async def test_a_letter_arrives_whole_and_its_answer_is_the_proof() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    proof, box = await sent(LETTER)

    assert proof == "250 queued as 17"
    (mail,) = box.mails()
    assert (box.received[0].mail_from, box.received[0].rcpt_tos) == ("baton@firm.example", ["ana@sales.example"])
    assert (mail["From"], mail["To"]) == ("Baton <baton@firm.example>", "Ana Ruiz <ana@sales.example>")
    assert mail["Subject"] == LETTER.subject
    assert before <= mail["Date"].datetime <= datetime.now(UTC)
    assert (mail["X-Baton-Key"], mail["Auto-Submitted"]) == (LETTER.key, "auto-generated")
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().replace("\r\n", "\n") for part in mail.iter_parts()] == [LETTER.text, HTML]


async def test_a_repeat_has_the_same_id_and_a_lead_has_one_thread() -> None:
    letters = [LETTER, LETTER, replace(LETTER, key="lead-42/reminder/ana"), replace(LETTER, key="other", thread="")]
    mails = [(await sent(letter))[1].mails()[0] for letter in letters]

    ids = [mail["Message-ID"] for mail in mails]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@crm.example>")
    assert ids[3].endswith("@firm.example>")
    assert mails[0]["References"] == mails[0]["In-Reply-To"] == mails[2]["References"] not in ids
    assert mails[3]["References"] is mails[3]["In-Reply-To"] is None


async def test_long_keys_and_threads_stay_readable_in_the_raw_header() -> None:
    domain = "sub." * 40 + "firm.example"
    _, box = await sent(replace(LETTER, key="k" * 200, thread=f"lead@{domain}"))
    raw = (box.received[0].original_content or b"").decode("ascii")
    assert f"X-Baton-Key: {'k' * 200}\r\n" in raw
    assert f"@{domain}>\r\nReferences: <thread." in raw
    assert max(map(len, raw.split("\r\n"))) < 998


async def test_hostile_texts_change_no_header() -> None:
    _, plain = await sent(LETTER)
    evil = replace(LETTER, key=EVIL, thread=EVIL, subject=EVIL, text=EVIL, html=EVIL, to=replace(LETTER.to, name=EVIL))
    _, box = await sent(evil)

    assert box.mails()[0].keys() == plain.mails()[0].keys()
    assert box.received[0].rcpt_tos == ["ana@sales.example"]
    assert box.mails()[0]["Bcc"] is None
    assert [address.addr_spec for address in box.mails()[0]["To"].addresses] == ["ana@sales.example"]
    assert all(len(line) <= 998 for line in (box.received[0].original_content or b"").split(b"\r\n"))


@pytest.mark.parametrize(
    "name", ['Ana" <boss@firm.example>, "x', "Ana, Ruiz; (x) [y] <z>@", "=?utf-8?q?boss=40firm=2Eexample=2C?=", "Jörg, é"]
)
async def test_no_name_becomes_another_address(name: str) -> None:
    _, box = await sent(replace(LETTER, to=replace(LETTER.to, name=name)))
    assert [address.addr_spec for address in box.mails()[0]["To"].addresses] == ["ana@sales.example"]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_refusal_for_good_is_permanent_and_another_is_not(command: str) -> None:
    assert (await refused(answers={command: "550 5.1.1 No such user"})).permanent
    assert not (await refused(answers={command: "451 4.7.1 Greylisted, come back"})).permanent
    assert "550 5.1.1 No such user" in str(await refused(answers={command: "550 5.1.1 No such user"}))


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_dropped_connection_is_not_permanent(command: str) -> None:
    error = await refused(answers={command: None})
    assert not error.permanent
    assert ("it may have arrived" in str(error)) == (command == "DATA")


@pytest.mark.parametrize(
    "address",
    ["", "ana", "ana@", "@sales.example", "a b@sales.example", "ana@sales.example\r\nRCPT TO:<x@y.example>"]
    + ["a@b, c@d.example", "<ana@sales.example>", "a@b@c.example", "ana@sales..example", "ana@-.example"]
    + ["a\x00@b.example", "\u202ea@b.example", "a@" + "b" * 300, "ana@größe.example", "a@" + "ü" * 60 + ".example"],
)
async def test_an_address_that_is_none_is_permanent_and_nobody_is_asked(address: str) -> None:
    error = await refused(replace(LETTER, to=replace(LETTER.to, email=address)))
    assert error.permanent
    assert "\n" not in str(error)


async def test_international_addresses_go_where_they_are_taken() -> None:
    box = Postbox()
    async with serving(box, enable_SMTPUTF8=True) as port, channel(port) as email:
        for address in ("jörg@Köln.example", "ana@xn--kln-sna.example"):
            await email.send(replace(LETTER, to=replace(LETTER.to, email=address)))
    assert [each.rcpt_tos for each in box.received] == [["jörg@xn--kln-sna.example"], ["ana@xn--kln-sna.example"]]
    assert "jörg@" in str(box.mails()[0]["To"])


async def test_an_international_address_is_refused_for_good_by_a_server_without() -> None:
    assert (await refused(replace(LETTER, to=replace(LETTER.to, email="jörg@sales.example")))).permanent


async def test_no_server_at_all_is_not_permanent() -> None:
    async with serving(Postbox()) as port:
        pass
    async with channel(port) as email:
        with pytest.raises(DeliveryError) as away:
            await email.send(LETTER)
    assert not away.value.permanent


async def test_a_server_that_hangs_is_given_up_after_the_timeout() -> None:
    left = asyncio.Event()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await until_given_up(reader)
        writer.close()
        await writer.wait_closed()
        left.set()

    silent = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    async with silent, channel(silent.sockets[0].getsockname()[1]) as email:
        with pytest.raises(DeliveryError, match="(?i)timed out") as hanging:
            await email.send(LETTER)
        await left.wait()
    assert not hanging.value.permanent


async def test_a_connection_is_used_again_and_replaced_when_the_server_hung_up() -> None:
    box = Postbox()
    async with serving(box) as port, channel(port) as email:
        for _ in range(2):
            await email.send(LETTER)
        assert box.talks[0] is box.talks[1]

        hang_up(box.talks[0])
        await email.send(LETTER)
        assert box.talks[2] is not box.talks[0]


async def test_several_at_once_do_not_wait_for_each_other() -> None:
    box = Postbox()
    async with serving(box) as port, channel(port) as email:
        proofs = await asyncio.gather(*(email.send(replace(LETTER, key=f"k{number}")) for number in range(10)))
    assert set(proofs) == {"250 queued as 17"}
    assert {mail["X-Baton-Key"] for mail in box.mails()} == {f"k{number}" for number in range(10)}


def test_a_channel_works_in_one_event_loop_after_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        email = EmailChannel(SmtpServer("localhost", listener.getsockname()[1]), sender="baton@firm.example")

        async def once() -> str:
            async with serving(Postbox(), listener=listener.dup()):
                proof = await email.send(LETTER)
                await email.close()
                return proof

        assert [asyncio.run(once()) for _ in range(2)] == ["250 queued as 17"] * 2


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for localhost, which this process trusts until the test takes SSL_CERT_FILE away."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.now(UTC), timedelta(days=1)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "both.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return context


def _ana_may(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data == LoginPassword(b"us er", b"p:@/w"), handled=False)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_tls_and_login_from_a_url(certificate: ssl.SSLContext, tls: str) -> None:
    box, scheme = Postbox(), {"starttls": "smtp+starttls", "implicit": "smtps"}[tls]
    secure = {"tls_context": certificate} if tls == "starttls" else {"implicit": certificate, "auth_require_tls": False}
    async with serving(box, authenticator=_ana_may, **secure) as port:
        email = EmailChannel(
            SmtpServer.from_url(f"{scheme}://us%20er:p%3A%40%2Fw@localhost:{port}"), sender="baton@firm.example", name="mail"
        )
        assert await email.send(LETTER) == "250 queued as 17"
        await email.close()
    assert the(box.talks[0].session).authenticated
    assert email.name == "mail"


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_nothing_is_sent_to_a_server_with_a_bad_certificate(
    certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    box = Postbox()
    secure: dict[str, Any] = {"tls_context" if tls == "starttls" else "implicit": certificate}
    async with serving(box, **secure) as port, channel(port, tls=tls) as email:
        with pytest.raises(DeliveryError, match="(?i)certificate") as error:
            await email.send(LETTER)
    assert not error.value.permanent
    assert box.received == []


async def test_nothing_is_sent_without_the_tls_that_was_asked_for() -> None:
    box = Postbox()
    async with serving(box) as port, channel(port, tls="starttls") as email:
        with pytest.raises(DeliveryError) as error:
            await email.send(LETTER)
    assert not error.value.permanent
    assert box.received == []


async def test_a_refused_login_is_not_the_recipients_fault(certificate: ssl.SSLContext) -> None:
    server = serving(Postbox(), implicit=certificate, authenticator=_ana_may, auth_require_tls=False)
    async with server as port, channel(port, tls="implicit", username="ana", password="wrong") as email:
        with pytest.raises(DeliveryError, match="535") as error:
            await email.send(LETTER)
    assert not error.value.permanent
    assert "wrong" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    ["", "mail.example", "http://mail.example", "smtp://", "smtp://:25", "smtp://mail.example:x"]
    + ["smtp://mail.example:99999", "smtp://u:topsecret/more@mail.example", "smtp://u:top]secret@mail.example"],
)
def test_a_wrong_url_is_told_at_once_and_without_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://host") as error:
        SmtpServer.from_url(url)
    assert "secret" not in str(error.value)
    assert error.value.__cause__ is error.value.__context__ is None


@pytest.mark.parametrize("sender", ["", "Baton", "Baton <>", "baton@"])
def test_a_sender_that_is_none_is_told_at_once(sender: str) -> None:
    with pytest.raises(ValueError, match="e-mail address"):
        EmailChannel(SmtpServer("localhost", 25), sender=sender)
