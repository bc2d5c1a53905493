"""The demo inbox over real sockets: what a mail client sends is what the page and the messages show."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest

from app.demo.inbox.inbox import Inbox
from tests.patience import PATIENCE_SECONDS

TUESDAY = datetime(2025, 3, 4, 13, 0, tzinfo=timezone(timedelta(hours=1), "CET"))


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    with Inbox(folder=tmp_path / "mails", now=lambda: TUESDAY) as running:
        yield running


def mail(to: str = "marta@demo.example", subject: str = "New lead", key: str = "", **parts: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Baton <baton@demo.example>"
    message["To"] = to
    message["Subject"] = subject
    if key:
        message["X-Baton-Key"] = key
    message.set_content(parts.get("text", "Please call.\n"))
    if "html" in parts:
        message.add_alternative(parts["html"], subtype="html")
    return message


def send(inbox: Inbox, *mails: EmailMessage | bytes, to: str = "marta@demo.example") -> None:
    async def one(message: EmailMessage | bytes) -> None:
        envelope: dict[str, Any] = {"sender": "baton@demo.example", "recipients": [to]} if isinstance(message, bytes) else {}
        await aiosmtplib.send(message, hostname="127.0.0.1", port=inbox.smtp_port, **envelope)

    async def all_at_once() -> None:
        await asyncio.gather(*map(one, mails))

    asyncio.run(all_at_once())


def connect(inbox: Inbox, *lines: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", inbox.smtp_port), timeout=PATIENCE_SECONDS)
    answer = client.recv(1000)
    for line in lines:
        client.sendall(line.encode() + b"\r\n")
        answer = client.recv(1000)
    assert answer[:1] in b"23"
    return client


def get(inbox: Inbox, path: str) -> httpx.Response:
    return httpx.get(inbox.url + path, trust_env=False, timeout=PATIENCE_SECONDS)


def test_a_message_is_kept_as_it_was_sent(inbox: Inbox) -> None:
    send(
        inbox,
        mail(subject="Größe: 40 €", key="lead-7/offer", text="Hallo Jörg\n", html="<p>Hallo <b>Jörg</b></p>"),
    )
    (received,) = inbox.messages()
    assert (received.number, received.at, received.key) == (1, TUESDAY, "lead-7/offer")
    assert (received.sender, received.recipients) == ("baton@demo.example", ("marta@demo.example",))
    assert (received.subject, received.text) == ("Größe: 40 €", "Hallo Jörg\n")
    assert received.html == "<p>Hallo <b>Jörg</b></p>\n"
    assert b"X-Baton-Key: lead-7/offer\r\n" in received.path.read_bytes()
    assert inbox.last_number == 1


def test_blind_copies_are_recipients(inbox: Inbox) -> None:
    message = mail()
    message["Bcc"] = "boss@demo.example"
    send(inbox, message)
    (received,) = inbox.messages(to="BOSS@demo.example")
    assert received.recipients == ("marta@demo.example", "boss@demo.example")
    assert b"boss@" not in received.path.read_bytes()


def test_links_of_both_parts_in_order_and_once(inbox: Inbox) -> None:
    text = "Accept: https://demo.example/a?x=1&y=2.\n(see http://demo.example/help_(old)), ftp://demo.example/no\n"
    html = (
        '<a href="https://demo.example/a?x=1&amp;y=2">Accept</a> <a href="mailto:marta@demo.example">mail</a>'
        '<img src="https://demo.example/logo.png"><a class=b HREF=" HTTPS://demo.example/refuse ">Refuse</a>'
    )
    send(inbox, mail(text=text, html=html))
    assert inbox.links(inbox.messages()[0]) == [
        "https://demo.example/a?x=1&y=2",
        "http://demo.example/help_(old)",
        "HTTPS://demo.example/refuse",
    ]


def test_a_key_counts_as_repeated_only_for_the_same_recipient(inbox: Inbox) -> None:
    for to in ("marta@demo.example", "jan@demo.example", "Marta@demo.example", "marta@demo.example"):
        send(inbox, mail(to=to, key="lead-1"))
    send(inbox, mail(to="marta@demo.example", key="lead-2"), mail(to="jan@demo.example", key="lead-2"))
    send(inbox, mail(), mail())
    assert inbox.repeated_keys() == {"lead-1": 3}


def test_ten_at_once_lose_nothing(inbox: Inbox) -> None:
    send(inbox, *(mail(subject=f"Lead {number}") for number in range(10)))
    assert {received.subject for received in inbox.messages()} == {f"Lead {number}" for number in range(10)}
    assert [received.number for received in inbox.messages()] == list(range(1, 11))
    assert len({received.path.read_bytes() for received in inbox.messages()}) == 10


def test_messages_after_a_number_and_of_one_person(inbox: Inbox) -> None:
    for to in ("marta@demo.example", "jan@demo.example", "marta@demo.example"):
        send(inbox, mail(to=to))
    assert [received.number for received in inbox.messages(after=1)] == [2, 3]
    assert [received.number for received in inbox.messages(to="marta@demo.example", after=1)] == [3]
    assert inbox.messages(after=3) == []


def test_eight_bit_and_utf8_addresses_are_taken(inbox: Inbox) -> None:
    send(inbox, mail(to="jörg@demo.example"))
    send(inbox, "Subject: Grüße\r\nX-Baton-Key: ä\r\n\r\nschön\r\n".encode())
    first, second = inbox.messages()
    assert first.recipients == ("jörg@demo.example",)
    assert (second.subject, second.key, second.text) == ("Grüße", "ä", "schön\n")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no header at all\r\n",
        b'Subject: =?utf-9?q?odd?=\r\nContent-Type: text/plain; charset="no such"\r\n\r\nplain\r\n',
        b"Subject: \xff\xfe\r\nContent-Type: text/html; charset=hex\r\n\r\n<![odd[<a href=https://a.example>\r\n",
        b"Content-Type: multipart/mixed; boundary=\r\nContent-Transfer-Encoding: base64\r\n\r\n--\r\n%%%\r\n",
        b"Content-Type: ;;;=\r\nContent-Disposition: =?\r\nFrom: <<<@\r\nTo: ,;:\r\n\r\n\x00\x80\r\n",
    ],
)
def test_a_broken_message_is_kept_and_shown(inbox: Inbox, raw: bytes) -> None:
    send(inbox, raw)
    (received,) = inbox.messages()
    assert received.path.read_bytes().strip() == raw.strip()
    assert inbox.links(received) in ([], ["https://a.example"])
    assert [get(inbox, path).status_code for path in ("/", "/m/1", "/m/1/raw", "/messages.json")] == [200] * 4


def test_a_text_attachment_is_not_the_text(inbox: Inbox) -> None:
    message = mail(html="<p>Offer</p>")
    message.add_attachment("a;b\n", filename="leads.csv", subtype="plain")
    send(inbox, message)
    assert inbox.messages()[0].text == "Please call.\n"


def test_the_bounce_sender_is_empty(inbox: Inbox) -> None:
    with connect(inbox, "HELO me", "MAIL FROM:<>", "RCPT TO:<marta@demo.example>", "DATA", "Hi\r\n."):
        assert inbox.messages()[0].sender == ""


def test_list_shows_newest_first_and_filters(inbox: Inbox) -> None:
    send(inbox, mail(subject="First"))
    send(inbox, mail(subject="Second", to="jan@demo.example"))
    page = get(inbox, "/").text
    assert page.index("Second") < page.index("First")
    assert ">Tue 13:00</time>" in page
    assert '<meta http-equiv="refresh" content="5">' in page
    assert '<a href="/?to=jan%40demo.example"' in page.replace("@", "%40")
    only_jan = get(inbox, "/?to=jan@demo.example").text
    assert "Second" in only_jan
    assert "First" not in only_jan
    assert "No message for <bdi>nobody@demo.example</bdi> yet" in get(inbox, "/?to=nobody@demo.example").text


def test_a_hostile_message_is_only_text(inbox: Inbox) -> None:
    evil = '"><script>alert(1)</script>'
    send(inbox, mail(subject=evil, key=evil, text=evil, html=f"<p>{evil}"))
    for path in ("/", "/m/1", f"/?to={evil}"):
        page = get(inbox, path)
        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert get(inbox, "/m/1/raw").headers["content-type"] == "text/plain; charset=utf-8"


def test_message_page_has_both_parts_and_headers(inbox: Inbox) -> None:
    send(
        inbox,
        mail(key="lead-1", text="See https://demo.example/a\n", html='<a href="https://demo.example/b">b</a>'),
    )
    page = get(inbox, "/m/1").text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "&lt;base target=&#34;_blank&#34;&gt;&lt;a href=&#34;https://demo.example/b&#34;&gt;" in page
    assert '<a href="https://demo.example/a" rel="noopener noreferrer" target="_blank">' in page
    assert "<dt>X-Baton-Key</dt><dd><bdi>lead-1</bdi></dd>" in page
    assert "http-equiv" not in page
    assert get(inbox, "/m/1/raw").content == inbox.messages()[0].path.read_bytes()


@pytest.mark.parametrize("path", ["/m/2", "/m/0", "/m/2/raw", "/m/-1", "/m/one", "/docs", "/m/1%2F..%2F"])
def test_what_is_not_there_is_404(inbox: Inbox, path: str) -> None:
    send(inbox, mail())
    answer = get(inbox, path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_the_way_back_to_the_start_page_is_on_every_page_once_there_is_one(inbox: Inbox) -> None:
    send(inbox, mail())
    assert "Start page" not in get(inbox, "/").text
    inbox.start_page = "http://127.0.0.1:1/?a=1&b=2"
    for path in ("/", "/m/1", "/m/7"):
        assert '<a href="http://127.0.0.1:1/?a=1&amp;b=2">Start page of the demo</a>' in get(inbox, path).text


def test_messages_as_json(inbox: Inbox) -> None:
    send(inbox, mail(subject="First", text="https://demo.example/a\n"))
    send(inbox, mail(subject="Second", to="jan@demo.example"))
    first, second = get(inbox, "/messages.json").json()
    assert (first["number"], first["at"], first["links"]) == (
        1,
        "2025-03-04T13:00:00+01:00",
        ["https://demo.example/a"],
    )
    assert get(inbox, "/messages.json?after=1").json() == [second]
    assert get(inbox, "/messages.json?to=jan@demo.example").json() == [second]


def test_what_cannot_be_written_is_not_acknowledged(inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "mails").rmdir()
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        send(inbox, mail())
    assert refused.value.code == 451
    assert inbox.messages() == []
    (tmp_path / "mails").mkdir()
    send(inbox, mail())
    assert len(inbox.messages()) == 1


def test_more_than_ten_megabytes_are_refused(inbox: Inbox) -> None:
    send(inbox, mail(text="x" * 75 + "\n" + ("x" * 75 + "\n") * 120_000))
    with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
        send(inbox, mail(text=("x" * 75 + "\n") * 150_000))
    assert refused.value.code == 552
    assert len(inbox.messages()) == 1


def test_dropped_connections_leave_no_trace(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    for lines in ([], ["HELO me"], ["HELO me", "MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA"]):
        client = connect(inbox, *lines)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        client.close()
    send(inbox, mail())
    inbox.stop()
    assert len(inbox.messages()) == 1
    assert [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"] == []


def test_stopping_hangs_up_on_a_client_in_the_middle(inbox: Inbox) -> None:
    with (
        connect(inbox, "HELO me", "MAIL FROM:<a@b.example>") as client,
        httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as browser,
    ):
        browser.get(inbox.url)
        inbox.stop()
        assert client.recv(1000) == b""
    inbox.stop()


def test_a_restart_keeps_ports_messages_and_files(inbox: Inbox, tmp_path: Path) -> None:
    send(inbox, mail())
    ports = inbox.smtp_port, inbox.http_port
    inbox.stop()
    inbox.start()
    send(inbox, mail())
    assert (inbox.smtp_port, inbox.http_port) == ports
    assert [received.number for received in inbox.messages()] == [1, 2]
    with Inbox(folder=tmp_path / "mails", now=lambda: TUESDAY) as other:
        send(other, mail())
        assert other.messages()[0].number == 3
        assert other.messages(after=2) == other.messages()


def test_after_a_restart_of_its_process_an_inbox_lists_earlier_messages_where_asked(inbox: Inbox, tmp_path: Path) -> None:
    send(inbox, mail("marta@demo.example", "First", html="<p>Please <b>call</b>"), mail("emil@demo.example", "Second"))
    before = inbox.messages()
    (tmp_path / "mails" / "notes.txt").write_text("not a message")
    inbox.stop()

    with Inbox(folder=tmp_path / "mails", now=lambda: TUESDAY, list_earlier=True) as again:
        send(again, mail(subject="Third"))
        listed = again.messages()

    assert [(one.number, one.subject) for one in listed] == [(1, before[0].subject), (2, before[1].subject), (3, "Third")]
    for old, new in zip(before, listed, strict=False):
        assert (new.sender, new.recipients, new.text, new.html, new.path) == (old.sender, old.recipients, old.text, old.html, old.path)
        assert new.at.utcoffset() == timedelta(hours=1)


def test_a_taken_port_and_a_naive_time_are_told_at_once(inbox: Inbox, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="in use"):
        Inbox(folder=tmp_path, now=lambda: TUESDAY, smtp_port=inbox.smtp_port).start()
    with pytest.raises(OSError, match="in use"):
        Inbox(folder=tmp_path, now=lambda: TUESDAY, http_port=inbox.http_port).start()
    with pytest.raises(ValueError, match="aware"):
        Inbox(folder=tmp_path, now=lambda: TUESDAY.replace(tzinfo=None)).start()
    with pytest.raises(RuntimeError):
        inbox.start()
