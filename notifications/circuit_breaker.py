"""A gate before a channel. A service that hangs or limits us must not hold up other channels, or the leads that wait for it.

The gate is a channel itself. Each event loop counts the sends of each lane; all loops share the state of a lane.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway
from notifications.letter import Channel, Letter

#: The longest rest, also where a service asks for a longer one.
LONGEST_REST_SECONDS = 3600.0
_Slots = dict[str, asyncio.Semaphore]


@dataclass(slots=True)
class _Lane:
    """The state of one service. failures: in a row. rests_until: on the monotonic clock. trying: one send tests the service now."""

    failures: int = 0
    rests_until: float = 0.0
    trying: bool = False
    last: str = ""


def _one_lane(letter: Letter) -> str:
    return ""


class CircuitBreaker:
    """Lets at most `at_once` sends through to a channel, each for at most `total_seconds`.

    After `failures` sends in a row that failed through the service (ServiceAway, DeliveryUnknown), the lane rests for
    `rest_seconds`, or for as long as the service asked. Then one send tests whether the service is back. A refused address is not
    the service's fault. lane: names the service of a letter, where a channel has several. monotonic: a clock in seconds.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        at_once: int = 8,
        total_seconds: float = 60,
        failures: int = 5,
        rest_seconds: float = 30,
        lane: Callable[[Letter], str] = _one_lane,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.may_bounce, self.read_by_people = channel.name, channel.may_bounce, channel.read_by_people
        self.channel = channel
        self._at_once, self._total, self._failures, self._rest = at_once, total_seconds, failures, rest_seconds
        self._lane_of, self._now = lane, monotonic
        self._lanes: dict[str, _Lane] = {}
        self._slots: WeakKeyDictionary[asyncio.AbstractEventLoop, _Slots] = WeakKeyDictionary()
        self._lock = threading.Lock()

    async def send(self, letter: Letter) -> str:
        """Send the letter and return the channel's own proof.

        Raises: the channel's DeliveryError; ServiceAway at once, with the time to wait, while the lane rests; DeliveryUnknown
        when `total_seconds` are over.
        """
        name = self._lane_of(letter)
        async with self._slot(name):
            lane = self._enter(name)
            try:
                proof = await self._within_time(letter)
            except DeliveryError as error:
                self._failed(lane, error)
                raise
            except BaseException:
                self._left(lane)
                raise
            self._went_well(lane)
            return proof

    async def close(self) -> None:
        """Close the channel's open connections, if it keeps any."""
        close = getattr(self.channel, "close", None)
        if close is not None:
            await close()

    async def _within_time(self, letter: Letter) -> str:
        try:
            async with asyncio.timeout(self._total) as limit:
                return await self.channel.send(letter)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DeliveryUnknown(self.name, f"given up after {self._total:g} seconds, it may have arrived") from error

    @asynccontextmanager
    async def _slot(self, name: str) -> AsyncIterator[None]:
        with self._lock:
            slots = self._slots.setdefault(asyncio.get_running_loop(), {})
            slot = slots.setdefault(name, asyncio.Semaphore(self._at_once))
        async with slot:
            yield

    def _enter(self, name: str) -> _Lane:
        with self._lock:
            lane = self._lanes.setdefault(name, _Lane())
            left = lane.rests_until - self._now()
            if left > 0:
                raise self._resting(lane, left)
            if lane.failures >= self._failures:
                if lane.trying:
                    raise self._resting(lane, 1)
                lane.trying = True
            return lane

    def _resting(self, lane: _Lane, seconds: float) -> ServiceAway:
        told = f"rests for another {math.ceil(seconds)} seconds, because of: {lane.last}"
        return ServiceAway(self.name, told, retry_after_seconds=math.ceil(seconds))

    def _failed(self, lane: _Lane, error: DeliveryError) -> None:
        with self._lock:
            lane.trying = False
            asked = error.retry_after_seconds
            if isinstance(error, ServiceAway | DeliveryUnknown):
                lane.failures += 1
            elif asked is None:
                lane.failures = 0
            if asked is not None or lane.failures >= self._failures:
                seconds = min(max(asked or 0.0, self._rest if lane.failures >= self._failures else 0.0), LONGEST_REST_SECONDS)
                lane.rests_until = max(lane.rests_until, self._now() + seconds)
                lane.last = str(error).removeprefix(f"{self.name}: ")[:200]

    def _went_well(self, lane: _Lane) -> None:
        with self._lock:
            lane.failures, lane.trying = 0, False

    def _left(self, lane: _Lane) -> None:
        with self._lock:
            lane.trying = False
