"""A local inbox: receives every e-mail over SMTP, keeps it on disk and shows it on a web page."""

from __future__ import annotations

import contextlib
import socket
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import Envelope

from app.demo.inbox.message import Received, addresses, links, received_from
from app.demo.inbox.pages import PageServer, pages
from app.demo.inbox.smtp import MailServer

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class Inbox:
    """A mail server for trying Baton out: it delivers nothing and shows everything.

    An e-mail gets the answer 250 only when its .eml file is in ``folder``, which is created if missing. Files of earlier runs
    stay and are never overwritten; ``list_earlier`` lists them too, as of the time at which they were written. ``now`` gives
    the time as an aware datetime and is called from the SMTP thread; pages show times in its zone. Port 0 picks a free port
    at the first start and keeps it from then on.
    """

    def __init__(
        self,
        *,
        folder: Path,
        now: Callable[[], datetime],
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        http_port: int = 0,
        list_earlier: bool = False,
    ) -> None:
        self._host = host
        self._smtp_port = smtp_port
        self._http_port = http_port
        self._folder = folder
        self._now = now
        self._list_earlier = list_earlier
        self._last_file = 0
        #: The page that the visitor came from; every page links back to it. Empty for no link.
        self.start_page = ""
        # Only appended to, and only by the SMTP thread: readers need no lock.
        self._messages: list[Received] = []
        self._running: ExitStack | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def smtp_port(self) -> int:
        """The port that receives e-mails; 0 before the first start if a free one is to be picked."""
        return self._smtp_port

    @property
    def http_port(self) -> int:
        """The port of the web page; 0 before the first start if a free one is to be picked."""
        return self._http_port

    @property
    def url(self) -> str:
        """Address of the list of messages, without a slash at the end."""
        host = _reachable(self._host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._http_port}"

    @property
    def last_number(self) -> int:
        """Number of the newest message, 0 if there is none; never waits."""
        return self._messages[-1].number if self._messages else 0

    def start(self) -> None:
        """Return when both ports answer; OSError if one is taken, ValueError if ``now`` is not aware."""
        if self._running is not None:
            raise RuntimeError("the inbox is already running")
        if self._now().tzinfo is None:
            raise ValueError("the inbox needs an aware demo time")
        self._folder.mkdir(parents=True, exist_ok=True)
        earlier = _numbered(self._folder)
        self._last_file = max(self._last_file, *earlier, 0)
        if self._list_earlier and not self._messages:
            self._messages.extend(self._read_again(number, earlier[number]) for number in sorted(earlier))
        with ExitStack() as opened:
            self._open(opened)
            self._running = opened.pop_all()

    def stop(self) -> None:
        """Hang up, free both ports and end both threads; messages stay readable. May be called twice."""
        running, self._running = self._running, None
        if running is not None:
            running.close()

    def messages(self, to: str | None = None, after: int = 0) -> list[Received]:
        """Return messages numbered above ``after``, oldest first; for ``to`` only those with that recipient.

        Case in ``to`` does not matter. May be called from any thread. Takes no lock and looks only at messages newer than
        ``after``, so frequent polling is fine.
        """
        start = bisect_right(self._messages, after, key=lambda message: message.number)
        newer = self._messages[start:]
        if to is None:
            return newer
        wanted = to.casefold()
        return [m for m in newer if wanted in (recipient.casefold() for recipient in m.recipients)]

    def repeated_keys(self) -> dict[str, int]:
        """Return the keys that reached the same recipient in two messages or more, with the number of messages.

        Of several such recipients the highest number counts. Messages without a key are left out.
        """
        seen = Counter(
            (message.key, recipient)
            for message in self.messages()
            if message.key
            for recipient in {recipient.casefold() for recipient in message.recipients}
        )
        repeated: dict[str, int] = {}
        for (key, _), times in seen.items():
            if times > 1:
                repeated[key] = max(times, repeated.get(key, 0))
        return repeated

    @staticmethod
    def links(received: Received) -> list[str]:
        """Return all http and https links, those of the text part before those of the HTML part, each once."""
        return links(received)

    def _open(self, opened: ExitStack) -> None:
        smtp = opened.enter_context(_listener(self._host, self._smtp_port))
        http = opened.enter_context(_listener(self._host, self._http_port))
        mail_server = MailServer(self._keep, smtp, _reachable(self._host))
        opened.callback(mail_server.close)
        mail_server.start()
        page_server = PageServer(pages(self, lambda: self.start_page), http)
        opened.callback(page_server.stop)
        page_server.start()
        self._smtp_port, self._http_port = smtp.getsockname()[1], http.getsockname()[1]

    def _read_again(self, number: int, path: Path) -> Received:
        """Return a message of an earlier run. Its envelope is gone, so that its headers say who sent it and who got it."""
        raw = path.read_bytes()
        written = datetime.fromtimestamp(path.stat().st_mtime, self._now().tzinfo)
        sender, recipients = addresses(raw)
        return received_from(raw, number=number, at=written, sender=sender, recipients=recipients, path=path)

    def _keep(self, envelope: Envelope) -> None:
        raw = envelope.original_content or b""
        at = self._now()
        self._last_file += 1
        number = self._last_file
        path = self._folder / f"{number:05}.eml"
        _write_new(path, raw)
        sender, recipients = envelope.mail_from or "", list(envelope.rcpt_tos)
        self._messages.append(received_from(raw, number=number, at=at, sender=sender, recipients=recipients, path=path))


def _numbered(folder: Path) -> dict[int, Path]:
    return {int(eml.stem): eml for eml in folder.glob("*.eml") if eml.stem.isdecimal()}


def _listener(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def _reachable(host: str) -> str:
    return _WILDCARDS.get(host, host)


def _write_new(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
