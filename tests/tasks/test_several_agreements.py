"""Several agreements in force: each lead runs under the one that is for it, as it was known when it came in."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from storage import contracts, handoffs
from storage.tables import Handoff, Lead
from tasks import intake
from tasks.background.held_leads import release_held
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import NOT_YET
from tests.driver import Driver
from tests.fakes import make_lead
from tests.in_flight import published, text_of
from tests.present import the
from tests.stage import Taken, capture, newest

WEB = ("agreement: b2b-saas\n", "agreement: web\n")
FOR_WEB = ("signers: {", "applies_to: {source: [web, webinar]}\nsigners: {")
#: In this one a note needs no campaign, so that it is seen under which agreement a lead runs.
OWN_NOTE = ("must_state: [why_qualified, buying_signal, next_step, campaign]", "must_state: [why_qualified, buying_signal, next_step]")


@pytest.fixture
def web(box: Toolbox) -> None:
    """Beside the default, an agreement for what comes from the web."""
    box.write_now(lambda session, now: published(session, text_of(4, "2026-06-01", WEB, FOR_WEB, OWN_NOTE), now))


def take_in(box: Toolbox, **changes: object) -> Handoff:
    done = box.write_now(lambda session, now: intake.capture(session, make_lead(**changes), now=now))
    return box.read_now(lambda session, now: session.exec(select(Handoff).where(Handoff.id == done.handoff_id)).one())


def lead_of(box: Toolbox, taken: Taken) -> Lead:
    return the(box.read_now(lambda session, now: session.get(Lead, taken.lead_id)))


@pytest.mark.usefixtures("web")
async def test_each_lead_runs_under_the_agreement_that_is_for_it(driver: Driver, box: Toolbox) -> None:
    from_web, from_phone = capture(box, source="webinar", campaign=""), capture(box, source="phone", campaign="")

    await driver.settle()

    seen = [(newest(box, one).agreement, newest(box, one).version, newest(box, one).stage) for one in (from_web, from_phone)]
    assert seen == [("web", 4, "assigned"), ("b2b-saas", 1, "mql")]


@pytest.mark.usefixtures("web")
def test_a_lead_is_known_by_its_newest_source_and_keeps_its_agreement(box: Toolbox) -> None:
    taken = capture(box, source="phone")
    capture(box, source="web", email=taken.incoming.email, conversion_id="b")

    assert lead_of(box, taken).source == "web"
    assert newest(box, taken).agreement == "b2b-saas"


@pytest.mark.usefixtures("web")
async def test_a_lead_that_comes_back_runs_under_the_agreement_that_is_for_it_then(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, source="phone", **NOT_YET)
    await driver.settle()
    time.at += timedelta(days=1)

    capture(box, source="web", email=taken.incoming.email, conversion_id="b", activity="webinar_attended")
    await driver.settle()

    assert (newest(box, taken).agreement, newest(box, taken).stage) == ("web", "assigned")


def only_web(session: Session, now: datetime) -> None:
    """The default is closed to new leads."""
    contracts.get(session, "b2b-saas", 1).closed = True


@pytest.mark.usefixtures("web")
async def test_a_lead_that_no_agreement_is_for_is_held_until_one_is(driver: Driver, box: Toolbox) -> None:
    """And holds up none that has one."""
    box.write_now(only_web)
    unmatched, matched = take_in(box, source="phone"), take_in(box, source="web")
    await driver.settle()
    assert [(unmatched.held, unmatched.reason, unmatched.agreement), (matched.held, matched.agreement)] == [
        (True, handoffs.NO_AGREEMENT, ""),
        (False, "web"),
    ]

    text = text_of(1, "2026-01-01", ("agreement: b2b-saas\n", "agreement: rest\n"))
    box.write_now(lambda session, now: published(session, text, now))
    driver.clock._next.clear()  # half a minute later
    await driver.clock.tick()
    await driver.settle()

    found = the(box.read_now(lambda session, now: session.get(Handoff, unmatched.id)))
    assert (found.held, found.reason, found.agreement, found.stage) == (False, "", "rest", "assigned")


@pytest.mark.usefixtures("web")
def test_what_is_released_starts_where_an_agreement_is_for_it_and_stays_held_where_none_is(box: Toolbox) -> None:
    def hold(source: str) -> int:
        held = box.write_now(lambda session, now: intake.capture(session, make_lead(source=source), now=now, hold=True))
        return the(held.handoff_id)

    def forget(handoff_id: int) -> None:
        """As if it had been imported before any agreement was in force."""
        box.write_now(lambda session, now: forget_agreement(session, handoff_id))

    held = [hold(source) for source in ("phone", "web", "phone")]
    box.write_now(only_web)
    for one in held:
        forget(one)

    assert asyncio.run(release_held(box)) == 1

    rows = box.read_now(lambda session, now: [the(session.get(Handoff, one)) for one in held])
    assert [(row.held, row.reason) for row in rows] == [(True, handoffs.NO_AGREEMENT), (False, ""), (True, handoffs.NO_AGREEMENT)]


def forget_agreement(session: Session, handoff_id: int) -> None:
    row = the(session.get(Handoff, handoff_id))
    row.agreement, row.version, row.hash = "", 0, ""
    session.add(row)


@pytest.mark.usefixtures("web")
async def test_a_held_lead_starts_when_it_comes_again_in_a_way_that_an_agreement_is_for(driver: Driver, box: Toolbox) -> None:
    box.write_now(only_web)
    taken = capture(box, source="phone")
    assert newest(box, taken).held

    capture(box, source="web", email=taken.incoming.email, conversion_id="b")
    await driver.settle()

    assert (newest(box, taken).held, newest(box, taken).agreement, newest(box, taken).stage) == (False, "web", "assigned")


async def test_while_a_version_has_its_time_it_counts_and_then_the_one_before_it_again(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    """By itself, on the day."""
    summer = text_of(2, "2027-02-02").replace("{from: 2027-02-02}", "{from: 2027-02-02, until: 2027-02-04}")
    box.write_now(lambda session, now: published(session, summer, now))
    versions = []
    for _ in range(4):
        versions.append(newest(box, capture(box)).version)
        time.at += timedelta(days=1)

    assert versions == [1, 2, 2, 1]
