"""A mail server and a chat room in a separate process. They note when each message arrives.

As a program: python -m benchmarks.receivers FOLDER. It prints its two ports and serves until it is stopped.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.smtp import Envelope
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from app.demo.inbox.pages import PageServer
from app.demo.inbox.smtp import MailServer

ARRIVALS = "arrivals.jsonl"
_KEY = re.compile(rb"^X-Baton-Key:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that arrived. at: seconds of the monotonic clock, which all processes of the machine share."""

    at: float
    channel: str
    key: str

    @property
    def message(self) -> str:
        """Return the kind of message, from its key `assignment:message:channel`."""
        return self.key.split(":")[1] if ":" in self.key else ""


@dataclass
class Receivers:
    """The receiving process, and the messages that have arrived there so far."""

    process: subprocess.Popen[bytes]
    smtp_port: int
    chat_port: int
    file: Path
    _read: int = 0
    _arrivals: list[Arrival] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings that make Baton send its messages here."""
        return {"BATON_SMTP_URL": f"smtp://127.0.0.1:{self.smtp_port}", "BATON_CHAT_URL": f"json://127.0.0.1:{self.chat_port}/post"}

    def arrivals(self) -> list[Arrival]:
        """Return every message that has arrived, in order. Each call reads only the new part of the file."""
        if self.file.exists():
            with self.file.open("rb") as lines:
                lines.seek(self._read)
                whole = lines.read().rpartition(b"\n")[0]
                self._read += len(whole) + 1 if whole else 0
            self._arrivals += [Arrival(**json.loads(line)) for line in whole.splitlines()]
        return self._arrivals

    def first_told(self) -> dict[str, float]:
        """Return when the first message about each assignment arrived, by the assignment's id."""
        found: dict[str, float] = {}
        for one in self.arrivals():
            if one.message == "assigned":
                found.setdefault(one.key.partition(":")[0], one.at)
        return found


@contextmanager
def receiving(folder: Path) -> Iterator[Receivers]:
    """Start receivers and wait until they answer. Stop them when the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.receivers", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout is not None, "its output is a pipe"
        ports = json.loads(process.stdout.readline())
        yield Receivers(process, ports["smtp"], ports["chat"], folder / ARRIVALS)
    finally:
        process.terminate()
        process.wait(10)


def main(folder: Path) -> None:
    """Receive messages until SIGTERM."""
    lock = threading.Lock()
    with (folder / ARRIVALS).open("ab", buffering=0) as file, _listener() as smtp, _listener() as chat:

        def note(channel: str, key: str) -> None:
            line = json.dumps({"at": time.monotonic(), "channel": channel, "key": key}) + "\n"
            with lock:
                file.write(line.encode())

        mail = MailServer(lambda envelope: note("email", _key_of(envelope)), smtp, "127.0.0.1")
        pages = PageServer(_room(note), chat)
        mail.start()
        pages.start()
        print(json.dumps({"smtp": smtp.getsockname()[1], "chat": chat.getsockname()[1]}), flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
        mail.close()
        pages.stop()


def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=512)


def _key_of(envelope: Envelope) -> str:
    found = _KEY.search(envelope.original_content or b"")
    return found[1].decode(errors="replace") if found else ""


def _room(note: Callable[[str, str], None]) -> FastAPI:
    room = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @room.post("/post")
    async def post(request: Request) -> Response:
        await request.body()
        note("chat", request.headers.get("x-baton-key", ""))
        return JSONResponse({"ok": True})

    return room


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(Path(sys.argv[1]))
