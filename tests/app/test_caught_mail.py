"""`baton up --inbox`: every e-mail of the installation lands on a page of this machine, or the command says why not."""

from __future__ import annotations

import asyncio
import socket
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest
import typer

from app.commands.parts import caught_mail
from app.stack import free_port
from tasks.wiring.settings import Settings
from tests.patience import PATIENCE_SECONDS


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "baton@localhost", "ana@northgate.example", "New lead"
    message.set_content("A new lead is yours.")
    return message


def test_a_message_to_the_set_port_is_on_the_page_and_stays_there_after_a_restart(tmp_path: Path) -> None:
    smtp = free_port()
    settings = Settings(home=tmp_path, smtp_url=f"smtp://127.0.0.1:{smtp}")

    with caught_mail(settings, free_port()) as page:
        asyncio.run(aiosmtplib.send(mail(), hostname="127.0.0.1", port=smtp, timeout=PATIENCE_SECONDS))
        assert "New lead" in httpx.get(page, trust_env=False, timeout=PATIENCE_SECONDS).text
    with caught_mail(settings, free_port()) as page:
        assert "New lead" in httpx.get(page, trust_env=False, timeout=PATIENCE_SECONDS).text


@pytest.mark.parametrize("taken", ["mail", "page"])
def test_a_port_that_is_taken_is_named_with_a_way_out(tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        used, free = other.getsockname()[1], free_port()
        smtp, page = (used, free) if taken == "mail" else (free, used)
        settings = Settings(home=tmp_path, smtp_url=f"smtp://127.0.0.1:{smtp}")

        with pytest.raises(typer.Exit) as ended, caught_mail(settings, page):
            pass

    told = " ".join(capsys.readouterr().err.split())
    assert ended.value.exit_code == 4
    assert f"--inbox needs the ports {smtp} and {page} of this machine: Address already in use." in told
    assert "choose others with BATON_SMTP_URL and --inbox-port" in told
