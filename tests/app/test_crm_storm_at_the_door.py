"""A storm of changes in HubSpot, whose calls come twice, out of order and forged beside the polling: each change counts once in Baton."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import httpx
import pytest
from sqlmodel import col, select

from agreements.words import EventKind
from app.demo.inbox.pages import PageServer
from app.web.crm_hook import DOOR
from app.web.site import create_site
from notifications.channels.crm import CrmChannel
from storage.tables import CrmChange, DoorDay, Event
from tasks.wiring.crm import fields_of_agreements
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.crm_calls import SECRET, signed
from tests.contracts.crm_worlds import Deed
from tests.contracts.hubspot_world import HubSpotWorld
from tests.crm.hubspot_state import START_MS
from tests.crm.stand_in import StandIn
from tests.deal import agree_on, until_working
from tests.driver import Driver
from tests.examples import at_night
from tests.patience import PATIENCE_SECONDS
from tests.stage import newest

PEOPLE = ("ana", "ben", "cleo")
#: What the agreement says in the CRM, and statuses without a meaning.
WORDS = {"accepted": {"status": "IN_PROGRESS"}, "attempted": {"status": "CONNECTED"}}
STATUSES = ("NEW", "OPEN", "UNQUALIFIED", "BAD_TIMING")


@contextmanager
def site(box: Toolbox, time: SteppedTime) -> Iterator[httpx.Client]:
    """Baton's pages on a socket, and a client of them."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = PageServer(create_site(box, real_time=lambda: time.at.timestamp()), listener)
    server.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        yield client
    server.stop()
    listener.close()


def company(box: Toolbox, time: SteppedTime, hubspot: StandIn) -> HubSpotWorld:
    """HubSpot as the CRM of this installation, and its clock."""
    agree_on(box, lambda tree: tree.update(crm=WORDS))
    world = HubSpotWorld(hubspot, validate=False, seed=5)
    world.fields = tuple(fields_of_agreements(box.database))
    box.crm, box.channels = world.crm, {**box.channels, "crm": CrmChannel(world.crm)}
    box.settings.crm_hook_secret = SECRET
    hubspot.do("clock", seconds=time.at.timestamp() - START_MS / 1000)
    return world


def tick(world: HubSpotWorld, time: SteppedTime, seconds: float) -> None:
    now = world.stand_in.do("clock", seconds=seconds)["now"]
    time.at = datetime.fromtimestamp(now / 1000, time.at.tzinfo)


def deeds(dice: random.Random, leads: Sequence[int], deals: int, known: dict[int, str], count: int) -> list[Deed]:
    """What people do: statuses and touches of some leads, and the opportunity of another one. known: the last status of each."""
    done = []
    for number in range(count):
        lead, by, seconds = dice.choice(leads), dice.choice(PEOPLE), dice.randint(0, 4)
        kind = dice.choice(("fields", "touch", "opportunity"))
        if kind == "fields":
            known[lead] = dice.choice([one for one in STATUSES if one != known.get(lead)])
            done.append(Deed("fields", lead, by, known[lead], seconds))
        elif kind == "touch":
            done.append(Deed("touch", lead, by, dice.choice(("call", "email", "meeting")), seconds))
        else:
            done.append(Deed("opportunity", deals, by, f"{dice.randint(1, 10**6)}.{number:02}", seconds))
    return done


class Calls:
    """HubSpot's calls about what people did: each up to three times, some much later than others, and forged ones between them."""

    def __init__(self, client: httpx.Client, box: Toolbox, time: SteppedTime, dice: random.Random) -> None:
        self.client, self.box, self.time, self.dice = client, box, time, dice
        self.waiting: list[bytes] = []
        self.answers: Counter[int] = Counter()

    def about(self, done: Sequence[Deed]) -> None:
        """Send calls about these in any order, and some of those that were kept back. What they say is wrong."""
        for one in done:
            event = {"eventId": self.dice.randint(1, 10**9), "objectId": one.lead, "propertyName": "hs_lead_status"}
            body = json.dumps([{**event, "propertyValue": "IN_PROGRESS"}]).encode()
            self.waiting += [body] * self.dice.randint(1, 3)
        self.dice.shuffle(self.waiting)
        now, self.waiting = self.waiting[: len(done)], self.waiting[len(done) :]
        for place, body in enumerate(now):
            headers = signed(self.box, self.time, body, ago=place / 100)
            self._send(body, headers)
            forged = signed(self.box, self.time, body, secret="somebody else's", ago=place / 100)
            self._send(*self.dice.choice([(body, headers), (body, forged), (body + b" ", headers), (body, {})]))

    def _send(self, body: bytes, headers: dict[str, str]) -> None:
        self.answers[self.client.post("/hooks/crm", content=body, headers=headers).status_code] += 1


def counted(box: Toolbox, *kinds: EventKind) -> Counter[str]:
    """How many lines of each of these kinds are in the trail."""
    rows = box.read_now(lambda session, now: list(session.exec(select(Event.kind).where(col(Event.kind).in_(kinds)))))
    return Counter(rows)


def writes(hubspot: StandIn) -> int:
    """How many requests changed something in HubSpot: all except questions."""
    asked: dict[str, int] = hubspot.do("seen")["requests"]
    return sum(count for one, count in asked.items() if not one.startswith("GET") and not one.endswith(("/search", "/batch/read")))


@pytest.mark.parametrize(("handfuls", "rate"), [pytest.param(at_night(40, before_a_change=15), 0.05, marks=pytest.mark.long)])
async def test_calls_that_come_twice_out_of_order_or_forged_change_nothing_beside_the_polling(
    driver: Driver, box: Toolbox, time: SteppedTime, hubspot: StandIn, handfuls: int, rate: float
) -> None:
    world, dice = company(box, time, hubspot), random.Random(7)
    taken = [await until_working(driver, box, source_id=f"s{one}", email=f"kim{one}@firm{one}.example") for one in range(2)]
    kinds: tuple[EventKind, ...] = ("crm-changed", "touched", "opportunity-opened", "opportunity-changed")
    tick(world, time, 60)
    await driver.settle()
    before, known, expected = counted(box, *kinds), dict[int, str](), Counter[str]()
    people = Counter[tuple[str, int, str]]()

    with site(box, time) as client:
        calls = Calls(client, box, time, dice)
        world.storm(rate=rate, seed=7)
        for _ in range(handfuls):
            done = deeds(dice, [taken[0].lead_id], taken[1].lead_id, known, 10)
            world.act(done)
            people.update((one.kind, one.lead, one.by) for one in done)
            expected.update(one.kind for one in done)
            tick(world, time, dice.choice((1, 30)))
            await asyncio.to_thread(calls.about, done)
            await driver.settle()
        world.calm()
        tick(world, time, 60)
        await driver.settle()
        left = writes(hubspot)
        for _ in range(2):
            tick(world, time, 1_000)
            await asyncio.to_thread(calls.about, done[:2])
            await driver.settle()

    found = box.read_now(lambda session, now: list(session.exec(select(CrmChange))))
    assert Counter((one.kind, one.lead_id, one.by) for one in found) == people
    assert all(one.taken_at for one in found)
    lines = counted(box, *kinds) - before
    assert (lines["crm-changed"], lines["touched"]) == (expected["fields"], expected["touch"])
    assert lines["opportunity-opened"] + lines["opportunity-changed"] == expected["opportunity"]
    assert lines["opportunity-opened"] == len(hubspot.do("records", kind="deals"))
    assert [newest(box, one).stage for one in taken] == ["working", "opportunity"]
    assert writes(hubspot) == left, "a reading wrote into the CRM"
    assert calls.answers[202] == calls.answers[401] >= 10 * handfuls
    refused = box.read_now(lambda session, now: [row.refused for row in session.exec(select(DoorDay)) if row.door == DOOR])
    assert sum(refused) == calls.answers[401]
