"""A question to a CRM that is asked again when the CRM is busy or silent. For reading only: a write is repeated by its key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from agreements.errors import CrmError

#: How often a question is asked, and the longest pause before it is asked again, in seconds.
TRIES, LONGEST_PAUSE_SECONDS = 4, 60.0
T = TypeVar("T")


async def asked_again(ask: Callable[[], Awaitable[T]], *, pause: Callable[[float], Awaitable[None]]) -> T:
    """Return the answer to a question. Raises CrmError at once where asking again cannot help, else after the last try."""
    for attempt in range(1, TRIES + 1):
        try:
            return await ask()
        except CrmError as error:
            wait = error.retry_after_seconds if error.retry_after_seconds is not None else float(2**attempt)
            if error.permanent or attempt == TRIES or wait > LONGEST_PAUSE_SECONDS:
                raise
        await pause(wait)
    raise AssertionError("the last try returns or raises")
