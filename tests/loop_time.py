"""Move an event loop's time ahead, so that its timeouts end at once and no test waits for them."""

from __future__ import annotations

import asyncio


def leap(seconds: float) -> None:
    """Move the running loop's clock ahead by this many seconds."""
    loop = asyncio.get_running_loop()
    ahead = loop.time() - type(loop).time(loop) + seconds
    # A loop has no other way to be told the time.
    loop.time = lambda: type(loop).time(loop) + ahead  # type: ignore[method-assign]


async def until_given_up(reader: asyncio.StreamReader) -> None:
    """Send nothing to a client on the same loop and move time ahead until the client hangs up. What it sends is dropped."""
    hung_up = asyncio.create_task(reader.read())
    while not hung_up.done():
        leap(3600)
        await asyncio.sleep(0)
    await hung_up
