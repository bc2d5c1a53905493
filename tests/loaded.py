"""Runs the tests that a slow machine could upset, on one core beside two loops that never rest: `make test-loaded`.

They deal with processes, sockets, locks or the real clock. What passes here does not depend on how fast the machine is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

FILES = """
tests/app/test_clock.py tests/app/test_clock_repair.py tests/app/test_slack_hook.py tests/app/test_site.py
tests/notifications/channels/test_chat.py tests/notifications/channels/test_email.py tests/notifications/channels/test_email_faults.py
tests/notifications/test_circuit_breaker.py tests/notifications/channels/test_webhook.py
tests/storage/test_database.py tests/storage/test_migrations.py
tests/tasks/signing/test_requests.py tests/tasks/messages/test_mail_that_fails.py tests/tasks/background/test_personal_outbox.py
""".split()
LOOPS = 2
#: It looks now and then whether we are still there: whatever ends us, a loop ends too.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(10**6): pass\n"


@contextmanager
def busy_core() -> Iterator[None]:
    """This process and all it starts has one core from now on, and shares it with the loops until the block ends."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(LOOPS)]
    try:
        yield
        assert [loop.poll() for loop in loops] == [None] * LOOPS, "a loop has ended by itself, so the core was not busy"
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def main() -> int:
    """How the tests ended: 0 when all passed. Whatever stands on the command line goes to pytest."""
    with busy_core():
        return subprocess.run([sys.executable, "-m", "pytest", "-m", "not long", *FILES, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
