"""Progress bars, which are shown only on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress
from rich.progress import track as rich_track

T = TypeVar("T")


def track(items: Iterable[T], *, total: int, description: str, console: Console) -> Iterator[T]:
    """Yield the items, and show in a bar how many there have been."""
    yield from rich_track(items, total=total, description=description, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def bar(console: Console, description: str, *, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar. The block gets a function: call it with the number of items so far."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(description, total=total)
        yield lambda done: progress.update(task, completed=done)
