"""The CRM of a chaos run: the local one, which is a file, made unavailable by taking its lock."""

from __future__ import annotations

import sqlite3

from agreements.errors import CrmError
from storage.crm.local import LocalCrm


class LockableCrm(LocalCrm):
    """The local CRM, as the harness sees it. There is no process to kill: while it is locked, every part waits and then fails."""

    _holder: sqlite3.Connection | None = None
    _newest = 0

    def lock(self) -> None:
        """Keeps everybody else from the file."""
        held = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
        held.execute("BEGIN EXCLUSIVE")
        self._holder = held

    def unlock(self) -> None:
        """Lets everybody in again."""
        held, self._holder = self._holder, None
        if held is not None:
            held.execute("ROLLBACK")
            held.close()

    def newest_change(self) -> int:
        """Return the newest change, or what was last seen of it while the file is locked: time goes on meanwhile."""
        if self._holder is None:
            try:
                self._newest = super().newest_change()
            except CrmError:
                return 0
        return self._newest if self._holder is None else 0
