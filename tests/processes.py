"""Do something in two processes at the same time."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from tests.patience import PATIENCE_SECONDS, wait_for_locks


def side_by_side(work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Return what work(side, together, *arguments) returned in two new processes. side: 0 or 1; together(): waits for the other.

    Fails with the error that ended either of them.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    pipes = [context.Pipe(duplex=False) for _ in range(2)]
    running = [
        context.Process(target=_run, args=(work, side, barrier, arguments, sender), daemon=True) for side, (_, sender) in enumerate(pipes)
    ]
    for process in running:
        process.start()
    try:
        told = [receiver.recv() if receiver.poll(PATIENCE_SECONDS) else ("said nothing", None) for receiver, _ in pipes]
    finally:
        for process in running:
            process.join(5)
            process.kill()
            process.join()
            process.close()
        for receiver, sender in pipes:
            receiver.close()
            sender.close()
    assert [error for error, _ in told] == ["", ""], "\n".join(error for error, _ in told)
    return [result for _, result in told]


def _run(work: Callable[..., Any], side: int, barrier: Any, arguments: tuple[Any, ...], sender: Connection) -> None:
    wait_for_locks()
    try:
        sender.send(("", work(side, partial(barrier.wait, PATIENCE_SECONDS), *arguments)))
    except Exception:
        sender.send((traceback.format_exc(), None))
