"""Starts the Prefect server of the embedded stack, with garbage collection in its own thread.

On SQLite a collection on the event loop's thread can free a cursor of a connection that another thread is waiting in. The loop
then waits for that connection, and the connection waits for a lock that only the loop can give back. Everything stands still
until the busy timeout of sixty seconds. In its own thread only the collection waits. Nothing in Prefect is changed.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time

from tasks.wiring import secret_files

YOUNG_SECONDS, FULL_EVERY = 2.0, 15
#: No collection below this number of new objects: a server at rest need not look for garbage.
FEW_OBJECTS = 20_000


def collect_beside() -> None:
    """Collect young garbage every two seconds where there may be much, and all garbage every half minute, for ever.

    Objects that exist half a minute after the start stay for good and are not looked at again.
    """
    rounds, frozen = 0, False
    while True:
        time.sleep(YOUNG_SECONDS)
        rounds += 1
        if rounds % FULL_EVERY == 0:
            gc.collect()
            if not frozen:
                gc.freeze()
                frozen = True
        elif gc.get_count()[0] > FEW_OBJECTS:
            gc.collect(1)


def main() -> None:
    """Run `prefect server start` with the given words."""
    os.umask(secret_files.UMASK)
    gc.disable()
    threading.Thread(target=collect_beside, name="garbage", daemon=True).start()
    from prefect.cli import app

    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    app()


if __name__ == "__main__":
    main()
