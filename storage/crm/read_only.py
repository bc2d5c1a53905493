"""A client that can only read: what is not in its list of reads is never sent."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

import httpx

from agreements.errors import CrmError

#: Looks at a request before it is sent.
Check = Callable[[httpx.Request], Awaitable[None]]


class MightChange(CrmError):  # noqa: N818 - errors here are named as states
    """Baton only reads here, and this request might change something. It was not sent."""


def only(reads: Sequence[tuple[str, str]]) -> Check:
    """Return a check that lets only these reads through. reads: a method, and a pattern for the whole path. It raises MightChange."""
    known = [(method, re.compile(path)) for method, path in reads]

    async def check(request: httpx.Request) -> None:
        if not any(method == request.method and path.fullmatch(request.url.path) for method, path in known):
            raise MightChange(f"Baton only reads here. It did not send {request.method} {request.url.path}.", permanent=True)

    return check


async def anything(request: httpx.Request) -> None:
    """Let every request through."""
