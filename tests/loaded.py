"""Run the tests that a slow machine could break, on one core beside two busy loops: `make test-loaded`.

They use processes, sockets, locks or the real clock. A test that passes here does not depend on the machine's speed.
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
#: A loop checks regularly whether its parent still runs, so that it ends with its parent, however that ends.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(10**6): pass\n"


@contextmanager
def busy_core() -> Iterator[None]:
    """Give this process and its children one core, which they share with the loops until the block ends."""
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
    """Run the tests and return their exit code, 0 if all passed. Command-line arguments go to pytest."""
    with busy_core():
        return subprocess.run([sys.executable, "-m", "pytest", "-m", "not long", *FILES, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
