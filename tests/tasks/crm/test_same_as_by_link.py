"""A rep who works only in the CRM is judged the same as one who clicks: one story played both ways, the trails compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import agree_on, staff
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, local_crm, newest

MINUTE = timedelta(minutes=1)
#: Parts of an event that differ because two leads are two leads, or because the answer came another way.
_OF_ITS_OWN = {"via", "answer_id", "wait_id", "assignment_id", "proof", "key", "score", "delivery_id", "salt", "offer"}

#: The places in the roster that put ana's colleagues into her team. Without them each lead is hers.
_OTHERS = ("ben@northgate.example, ", "cleo@northgate.example, ", "emil@northgate.example\n    ")

Doing = Callable[[Toolbox, Taken, datetime], object]


def two_way(tree: dict[str, Any]) -> None:
    """Let everything that a rep says be said in the CRM."""
    tree["crm"] = {
        "accepted": {"status": "Working", "create": "opportunity"},
        "rejected": {"status": "Unqualified"},
        "attempted": {"status": "Attempted"},
        "opportunity": {"status": "Opportunity"},
    }
    for reason in tree["reasons"]:
        reason["crm"] = {"reason": reason["code"]}


def clicks(kind: Any, **fields: str) -> Doing:
    return lambda box, taken, at: answer_by_link(box, taken, kind, **fields)


def sets(**values: str) -> Doing:
    return lambda box, taken, at: local_crm(box).person_changes(taken.lead_id, by=newest(box, taken).rep, at=at, values=values)


def logs(channel: str, outcome: str) -> Doing:
    return lambda box, taken, at: local_crm(box).person_logs(
        taken.lead_id, by=newest(box, taken).rep, at=at, channel=channel, outcome=outcome
    )


#: Each story: minutes since the lead came in, what a rep does who clicks, and what one does who works only in the CRM.
STORIES: dict[str, list[tuple[int, Doing, Doing]]] = {
    "to the opportunity": [
        (5, clicks("accepted"), sets(status="Working")),
        (12, clicks("attempted", channel="phone"), logs("call", "attempted")),
        (90, clicks("attempted", channel="email"), logs("email", "attempted")),
        (200, clicks("connected", channel="phone"), logs("call", "connected")),
        (260, clicks("connected", channel="in-person"), logs("meeting", "connected")),
        (300, clicks("opportunity"), sets(status="Opportunity")),
    ],
    "a rejection": [(4, clicks("rejected", reason="not-now"), sets(status="Unqualified", reason="not-now"))],
    "a return": [
        (4, clicks("accepted"), sets(status="Working")),
        (9, clicks("connected", channel="phone"), logs("call", "connected")),
        (50, clicks("returned", reason="no-budget"), sets(status="Unqualified", reason="no-budget")),
    ],
    "a handover": [(3, clicks("handed", colleague="cleo"), sets(owner="cleo"))],
    "late": [
        (50, clicks("accepted"), sets(status="Working")),
        (100, clicks("attempted", channel="phone"), logs("call", "attempted")),
    ],
    "nothing at all": [],
}


#: The stories that `make test` plays; `make test-long` plays all.
_SHORT = ("to the opportunity", "a rejection", "a return")


@pytest.mark.parametrize("name", [name if name in _SHORT else pytest.param(name, marks=pytest.mark.long) for name in STORIES])
async def test_a_story_leaves_the_same_trail_by_link_and_in_the_crm(driver: Driver, box: Toolbox, time: SteppedTime, name: str) -> None:
    agree_on(box, two_way)
    staff(box, *((f"{place}team: emea", f"{place}team: americas") for place in _OTHERS))

    trails = []
    for by_crm in (False, True):
        time.at = MONDAY + timedelta(days=14 * by_crm)
        trails.append(await _played(driver, box, time, STORIES[name], by_crm=by_crm))

    by_link, in_crm = trails
    assert in_crm == by_link
    assert len(by_link) > 8


async def _played(
    driver: Driver, box: Toolbox, time: SteppedTime, story: list[tuple[int, Doing, Doing]], *, by_crm: bool
) -> list[tuple[Any, ...]]:
    start = time.at
    taken = capture(box, source_id=f"story-{by_crm}", email=f"story-{by_crm}@company-{by_crm}.example", company=f"Company {by_crm}")
    await driver.run(until=start)
    for minutes, click, change in story:
        await driver.run(until=start + minutes * MINUTE)
        time.at = start + minutes * MINUTE
        (change if by_crm else click)(box, taken, time.at)
        await driver.settle()
    await driver.run(until=start + timedelta(days=3))
    return _comparable(box, taken, start)


def _comparable(box: Toolbox, taken: Taken, start: datetime) -> list[tuple[Any, ...]]:
    """Return the lead's trail without what differs between any two leads, and without the notes that the CRM was changed."""

    def relative(value: Any) -> Any:
        try:
            at = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return value
        return at - start if at.tzinfo else value

    return sorted(
        (
            event.at - start,
            event.kind,
            event.actor,
            str({name: relative(value) for name, value in sorted(event.data.items()) if name not in _OF_ITS_OWN}),
        )
        for event in events_of(box, taken)
        if event.kind != "crm-changed"
    )
