"""A Prefect server alone, for tests that need no other part of the stack."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app import stack


@contextmanager
def prefect_server(folder: Path, **more: str) -> Iterator[Mapping[str, str]]:
    """Start the server in that folder, and return the environment that clients need. more: of the server's environment."""
    port = stack.free_port()
    environment = stack.environment_for(folder, prefect_port=port, web_port=0) | more
    (folder / "prefect").mkdir()
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    part = stack.Part("server", command, folder / "server.log", environment, stack.answers(f"http://127.0.0.1:{port}/api/health"))
    part.start()
    try:
        stack.Stack(folder, environment, f"http://127.0.0.1:{port}", "", {"server": part}).wait_until_ready("server")
        yield environment
    finally:
        part.stop()
