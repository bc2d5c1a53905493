"""Starts the Prefect server of the embedded stack, with garbage collected in a thread of its own.

On SQLite a collection on the event loop's thread can free a cursor of a connection that another thread is waiting in; the loop
then waits for that connection, which waits for a lock that only the loop can give back: everything stands still until the
busy timeout of sixty seconds. In a thread of its own the collection waits alone. Nothing of Prefect is changed.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time

from tasks.wiring import secret_files

YOUNG_SECONDS, FULL_EVERY = 2.0, 15
#: So many new objects are left alone: a server at rest need not look for garbage.
FEW_OBJECTS = 20_000


def collect_beside() -> None:
    """Collects young garbage every two seconds where there may be much, and all of it every half minute, for ever.

    What is there half a minute after the start stays for good, and is not looked at again.
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
    """The same as `prefect server start` with the given words."""
    os.umask(secret_files.UMASK)
    gc.disable()
    threading.Thread(target=collect_beside, name="garbage", daemon=True).start()
    from prefect.cli import app

    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    app()


if __name__ == "__main__":
    main()
