"""A small real HTTP server that keeps what it is told and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

from tests.patience import PATIENCE_SECONDS


@dataclass
class Told:
    """One request: its path, its headers in small letters, its body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers with status, headers and content; hangs up without a word where the status is 0.

    answered_at: the date of its answers, in seconds since 1970; None for the real one.
    """

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b"{}"
    answered_at: float | None = None
    told: list[Told] = field(default_factory=list)

    arrived: Queue[Told] = field(default_factory=Queue)

    def next(self) -> Told:
        """The next request that was not taken yet, awaited where it is still on its way."""
        return self.arrived.get(timeout=PATIENCE_SECONDS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def answer(self, **said: Any) -> None:
        """From now on it answers with this JSON."""
        self.content = json.dumps(said).encode()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = Told(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.told.append(told)
            receiver.arrived.put(told)
            if not receiver.status:
                self.close_connection = True
                return
            self.send_response(receiver.status)
            for name, value in {"Content-Length": str(len(receiver.content)), **receiver.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(receiver.content)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(receiver.answered_at if timestamp is None else timestamp)

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_port
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            serving.join()
