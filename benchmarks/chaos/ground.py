"""Set up a chaos run: databases, receivers behind gates, an agreement in force, and a stack with several workers and web processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session

from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.words import Party
from app import stack, terminal
from app.demo.chat_room import ChatRoom
from app.demo.inbox.inbox import Inbox
from app.deploying import deploy
from benchmarks.chaos.cluster import Cluster, cluster
from benchmarks.chaos.crm import LockableCrm
from benchmarks.chaos.director import patiently
from benchmarks.chaos.gate import Gate
from benchmarks.chaos.plan import CHAT, SMTP
from benchmarks.chaos.supervised import Supervised
from storage import contracts, keys, roster, time_offset
from storage.tables import AgreementVersion
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox

ROOT = Path(__file__).resolve().parents[2]
AGREEMENT = ROOT / "agreements" / "examples" / "b2b-saas.yaml"
ROSTER = ROOT / "examples" / "roster.yaml"
MONDAY = datetime.fromisoformat("2027-02-01T09:00:00+00:00")
SMTP_BUSY, SMTP_TAKEN = b"421 4.3.2 busy, try again later\r\n", b"250 2.0.0 Kept"
HTTP_BUSY, HTTP_TAKEN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200"


@dataclass(frozen=True)
class Ground:
    """Everything that a run starts with. web_urls: of every web process. key: for the intake API."""

    folder: Path
    box: Toolbox
    stack: Supervised
    inbox: Inbox
    room: ChatRoom
    gates: dict[str, Gate]
    crm: LockableCrm
    cluster: Cluster | None
    agreement: Agreement
    web_urls: list[str]
    key: str


@contextmanager
def ground(folder: Path, *, sqlite: bool, workers: int = 2) -> Iterator[Ground]:
    """Start everything on a Monday at nine in Baton's time, and stop it when the block ends."""
    with ExitStack() as ending:
        databases = None if sqlite else ending.enter_context(cluster())
        database_url = databases.url("baton") if databases else ""
        box = terminal.open_box(Settings(home=folder, database_url=database_url, undo_minutes=0))
        ending.callback(toolbox.use, None)
        ending.callback(box.database.close)
        box.write_now(lambda session, now: time_offset.leap_to(session, MONDAY - timedelta(minutes=1)))
        present = lambda: patiently(lambda: box.read_now(lambda session, now: now))  # noqa: E731
        room = ending.enter_context(ChatRoom())
        inbox = ending.enter_context(Inbox(folder=folder / "inbox", now=present))
        gates = {
            SMTP: ending.enter_context(Gate(inbox.smtp_port, busy=SMTP_BUSY, taken=SMTP_TAKEN)),
            CHAT: ending.enter_context(Gate(room.port, busy=HTTP_BUSY, taken=HTTP_TAKEN)),
        }
        more = _settings(gates, databases)
        box.settings.chat_url = more["BATON_CHAT_URL"]  # a deploy asks which channels can prove something
        text = AGREEMENT.read_text(encoding="utf-8")
        prepare = lambda running: _prepare(running, box, text)  # noqa: E731
        started = stack.running(folder, prefect_port=stack.free_port(), web_port=stack.free_port(), more=more, prepare=prepare)
        running = Supervised.over(ending.enter_context(started))
        for number in range(2, workers + 1):
            running.add_worker(f"worker-{number}")
        second = running.add_web("web-2", stack.free_port())
        running.wait_until_ready("web-2")
        key = box.write_now(lambda session, now: keys.create(session, "chaos", now))
        crm = LockableCrm(folder / "crm.db")
        urls = [running.web_url, second]
        yield Ground(folder, box, running, inbox, room, gates, crm, databases, read_agreement(text), urls, key)


def _settings(gates: dict[str, Gate], databases: Cluster | None) -> dict[str, str]:
    settings = {
        "BATON_SMTP_URL": f"smtp://127.0.0.1:{gates[SMTP].port}",
        "BATON_CHAT_URL": f"json://127.0.0.1:{gates[CHAT].port}/post",
        "BATON_UNDO_MINUTES": "0",
        "BATON_CRM_POLL_SECONDS": "0.5",
        "BATON_TICK_SECONDS": "0.2",
        "BATON_REQUESTS_PER_KEY": "0",
    }
    if databases:
        settings["BATON_DATABASE_URL"] = databases.url("baton")
        settings["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = databases.url("prefect", "postgresql+asyncpg")
    return settings


def _prepare(running: stack.Stack, box: Toolbox, text: str) -> None:
    agreement = read_agreement(text)

    async def put_in_force() -> None:
        await box.write(lambda session, now: roster.load(session, ROSTER.read_text(encoding="utf-8"), now=now))
        row = await box.write(lambda session, now: contracts.publish(session, text, now=now))
        for party in ("marketing", "sales"):
            await box.write(partial(_sign, row=row, party=party))
        await deploy(box, agreement.agreement, agreement.version)

    with running.in_reach():
        asyncio.run(put_in_force())


def _sign(session: Session, now: datetime, *, row: AgreementVersion, party: Party) -> None:
    contracts.sign(session, row, contracts.NewSignature(party, party, "cli"), now=now)
