"""The leads of a chaos run, and the senders of their webhooks. Each lead is sent twice, and repeated until it is accepted."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

SOURCE = "chaos"
#: How long a sender waits for an answer before it tries another address. A frozen process accepts the call and never answers.
TIMEOUT_SECONDS = 8.0
PAUSE_SECONDS = 0.3
GIVEN_UP_AFTER_SECONDS = 300.0
#: Action, fit and origin of the leads: some ask for a demo, some qualify by points, some do not, a few are screened out.
KINDS: tuple[dict[str, Any], ...] = (
    {"activity": "demo_requested", "job_title": "Head of Operations", "fields": {"industry": "logistics", "employees": 300}},
    {"activity": "contact_sales", "job_title": "Sales Director", "fields": {"industry": "software", "employees": 80}},
    {"activity": "trade_show_visit", "job_title": "VP Operations", "fields": {"industry": "manufacturing", "employees": 900}},
    {"activity": "webinar_attended", "job_title": "Revenue Operations", "fields": {"industry": "software", "employees": 250}},
    {"activity": "page_viewed", "path": "/pricing", "job_title": "Student", "fields": {"industry": "education", "employees": 20}},
)
COUNTRIES = ("GB", "GB", "DE", "US", "CA")


def lead(number: int, dice: random.Random) -> dict[str, Any]:
    """Return one inquiry in the form that the intake accepts."""
    kind = dice.choices(KINDS, weights=(5, 4, 3, 3, 1))[0]
    mailbox = "mailinator.com" if dice.random() < 0.03 else f"company{number}.example"
    campaign = "" if dice.random() < 0.1 else "spring"  # without a campaign the note is incomplete, and marketing is asked
    return {
        "source": SOURCE,
        "source_id": f"c{number}",
        "conversion_id": f"c{number}-1",
        "email": f"person{number}@{mailbox}",
        "first_name": "Pat",
        "last_name": f"Person{number}",
        "company": f"Company {number}",
        "country": dice.choice(COUNTRIES),
        "campaign": campaign,
        **kind,
    }


@dataclass
class Senders:
    """Sends webhooks to the web processes, as the company's own systems do.

    taken: by source id the lead numbers in the answers, one for each copy. results: what the answers said.
    """

    urls: list[str]
    key: str
    dice: random.Random
    taken: dict[str, list[int]] = field(default_factory=dict)
    results: Counter[str] = field(default_factory=Counter)
    repeats: int = 0

    async def send(self, many: list[dict[str, Any]]) -> None:
        """Send each lead twice, in parallel, and return when every copy got a 2xx answer."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, headers={"Authorization": f"Bearer {self.key}"}) as client:
            await asyncio.gather(*(self._send(client, one) for one in many for _ in range(2)))

    async def _send(self, client: httpx.AsyncClient, one: dict[str, Any]) -> None:
        until = time.monotonic() + GIVEN_UP_AFTER_SECONDS
        await asyncio.sleep(self.dice.random() * PAUSE_SECONDS)
        while (said := await self._once(client, one)) is None:
            if time.monotonic() > until:
                raise RuntimeError(f"the lead {one['source_id']} was not taken within {GIVEN_UP_AFTER_SECONDS:.0f} s")
            self.repeats += 1
            await asyncio.sleep(PAUSE_SECONDS)
        self.taken.setdefault(one["source_id"], []).append(said["lead"])
        self.results[said["result"]] += 1

    async def _once(self, client: httpx.AsyncClient, one: dict[str, Any]) -> dict[str, Any] | None:
        try:
            answer = await client.post(f"{self.dice.choice(self.urls)}/api/leads", json=one)
        except httpx.HTTPError:
            return None
        if answer.status_code in (401, 413, 415, 422):
            raise RuntimeError(f"the lead {one['source_id']} was refused: {answer.text}")
        return answer.json() if answer.is_success else None
