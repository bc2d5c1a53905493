"""The artifact of a run says why its lead qualified: the points with their limits, the fast lane, or the screening rule."""

from __future__ import annotations

from sqlmodel import Session

from storage import handoffs
from storage.crm.port import Account
from tasks.steps.document import as_markdown
from tasks.wiring.toolbox import Toolbox
from tests.deal import BY_POINTS
from tests.driver import Driver
from tests.stage import Taken, capture, local_crm, newest


def artifact(box: Toolbox, taken: Taken) -> str:
    """What Prefect is given of the note."""

    def write(session: Session, now: object) -> str:
        handoff = newest(box, taken)
        note = handoffs.note_of(session, handoff)
        assert note is not None
        return as_markdown(handoff, note)

    return box.read_now(write)


async def test_a_lead_that_qualified_by_points_shows_each_sum_beside_its_limit(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **BY_POINTS)
    await driver.settle()
    handoff, shown = newest(box, taken), artifact(box, taken)

    assert "**Why it qualified:** it reaches every limit." in shown
    assert f"| total | {handoff.score} | 60 |" in shown
    assert f"| fit | {handoff.fit} | 30 |" in shown
    assert f"| engagement | {handoff.engagement} | 15 |" in shown


async def test_a_lead_that_asked_for_it_says_so(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()

    assert "**Why it qualified:** they asked for it (demo requested). Points do not decide then." in artifact(box, taken)


async def test_a_lead_that_a_screening_rule_routed_names_the_rule(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **BY_POINTS)
    local_crm(box).add_accounts([Account("a-1", taken.incoming.company, owner="ben")])
    await driver.settle()

    assert newest(box, taken).routed
    assert "a screening rule sends it past the score: the account has an owner." in artifact(box, taken)
