"""Calendars as people's programs write them, and a small server that shows them on a real socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def ics(*events: str, head: str = "") -> bytes:
    """Return a calendar with these events, each as the lines between BEGIN and END. head: lines in front of them."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN", *head.split()]
    for number, event in enumerate(events):
        said = event.split("\n")
        uid = [] if any(line.startswith("UID:") for line in said) else [f"UID:{number}"]
        lines += ["BEGIN:VEVENT", *uid, *(line.strip() for line in said), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def day(first: str, end: str = "", *more: str) -> str:
    """Return an event of whole days: dates as 20270301; end: the first day after it."""
    ends = [f"DTEND;VALUE=DATE:{end}"] if end else []
    return "\n".join([f"DTSTART;VALUE=DATE:{first}", *ends, *more])


def timed(start: str, end: str, *more: str, zone: str = "") -> str:
    """Return an event with times: as 20270301T090000Z, or local in the zone."""
    of = f";TZID={zone}" if zone else ""
    return "\n".join([f"DTSTART{of}:{start}", f"DTEND{of}:{end}", *more])


class CalendarServer:
    """Shows calendars by path. shown: path -> content, or what answers the request; asked: the requests so far, with their headers."""

    def __init__(self) -> None:
        self.shown: dict[str, bytes | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        self.asked.append((request.path, {name.lower(): value for name, value in request.headers.items()}))
        shown = self.shown.get(request.path)
        if callable(shown):
            shown(request)
        elif shown is None:
            status(404)(request)
        else:
            status(200, shown, etag=f'"{hash(shown)}"')(request)


def status(code: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return what answers with this status. headers: an underscore is a hyphen."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        if code == 200 and headers.get("etag") and request.headers.get("If-None-Match") == headers["etag"]:
            request.send_response(304)
            request.end_headers()
            return
        request.send_response(code)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


@contextmanager
def calendar_server() -> Iterator[CalendarServer]:
    """Run a server for calendars on this machine."""
    shown = CalendarServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - as the server calls it
            shown.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Keep tests quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    shown.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield shown
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
