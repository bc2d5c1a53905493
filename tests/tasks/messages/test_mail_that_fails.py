"""One assignment, one fault of the mail server: what its row says, and how the rep is reached all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from sqlmodel import select

from notifications.channels.email import EmailChannel
from storage import handoffs, proof, waits
from storage.tables import Delivery
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on
from tests.driver import Driver
from tests.notifications.certificates import Authority
from tests.notifications.channels.test_email import Postbox, channel, serving
from tests.notifications.channels.test_email_faults import Hanging, secured, talking
from tests.present import the
from tests.stage import capture

MINUTE = timedelta(minutes=1)
#: Fault, the state of the e-mail's row a quarter of an hour later, and a piece of what it says. Queued: it is tried again.
FAULTS = [
    ("a certificate of nobody", "queued", "the mail server's certificate is not trusted"),
    ("the login is refused", "queued", "535"),
    ("greylisting", "queued", "451 4.7.1 Greylisted"),
    ("no such mailbox", "failed", "550 5.1.1 No such user"),
    ("taken and returned", "bounced", "came back: 5.1.1 no such user"),
    ("dropped after the letter", "unknown", "it may have arrived"),
    ("it hangs", "queued", ""),
]


@asynccontextmanager
async def mail_server(fault: str, authority: Authority) -> AsyncIterator[EmailChannel]:
    """An e-mail channel to a real server that has this fault."""
    answers: dict[str, dict[str, str | None]] = {
        "greylisting": {"RCPT": "451 4.7.1 Greylisted, come back later"},
        "no such mailbox": {"RCPT": "550 5.1.1 No such user"},
        "dropped after the letter": {"DATA": None},
    }
    if fault == "it hangs":
        async with talking(Hanging("RCPT").talk) as port, channel(port) as email:
            yield email
        return
    options: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    if fault == "a certificate of nobody":
        options, ours = secured("starttls", authority.server(self_signed=True)), {"tls": "starttls", "ca_file": authority.file}
    if fault == "the login is refused":
        options = {"authenticator": lambda *_: AuthResult(success=False, handled=False), **secured("implicit", authority.server())}
        ours = {"username": "baton", "password": "topsecret", "tls": "implicit", "ca_file": authority.file}
    async with serving(Postbox(answers.get(fault, {})), **options) as port, channel(port, **ours) as email:
        yield email


def by_mail_else_by_chat(tree: dict[str, Any]) -> None:
    tree["notify"] = {"confirmed_on": 1, "within": "10 minutes", "no_bounce_for": "2 minutes", "channels": ["email"], "fallback": ["chat"]}
    for tier in tree["tiers"]:
        tier.pop("channels", None)


@pytest.mark.parametrize(("fault", "state", "said"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_the_row_says_what_happened_and_the_rep_is_reached_otherwise(
    driver: Driver, box: Toolbox, time: SteppedTime, tmp_path: Path, fault: str, state: str, said: str
) -> None:
    agree_on(box, by_mail_else_by_chat)
    start = time.at

    async with mail_server(fault, Authority.new(tmp_path)) as email:
        box.channels = {**box.channels, "email": email}
        taken = capture(box, **BY_POINTS)
        if fault == "taken and returned":
            driver.plan(start + MINUTE, lambda: come_back(box))
        await driver.run(until=start + 3 * MINUTE)

        mail, chat = rows(box, "email"), rows(box, "chat")
    assert [(row.state, said in row.error, "topsecret" in row.error) for row in mail] == [(state, True, False)]
    assert [row.state for row in chat] == ["confirmed"]
    handoff = the(box.read_now(lambda session, now: handoffs.latest_of(session, taken.lead_id)))
    wait = the(box.read_now(lambda session, now: waits.open_of(session, handoff.id)))
    assert (handoff.stage, handoff.owner, wait.kind) == ("assigned", handoff.rep, "acceptance")
    assert wait.opened_at == chat[0].sent_at, "the clock starts when it is proven"


def come_back(box: Toolbox) -> None:
    """The mail server returns what it took."""
    [row] = rows(box, "email")
    assert box.write_now(lambda session, now: proof.bounced(session, row.id, why="5.1.1 no such user", now=now))


def rows(box: Toolbox, over: str) -> list[Delivery]:
    query = select(Delivery).where(Delivery.channel == over, Delivery.message == "assigned")
    return box.read_now(lambda session, now: list(session.exec(query)))
