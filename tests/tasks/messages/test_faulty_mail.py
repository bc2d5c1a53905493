"""Hundreds of assignments while one mail in five goes wrong: every rep is reached as long as one channel works, and nothing twice."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlmodel import Session, select

from agreements.model import Proves
from app.demo.inbox.pages import PageServer
from app.web.site import create_site
from notifications.channels.chat import ChatChannel
from notifications.channels.email import EmailChannel, SmtpServer
from storage import keys, proof
from storage.keys import Scope
from storage.tables import Assignment, Delivery, DeliveryState, Event, Handoff, Wait
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on
from tests.driver import Driver
from tests.examples import at_night
from tests.faulty import FAULTS, FaultyChat, FaultyMail
from tests.patience import PATIENCE_SECONDS
from tests.returned import returned
from tests.stage import capture

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1200),
    # Apprise loads a module of the standard library that Python 3.13 no longer has.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]
LEADS = at_night(1000, before_a_change=250)
REP_ALONE: tuple[Proves, ...] = ("rep",)
MINUTE = timedelta(minutes=1)
#: What has a rep's clock to run from, and what comes to nothing.
GONE = (DeliveryState.FAILED, DeliveryState.BOUNCED, DeliveryState.UNKNOWN)


def long_clocks(tree: dict[str, Any]) -> None:
    """One proof is enough, everybody has room, and nobody has to answer before the test is over."""
    tree["notify"] = {
        "confirmed_on": 1,
        "within": "30 minutes",
        "no_bounce_for": "3 minutes",
        "channels": ["email"],
        "fallback": ["chat", "manager-email"],
    }
    tree["tiers"] = [{"name": "normal"}]
    for clock in tree["clocks"].values():
        clock["within"] = {"normal": clock["within"]["normal"]} if isinstance(clock["within"], dict) else clock["within"]
        clock.pop("total", None)
    tree["clocks"]["acceptance"] = {
        "owed_by": "sales",
        "calendar": "rep",
        "within": "30 working days",
        "when_missed": [{"do": "nurture"}],
    }
    tree["routing"]["capacity"] = {"per_rep": 5000}
    tree["routing"]["everyone_full"] = "route-anyway"


@contextmanager
def serving(box: Toolbox) -> Iterator[str]:
    """The site of this installation over real HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = PageServer(create_site(box), listener)
        server.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.stop()


class Postmaster:
    """Returns what the mail server took and did not deliver, some minutes later, by the door for returned mail."""

    def __init__(self, driver: Driver, box: Toolbox, mail: FaultyMail, url: str) -> None:
        self.driver, self.mail, self.dice = driver, mail, random.Random(6)
        key = box.write_now(lambda session, now: keys.create(session, "postmaster", now, [Scope.DSN]))
        headers = {"authorization": f"Bearer {key}", "content-type": "message/rfc822"}
        self.client = httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)
        self.said: Counter[str] = Counter()

    def make_the_round(self) -> None:
        """Plans the return of what was taken since the last one."""
        waiting, self.mail.to_bounce[:] = list(self.mail.to_bounce), []
        for mark in waiting:
            after = timedelta(seconds=self.dice.choice([20, 60, 150, 400, 2400]))
            for again in range(self.dice.choice([1, 1, 2])):
                self.driver.plan(self.driver.time.at + after + again * MINUTE, partial(self._return, mark))

    def _return(self, mark: str) -> None:
        answer = self.client.post("/hooks/dsn", content=returned(self.dice.choice(["failed", "exchange", "qmail"]), mark=mark))
        assert answer.status_code == 202
        self.said[answer.json()["result"]] += 1


async def test_every_rep_is_reached_while_one_channel_works_and_nothing_comes_twice(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    agree_on(box, long_clocks)
    mail, chat = FaultyMail(), FaultyChat()
    mail.open()
    server = SmtpServer("127.0.0.1", mail.port, timeout_seconds=0.25)
    email = EmailChannel(server, sender="Baton <baton@firm.example>", bounces="bounces@firm.example")
    box.channels = {**box.channels, "email": email, "manager-email": email, "chat": ChatChannel(default_url=chat.url)}
    box.settings.crm_poll_seconds = 3600
    start, taken = time.at, []
    with serving(box) as url:
        postmaster = Postmaster(driver, box, mail, url)
        for number in range(LEADS):
            driver.plan(start + (number * 20 // LEADS) * MINUTE, lambda: taken.append(capture(box, **BY_POINTS)))
        for minute in range(120):
            driver.plan(start + minute * MINUTE, postmaster.make_the_round)
        driver.plan(start + 6.5 * MINUTE, mail.close)
        driver.plan(start + 9.5 * MINUTE, mail.open)
        await driver.run(until=start + 180 * MINUTE)
        await email.close()
        postmaster.client.close()
    mail.end()
    chat.end()

    assert set(mail.happened) == {*FAULTS, "nothing"}
    assert postmaster.said["bounced"] > LEADS / 50
    assert postmaster.said["repeated"] > LEADS / 200
    assert [key for key, times in (mail.arrived + chat.arrived).items() if times > 1] == []
    box.read_now(everybody_is_reached)


def everybody_is_reached(session: Session, now: datetime) -> None:
    """Each lead is with somebody who provably knows, and whoever was passed over could not be reached at all."""
    assert len(session.exec(select(Handoff.id).where(Handoff.stage == "assigned")).all()) == LEADS
    waits = session.exec(select(Wait).where(Wait.closed_at == None)).all()  # noqa: E711
    assert {wait.kind for wait in waits} == {"acceptance"}
    tenures = session.exec(select(Assignment)).all()
    assert len(tenures) >= LEADS
    for tenure in tenures:
        rows = session.exec(select(Delivery).where(Delivery.assignment_id == tenure.id, Delivery.message == "assigned")).all()
        if proof.proof_of(session, tenure.id, REP_ALONE, now=now).arrived:
            assert tenure.proven_at is not None
        else:
            assert tenure.ended_because == "not delivered in time"
            assert {row.channel for row in rows} == {"email", "chat", "manager-email"}
            to_the_rep = [row for row in rows if row.channel != "manager-email"]
            assert {row.state for row in to_the_rep} <= {*GONE, DeliveryState.QUEUED, DeliveryState.CANCELLED}
    assert not session.exec(select(Event).where(Event.kind == "attempt-failed")).all()
