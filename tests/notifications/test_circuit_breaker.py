"""The gate: a service that hangs, fails or limits costs a few sends their time, and nobody else any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway
from notifications.channels.email import EmailChannel, SmtpServer
from notifications.channels.webhook import WebhookChannel
from notifications.circuit_breaker import CircuitBreaker
from notifications.letter import Letter, Recipient
from tests.loop_time import leap, until_given_up
from tests.patience import PATIENCE_SECONDS

LETTER = Letter("k", "assigned", Recipient("ana", "Ana", "ana@sales.example"), "Subject", "Text", "", "Chat")
SECRET = "a-secret-for-tests-only"
#: In seconds: longer than any time that leaps here.
NEVER = 10**9


class Watch:
    """A clock in seconds that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Service:
    """A channel that does what it is told to next; when nothing is left, it takes the message."""

    name: str = "chat"
    may_bounce: bool = True
    read_by_people: bool = False
    next: list[BaseException | Callable[[], Awaitable[str]]] = field(default_factory=list)
    asked: int = 0

    async def send(self, letter: Letter) -> str:
        self.asked += 1
        deed = self.next.pop(0) if self.next else None
        if isinstance(deed, BaseException):
            raise deed
        return await deed() if deed else "taken"


def away(seconds: float | None = None) -> ServiceAway:
    return ServiceAway("chat", "503 Service Unavailable", retry_after_seconds=seconds)


async def failing(gate: CircuitBreaker, letter: Letter = LETTER) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        await gate.send(letter)
    return error.value


async def test_it_is_the_channel_that_it_stands_before() -> None:
    gate = CircuitBreaker(Service())
    assert (gate.name, gate.may_bounce, gate.read_by_people, await gate.send(LETTER)) == ("chat", True, False, "taken")


async def test_after_some_failures_in_a_row_it_fails_at_once_and_says_how_long() -> None:
    service, watch = Service(next=[away() for _ in range(3)]), Watch()
    gate = CircuitBreaker(service, failures=3, rest_seconds=30, monotonic=watch)
    for _ in range(3):
        assert (await failing(gate)).retry_after_seconds is None

    watch.at += 10
    resting = await failing(gate)

    assert isinstance(resting, ServiceAway)
    assert (resting.permanent, resting.retry_after_seconds, service.asked) == (False, 20, 3)
    assert str(resting) == "chat: rests for another 20 seconds, because of: 503 Service Unavailable"


async def test_after_the_rest_one_send_tries_and_the_others_wait_for_what_it_finds() -> None:
    held, watch = asyncio.Event(), Watch()

    async def slowly() -> str:
        await held.wait()
        return "taken"

    service = Service(next=[away(), slowly])
    gate = CircuitBreaker(service, failures=1, rest_seconds=30, monotonic=watch)
    await failing(gate)
    watch.at += 30

    trying = asyncio.create_task(gate.send(LETTER))
    await asyncio.sleep(0)
    assert isinstance(await failing(gate), ServiceAway)
    held.set()

    assert await trying == "taken"
    assert await gate.send(LETTER) == "taken"
    assert service.asked == 3


async def test_a_try_that_fails_is_followed_by_another_rest() -> None:
    service, watch = Service(next=[away(), away()]), Watch()
    gate = CircuitBreaker(service, failures=1, rest_seconds=30, monotonic=watch)
    for _ in range(2):
        assert (await failing(gate)).retry_after_seconds is None
        watch.at += 29
        assert (await failing(gate)).retry_after_seconds == 1
        watch.at += 1
    assert await gate.send(LETTER) == "taken"


async def test_a_service_that_limits_is_left_alone_for_as_long_as_it_says() -> None:
    service, watch = Service(next=[away(seconds=120), away(seconds=10**9)]), Watch()
    gate = CircuitBreaker(service, failures=5, monotonic=watch)
    assert (await failing(gate)).retry_after_seconds == 120
    assert (await failing(gate)).retry_after_seconds == 120
    watch.at += 120
    await failing(gate)
    assert (await failing(gate)).retry_after_seconds == 3600
    assert service.asked == 2


@pytest.mark.parametrize("permanent", [True, False], ids=["mailbox unknown", "greylisted"])
async def test_a_refused_address_is_not_the_services_fault(permanent: bool) -> None:
    refused = DeliveryError("chat", "not this one", permanent=permanent)
    gate = CircuitBreaker(Service(next=[away(), refused, away(), refused, refused, refused]), failures=2)
    for _ in range(6):
        await failing(gate)
    assert await gate.send(LETTER) == "taken"


async def test_one_lane_rests_and_another_goes_on() -> None:
    service = Service(next=[away()])
    gate = CircuitBreaker(service, failures=1, lane=lambda letter: letter.to.chat)
    await failing(gate)
    other = Letter("k", "assigned", Recipient("ben", "Ben", chat="elsewhere"), "", "", "", "")
    assert await gate.send(other) == "taken"
    assert isinstance(await failing(gate), ServiceAway)


async def test_what_takes_too_long_altogether_is_given_up_and_may_have_arrived() -> None:
    async def forever() -> str:
        leap(60)
        await asyncio.Event().wait()
        return "never"

    error = await failing(CircuitBreaker(Service(next=[forever]), total_seconds=60))
    assert isinstance(error, DeliveryUnknown)


async def test_a_channel_that_breaks_or_is_stopped_leaves_the_gate_as_it_was() -> None:
    service, watch = Service(next=[away(), RuntimeError("oh"), asyncio.CancelledError()]), Watch()
    gate = CircuitBreaker(service, failures=1, rest_seconds=1, monotonic=watch)
    await failing(gate)
    for error in (RuntimeError, asyncio.CancelledError):
        watch.at += 1
        with pytest.raises(error):
            await gate.send(LETTER)
    assert await gate.send(LETTER) == "taken"


@asynccontextmanager
async def hanging() -> AsyncIterator[tuple[int, list[int]]]:
    """A server that says nothing, and lets time fly once four have called: its port, and one entry for each connection."""
    calls, four = list[int](), asyncio.Event()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(1)
        if len(calls) == 4:
            four.set()
        await four.wait()
        await until_given_up(reader)
        writer.close()

    server = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], calls
    finally:
        server.close()


@pytest.mark.parametrize("kind", ["email", "webhook"])
async def test_a_real_server_that_hangs_costs_few_sends_their_time_and_no_other_channel_any(kind: str) -> None:
    other = CircuitBreaker(Service(name="crm"))
    async with hanging() as (port, calls):
        channel = (
            EmailChannel(SmtpServer("127.0.0.1", port, timeout_seconds=PATIENCE_SECONDS), sender="baton@firm.example")
            if kind == "email"
            else WebhookChannel(f"http://127.0.0.1:{port}/", SECRET, timeout_seconds=PATIENCE_SECONDS)
        )
        gate = CircuitBreaker(channel, at_once=4, failures=4, total_seconds=NEVER, monotonic=Watch())
        sends = [asyncio.create_task(gate.send(LETTER)) for _ in range(60)]
        await asyncio.sleep(0)
        assert [await other.send(LETTER) for _ in range(60)] == ["taken"] * 60
        assert not any(send.done() for send in sends), "the other channel was through before the first one gave up"
        errors = await asyncio.gather(*sends, return_exceptions=True)

    assert all(isinstance(error, DeliveryError) and not error.permanent for error in errors)
    slow = sum(getattr(error, "retry_after_seconds", None) is None for error in errors)
    assert 4 <= slow <= 7, "four at once, and one more for each that gave up before the fourth did"
    assert len(calls) <= slow


def test_it_works_in_one_event_loop_after_another_and_remembers_that_it_rests() -> None:
    gate = CircuitBreaker(Service(next=[away()]), failures=1, at_once=1)
    assert asyncio.run(failing(gate)).retry_after_seconds is None
    assert asyncio.run(failing(gate)).retry_after_seconds is not None
