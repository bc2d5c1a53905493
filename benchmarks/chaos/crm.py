"""The CRM of a chaos run: the local CRM, a file. Locking the file makes it unavailable."""

from __future__ import annotations

import sqlite3

from agreements.errors import CrmError
from storage.crm.local import LocalCrm


class LockableCrm(LocalCrm):
    """The local CRM in the harness. It has no process to kill: while its file is locked, every part waits and then fails."""

    _holder: sqlite3.Connection | None = None
    _newest = 0

    def lock(self) -> None:
        """Keep every other process out of the file."""
        held = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
        held.execute("BEGIN EXCLUSIVE")
        self._holder = held

    def unlock(self) -> None:
        """Let other processes use the file again."""
        held, self._holder = self._holder, None
        if held is not None:
            held.execute("ROLLBACK")
            held.close()

    def newest_change(self) -> int:
        """Return the newest change, 0 while the file is locked: the director then sees nothing to read and lets time go on."""
        if self._holder is None:
            try:
                self._newest = super().newest_change()
            except CrmError:
                return 0
        return self._newest if self._holder is None else 0
