"""Queues page requests on their way into the database, so that no visitor waits for a write."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from contextlib import suppress

from storage.database import ROWS_AT_ONCE
from storage.page_requests import PageRequest
from tasks.replies.browsers import keep_requests
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.web")
#: How many requests wait at most in this process; when there are more, the oldest is dropped.
WAITING_AT_MOST = 1_000
#: Seconds between two rounds of writing, unless at least MANY requests wait.
EVERY_SECONDS, MANY = 0.5, 50
#: How many one transaction writes: each may push out an older one.
AT_ONCE = ROWS_AT_ONCE // 2


class SightQueue:
    """Writes page requests soon, each with its own time.

    The delay of half a second hurts nobody. A request says only that a page was asked for, never that somebody answered. An
    answer is stored at once and counts as having seen the page (storage.proof.was_seen), so a form sent from a page
    need not wait until the request for that page is written. Where a deadline passes within that half second, or this process
    is killed in it, the miss is reported as not seen instead of not answered, and the ladder is the same.
    """

    def __init__(self, box: Toolbox, *, waiting_at_most: int = WAITING_AT_MOST) -> None:
        self.box = box
        self._waiting: deque[PageRequest] = deque(maxlen=waiting_at_most)
        self._writing = threading.Lock()
        self._task: asyncio.Task[None] | None = None
        self._many = asyncio.Event()

    def put(self, request: PageRequest) -> None:
        """Queue a request and return at once. Call it in the event loop that serves the pages."""
        if len(self._waiting) == self._waiting.maxlen:
            log.warning("more requests for pages wait to be kept than may; the oldest is dropped")
        self._waiting.append(request)
        if self._task is None or self._task.done():
            self._many = asyncio.Event()
            self._task = asyncio.get_running_loop().create_task(self._write_by_and_by())
        if len(self._waiting) >= MANY:
            self._many.set()

    async def _write_by_and_by(self) -> None:
        """Write the first request at once, and later ones together."""
        while self._waiting:
            self._many.clear()
            await asyncio.to_thread(self.flush)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._many.wait(), EVERY_SECONDS)

    def flush(self) -> None:
        """Write the waiting requests and return when they are written: before the process ends, or in a test. Those that cannot be written
        wait on, as far as there is room."""
        with self._writing:
            while few := self._next():
                try:
                    self.box.write_now(lambda session, now, few=few: keep_requests(session, few))  # type: ignore[misc]
                except Exception as error:
                    log.warning("requests for pages could not be kept yet: %s", type(error).__name__)
                    self._put_back(few)
                    return

    def _next(self) -> list[PageRequest]:
        few: list[PageRequest] = []
        with suppress(IndexError):
            while len(few) < AT_ONCE:
                few.append(self._waiting.popleft())
        return few

    def _put_back(self, few: list[PageRequest]) -> None:
        room = (self._waiting.maxlen or 0) - len(self._waiting)
        newest = few[len(few) - min(room, len(few)) :]
        self._waiting.extendleft(reversed(newest))
