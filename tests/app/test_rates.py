"""Rate limits: what one key and one client address may ask in a minute, and what the rest is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from limits.aio.storage import MemoryStorage
from starlette.types import Message, Receive, Scope, Send

from app.web.rates import SLOTS, Rates, network_of
from app.web.site import create_site
from tasks.wiring.settings import Settings
from tests.app.stage import Stage, stage
from tests.patience import PATIENCE_SECONDS

NOBODY = "198.51.100.7"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    limits: dict[str, Any] = {"requests_per_key": 5, "requests_per_address": 6, "failures_per_address": 3}
    with stage(tmp_path, **limits) as running:
        yield running


def client_at(company: Stage, address: str, **headers: str) -> httpx.AsyncClient:
    """A client that the site sees under this address."""
    transport = httpx.ASGITransport(create_site(company.box), client=(address, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://baton.example", headers=headers, timeout=PATIENCE_SECONDS)


async def statuses(client: httpx.AsyncClient, count: int, path: str, method: str = "GET") -> list[int]:
    return [(await client.request(method, path)).status_code for _ in range(count)]


async def test_an_address_that_asks_too_often_is_told_when_to_come_again(company: Stage) -> None:
    async with client_at(company, NOBODY) as client:
        assert await statuses(client, 6, company.link) == [200] * 6

        page = await client.get(company.link)

    assert page.status_code == 429
    assert 1 <= int(page.headers["retry-after"]) <= 60
    assert "Please try again in" in page.text
    assert page.headers["cache-control"] == "no-store", "it is a page like the others"


async def test_every_address_counts_by_itself_and_a_network_of_ipv6_as_one(company: Stage) -> None:
    site = create_site(company.box)

    async def ask(address: str) -> int:
        transport = httpx.ASGITransport(site, client=(address, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://baton.example", timeout=PATIENCE_SECONDS) as client:
            return (await client.get(company.link)).status_code

    one_network = [await ask(f"2001:db8:1:2::{number}") for number in range(8)]
    assert one_network == [200] * 6 + [429] * 2
    assert [await ask(address) for address in ("2001:db8:1:3::1", "192.0.2.1", "::ffff:192.0.2.2")] == [200] * 3


async def test_a_key_has_a_limit_of_its_own(company: Stage) -> None:
    ours, theirs = ({"authorization": f"Bearer {company.key(name)}"} for name in ("ours", "theirs"))
    async with client_at(company, NOBODY) as client:
        sent = [await client.post("/api/leads", json={"source_id": str(number)}, headers=ours) for number in range(7)]

        assert [answer.status_code for answer in sent] == [201] * 5 + [429] * 2
        assert "Please try again in" in sent[-1].json()["error"]
        assert (await client.post("/api/leads", json={"source_id": "9"}, headers=theirs)).status_code == 201
        assert (await client.get("/")).status_code == 200, "what a key asks for counts for the key"


async def test_a_key_has_its_limit_also_from_this_machine(company: Stage) -> None:
    key = {"authorization": f"Bearer {company.key()}"}
    browser = company.browser(headers=key)

    assert [browser.post("/api/leads", json={"source_id": str(number)}).status_code for number in range(6)] == [201] * 5 + [429]


@pytest.mark.parametrize(
    ("path", "method"),
    [("/l/no-link", "GET"), ("/d/no-link", "GET"), ("/sign/no-link", "POST"), ("/m/no/link", "GET"), ("/api/leads", "POST")],
)
async def test_whoever_fails_too_often_is_not_looked_at_for_a_while(company: Stage, path: str, method: str) -> None:
    async with client_at(company, NOBODY, authorization="Bearer baton_guess") as client:
        tried = await statuses(client, 5, path, method)

        assert 429 not in tried[:3]
        assert tried[3:] == [429, 429]
        assert (await client.get(company.link)).status_code == 429


async def test_another_key_at_each_try_makes_no_difference(company: Stage) -> None:
    async with client_at(company, NOBODY) as client:
        tried = [await client.post("/api/leads", headers={"authorization": f"Bearer {number}"}) for number in range(5)]

    assert [answer.status_code for answer in tried] == [401] * 3 + [429] * 2


async def test_a_missing_icon_is_no_try(company: Stage) -> None:
    async with client_at(company, NOBODY) as client:
        assert await statuses(client, 5, "/favicon.ico") == [404] * 5
        assert (await client.get(company.link)).status_code == 200


async def test_this_machine_has_no_limit_by_address(company: Stage) -> None:
    """The demo's people and scanners are all here, and so is whoever a proxy does not name."""
    async with client_at(company, "127.0.0.1") as client:
        assert await statuses(client, 10, company.link) == [200] * 10


async def test_zero_turns_a_limit_off(tmp_path: Path) -> None:
    with stage(tmp_path, requests_per_key=0, requests_per_address=0, failures_per_address=0) as company:
        async with client_at(company, NOBODY, authorization="Bearer wrong") as client:
            assert await statuses(client, 50, "/l/no-link") == [404] * 50
            assert await statuses(client, 50, "/api/leads", "POST") == [401] * 50


def test_a_proxy_on_this_machine_says_who_asks(company: Stage) -> None:
    behind = company.browser(headers={"x-forwarded-for": f"10.9.9.9, {NOBODY}"})

    assert [behind.get(company.link).status_code for _ in range(7)] == [200] * 6 + [429]
    forged = company.browser(headers={"x-forwarded-for": f"10.9.9.10, {NOBODY}"})
    assert forged.get(company.link).status_code == 429, "what stands before the last address was written by the client"


async def test_a_stranger_that_says_to_be_a_proxy_is_not_believed(company: Stage) -> None:
    async with client_at(company, NOBODY) as client:
        asked = [await client.get(company.link, headers={"x-forwarded-for": f"203.0.113.{number}"}) for number in range(8)]

    assert [page.status_code for page in asked] == [200] * 6 + [429] * 2


async def test_a_million_addresses_need_no_more_memory_than_there_are_counters() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})

    async def receive() -> Message:
        raise AssertionError("the application reads nothing")

    async def send(message: Message) -> None:
        pass

    rates = Rates(app, Settings(requests_per_key=2))
    for number in range(20_000):
        client = (f"10.0.{number >> 8}.{number & 255}", 1)
        await rates({"type": "http", "method": "GET", "path": "/", "headers": [], "client": client}, receive, send)

    counters = rates._counts.storage
    assert isinstance(counters, MemoryStorage)
    assert SLOTS / 2 < len(counters.storage) <= SLOTS * 4


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("127.9.9.9", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("unknown", "unknown"),
        ("9" * 5000, "unknown"),
        ("", ""),
    ],
)
def test_by_what_an_address_counts(host: str, network: str) -> None:
    assert network_of({"type": "http", "client": (host, 1)}) == network
