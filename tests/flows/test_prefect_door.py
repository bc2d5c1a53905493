"""The Prefect API answers who has its log-in, and no page of another address."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import prefect_log_in
from tests.patience import PATIENCE_SECONDS
from tests.prefect_server import prefect_server

pytestmark = [pytest.mark.long, pytest.mark.live]

ELSEWHERE = "https://evil.example"
#: Reads every run, and asks for a new one, as a page of another address can without being asked first.
BLIND = ("/flow_runs/filter", "/flow_runs/", "/deployments/filter", "/variables/")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    with prefect_server(tmp_path_factory.mktemp("door")) as environment:
        yield environment


def ask(server: Mapping[str, str], method: str, path: str, *, log_in: bool = True, **more: Any) -> httpx.Response:
    name, _, password = server["PREFECT_API_AUTH_STRING"].partition(":")
    with httpx.Client(timeout=PATIENCE_SECONDS, auth=(name, password) if log_in else None) as client:
        return client.request(method, server["PREFECT_API_URL"] + path, **more)


@pytest.mark.parametrize("path", BLIND)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None], ids=["plain", "form", "none"])
def test_a_page_elsewhere_posts_in_vain(server: Mapping[str, str], path: str, kind: str | None) -> None:
    headers = {"Origin": ELSEWHERE, **({"Content-Type": kind} if kind else {})}

    answer = ask(server, "POST", path, log_in=False, content=b"{}", headers=headers)

    assert answer.status_code in (401, 403)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", BLIND)
def test_also_in_a_browser_that_is_logged_in(server: Mapping[str, str], path: str) -> None:
    """Where a browser sends the log-in by itself, the token is missing that only a page of this address can read."""
    answer = ask(server, "POST", path, content=b"{}", headers={"Origin": ELSEWHERE, "Content-Type": "text/plain"})

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_elsewhere_is_not_told_that_it_may_ask(server: Mapping[str, str]) -> None:
    asks = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

    answer = ask(server, "OPTIONS", "/flow_runs/filter", log_in=False, headers=asks)

    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


def test_a_name_that_points_here_opens_nothing(server: Mapping[str, str]) -> None:
    """A name of somebody else's that is made to point to this machine has no log-in."""
    read = ask(server, "GET", "/admin/version", log_in=False, headers={"Host": "evil.example"})
    sent = ask(server, "POST", "/flow_runs/filter", log_in=False, json={}, headers={"Host": "evil.example"})

    assert read.status_code == 401
    assert sent.status_code in (401, 403), "without log-in and without the token of a form, whichever is looked at first"


def test_the_own_pages_are_served_and_may_ask(server: Mapping[str, str]) -> None:
    own = server["PREFECT_API_URL"].removesuffix("/api")
    asks = {"Origin": own, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}

    assert httpx.get(own, timeout=PATIENCE_SECONDS, follow_redirects=True).status_code == 200
    assert ask(server, "OPTIONS", "/flow_runs/filter", log_in=False, headers=asks).status_code == 200


def test_who_has_the_log_in_is_answered(server: Mapping[str, str]) -> None:
    assert ask(server, "GET", "/admin/version").status_code == 200
    assert ask(server, "GET", "/admin/version", log_in=False).status_code == 401


def test_the_log_in_is_kept_closed_and_used_by_every_command_of_this_home(server: Mapping[str, str]) -> None:
    file = Path(server["BATON_HOME"]) / prefect_log_in.FILE
    assert file.stat().st_mode & 0o777 == 0o600
    without = {name: value for name, value in server.items() if name not in prefect_log_in.SETTINGS}
    script = (
        "import asyncio\n"
        "from prefect.client.orchestration import get_client\n"
        "from app.named_server import kept_in\n"
        "from pathlib import Path\n"
        "async def ask():\n"
        "    async with get_client() as client:\n"
        "        print(len(await client.read_work_pools()))\n"
        f"with kept_in(Path({server['BATON_HOME']!r})):\n"
        "    asyncio.run(ask())\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=without, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.stdout.strip() == "0", done.stderr
