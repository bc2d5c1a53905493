"""The web process looks for alarms where no worker does, and then sends the operator's message itself."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from agreements.alarms import NO_TICK
from storage import worker_beats
from tasks.background import alarms
from tasks.background.personal_outbox import send_personal_messages
from tasks.messages import alarm_message
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.web.alarms")
#: How often the web process asks whether somebody looks, in seconds.
ASK_SECONDS = 60.0


async def watch(box: Toolbox, *, real: datetime) -> int:
    """Look where no worker has looked for long, and send the messages about alarms where no worker lives; return how many.

    Work that is going on is left to the workers, because each message is claimed before it is sent.
    """
    await alarms.look(box, real=real, every=alarms.WITHOUT_WORKERS)
    beats = await box.read(lambda session, now: worker_beats.known(session))
    if any(real - one.ticked_at <= NO_TICK for one in beats):
        return 0
    return await send_personal_messages(box, only=alarm_message.MESSAGE)


@contextmanager
def watching(box: Toolbox) -> Iterator[None]:
    """Watch from a thread of its own until the block ends."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(ASK_SECONDS):
            try:
                asyncio.run(_once(box))
            except Exception as error:
                log.warning("nobody could look for alarms; trying again: %s", type(error).__name__)

    thread = threading.Thread(target=run, name="baton-alarms", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


async def _once(box: Toolbox) -> None:
    await watch(box, real=datetime.now(UTC))
    for channel in {id(one): one for one in box.channels.values()}.values():
        close = getattr(channel, "close", None)  # connections belong to the loop that ends here
        if close is not None:
            await close()
