"""Thousands of changes in a CRM that fails all the time: none is lost, none is given twice, and none is Baton's own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from agreements.errors import CrmError
from storage.crm.port import Change
from tests.contracts.crm_worlds import HubSpotWorld
from tests.crm.stand_in import StandIn, running

T = TypeVar("T")
STATUSES = ("OPEN", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED")
PEOPLE = ("ana", "ben", "cleo")


@pytest.fixture(scope="module")
def hubspot() -> Iterator[StandIn]:
    with running("tests.crm.hubspot_server") as stand_in:
        yield stand_in


class Storm:
    """A seeded story. expected: what people did, to be found once each in what Baton read."""

    def __init__(self, world: HubSpotWorld, *, seed: int, leads: int) -> None:
        self.world, self.random, self.leads = world, random.Random(seed), leads
        self.expected: Counter[tuple[str, ...]] = Counter()
        self.read: list[Change] = []
        self.bookmark = ""
        self.writes = 0
        self.contacts: dict[int, str] = {}
        self.status: dict[int, str] = {}
        self.deals: list[tuple[int, str]] = []
        self.faults = 0

    async def until_done(self, write: Callable[[], Awaitable[T]]) -> T:
        """Try again until the CRM takes it, as the outbox does."""
        while True:
            try:
                return await write()
            except CrmError as error:
                if error.permanent:
                    raise
                self.faults += 1

    async def begin(self) -> None:
        """Each lead gets its first owner."""
        for lead in range(1, self.leads + 1):
            await self.assign(lead)
        contacts = self.world.stand_in.do("records", kind="contacts")
        self.contacts = {int(one["baton_lead"]): one["id"] for one in contacts}
        assert len(contacts) == self.leads, "a write that was repeated made no second contact"

    async def assign(self, lead: int) -> None:
        """Baton gives the lead to somebody."""
        self.writes += 1
        key, owner = f"lead/{lead}/{self.writes}", self.random.choice(PEOPLE)
        facts = {"email": f"kim{lead}@firm{lead}.example", "company": f"Firm {lead}"}
        await self.until_done(lambda: self.world.crm.assign(key=key, lead_number=str(lead), owner=owner, facts=facts))

    async def write(self) -> None:
        """Baton sets a status that nobody else sets, or writes a note."""
        lead = self.random.randint(1, self.leads)
        self.writes += 1
        key = f"lead/{lead}/{self.writes}"
        if self.random.random() < 0.5:
            self.status[lead] = "BAD_TIMING"
            await self.until_done(lambda: self.world.crm.update(key=key, lead_number=str(lead), values={"status": "BAD_TIMING"}))
        else:
            await self.until_done(lambda: self.world.crm.note(key=key, lead_number=str(lead), owner="ana", subject="Still open", facts={}))

    def people(self, count: int) -> None:
        """People do this many things, a few seconds one after another."""
        steps = []
        for _ in range(count):
            lead, by = self.random.randint(1, self.leads), self.random.choice(PEOPLE)
            user = {"ana": 11, "ben": 12, "cleo": 13}[by]
            what = self.random.random()
            ties = [["contacts", self.contacts[lead]]]
            if what < 0.6:
                new = self.random.choice([one for one in STATUSES if one != self.status.get(lead)])
                self.status[lead] = new
                self.expected["fields", str(lead), by, new] += 1
                steps.append({"do": "put", "kind": "contacts", "id": self.contacts[lead], "values": {"hs_lead_status": new}, "user": user})
            elif what < 0.85:
                kind, channel = self.random.choice((("calls", "call"), ("meetings", "meeting")))
                self.expected["touch", str(lead), by, channel] += 1
                values = {"hubspot_owner_id": str(user + 60)}
                steps.append({"do": "make", "kind": kind, "values": values, "user": user, "ties": ties})
            else:
                self.expected["opportunity", str(lead), by, "Appointment"] += 1
                values = {"dealname": "x", "dealstage": "appointmentscheduled", "amount": str(self.random.randint(1, 99))}
                steps.append({"do": "make", "kind": "deals", "values": values, "user": user, "ties": ties})
            steps.append({"do": "clock", "seconds": self.random.randint(0, 5)})
        self.world.stand_in.do("many", steps=steps)

    async def look(self) -> None:
        """Baton reads."""
        changes, self.bookmark = await self.until_done(lambda: self.world.crm.changes_since(self.bookmark))
        self.read += changes

    async def end(self) -> None:
        """The CRM is whole again, and Baton reads until there is nothing more."""
        self.world.stand_in.do("faults", rate=0)
        for _ in range(4):
            self.world.later()
            await self.look()

    def found(self) -> Counter[tuple[str, ...]]:
        """What Baton read, in the form of `expected`."""
        last = {"fields": "status", "touch": "channel", "opportunity": "stage"}
        return Counter((one.kind, str(one.lead_number), one.by, one.values[last[one.kind]]) for one in self.read)


async def rage(world: HubSpotWorld, *, seed: int, leads: int, changes: int, rate: float, hang: bool = False) -> Storm:
    """Play the story, with a reading after each handful of changes."""
    storm = Storm(world, seed=seed, leads=leads)
    world.stand_in.do("faults", rate=rate, hang=hang)
    await storm.begin()
    done = 0
    while done < changes:
        handful = min(storm.random.randint(5, 60), changes - done)
        storm.people(handful)
        done += handful
        for _ in range(handful // 20):
            await storm.write()
        if storm.random.random() < 0.3:
            await storm.assign(storm.random.randint(1, leads))
        await storm.look()
    await storm.end()
    return storm


def weathered(storm: Storm, *, changes: int) -> None:
    """Nothing was lost, nothing came twice, nothing was Baton's own, and each key made one record."""
    assert storm.faults > 0, "the storm was none"
    assert storm.expected.total() == changes
    assert storm.found() - storm.expected == Counter(), "these came twice, or are echoes"
    assert storm.expected - storm.found() == Counter(), "these were lost"
    assert len({one.id for one in storm.read}) == len(storm.read)
    for kind in ("tasks", "notes"):
        keys = [one["baton_key"] for one in storm.world.stand_in.do("records", kind=kind)]
        assert len(keys) == len(set(keys))


async def test_a_small_storm_loses_and_repeats_nothing(hubspot: StandIn) -> None:
    world = HubSpotWorld(hubspot, lag_ms=60_000, seed=3)

    storm = await rage(world, seed=3, leads=8, changes=150, rate=0.12)

    weathered(storm, changes=150)
    assert world.problems() == []


@pytest.mark.long
@pytest.mark.timeout(1_500)
async def test_a_storm_of_ten_thousand_changes_loses_and_repeats_nothing(hubspot: StandIn) -> None:
    world = HubSpotWorld(hubspot, lag_ms=60_000, seed=11, validate=False, timeout_seconds=3)

    storm = await rage(world, seed=11, leads=150, changes=10_000, rate=0.01, hang=True)

    weathered(storm, changes=10_000)
