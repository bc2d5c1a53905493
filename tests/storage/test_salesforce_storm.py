"""Salesforce in a storm: whatever fails, comes late or comes twice, each change of a person is read once, and none of Baton's."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import pytest

from agreements.errors import CrmError
from storage.crm.port import Change
from storage.crm.salesforce import SalesforceCrm
from tests.crm.salesforce_org import START
from tests.crm.salesforce_stand_in import FACTS, StandIn, serving

PEOPLE = ("ana", "ben", "cleo")


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with serving() as stand_in:
        yield stand_in


async def insisted(work: Callable[[], Awaitable[str]]) -> str:
    """Repeat a write until it is through, as Baton's deliveries do."""
    for _ in range(200):
        try:
            return await work()
        except CrmError as error:
            if error.permanent:
                raise
    raise AssertionError("it never went through")


class Storm:
    """People who change things, Baton that writes and reads, and a network that fails. marks: what each change can be known by."""

    def __init__(self, org: StandIn, seed: int, leads: int) -> None:
        self.org, self.dice, self.now = org, random.Random(seed), START + timedelta(minutes=5)
        self.crm: SalesforceCrm = org.crm()
        self.leads, self.deals = list(range(1, leads + 1)), dict[int, str]()
        self.marks, self.found, self.bookmark = list[str](), list[Change](), ""

    async def begin(self, seed: int) -> None:
        for lead in self.leads:
            facts = {**FACTS, "email": f"lead{lead}@harbour.example"}
            await self.crm.assign(key=f"a{lead}", lead_number=str(lead), owner="ana", facts=facts)
            if lead % 4 == 0:
                await self.crm.create_opportunity(key=f"o{lead}", lead_number=str(lead), owner="ana", facts=facts)
        self.ids = {int(row["Baton_Lead__c"]): row["Id"] for row in self.org.rows("Lead")}
        self.deals = {int(row["Baton_Lead__c"]): row["Id"] for row in self.org.rows("Opportunity")}
        self.org.do("set", storm=0.08, seed=seed, page=300)

    def person(self, number: int) -> None:
        """A person does something. Up to five minutes late, as long transactions do it."""
        self.now += timedelta(seconds=self.dice.choice([0, 0, 1, 7]))
        by, lead = self.dice.choice(PEOPLE), self.dice.choice(self.leads)
        when = {"at": self.now.isoformat(), "late": self.dice.choice([0, 0, 0, 40, 290])}
        kind = self.dice.choice(["fields", "touch", "opportunity"])
        if kind == "fields":
            self.org.update("Lead", self.ids[lead], {"Rating": f"r{number}"}, by=by, **when)
            self.marks.append(f"{lead} {by} r{number}")
        elif kind == "touch":
            made = self.org.create("Task", {"WhoId": self.ids[lead], "TaskSubtype": "Call", "Status": "Completed"}, by=by, **when)
            self.marks.append(f"{lead} {by} Task:{made[:15]}")
        else:
            lead = self.dice.choice(sorted(self.deals))
            self.org.update("Opportunity", self.deals[lead], {"Amount": number + 1}, by=by, **when)
            self.marks.append(f"{lead} {by} {number + 1}")

    async def baton(self, number: int) -> None:
        """Baton writes, and must not hear of it."""
        lead = str(self.dice.choice(self.leads))
        await insisted(lambda: self.crm.update(key=f"u{number}", lead_number=lead, values={"Rating": f"baton {number}"}))
        await insisted(lambda: self.crm.note(key=f"n{number}", lead_number=lead, owner="ana", subject="FYI", facts={}))

    async def read(self) -> bool:
        """Read once; an error leaves the bookmark where it was. Returns whether something may be left."""
        try:
            changes, after = await self.crm.changes_since(self.bookmark)
        except CrmError as error:
            if error.permanent:
                raise
            return True
        moved, self.bookmark = after != self.bookmark, after
        self.found += changes
        return moved

    def seen(self) -> list[str]:
        """The changes that were read, by what each can be known by."""
        marks = []
        for one in self.found:
            known = one.values.get("Rating") or one.values.get("amount") or one.id
            marks.append(f"{one.lead_number} {one.by} {known}")
        return marks


@pytest.mark.parametrize(
    ("seed", "changes", "leads", "every"),
    [(1, 90, 8, 30), pytest.param(2, 10_000, 60, 250, marks=pytest.mark.long)],
)
async def test_in_a_storm_nothing_is_lost_nothing_comes_twice_and_nothing_echoes(
    running: StandIn, seed: int, changes: int, leads: int, every: int
) -> None:
    running.reset()
    storm = Storm(running, seed, leads)
    await storm.begin(seed)

    for number in range(changes):
        storm.person(number)
        if number % every == every - 1:
            await storm.baton(number)
            await storm.read()
    running.do("set", storm=0.02)
    while await storm.read():
        pass

    assert Counter(storm.seen()) == Counter(storm.marks)
    notes = [row["Baton_Key__c"] for row in running.rows("Task") if row["Baton_Key__c"]]
    assert len(notes) == len(set(notes)) == leads + changes // every
