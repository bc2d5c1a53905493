"""`baton worker` for live tests. It looks every few seconds for what it otherwise looks for once or twice a minute.

So a test that cancels a run need not wait for half a minute. The demo, the chaos run and the page for newcomers use the worker as it is.
"""

from __future__ import annotations

import sys

from app import cli, clock_parts

COMMAND = [sys.executable, "-m", "tests.eager_worker", "worker", "--timetable", "1"]


def main() -> None:
    """Run Baton's command line with a clock whose slow parts come sooner."""
    clock_parts.RECONCILE_SECONDS = 3.0
    clock_parts.ALARM_SECONDS = 5.0
    cli.main()


if __name__ == "__main__":
    main()
