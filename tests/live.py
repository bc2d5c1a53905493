"""The whole stack for tests: a real Prefect server, worker, web pages and clock as processes, and real mail on a socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from sqlmodel import Session

from app import stack, terminal
from app.demo.browser import Page, Visitor
from app.demo.chat_room import ChatRoom
from app.demo.inbox.inbox import Inbox
from app.deploying import deploy
from app.stack import Stack
from storage import contracts, devices, handoffs, roster, time_offset, waits
from storage.tables import AgreementVersion, Handoff, Wait
from tasks import intake
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox
from tests import eager_worker
from tests.conftest import AGREEMENT, MONDAY, ROSTER
from tests.fakes import make_lead
from tests.patience import until
from tests.present import the
from tests.stage import Taken

T = TypeVar("T")


@dataclass
class Live:
    """A running stack, with short methods for what tests do with it."""

    box: Toolbox
    stack: Stack
    inbox: Inbox

    def capture(self, **changes: object) -> Taken:
        """Take in an inquiry that qualifies as it is."""
        incoming = make_lead(**changes)
        done = self.box.write_now(lambda session, now: intake.capture(session, incoming, now=now))
        return Taken(done.lead_id, incoming.source_id, incoming, done.kind)

    def handoff(self, taken: Taken) -> Handoff:
        """Return the newest handoff of the lead."""
        found = self.box.read_now(lambda session, now: handoffs.latest_of(session, taken.lead_id))
        assert found is not None
        return found

    def wait_of(self, taken: Taken) -> Wait:
        """Return the open wait of the lead. Fails if no wait is open."""
        return the(self.wait_if_any(taken))

    def wait_if_any(self, taken: Taken) -> Wait | None:
        """Return the open wait of the lead, or None."""
        return self.box.read_now(lambda session, now: waits.open_of(session, self.handoff(taken).id))

    def until(self, ask: Callable[[], T | None]) -> T:
        """Ask repeatedly until the answer is true, and return it. After the time limit, fail with the last lines of every part."""
        return until(ask, every_seconds=0.1, or_else=self._tails)

    def _tails(self) -> str:
        return "\n".join(f"== {name}\n{part.last_lines(30)}" for name, part in self.stack.parts.items())

    def until_stage(self, taken: Taken, *stages: str) -> Handoff:
        """Wait until the lead is in one of these stages."""
        self.until(lambda: self.handoff(taken).stage in stages)
        return self.handoff(taken)

    def until_parked(self, taken: Taken, name: str) -> FlowRun:
        """Wait until the lead's run is parked under this name."""

        def ask() -> FlowRun | None:
            run = self.run_if_any(taken)
            wait = self.wait_if_any(taken)
            if run is None or run.state is None or wait is None:
                return None
            return run if run.state.state_details.pause_key == wait.parked_key and run.state.name == name else None

        return self.until(ask)

    def run_of(self, taken: Taken) -> FlowRun:
        """Return the lead's run at the Prefect server. Fails if the lead has no run yet."""
        return the(self.run_if_any(taken))

    def run_if_any(self, taken: Taken) -> FlowRun | None:
        """Return the lead's run at the Prefect server, or None."""
        run_id = self.handoff(taken).flow_run_id

        async def read(client: PrefectClient) -> FlowRun:
            return await client.read_flow_run(UUID(run_id))

        return self.prefect(read) if run_id else None

    def prefect(self, ask: Callable[[PrefectClient], Awaitable[T]]) -> T:
        """Send a request to the Prefect server."""

        async def talk() -> T:
            async with get_client() as client:
                return await ask(client)

        with self.stack.in_reach():
            return asyncio.run(talk())

    def link_of(self, taken: Taken) -> str:
        """Return the link in the newest assignment message for the lead."""

        def ask() -> str:
            for received in reversed(self.inbox.messages()):
                if ":assigned:" in received.key and f"lead {taken.lead_id})" in received.subject:
                    return next(link for link in Inbox.links(received) if "/l/" in link)
            return ""

        return self.until(ask)

    def answer(self, taken: Taken, choice: str, *, visitor: Visitor | None = None, **fields: str) -> Page:
        """Open the link from the message, answer as a person would, with the code from the message, and return the next page."""
        with nullcontext(visitor) if visitor else Visitor() as person:
            link = self.link_of(taken)
            page = person.open(link)
            if form := page.form_with("choice"):
                page = person.submit(page, form, choice=choice, **fields)
            if asked := page.form_with("number"):
                page = person.submit(page, asked, number=self.box.links.number(link.rpartition("/")[2]))
            return page

    def enrolled(self, taken: Taken) -> Visitor:
        """Return a browser that Baton remembers as the rep's, as if the rep had typed the mailed code in it."""
        visitor, rep = Visitor(), self.handoff(taken).rep
        visitor.open(self.link_of(taken))
        hash = devices.hash_of(visitor.cookie("baton_device"))
        self.box.write_now(lambda session, now: devices.remember(session, hash, rep, level=devices.ENROLLED, now=now))
        return visitor

    def leap_to(self, at: datetime) -> None:
        """Make Baton's time jump, and wait until every process has the new time."""
        self.box.write_now(lambda session, now: time_offset.leap_to(session, at))
        time.sleep(time_offset.KNOWN_FOR_SECONDS)

    def kill(self, name: str) -> None:
        """Kill a part as the kernel would, without any clean-up."""
        process = self.stack.parts[name].process
        assert process is not None
        process.kill()
        process.wait()


@contextmanager
def live_stack(folder: Path, *, stock_pool: str = "", **more: str) -> Iterator[Live]:
    """Start everything, with the example agreement in force, on Monday at nine o'clock.

    stock_pool: the name of a pool of type `process`, whose runs Prefect's own worker carries out; empty for Baton's pool.
    """
    if stock_pool:
        more["BATON_WORK_POOL"] = stock_pool
    settings: dict[str, Any] = {name.removeprefix("BATON_").lower(): value for name, value in more.items() if name.startswith("BATON_")}
    box = terminal.open_box(Settings(home=folder, undo_minutes=0, **{"crm_people": True, **settings}))
    box.write_now(lambda session, now: time_offset.leap_to(session, MONDAY))

    async def put_in_force() -> None:
        if stock_pool:
            async with get_client() as client:
                await client.create_work_pool(WorkPoolCreate(name=stock_pool, type="process"))
        await box.write(lambda session, now: roster.load(session, ROSTER, now=now))
        row = await box.write(lambda session, now: contracts.publish(session, AGREEMENT, now=now))
        await box.write(lambda session, now: _sign(session, row, now))
        await deploy(box, row.name, row.version)

    def prepare(running: Stack) -> None:
        with running.in_reach():
            asyncio.run(put_in_force())

    with ChatRoom() as room, Inbox(folder=folder / "inbox", now=lambda: box.read_now(lambda session, now: now)) as inbox:
        own = {
            "BATON_SMTP_URL": f"smtp://127.0.0.1:{inbox.smtp_port}",
            "BATON_CHAT_URL": room.apprise_url,
            "BATON_CRM_PEOPLE": "true",
            "BATON_UNDO_MINUTES": "0",
            "BATON_CRM_POLL_SECONDS": "0.5",
            "BATON_TICK_SECONDS": "0.2",
            **more,
        }
        prefect_port, web_port = stack.free_port(), stack.free_port()
        with stack.running(
            folder, prefect_port=prefect_port, web_port=web_port, more=own, prepare=prepare, worker=eager_worker.COMMAND
        ) as running:
            yield Live(box, running, inbox)
    box.database.close()
    toolbox.use(None)


def _sign(session: Session, row: AgreementVersion, now: datetime) -> None:
    for party in ("marketing", "sales"):
        contracts.sign(session, row, contracts.NewSignature(party, party, "cli"), now=now)
