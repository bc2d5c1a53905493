"""What a newcomer does when the short demo's week is over: opens the start page, becomes each of the people, and answers as the rep."""

from __future__ import annotations

import html
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.demo.browser import Page, Visitor
from app.demo.waiting import KINDS
from tests.patience import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.timeout(1800)]
_HEADINGS = {
    "hot": "Do you take this lead?",
    "decision": "What becomes of this lead?",
    "note": "What is still missing in the note",
    "dispute": "Does it stand?",
    "signature": "Your signature",
}


@dataclass(frozen=True)
class Demo:
    """A demo that stays open. said: what it printed until then; report: what it wrote down."""

    process: subprocess.Popen[str]
    said: str
    report: dict[str, Any]

    def card(self, kind: str) -> str:
        """That section of the start page, as it was sent."""
        page = httpx.get(self.report["start_page"], trust_env=False, timeout=PATIENCE_SECONDS)
        found = re.search(rf'<section class="card role" id="{kind}">(.*?)</section>', page.text, re.DOTALL)
        assert found is not None, page.text
        return found[1]

    def links(self, kind: str) -> list[str]:
        """Where that section leads: a message and a page, as often as there are signatures."""
        return [html.unescape(link) for link in re.findall(r'href="([^"]+)"', self.card(kind))]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("visited")
    command = [sys.executable, "-m", "app.cli", "demo", "--quick", "--home", str(folder / "demo"), "--report", str(folder / "out.json")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    try:
        assert process.poll() is None, "".join(lines)[-3000:]
        yield Demo(process, "".join(lines), json.loads((folder / "out.json").read_text()))
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
    assert process.returncode == 0, rest[-3000:]


def code_beside(link: str, message: Page) -> str:
    """The digits that the message gives right after this link."""
    found = re.search(rf"{re.escape(link)}\s\D*(\d{{4,6}})\b", message.text)
    assert found is not None, message.text
    return found[1]


def test_it_says_how_long_it_takes_where_to_look_and_how_it_ends(demo: Demo) -> None:
    assert "on two idle cores" in demo.said.splitlines()[0]
    assert re.search(r"Mon 01 Feb .*left\)", " ".join(demo.said.split()))
    assert demo.report["start_page"] in demo.said


def test_five_wait_and_nothing_went_wrong_on_the_way(demo: Demo) -> None:
    wrong = ("unaccounted", "messages_repeated", "tracebacks", "server_errors")

    assert list(demo.report["waiting"]) == list(KINDS)
    assert {name: demo.report[name] for name in wrong} == dict.fromkeys(wrong, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_role_has_a_message_with_a_code_and_a_page_that_asks_for_its_answer(demo: Demo, kind: str) -> None:
    with Visitor() as visitor:
        links = demo.links(kind)
        for address, link in zip(links[::2], links[1::2], strict=True):
            message, page = visitor.open(address), visitor.open(link)

            assert code_beside(link, message)
            assert _HEADINGS[kind] in page.text


def test_a_visitor_takes_the_hot_lead_and_may_take_that_back(demo: Demo) -> None:
    address, link = demo.links("hot")
    with Visitor() as visitor:
        page = visitor.open(link)
        form = page.form_with("choice")
        assert form is not None
        page = visitor.submit(page, form, choice="accepted")
        asked = page.form_with("number")
        if asked is not None:
            page = visitor.submit(page, asked, number=code_beside(link, visitor.open(address)))

        assert page.form_with("answer_id") is not None, page.text
        until(lambda: "Done. Ana Silva accepted" in demo.card("hot"))
