"""Services that misbehave, on real sockets: a mail server with the faults that mail servers have, and a chat that often fails."""

from __future__ import annotations

import random
import re
import socketserver
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAULTS = ("greylisted", "unknown mailbox", "accepted, then bounced", "dropped after DATA", "hangs", "hangs after DATA")
_KEY = re.compile(rb"^X-Baton-Key: (\S+)", re.MULTILINE)
_MARK = re.compile(rb"\+(\d+-[a-z2-7]+)@")


@dataclass
class FaultyMail:
    """A mail server that fails for one message in five, and that sometimes takes no connections at all.

    arrived: how often each key came in whole, whatever the server answered. to_bounce: the marks in the return paths of the
    messages that it took and will return.
    """

    share: float = 0.2
    seed: int = 4
    port: int = 0
    arrived: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    to_bounce: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dice, self._lock, self._over = random.Random(self.seed), threading.Lock(), threading.Event()
        self._server: socketserver.ThreadingTCPServer | None = None

    def open(self) -> None:
        """Take connections, always on the same port."""
        mail = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                mail.serve(self)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Ignore the error: a client that goes away is normal here."""

        self._server = Server(("127.0.0.1", self.port), Session)
        self._server.block_on_close = False
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections until `open`. Existing connections end at their next command."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def end(self) -> None:
        """Close the server for good, and release sessions that hang."""
        self._over.set()
        self.close()

    def fault(self) -> str:
        """Draw the fault for this message, empty for none."""
        with self._lock:
            fault = self._dice.choice(FAULTS) if self._dice.random() < self.share else ""
            self.happened[fault or "nothing"] += 1
            return fault

    def serve(self, session: socketserver.StreamRequestHandler) -> None:
        """Talk to one client."""

        def say(answer: str) -> None:
            session.wfile.write(f"{answer}\r\n".encode())

        say("220 mail.test")
        fault, mark, mine = "", "", self._server
        while (line := session.rfile.readline(2000)) and self._server is mine:
            word = line[:4].upper()
            if word == b"MAIL":
                fault, marked = self.fault(), _MARK.search(line)
                mark = marked[1].decode() if marked else ""
            if (word, fault) == (b"MAIL", "hangs"):
                self._over.wait(2)
                return
            refusal = {"greylisted": "451 4.7.1 later", "unknown mailbox": "550 5.1.1 nobody of that name"}.get(fault)
            if word == b"DATA":
                say("354 go on")
                if not self._take(session, fault, mark):
                    return
                say("250 2.0.0 taken")
            elif word == b"QUIT":
                say("221 bye")
                return
            else:
                say(refusal if word == b"RCPT" and refusal else "250 fine")

    def _take(self, session: socketserver.StreamRequestHandler, fault: str, mark: str) -> bool:
        content = b""
        while (line := session.rfile.readline()) and line != b".\r\n":
            content += line
        if not line:
            return False
        found = _KEY.search(content)
        assert found, "every message bears its key"
        key = found[1].decode()
        with self._lock:
            self.arrived[key] += 1
            if fault == "accepted, then bounced":
                self.to_bounce.append(mark)
        if fault == "hangs after DATA":
            self._over.wait(2)
        return not fault.endswith("after DATA")


@dataclass
class FaultyChat:
    """A chat service that refuses one post in five. arrived: how often it took each key."""

    share: float = 0.2
    seed: int = 5
    arrived: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        dice, chat = random.Random(self.seed), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                fails = dice.random() < chat.share
                if not fails:
                    chat.arrived[self.headers["X-Baton-Key"]] += 1
                self.send_response(500 if fails else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self._server.server_address[1]}/room"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        """For good."""
        self._server.shutdown()
        self._server.server_close()
