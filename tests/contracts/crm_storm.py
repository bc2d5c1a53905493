"""A storm over a CRM: a seeded story of many people and of Baton, with faults all the time, and what must be true afterwards."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from agreements.errors import CrmError
from storage.crm.port import Change
from tests.contracts.crm_worlds import Deed, Kind, World

T = TypeVar("T")
#: What people set. Only Baton sets the last one.
STATUSES = ("OPEN", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED")
BATON_S = "BAD_TIMING"
PEOPLE = ("ana", "ben", "cleo")
KINDS: Sequence[Kind] = ("fields", "fields", "touch", "opportunity")
CHANNELS = ("call", "email", "meeting")
#: The value by which a change of each kind can be known.
_KNOWN_BY = {"fields": "status", "touch": "channel", "opportunity": "amount"}


class Storm:
    """A seeded story. expected: what people did, to be found once each in what Baton read."""

    def __init__(
        self, world: World, *, seed: int, leads: int, kinds: Sequence[Kind] = ("fields", "fields", "touch", "opportunity")
    ) -> None:
        self.world, self.random, self.leads, self.kinds = world, random.Random(seed), leads, kinds
        self.expected: Counter[tuple[str, ...]] = Counter()
        self.read: list[Change] = []
        self.bookmark = ""
        self.writes = self.faults = self.amount = 0
        self.keys: list[str] = []
        self.status: dict[int, str] = {}

    async def until_done(self, write: Callable[[], Awaitable[T]]) -> T:
        """Try again until the CRM takes it, as the outbox does."""
        while True:
            try:
                return await write()
            except CrmError as error:
                if error.permanent:
                    raise
                self.faults += 1
                self.world.failed()

    async def begin(self) -> None:
        """Each lead gets its first owner, and some their first opportunity."""
        for lead in range(1, self.leads + 1):
            await self.assign(lead)
            if lead % 4 == 0:
                key, number = f"lead/{lead}/opportunity", str(lead)
                await self.until_done(
                    lambda key=key, number=number: self.world.crm.create_opportunity(key=key, lead_number=number, owner="ana", facts={})  # type: ignore[misc]
                )
        self.world.later()

    async def assign(self, lead: int) -> None:
        """Baton gives the lead to somebody."""
        key, owner = self._key(lead), self.random.choice(PEOPLE)
        facts = {"email": f"kim{lead}@firm{lead}.example", "company": f"Firm {lead}"}
        if self.random.random() < 0.2:
            self.world.dies_assigning(key=key, lead=lead, owner=owner, facts=facts)
        await self.until_done(lambda: self.world.crm.assign(key=key, lead_number=str(lead), owner=owner, facts=facts))
        self.keys.append(key)

    def _key(self, lead: int) -> str:
        self.writes += 1
        return f"lead/{lead}/{self.writes}"

    async def write(self) -> None:
        """Baton sets a status that nobody else sets, or writes a note."""
        lead = self.random.randint(1, self.leads)
        key, number = self._key(lead), str(lead)
        if self.random.random() < 0.5:
            self.status[lead] = BATON_S
            await self.until_done(lambda: self.world.crm.update(key=key, lead_number=number, values={"status": BATON_S}))
        else:
            await self.until_done(lambda: self.world.crm.note(key=key, lead_number=number, owner="ana", subject="Still open", facts={}))
            self.keys.append(key)

    def deeds(self, count: int) -> list[Deed]:
        """What people do next, a few seconds one after another, and what Baton has to find for it."""
        done = []
        for _ in range(count):
            lead, by, seconds = self.random.randint(1, self.leads), self.random.choice(PEOPLE), self.random.randint(0, 5)
            kind = self.random.choice(self.kinds)
            if kind == "fields":
                value = self.random.choice([one for one in STATUSES if one != self.status.get(lead)])
                self.status[lead] = value
            elif kind == "touch":
                value = self.random.choice(CHANNELS)
            else:
                self.amount += 1
                value = str(self.amount)
            self.expected[kind, str(lead), by, value] += 1
            done.append(Deed(kind, lead, by, value, seconds))
        return done

    async def look(self) -> int:
        """Baton reads; returns how many changes there were."""
        changes, self.bookmark = await self.until_done(lambda: self.world.crm.changes_since(self.bookmark))
        self.read += changes
        return len(changes)

    async def end(self) -> None:
        """The CRM is whole again, and Baton reads until there is nothing more, and three times again."""
        self.world.calm()
        quiet = 0
        while quiet < 4:
            self.world.later()
            quiet = 0 if await self.look() else quiet + 1

    def found(self) -> Counter[tuple[str, ...]]:
        """What Baton read, in the form of `expected`."""
        return Counter((one.kind, str(one.lead_number), one.by, one.values[_KNOWN_BY[one.kind]]) for one in self.read)


async def rage(world: World, *, seed: int, leads: int, changes: int, rate: float, most: int = 60, hang: bool = False) -> Storm:
    """Play the story, with writes and a reading during each handful of changes. most: how many are a handful."""
    storm = Storm(world, seed=seed, leads=leads)
    world.storm(rate=rate, seed=seed, hang=hang)
    await storm.begin()
    done = 0
    while done < changes:
        handful = min(storm.random.randint(5, most), changes - done)
        done += handful
        world.act(storm.deeds(handful))
        for _ in range(handful // 20):
            await storm.write()
        if storm.random.random() < 0.3:
            await storm.assign(storm.random.randint(1, leads))
        await storm.look()
        world.done()
    await storm.end()
    return storm


def weathered(storm: Storm, *, changes: int) -> None:
    """Nothing was lost, nothing came twice, nothing was Baton's own, and each key made one record."""
    assert storm.faults > 0, "the storm was none"
    assert storm.expected.total() == changes
    assert storm.found() - storm.expected == Counter(), "these came twice, or are echoes"
    assert storm.expected - storm.found() == Counter(), "these were lost"
    assert len({one.id for one in storm.read}) == len(storm.read)
    assert storm.world.leads() == storm.leads, "a write that was repeated made a second record"
    assert len(set(storm.world.keys())) == len(storm.world.keys()) == len(storm.keys)
