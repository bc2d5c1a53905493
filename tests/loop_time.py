"""The time of an event loop, moved ahead: what waits in it is given up at once, and no test waits as well."""

from __future__ import annotations

import asyncio


def leap(seconds: float) -> None:
    """From now on the running loop's clock is so much further."""
    loop = asyncio.get_running_loop()
    ahead = loop.time() - type(loop).time(loop) + seconds
    loop.time = lambda: type(loop).time(loop) + ahead  # type: ignore[method-assign]


async def until_given_up(reader: asyncio.StreamReader) -> None:
    """Says nothing to a client of the same loop, and lets time fly, until it has hung up; what it still says is thrown away."""
    hung_up = asyncio.create_task(reader.read())
    while not hung_up.done():
        leap(3600)
        await asyncio.sleep(0)
    await hung_up
