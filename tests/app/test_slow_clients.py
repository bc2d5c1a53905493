"""Clients that send slowly, or more than they may: they are told so and cut off, over real connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
import uvicorn

from app.web.site import create_site
from app.web.slowness import configured
from storage.keys import Scope
from storage.tables import Answer, Lead
from tests.app.stage import Stage, stage
from tests.examples import spread
from tests.patience import PATIENCE_SECONDS, until

SECONDS = 0.3


@contextmanager
def served(folder: Path, seconds: float) -> Iterator[Stage]:
    """A company whose site is served as `baton web` does, and waits so long for requests."""
    with stage(folder, request_seconds=seconds) as running, socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(configured(create_site(running.box), seconds=seconds, trusted_proxies="127.0.0.1", stop_seconds=1))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        until(lambda: server.started)
        running.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            yield running
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Its site does not wait long."""
    with served(Path(tmp_path_factory.mktemp("hasty")), SECONDS) as running:
        yield running


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Stage]:
    """Its site waits as long as a test may take."""
    with served(tmp_path, PATIENCE_SECONDS) as running:
        yield running


def a_key(company: Stage, path: str) -> str:
    """The header with a new key for that door."""
    scope = Scope.DSN if path == "/hooks/dsn" else Scope.INTAKE
    return f"Authorization: Bearer {company.key(uuid4().hex, scope)}"


def connected(company: Stage) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(company.url.rpartition(":")[2])), timeout=PATIENCE_SECONDS)


def said(line: socket.socket) -> bytes:
    """All that is said until the other side closes the connection."""
    parts = []
    while part := line.recv(65536):
        parts.append(part)
    return b"".join(parts)


def request(path: str, *headers: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


PATHS = ["link", "link/number", "link/undo", "/me/code", "/hooks/dsn", "/api/leads"]


@pytest.mark.parametrize("path", spread(PATHS, one_in=2))
@pytest.mark.parametrize("body", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_waited_for_so_long_and_no_longer(company: Stage, path: str, body: str) -> None:
    kind = {"/api/leads": "application/json", "/hooks/dsn": "message/rfc822"}.get(path, "application/x-www-form-urlencoded")
    with connected(company) as line:
        line.sendall(request(path.replace("link", company.link), a_key(company, path), f"Content-Type: {kind}", body))

        answer = said(line)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Please send it again." in answer
    assert (company.rows(Answer), len(company.rows(Lead))) == ([], 1)


def test_a_body_that_comes_byte_by_byte_has_no_longer(company: Stage) -> None:
    stop = threading.Event()
    with connected(company) as line:
        line.sendall(request(company.link, "Content-Length: 60000"))
        thread = threading.Thread(target=dribble, args=(line, stop))
        thread.start()
        try:
            assert line.recv(65536).startswith(b"HTTP/1.1 408 ")
        finally:
            stop.set()
            thread.join()


def dribble(line: socket.socket, stop: threading.Event) -> None:
    """Sends a byte now and then until that is not possible any more."""
    while not stop.wait(SECONDS / 10):
        try:
            line.send(b"x")
        except OSError:
            return


def test_headers_that_come_byte_by_byte_are_cut_off(company: Stage) -> None:
    stop = threading.Event()
    with connected(company) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: ")
        thread = threading.Thread(target=dribble, args=(line, stop))
        thread.start()
        try:
            assert line.recv(65536).startswith(b"HTTP/1.1 408 ")
        finally:
            stop.set()
            thread.join()


def test_a_connection_on_which_nothing_is_asked_is_closed(company: Stage) -> None:
    with connected(company) as line:
        assert said(line) == b""


def test_a_connection_that_was_used_is_closed_when_nothing_more_is_asked(company: Stage) -> None:
    with connected(company) as line:
        line.sendall(request("/healthz", method="GET") * 3)

        assert said(line).count(b"HTTP/1.1 200 ") == 3


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000, b"GET /" + b"x" * 200_000, b"\x16\x03\x01\x02" * 50])
def test_headers_without_end_are_refused(patient: Stage, sent: bytes) -> None:
    with connected(patient) as line:
        line.sendall(sent)
        with suppress(ConnectionResetError):  # closed while there was more on its way
            assert said(line).startswith(b"HTTP/1.1 4")

    with connected(patient) as line:
        line.sendall(request("/healthz", "Connection: close", method="GET"))
        assert said(line).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("path", spread(["link", "/me/code", "/api/leads", "/hooks/dsn", "/d/link"], one_in=2))
def test_a_body_that_is_too_large_is_refused_before_it_has_come(patient: Stage, path: str, kind: str) -> None:
    """In pieces, none of which says how much follows; the last one never comes."""
    if path in ("/api/leads", "/hooks/dsn"):
        kind = {"/api/leads": "application/json", "/hooks/dsn": "message/rfc822"}[path]
    token = patient.link.removeprefix("/l/")
    with connected(patient) as line:
        place = {"link": patient.link, "/d/link": f"/d/{token}"}.get(path, path)
        line.sendall(request(place, a_key(patient, place), f"Content-Type: {kind}", "Transfer-Encoding: chunked"))
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(200):
            try:
                line.sendall(piece)
            except OSError:
                break
        try:
            answer = line.recv(65536)
        except ConnectionResetError:
            pytest.fail("the answer was lost")

    assert answer.startswith(b"HTTP/1.1 413 ")
