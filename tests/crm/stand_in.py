"""Start the HubSpot stand-in as a process, and talk to it as the people and the administrator of the account."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.test_architecture import ROOT


class StandIn:
    """A running stand-in. url: where its API is. Each admin action of the server is a method here."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=None)

    def do(self, action: str, **given: Any) -> Any:
        """Carry out an action under /admin, and return its answer."""
        answer = self._client.post(f"/admin/{action}", json=given)
        answer.raise_for_status()
        return answer.json()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


@contextmanager
def running(module: str) -> Iterator[StandIn]:
    """Run this module, which prints the port of its server, until the end of the block."""
    process = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    stand_in = StandIn(f"http://127.0.0.1:{port}")
    try:
        yield stand_in
    finally:
        stand_in.close()
        process.terminate()
        process.wait()
        process.stdout.close()
