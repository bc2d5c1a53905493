"""Rate limits: how many requests a minute one API key and one client address may send to this process. The rest get 429."""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Literal

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.answers import is_api, said
from app.web.link_paths import is_link
from tasks.wiring.settings import Settings

#: How many counters addresses and keys share: memory has a bound, however many addresses an attacker has.
SLOTS = 4096
#: IPv6 addresses count together by networks of this size: one customer has at least so many.
NETWORK_BITS = 64


#: What requests are counted by: a key, an address, an address that asks for the health, or wrong keys from an address.
Counted = Literal["key", "address", "health", "failures"]


class Rates:
    """Wraps the site, and answers 429 with Retry-After to requests beyond the limit.

    A request with a key counts for the key, any other for its client address. Requests with a key that does not work, and for
    links that do not exist, count as failures of the address. After too many failures every request from there gets 429 for a
    while. Requests from this machine have no limit by address. Counts are kept in the memory of this process.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._most = {
            "key": settings.requests_per_key,
            "address": settings.requests_per_address,
            "health": settings.requests_per_address,
            "failures": settings.failures_per_address,
        }
        self._counts = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._seed = secrets.token_bytes(16)  # so that nobody can choose an address that shares the counter of another one

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address, key = network_of(scope), _key_of(scope)
        if wait := await self._refused("failures", address) or await self._counted(scope, address, key):
            await too_many(scope, wait)(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and _failed(scope, message["status"]):
                await self._count("failures", address)
            await send(message)

        await self.app(scope, receive, tell)

    async def _counted(self, scope: Scope, address: str, key: str) -> int:
        """Count the request; return after how many seconds the client may send it again, 0 where it may go on."""
        kind: Counted
        kind, who = ("key", key) if key else ("health" if scope["path"].endswith("/healthz") else "address", address)
        return 0 if await self._count(kind, who) else await self._seconds(kind, who)

    async def _count(self, kind: Counted, who: str) -> bool:
        return not who or not self._most[kind] or await self._counts.hit(RateLimitItemPerMinute(self._most[kind]), kind, self._slot(who))

    async def _refused(self, kind: Counted, who: str) -> int:
        """Return as _counted does, without counting."""
        if not who or not self._most[kind] or await self._counts.test(RateLimitItemPerMinute(self._most[kind]), kind, self._slot(who)):
            return 0
        return await self._seconds(kind, who)

    async def _seconds(self, kind: Counted, who: str) -> int:
        stats = await self._counts.get_window_stats(RateLimitItemPerMinute(self._most[kind]), kind, self._slot(who))
        return min(max(math.ceil(stats.reset_time - time.time()), 1), 60)

    def _slot(self, who: str) -> str:
        digest = hashlib.blake2b(who.encode("utf-8", "surrogateescape"), key=self._seed, digest_size=8).digest()
        return str(int.from_bytes(digest) % SLOTS)


def network_of(scope: Scope) -> str:
    """Return the client's address, or its 64-bit network for IPv6; empty for this machine. Text that is no address counts as one."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "unknown" if host else ""
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return ""
    return str(ip_network((address, NETWORK_BITS), strict=False)) if isinstance(address, IPv6Address) else str(address)


def too_many(scope: Scope, seconds: int) -> ASGIApp:
    """Return the answer to a request beyond the limit; the client may ask again after so many seconds."""
    words = f"Too many requests came from here. Please try again in {seconds} second{'s' if seconds > 1 else ''}."
    response = said(scope, "Please wait a moment", words, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _key_of(scope: Scope) -> str:
    """Return the key that was sent where a key is asked for, empty for none. Elsewhere it may be a proxy's, the same for everybody."""
    return Headers(scope=scope).get("authorization", "") if scope["method"] == "POST" and is_api(scope) else ""


def _failed(scope: Scope, status: int) -> bool:
    """Return whether somebody tried a bad key or a link that does not exist. A missing page such as an icon is no try."""
    return status == 401 or (status in (404, 405) and (is_link(scope["path"], scope.get("root_path", "")) or bool(_key_of(scope))))
