"""Processes that read Salesforce into Baton's database and are killed while they do.

`python -m tests.crm.reading_process DATABASE HOME SALESFORCE` makes two of them for each line of standard input, side by side. The
line says within which of its transactions the first one is killed, and when it is: an instant with its zone. `Readers` talks to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from agreements.errors import CrmError
from storage.crm.salesforce import SalesforceCrm
from tasks.background.read_crm import read_crm, take_waiting
from tasks.wiring.toolbox import SteppedTime
from tests.contracts.crm_worlds import PEOPLE
from tests.crm.salesforce_server import KEY, SECRET
from tests.forked import forked
from tests.racing import box_on
from tests.test_architecture import ROOT


class Readers:
    """The processes, as the tests see them. Use it as a context."""

    def __init__(self, database_url: str, home: Path, salesforce_url: str) -> None:
        command = [sys.executable, "-m", "tests.crm.reading_process", database_url, str(home), salesforce_url]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, **pipes)  # type: ignore[call-overload]

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *error: object) -> None:
        with self._process:
            pass

    def read(self, *, at: datetime, lives: int) -> int:
        """Read until there is nothing more, or the first process is killed; returns how many were killed."""
        self._process.stdin.write(json.dumps([at.isoformat(), lives]) + "\n")
        self._process.stdin.flush()
        told: int = json.loads(self._process.stdout.readline())
        return told


class KillingTime(SteppedTime):
    """A stepped time whose process is killed within its transaction of that number: each one reads the time once."""

    def __init__(self, at: datetime, *, lives: int) -> None:
        super().__init__(at)
        self.lives = lives

    def now(self, session: Session) -> datetime:
        """The present, while the process lives."""
        self.lives -= 1
        if self.lives < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().now(session)


async def _read(database_url: str, home: str, salesforce_url: str, *, at: datetime, lives: int) -> None:
    box = box_on(database_url, Path(home), at)
    box.time = KillingTime(at, lives=lives)
    box.crm = SalesforceCrm(salesforce_url, token=lambda: f"{KEY}:{SECRET}", people=lambda: PEOPLE)
    more = 1
    while more:
        try:
            more = await read_crm(box)
        except CrmError as error:
            if error.permanent:
                raise
    await take_waiting(box)
    box.database.close()


def _reader(at: datetime, lives: int) -> int:
    database_url, home, salesforce_url = sys.argv[1:]
    return forked(lambda: asyncio.run(_read(database_url, home, salesforce_url, at=at, lives=lives)))


def main() -> None:
    """Act until standard input ends."""
    for line in sys.stdin:
        at, lives = json.loads(line)
        pair = [_reader(datetime.fromisoformat(at), lives), _reader(datetime.fromisoformat(at), 10**9)]
        ends = [os.waitpid(one, 0)[1] for one in pair]
        if any(end and not os.WIFSIGNALED(end) for end in ends):
            raise RuntimeError("a reader ended with an error")
        print(sum(map(os.WIFSIGNALED, ends)), flush=True)


if __name__ == "__main__":
    main()
