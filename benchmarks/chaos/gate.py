"""A gate before a receiver: a separate port that can be shut, answer that it is busy, or lose the receiver's answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from benchmarks.chaos.plan import BUSY, LOSE_ANSWERS, SHUT

OPEN = "open"
CHUNK = 65_536


class Gate:
    """Passes traffic on to a port of this machine, as its mood says.

    busy: the gate's answer in the busy mood, before it hangs up. taken: the beginning of the receiver's answer that accepts a
    message. In the mood that loses answers, the gate breaks the connection instead of passing that answer on.
    """

    def __init__(self, target_port: int, *, busy: bytes, taken: bytes) -> None:
        self.port = 0
        self.refused = self.lost = 0
        self._target, self._busy, self._taken = target_port, busy, taken
        self._mood = OPEN
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gate", daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._do(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def become(self, mood: str) -> None:
        """Change the mood, from any thread. Open connections break, except in the mood that loses answers."""
        self._do(self._change(mood))

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result()

    async def _change(self, mood: str) -> None:
        self._mood = mood
        if mood in (SHUT, BUSY):
            await self._shut()
        if mood != SHUT and self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._mood == BUSY:
                self.refused += 1
                writer.write(self._busy)
                await writer.drain()
                return
            await self._pass_on(reader, writer)
        except OSError:
            return
        finally:
            await _closed(writer)
            self._writers.discard(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        there = asyncio.create_task(self._copy(reader, far_writer))
        back = asyncio.create_task(self._copy(far_reader, writer, answers=True))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (there, back):
                task.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await task
            await _closed(far_writer)

    async def _copy(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, answers: bool = False) -> None:
        while chunk := await source.read(CHUNK):
            if answers and self._mood == LOSE_ANSWERS and chunk.startswith(self._taken):
                self.lost += 1
                to.transport.abort()
                return
            to.write(chunk)
            await to.drain()


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection and wait until its socket is gone."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
