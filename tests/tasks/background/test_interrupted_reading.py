"""A reading of the CRM that dies half-way: the next one finds each change once, also what Salesforce shows only afterwards."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import select

from storage.tables import CrmChange
from tasks.background.read_crm import AT_ONCE, read_crm
from tasks.wiring.toolbox import Toolbox
from tests.crm.salesforce_org import START
from tests.crm.salesforce_stand_in import FACTS, StandIn
from tests.dying import Died, MortalTime
from tests.stage import local_crm


def stored(box: Toolbox) -> Counter[tuple[str, str]]:
    """Who made each change that Baton has stored, and when."""
    rows = box.read_now(lambda session, now: list(session.exec(select(CrmChange))))
    return Counter((row.by, row.at.isoformat()) for row in rows)


async def dies(box: Toolbox, *, lives: int) -> bool:
    """Read the CRM in a process that dies within this transaction; False if it came to its end before."""
    whole, box.time = box.time, MortalTime(START + timedelta(days=1), lives=lives)
    try:
        await read_crm(box)
    except Died:
        return True
    finally:
        box.time = whole
    return False


async def test_wherever_a_reading_dies_the_next_one_stores_each_change_once(box: Toolbox) -> None:
    crm, expected = local_crm(box), Counter[tuple[str, str]]()
    for number in range(2 * AT_ONCE + 1):
        at = START + timedelta(seconds=number)
        crm.person_logs(number, by="ana", at=at, channel="call")
        expected["ana", at.isoformat()] += 1
    deaths = 0

    while await dies(box, lives=deaths):
        deaths += 1

    assert deaths > 6
    assert stored(box) == expected
    assert await read_crm(box) == 0


@pytest.mark.parametrize("earlier", [2, 2 * AT_ONCE])
async def test_a_change_that_salesforce_shows_only_after_the_death_is_not_lost(box: Toolbox, org: StandIn, earlier: int) -> None:
    box.crm = org.crm()
    await box.crm.assign(key="a7", lead_number="7", owner="ana", facts=FACTS)
    lead, expected = org.lead(7), Counter[tuple[str, str]]()
    for number in range(2 * AT_ONCE + 1):
        at = (START + timedelta(seconds=10 * number)).isoformat()
        org.update("Lead", lead, {"Rating": f"r{number}"}, at=at)
        expected["ana", at] += 1
    assert await dies(box, lives=4)
    assert stored(box).total() == AT_ONCE

    late = START + timedelta(seconds=10 * earlier - 5)
    org.update("Lead", lead, {"Status": "Working"}, by="ben", at=late.isoformat())
    org.at(START + timedelta(minutes=5))
    expected["ben", late.isoformat()] += 1
    while await read_crm(box):
        pass

    assert stored(box) == expected


async def test_what_is_saved_in_one_second_and_shown_in_two_parts_is_not_lost(box: Toolbox, org: StandIn) -> None:
    box.crm = org.crm()
    await box.crm.assign(key="a7", lead_number="7", owner="ana", facts=FACTS)
    lead = org.lead(7)
    for number in range(AT_ONCE + 2):
        org.update("Lead", lead, {"Rating": f"r{number}"}, at=(START + timedelta(minutes=number)).isoformat())
    assert await dies(box, lives=4)

    org.update("Lead", lead, {"Status": "Working"}, at=START.isoformat())
    org.at(START + timedelta(minutes=AT_ONCE + 2))
    await read_crm(box)

    said = box.read_now(lambda session, now: list(session.exec(select(CrmChange.id).where(CrmChange.at == START))))
    assert len(said) == 2, "the part that was stored, and both parts"
