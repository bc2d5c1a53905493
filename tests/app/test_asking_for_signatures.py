"""Asking for signatures at the command line, with real mail: the key goes along, and the exit code says who was not reached."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope
from sqlmodel import select
from typer.testing import CliRunner, Result

from app.cli import app as cli
from app.demo.inbox.inbox import Inbox
from app.demo.inbox.smtp import MailServer
from app.stack import free_port
from storage import contracts
from storage.tables import Delivery, SignatureRequest
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tests.conftest import MONDAY
from tests.in_flight import text_of
from tests.present import the


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    with Inbox(folder=tmp_path / "inbox", now=lambda: MONDAY) as running:
        yield running


@pytest.fixture
def baton(box: Toolbox, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line on the same database; mail goes to the inbox."""
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)
    monkeypatch.setenv("BATON_SMTP_URL", f"smtp://127.0.0.1:{inbox.smtp_port}")

    def run(*words: str) -> Result:
        done = CliRunner().invoke(cli, ["agreement", *words])
        toolbox.current().database.close()
        toolbox.use(box)
        return done

    return run


def publish(box: Toolbox, *changes: tuple[str, str]) -> None:
    box.write_now(lambda session, now: contracts.publish(session, text_of(2, "2027-03-01", *changes), now=now))


def test_each_signer_gets_one_mail_under_the_key_of_its_row(box: Toolbox, baton: Callable[..., Result], inbox: Inbox) -> None:
    publish(box)

    first, again = baton("send-for-signature", "b2b-saas@2"), baton("send-for-signature", "b2b-saas@2")

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert first.stdout.splitlines() == ["marketing: cmo@northgate.example was asked", "sales: cro@northgate.example was asked"]
    assert again.stdout.count("was asked before") == 2
    mails, rows = inbox.messages(), box.read_now(lambda session, now: list(session.exec(select(SignatureRequest))))
    assert [(mail.key, mail.subject) for mail in mails] == [(row.key, f"Please sign for {row.party}: b2b-saas@2") for row in rows]
    links = {Inbox.links(mail)[0] for mail in mails}
    assert len([link for link in links if "/sign/" in link]) == 2


@contextmanager
def server_without_room_for(address: str) -> Iterator[tuple[int, list[str]]]:
    """A mail server that keeps all mails except those to this address: its port, and to whom it kept a mail."""
    kept: list[str] = []

    def keep(envelope: Envelope) -> None:
        if address in envelope.rcpt_tos:
            raise OSError("no room")
        kept.extend(envelope.rcpt_tos)

    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as ending:
        server = MailServer(keep, listener, "127.0.0.1")
        ending.callback(server.close)
        server.start()
        yield listener.getsockname()[1], kept


def test_a_signer_who_was_not_reached_is_named_and_the_exit_code_says_partly(
    box: Toolbox, baton: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(box)

    with server_without_room_for("cro@northgate.example") as (port, kept):
        monkeypatch.setenv("BATON_SMTP_URL", f"smtp://127.0.0.1:{port}")
        done = baton("send-for-signature", "b2b-saas@2")

    assert (done.exit_code, kept) == (3, ["cmo@northgate.example"])
    assert "marketing: cmo@northgate.example was asked" in done.stdout
    assert "sales: cro@northgate.example was not asked: email: " in done.stderr
    assert "451" in done.stderr


def test_a_mail_server_that_is_away_is_exit_code_4_and_the_next_time_all_are_asked(
    box: Toolbox, baton: Callable[..., Result], inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(box)
    monkeypatch.setenv("BATON_SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    away = baton("send-for-signature", "b2b-saas@2")
    monkeypatch.setenv("BATON_SMTP_URL", f"smtp://127.0.0.1:{inbox.smtp_port}")

    there = baton("send-for-signature", "b2b-saas@2")

    assert (away.exit_code, there.exit_code) == (4, 0)
    assert away.stderr.count("was not asked: email: ") == 2
    assert len(inbox.messages()) == 2


def test_a_version_that_both_have_signed_needs_nobody(box: Toolbox, baton: Callable[..., Result], inbox: Inbox) -> None:
    done = baton("send-for-signature", "b2b-saas@1")

    assert (done.exit_code, inbox.messages()) == (0, [])
    assert "Both parties have signed b2b-saas@1." in done.stdout


def test_the_list_says_what_is_in_force_who_signed_and_what_is_open(
    box: Toolbox, baton: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(box)

    monkeypatch.setenv("COLUMNS", "110")
    said = " ".join(baton("list").stdout.split())

    assert "b2b-saas@1 │ from 2026-01-01 │ marketing: Mina Okoro │ in force now │ 0" in said
    assert "b2b-saas@2 │ from 2027-03-01 │ marketing: not yet │ not in force │ 0" in said
    assert "deployed 2027-02-01" in said


def test_a_message_that_was_lost_is_sent_again_with_the_same_code(box: Toolbox, baton: Callable[..., Result], inbox: Inbox) -> None:
    publish(box)
    baton("send-for-signature", "b2b-saas@2")
    again = baton("send-for-signature", "b2b-saas@2", "--again")

    assert again.exit_code == 0
    codes = [the(re.search(r"Your code: (\d{6})", mail.text))[1] for mail in inbox.messages()]
    assert len(codes) == 4
    assert codes[:2] == codes[2:]
    assert codes[0] != codes[1]


def test_a_signature_is_withdrawn_at_the_command_line_and_the_signers_are_told_why(box: Toolbox, baton: Callable[..., Result]) -> None:
    publish(box)
    baton("sign", "b2b-saas@2", "--as", "sales", "--on-behalf", "Cleo Roth")
    done = baton("withdraw-signature", "b2b-saas@2", "--as", "sales", "--reason", "signed by mistake")
    twice = baton("withdraw-signature", "b2b-saas@2", "--as", "sales", "--reason", "signed by mistake")

    assert (done.exit_code, twice.exit_code) == (0, 1)
    assert "The signature for sales under b2b-saas@2 is withdrawn." in done.stdout
    assert "is not signed for sales: there is nothing to withdraw." in twice.output
    told = box.read_now(lambda session, now: list(session.exec(select(Delivery).where(Delivery.message == "signature-told"))))
    assert [(row.person, row.context["why"]) for row in told] == [
        ("cmo@northgate.example", ""),
        ("cro@northgate.example", ""),
        ("cmo@northgate.example", "signed by mistake"),
        ("cro@northgate.example", "signed by mistake"),
    ]
