"""The page for newcomers, walked through as it stands: every command of docs/getting-started.md, and every message in the inbox."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.browser import Page, Visitor
from app.stack import free_port
from tests.conftest import ROOT
from tests.patience import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.timeout(1800)]
PAGE = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
#: What the page runs first, and what a reader without a mail server leaves out.
START, MAIL = "baton up --inbox", "BATON_SMTP_URL"


def commands(section: int) -> list[str]:
    """The blocks of commands in that section of the page, as they stand."""
    text = PAGE.split("\n## ")[section]
    return [block for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) if MAIL not in block]


@dataclass
class Newcomer:
    """Somebody at a terminal in a folder of their own.

    ports: what the page says instead of the ports that are used here. exported: what this terminal has exported so far.
    """

    folder: Path
    environment: dict[str, str]
    ports: dict[str, int]
    inbox: str = ""
    seen: list[int] = field(default_factory=list)
    exported: str = ""

    def run(self, block: str, *, expect: int = 0) -> str:
        """Type a block of commands; each must end well. Returns what they print."""
        for told, port in self.ports.items():
            block = block.replace(told, f"127.0.0.1:{port}")
        block = block.replace("source .venv/bin/activate", "true")
        shell = ["bash", "-e", "-o", "pipefail", "-c", self.exported + block]
        done = subprocess.run(
            shell, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        assert done.returncode == expect, f"{block}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        self.exported += "".join(f"{line}\n" for line in block.splitlines() if line.startswith("export ") and "$(" not in line)
        return done.stdout

    def mail(self, subject: str) -> dict[str, Any]:
        """Wait for a message that was not read yet, and read it."""

        def arrived() -> dict[str, Any] | None:
            found = httpx.get(f"{self.inbox}/messages.json", trust_env=False, timeout=PATIENCE_SECONDS).json()
            return next((one for one in found if subject in one["subject"] and one["number"] not in self.seen), None)

        one = until(arrived, every_seconds=0.2)
        assert one is not None
        self.seen.append(one["number"])
        return one


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    """A newcomer whose parts run, in an environment that says nothing of Baton or Prefect."""
    page, prefect, web, smtp = (free_port() for _ in range(4))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BATON_", "_BATON"))}
    path = f"{sysconfig.get_path('scripts')}:{kept['PATH']}"
    settings = {"BATON_WEB_PORT": str(web), "BATON_WEB_URL": f"http://127.0.0.1:{web}", "BATON_SMTP_URL": f"smtp://127.0.0.1:{smtp}"}
    environment = {**kept, **settings, "HOME": str(tmp_path), "PATH": path, "PYTHONPATH": str(ROOT)}
    for name in ("examples", "agreements"):
        (tmp_path / name).symlink_to(ROOT / name)
    person = Newcomer(tmp_path, environment, {"127.0.0.1:4200": prefect, "127.0.0.1:8787": web}, f"http://127.0.0.1:{page}")
    assert any(line.startswith(START) for line in commands(1)[0].splitlines())
    words = [*START.split()[1:], "--inbox-port", str(page), "--prefect-port", str(prefect)]
    with (tmp_path / "up.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "app.cli", *words], cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        until(lambda: "Logs " in (tmp_path / "up.log").read_text() or process.poll() is not None, every_seconds=0.2)
        assert process.poll() is None, (tmp_path / "up.log").read_text()
        yield person
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0, (tmp_path / "up.log").read_text()


def code_of(mail: dict[str, Any]) -> str:
    found = re.search(r"Your code: (\d+)", mail["text"])
    assert found, mail["text"]
    return found[1]


def sign(person: Newcomer, party: str, name: str, reference: str) -> None:
    mail = person.mail(f"Please sign for {party}: {reference}")
    with Visitor() as visitor:
        page = visitor.open(next(link for link in mail["links"] if "/sign/" in link))
        form = page.form_with("code")
        assert form is not None, page.text
        signed = visitor.submit(page, form, name=name, code=code_of(mail), choice=form.choices["choice"][0])
    assert f"{name} has signed {reference} for {party}" in signed.text


def accept(person: Newcomer) -> Page:
    mail = person.mail("New lead: Example Freight")
    with Visitor() as visitor:
        page = visitor.open(mail["links"][0])
        form = page.form_with("choice")
        assert form is not None, page.text
        held = visitor.submit(page, form, choice="accepted")
        number = held.form_with("number")
        assert number is not None, held.text
        return visitor.submit(held, number, number=code_of(mail))


def test_every_command_of_the_page_for_newcomers_does_what_the_page_says(newcomer: Newcomer) -> None:
    agree, on_behalf, deploy = commands(2)
    assert "was asked" in newcomer.run(agree)
    sign(newcomer, "marketing", "Mina Okoro", "my-agreement@1")
    sign(newcomer, "sales", "Maria Keller", "my-agreement@1")
    newcomer.run(deploy)

    key, send = commands(3)
    assert '"result":"new"' in newcomer.run(key + send)
    assert "You accepted." in accept(newcomer).text
    until(lambda: "accepted, owner Ana Silva" in newcomer.run("baton leads show 1"), every_seconds=1)
    assert "leads 1 = 1 accepted" in newcomer.run("baton leads list; baton verify")

    (newcomer.folder / "my-agreement.yaml").write_text(
        (newcomer.folder / "my-agreement.yaml").read_text().replace("version: 1", "version: 2").replace("total: 50", "total: 60")
    )
    (change,) = commands(5)
    before, publish, after = change.partition("baton agreement publish")
    assert "Points needed to qualify: 50 -> 60" in newcomer.run(before)
    assert "<html" in (newcomer.folder / "trial.html").read_text()
    newcomer.run("baton agreement publish my-agreement.yaml", expect=1)  # the page: a later day than the first version's
    (newcomer.folder / "my-agreement.yaml").write_text(
        (newcomer.folder / "my-agreement.yaml").read_text().replace("from: 2026-01-01", "from: 2026-03-01")
    )
    send_out, last, nothing = (publish + after).partition("baton agreement deploy my-agreement@2")
    assert not nothing.strip()
    newcomer.run(send_out)
    newcomer.run(on_behalf.replace("@1", "@2"))
    assert "my-agreement-v2" in newcomer.run(last)
    assert newcomer.run("baton verify").startswith("leads 1 = 1 accepted")
