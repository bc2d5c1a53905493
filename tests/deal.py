"""Helpers that change the deal (another agreement in force, another roster), and the waits that people answer by duty."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date, datetime
from functools import cache
from typing import Any

from ruamel.yaml import YAML
from sqlmodel import Session, col, select

from agreements.words import ChannelName, GivenAnswer, NoWord
from storage import contracts, handoffs, outcomes, roster, waits
from storage.tables import Assignment, Delivery, Handoff, Touch, Wait
from tasks import intake
from tasks.intake import Captured
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox
from tests.conftest import AGREEMENT, ROSTER
from tests.driver import Driver
from tests.fakes import make_lead
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, kept_by, newest

#: A lead that reaches the threshold by points, without asking for a demo: the normal tier.
BY_POINTS = {"activity": "form_submitted"}
#: A lead that fits and has not done enough yet.
NOT_YET = {"activity": "content_downloaded", "job_title": "Sales Director"}


def agree(box: Toolbox, *changes: tuple[str, str]) -> None:
    """Put version 2 of the example agreement in force, with these places rewritten."""
    text = AGREEMENT.replace("version: 1\n", "version: 2\n", 1).replace("from: 2026-01-01", "from: 2027-01-01", 1)
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example agreement"
        text = text.replace(old, new)
    _put_in_force(box, text)


def agree_on(box: Toolbox, change: Callable[[dict[str, Any]], object], *, version: int = 2) -> None:
    """Put that version of the example agreement in force, changed by this function."""
    tree = example_tree()
    tree["version"], tree["effective"] = version, {"from": date(2027, 1, version - 1)}
    change(tree)
    _put_in_force(box, json.dumps(tree, default=str, indent=1))  # JSON is YAML, and is written in a tenth of the time


def example_tree() -> dict[str, Any]:
    """Return the example agreement as plain values of the caller's own."""
    return deepcopy(_example())


@cache
def _example() -> dict[str, Any]:
    """Return the example agreement as plain values."""
    tree: dict[str, Any] = YAML(typ="safe", pure=True).load(AGREEMENT)
    return tree


def _put_in_force(box: Toolbox, text: str) -> None:
    def work(session: Session, now: datetime) -> None:
        row = contracts.publish(session, text, now=now)
        for party in ("marketing", "sales"):
            contracts.sign(session, row, contracts.NewSignature(party, party, "cli"), now=now)
        contracts.mark_deployed(session, row, deployment_id="00000000-0000-0000-0000-000000000002", now=now)

    box.write_now(work)


def staff(box: Toolbox, *changes: tuple[str, str]) -> None:
    """Load the example roster with these places rewritten."""
    text = ROSTER
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example roster"
        text = text.replace(old, new)
    box.write_now(lambda session, now: roster.load(session, text, now=now))


def wait_of(box: Toolbox, taken: Taken) -> Wait:
    """Return the open wait of the lead's newest handoff. Fails if no wait is open."""
    return the(wait_if_any(box, taken))


def wait_if_any(box: Toolbox, taken: Taken) -> Wait | None:
    """Return the open wait of the lead's newest handoff, or None."""
    return box.read_now(lambda session, now: waits.open_of(session, newest(box, taken).id))


def tenures(box: Toolbox, taken: Taken) -> list[Assignment]:
    """Return who had the lead in its newest handoff, in order."""
    return box.read_now(lambda session, now: handoffs.assignments(session, newest(box, taken).id))


def deliveries_of(box: Toolbox, taken: Taken) -> dict[tuple[str, str], str]:
    """Return the state of each message about the lead, by message and channel (the newest if there are several)."""
    query = select(Delivery).join(Handoff, col(Handoff.id) == col(Delivery.handoff_id)).where(Handoff.lead_id == taken.lead_id)
    rows = box.read_now(lambda session, now: list(session.exec(query.order_by(col(Delivery.id)))))
    return {(row.message, row.channel): str(row.state) for row in rows}


def touches_of(box: Toolbox, taken: Taken) -> list[str]:
    """Return the kinds of the attempts to reach the lead, in order."""
    query = select(Touch.kind).where(Touch.lead_id == taken.lead_id).order_by(col(Touch.id))
    return box.read_now(lambda session, now: list(session.exec(query)))


def answer_by_duty(box: Toolbox, taken: Taken, kind: GivenAnswer | NoWord, **fields: str) -> answering.Reply:
    """Answer as the person who holds the wait, through the link of that duty."""
    wait = wait_of(box, taken)
    token = box.links.for_duty(wait.id, wait.holder).rpartition("/")[2]
    return box.write_now(lambda session, now: answering.answer(session, OpenedLink(box, token), answering.SentForm(kind, fields), now=now))


def letters(box: Toolbox, message: str, channel: ChannelName = "email") -> list[str]:
    """Return the recipients of messages of that kind on that channel, in order."""
    return [letter.to.id for letter in kept_by(box, channel).letters if letter.message == message]


def news(box: Toolbox) -> list[tuple[str, str]]:
    """Return what waits for marketing's digest by now: each outcome and its sentence, oldest first."""
    return box.read_now(lambda session, now: [(one.outcome, one.what) for one in outcomes.untold(session, now=now)])


def does(box: Toolbox, taken: Taken, activity: str, **changes: object) -> Captured:
    """Record one more activity of the same lead."""
    base = {"source_id": taken.source_id, "email": taken.incoming.email, "conversion_id": f"{activity}-more", "activity": activity}
    incoming = make_lead(**{**base, **changes})
    return box.write_now(lambda session, now: intake.capture(session, incoming, now=now))


async def until_accepted(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    """Return a lead that its rep has accepted."""
    taken = capture(box, **changes)
    await driver.settle()
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    return taken


async def until_working(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    """Return a lead that its rep has accepted and tried to reach."""
    taken = await until_accepted(driver, box, **changes)
    answer_by_link(box, taken, "attempted")
    await driver.settle()
    return taken
