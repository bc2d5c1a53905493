"""A mailbox that several read: whoever takes the lead says so, and has it from then on."""

from __future__ import annotations

import pytest

from tasks.replies import answering
from tasks.replies.answering import ChoiceRefused
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox
from tests.deal import staff, tenures, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, newest, token_of

MAILBOX = ("people:\n", "people:\n  inbound: {name: Inbound, email: in@northgate.example, team: emea, shared: true, members: [ana, ben]}\n")
AWAY = "away: [{from: 2027-01-11T00:00:00Z, until: 2027-03-08T00:00:00Z}]"
TEAM = "@northgate.example, team: emea,"
OTHERS_AWAY = [(f"{name}{TEAM}", f"{name}{TEAM} {AWAY},") for name in ("ana", "ben", "cleo")]


@pytest.fixture
async def taken(driver: Driver, box: Toolbox) -> Taken:
    staff(box, MAILBOX, *OTHERS_AWAY)
    taken = capture(box)
    await driver.settle()
    assert newest(box, taken).rep == "inbound"
    return taken


async def test_who_takes_it_must_be_said(driver: Driver, box: Toolbox, taken: Taken) -> None:
    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))
    assert visit.members == (("ana", "Ana Silva"), ("ben", "Ben Carter"))
    for member in ("", "cleo", "inbound"):
        with pytest.raises(ChoiceRefused, match="Please say who takes it"):
            answer_by_link(box, taken, "accepted", member=member)


async def test_an_accepted_lead_is_the_members_under_the_same_link(driver: Driver, box: Toolbox, taken: Taken) -> None:
    token = token_of(box, taken)

    assert answer_by_link(box, taken, "accepted", member="ben").won
    await driver.settle()

    assert newest(box, taken).rep == newest(box, taken).owner == "ben"
    assert [row.rep for row in tenures(box, taken)] == ["ben"]
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("first_attempt", "ben")
    assert token_of(box, taken) == token
    assert box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token), now=now)).person == "ben"
    assert "ben" in [event.actor for event in events_of(box, taken) if event.kind == "answered-accepted"]


async def test_a_rejection_is_the_members(driver: Driver, box: Toolbox, taken: Taken) -> None:
    assert answer_by_link(box, taken, "rejected", member="ana", reason="not-icp").won
    await driver.settle()
    assert "ana" in [event.actor for event in events_of(box, taken) if event.kind == "answered-rejected"]
