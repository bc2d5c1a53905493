"""Keep what one test has stored for later tests: copying files is far quicker than carrying a lead through its steps."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar

from tasks.wiring.toolbox import Toolbox

T = TypeVar("T")


class Kept(Generic[T]):
    """The files of one `box` as `make` left them. The driver is not kept: a later test goes on from the stored data only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[T] = []

    async def on(self, box: Toolbox, make: Callable[[], Awaitable[T]]) -> T:
        """Bring the box's storage to the state that make leaves, and return make's result. On SQLite, make runs only once."""
        if not box.database.is_sqlite:
            return await make()
        place = box.settings.home.parent
        if self._made:
            box.database.close()
            shutil.copytree(self._folder, place, dirs_exist_ok=True)
        else:
            self._made.append(await make())
            box.database.close()
            shutil.copytree(place, self._folder)
        return self._made[0]
