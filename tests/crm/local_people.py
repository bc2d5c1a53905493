"""People of the local CRM, as processes of their own: several change its file at once, one locks it, one reads it, some are killed.

`python -m tests.crm.local_people FILE` takes actions on standard input and answers each with one line. `Crowd` talks to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from agreements.errors import CrmError
from storage.crm.local import LocalCrm
from tests.forked import forked

#: How long a process waits for the file: these promise nothing about speed.
PATIENCE_SECONDS = 240
#: How many processes change the file at the same time.
AT_ONCE = 3
#: How many rows each thing is when it is done.
_ROWS = {"fields": 2, "touch": 2, "opportunity": 3}
ROOT = Path(__file__).resolve().parents[2]


class Crowd:
    """The processes, as the tests see them. Close it at the end."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-m", "tests.crm.local_people", str(path)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, action: str, **told: Any) -> Any:
        """Have this done, and return the answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([action, told]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the processes have ended with an error"
        return json.loads(answer)

    def close(self) -> None:
        """End the processes."""
        with self._process:
            pass


class Fatal(str):
    """A value in whose writing the process is killed: when the database asks for it this many times."""

    lives: int

    def __new__(cls, value: str, lives: int) -> Fatal:
        made = super().__new__(cls, value)
        made.lives = lives
        return made

    def __conform__(self, protocol: object) -> str:
        self.lives -= 1
        if self.lives <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return str(self)


class People:
    """What happens in this process. It has no connection of its own while it makes another process."""

    def __init__(self, path: str) -> None:
        self.path, self.crm = path, LocalCrm(path, timeout_seconds=PATIENCE_SECONDS)
        self.children: dict[int, list[dict[str, Any]]] = {}
        self.holder: tuple[int, int] | None = None
        self.bookmark, self.found = "", list[str]()

    def lock(self) -> None:
        """A process takes the file's lock, and keeps it."""
        (ready, locked), (go, release) = os.pipe(), os.pipe()
        child = forked(lambda: _hold(self.path, locked, go, ready, release))
        os.read(ready, 1)
        for one in (ready, locked, go):
            os.close(one)
        self.holder = (child, release)

    def release(self) -> None:
        """The file's lock is free again."""
        if self.holder:
            child, release = self.holder
            self.holder = None
            os.write(release, b"x")
            os.close(release)
            os.waitpid(child, 0)

    def begin(self, deeds: list[dict[str, Any]]) -> None:
        """Several processes begin to do these things, each its share of them."""
        for share in (deeds[start::AT_ONCE] for start in range(AT_ONCE)):
            self.children[forked(lambda share=share: self._carry_out(share))] = share  # type: ignore[misc]

    def finish(self) -> tuple[int, list[str]]:
        """Wait until all is done, and read meanwhile. What a killed process did not do is done again.

        Return how many were killed, and of what they left a part.
        """
        self.release()
        killed, parts = 0, list[str]()
        while self.children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                self.read()
                continue
            share = self.children.pop(child)
            if os.WIFSIGNALED(status):
                killed += 1
                left = [(one, self._rows_of(one)) for one in share]
                parts += [f"{one['kind']} of lead {one['lead']}: {rows}" for one, rows in left if rows not in (0, _ROWS[one["kind"]])]
                rest = [{**one, "fatal": one["fatal"] * bool(place)} for place, one in enumerate(one for one, rows in left if rows == 0)]
                self.children[forked(lambda rest=rest: self._carry_out(rest))] = rest  # type: ignore[misc]
            elif status:
                raise RuntimeError(f"a process of the people ended with {status}")
        return killed, parts

    def dies_assigning(self, lives: int, key: str, lead: str, owner: str, facts: Mapping[str, str]) -> None:
        """A process of Baton is killed amid an assignment. It gets the file's lock before."""
        self.release()
        fatal = Fatal(owner, lives)
        child = forked(lambda: asyncio.run(self.crm.assign(key=key, lead_number=lead, owner=fatal, facts=facts)))
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            raise RuntimeError("the process was not killed")

    def read(self) -> list[str]:
        """Read on as a second reader, and return the ids of everything that was read so far."""
        try:
            changes, self.bookmark = asyncio.run(self.crm.changes_since(self.bookmark))
        except CrmError:
            return self.found
        self.found += [one.id for one in changes]
        return self.found

    def _carry_out(self, share: Sequence[dict[str, Any]]) -> None:
        for one in share:
            lead, by, at, value = one["lead"], one["by"], datetime.fromisoformat(one["at"]), str(one["value"])
            if one["fatal"]:
                value = Fatal(value, one["fatal"])
            if one["kind"] == "fields":
                self.crm.person_changes(lead, by=by, at=at, values={"seen": "yes", "status": value})
            elif one["kind"] == "touch":
                outcome = Fatal("attempted", 1) if one["fatal"] else "attempted"
                self.crm.person_logs(lead, by=by, at=at, channel=str(one["value"]), outcome=outcome)
            else:
                known = ["", *self.crm.opportunities_of(lead)][-1]
                self.crm.person_sets_opportunity(lead, by=by, at=at, opportunity=known, stage="open", amount=value)

    def _rows_of(self, one: Mapping[str, Any]) -> int:
        """How many rows of this are in the CRM. No two things are done at the same instant, and no two amounts are the same."""
        db = sqlite3.connect(self.path, timeout=PATIENCE_SECONDS)
        try:
            rows: int = db.execute("SELECT count(*) FROM changes WHERE at=?", (one["at"],)).fetchone()[0]
            if not rows and one["kind"] == "opportunity":
                rows = -db.execute("SELECT count(*) FROM opportunities WHERE amount=?", (one["value"],)).fetchone()[0]
            return rows
        finally:
            db.close()


def _hold(path: str, locked: int, go: int, *others: int) -> None:
    for one in others:  # the pipe ends when the process that made this one does
        os.close(one)
    db = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    os.write(locked, b"x")
    os.read(go, 1)
    db.execute("COMMIT")
    db.close()


def main() -> None:
    """Act until standard input ends."""
    people = People(sys.argv[1])
    for line in sys.stdin:
        action, told = json.loads(line)
        print(json.dumps(getattr(people, action)(**told)), flush=True)


if __name__ == "__main__":
    main()
