"""What holds for every page of the site: its log, its faults, its address, and how serving ends."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.stage import FIREFOX, Stage, form_of, log_lines, stage
from tests.patience import PATIENCE_SECONDS, until


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


@pytest.fixture
def rep(company: Stage) -> httpx.Client:
    """A browser that has never been here: the number from the message is asked for once."""
    return company.browser(headers=FIREFOX)


class TestTheLog:
    @pytest.fixture(autouse=True)
    def _at_info(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "baton.web.access")

    def test_one_line_a_request_that_does_not_give_the_link_away(self, company: Stage, rep: httpx.Client, caplog: Any) -> None:
        rep.get(company.link)
        rep.post(company.link + "/undo?x=1", headers={"user-agent": "a\tb"})
        first, second = log_lines(caplog, 2)
        assert first.pop("milliseconds") > 0
        assert first == {
            "method": "GET",
            "path": company.link[: len("/l/") + 8],
            "status": 200,
            "user_agent": FIREFOX["user-agent"],
            "has_cookie": False,
        }
        assert (second["path"], second["status"], second["has_cookie"]) == (company.link[:11] + "/undo", 403, True)
        token = company.link.removeprefix("/l/")
        assert not any(token in json.dumps(line) for line in (first, second))

    def test_a_fault_is_a_plain_page_with_a_number_and_one_traceback(
        self, company: Stage, rep: httpx.Client, caplog: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(company.box, "time", None)
        page = rep.get(company.link)
        assert page.status_code == 500
        assert page.headers["cache-control"] == "no-store"
        (fault,) = [record for record in caplog.records if record.exc_info]
        (reference,) = re.findall(r"whoever runs Baton: (\w+)", page.text)
        assert reference in fault.getMessage()
        assert "NoneType" not in page.text
        assert [line["status"] for line in log_lines(caplog, 1)] == [500]
        assert rep.post("/api/leads", headers={"authorization": "Bearer x"}).json().keys() == {"error", "reference"}

    def test_a_database_that_does_not_answer_is_not_healthy(self, company: Stage, rep: httpx.Client, tmp_path: Path) -> None:
        company.box.database.close()
        (tmp_path / "baton.db").write_bytes(b"no database" * 1000)
        assert rep.get("/healthz").status_code == 503


def test_a_site_behind_another_address_stays_there(tmp_path: Path) -> None:
    with stage(tmp_path, web_url="https://northgate.example/baton") as company:
        rep = company.browser()
        page = rep.get(company.link)  # an address with the folder, as some proxies pass it on
        assert company.link.startswith("/baton/l/")
        assert page.status_code == 200
        assert "secure" in page.headers["set-cookie"].lower()
        bare = company.link.removeprefix("/baton")
        assert rep.get(bare).status_code == 200
        cookie = {"cookie": page.headers["set-cookie"].partition(";")[0]}
        action, hidden = form_of(page)
        assert action == company.link
        answer = rep.post(bare, data={**hidden, "choice": "accepted"}, headers=cookie, follow_redirects=False)
        assert answer.headers["location"] == f"{company.link}?held=1"
        held = rep.get(bare, headers=cookie)
        action, hidden = form_of(held)
        assert action == f"{company.link}/number"
        number = company.box.links.number(company.link.rpartition("/")[2])
        answer = rep.post(f"{bare}/number", data={**hidden, "number": number}, headers=cookie, follow_redirects=False)
        assert answer.headers["location"] == f"{company.link}?done=1"
        assert 'href="/baton/api/docs"' in rep.get("/").text


def test_somebody_who_hangs_up_leaves_a_line_and_no_traceback(company: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "baton.web.access")
    address = httpx.URL(company.url)
    with socket.create_connection((address.host, address.port or 0)) as line:
        line.sendall(f"POST {company.link} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nchoice=".encode())
    assert [line["status"] for line in log_lines(caplog, 1)] == [499]
    assert not [record for record in caplog.records if record.exc_info]


def test_serving_ends_at_a_signal_and_goes_on_after_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = (
        "import signal; from app.web.site import serve; from tasks.wiring.toolbox import wire;"
        f"serve(wire(), '127.0.0.1', {port}); print('ended', signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
    )
    environment = {**os.environ, "BATON_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment) as serving:

        def ask(path: str) -> int:
            with suppress(httpx.ConnectError):
                return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=PATIENCE_SECONDS).status_code
            return 0

        until(lambda: ask("/") or serving.poll() is not None)
        assert (ask("/"), ask("/healthz")) == (200, 503), "it serves, and there are no tables yet"
        serving.send_signal(signal.SIGTERM)
        assert serving.communicate(timeout=PATIENCE_SECONDS)[0] == "ended True\n"
        assert serving.returncode == 0
