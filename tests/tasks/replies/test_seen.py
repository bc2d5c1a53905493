"""Not delivered, not seen, not answered: three different things, wherever they are told."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from app import terminal
from app.commands import one_lead
from flows.attempt import attempt
from storage import figures, page_requests, roster
from storage.page_requests import PageRequest
from tasks.messages import lead_view
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, letters, tenures, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def mail_may_come_back(box: Toolbox) -> None:
    box.channels["email"].may_bounce = True


def look(box: Toolbox, taken: Taken, method: str = "GET") -> None:
    """Somebody or something asks for the page of the newest tenure."""
    handoff_id, assignment_id = newest(box, taken).id, tenures(box, taken)[-1].id

    def work(session: Session, now: datetime) -> None:
        asked = PageRequest(now, handoff_id, "looked", method=method, device="new", assignment_id=assignment_id)
        page_requests.record(session, asked)

    box.write_now(work)


async def notified(driver: Driver, box: Toolbox, time: SteppedTime) -> Taken:
    """A lead whose rep's clock has begun."""
    taken = capture(box, **BY_POINTS)
    await driver.run(until=time.at + 2 * MINUTE)
    assert wait_of(box, taken).kind == "acceptance"
    return taken


def missed(box: Toolbox, taken: Taken) -> dict[str, str]:
    """What the trail holds of the one clock that was missed."""
    [event] = [event for event in events_of(box, taken) if event.kind == "missed"]
    return event.data


def told(box: Toolbox, taken: Taken) -> list[str]:
    """What happened to the lead in sentences."""

    def lines(session: Session, now: datetime) -> list[str]:
        return [text for _, text in lead_view.timeline(session, taken.lead_id, people=roster.current(session))]

    return box.read_now(lines)


async def rest_of(box: Toolbox, taken: Taken) -> str:
    """What Prefect is told when the run parks."""
    async with attempt(newest(box, taken).id) as lead:
        rest = await lead.go_on()
    return rest.message


def shown(box: Toolbox, taken: Taken) -> str:
    """What `baton leads show` prints, as one line."""
    with terminal.console.capture() as printed:
        box.read_now(lambda session, now: one_lead.print_lead(session, taken.lead_id, now=now))
    return " ".join(printed.get().split())


async def test_a_rep_who_never_looked_has_not_seen_it(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await notified(driver, box, time)
    await driver.run(until=wait_of(box, taken).due_at)

    assert missed(box, taken)["because"] == "not seen in time"
    assert tenures(box, taken)[0].ended_because == "not seen in time"
    assert letters(box, "withdrawn") == [tenures(box, taken)[0].rep]
    assert "Missed: acceptance, not seen in time" in told(box, taken)


async def test_a_head_request_is_no_look(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await notified(driver, box, time)
    look(box, taken, method="HEAD")
    await driver.run(until=wait_of(box, taken).due_at)

    assert missed(box, taken)["because"] == "not seen in time"


async def test_a_rep_whose_page_was_looked_at_has_not_answered(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await notified(driver, box, time)
    look(box, taken)
    await driver.run(until=wait_of(box, taken).due_at)

    assert missed(box, taken)["because"] == "not answered in time"
    assert tenures(box, taken)[0].ended_because == "not answered in time"


async def test_a_rep_who_took_the_answer_back_has_seen_it(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await notified(driver, box, time)
    box.settings.undo_minutes = 5
    reply = answer_by_link(box, taken, "rejected", reason="not-icp")
    token = box.links.for_tenure(tenures(box, taken)[0].id).rpartition("/")[2]
    assert box.write_now(
        lambda session, now: answering.undo(session, OpenedLink(box, token), the(reply.winner).answer_id, now=now, device="")
    ).taken_back
    await driver.run(until=wait_of(box, taken).due_at)

    assert missed(box, taken)["because"] == "not answered in time"


async def test_the_figures_tell_them_apart(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    seen, unseen = await notified(driver, box, time), await notified(driver, box, time)
    look(box, seen)
    await driver.run(until=wait_of(box, unseen).due_at)
    for channel in ("email", "chat", "manager-email"):
        kept_by(box, channel).broken = True
    undelivered = capture(box, **BY_POINTS)
    await driver.run(until=time.at + 11 * MINUTE)

    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    assert (found.unanswered, found.unseen, found.undelivered) == (2, 1, 1)
    assert (missed(box, undelivered)["owed_by"], missed(box, undelivered)["because"]) == ("system", "not delivered in time")


async def test_prefect_shows_how_far_it_came(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, **BY_POINTS)
    handoff = newest(box, taken)
    assert (await rest_of(box, taken)).endswith(", not proven to be delivered yet.")

    time.at += 2 * MINUTE
    assert (await rest_of(box, taken)).endswith(", delivered, not seen yet.")

    look(box, taken)
    assert (await rest_of(box, taken)).endswith(", delivered and seen.")
    assert newest(box, taken).id == handoff.id


async def test_the_command_line_shows_how_far_it_came(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, **BY_POINTS)
    await driver.settle()
    assert "sent, counts as arrived from 09:02 UTC unless it comes back; kept as 1" in shown(box, taken)
    assert ": not delivered, not seen" in shown(box, taken)

    await driver.run(until=time.at + 2 * MINUTE)
    assert ": delivered Mon 01 Feb 09:02 UTC, not seen" in shown(box, taken)

    look(box, taken)
    assert ": delivered Mon 01 Feb 09:02 UTC, seen" in shown(box, taken)
