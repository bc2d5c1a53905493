"""A Prefect server alone, for tests that need no other part of the stack."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from prefect.events.worker import EventsWorker

from app import stack
from tests.patience import PATIENCE_SECONDS


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


async def every_event_is_sent() -> None:
    """Wait until Prefect's own thread has sent the events of this process, and end it: a later test would find its socket open."""
    drained = EventsWorker.drain_all(at_exit=False)
    assert isinstance(drained, Coroutine), "Prefect returns it in a thread with an event loop"
    await asyncio.wait_for(drained, PATIENCE_SECONDS)
    gc.collect()
