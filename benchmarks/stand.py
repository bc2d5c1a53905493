"""The stand: a whole installation as processes, with receivers, an agreement in force and a meter, on Baton's work pool or a stock one."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from rich.console import Console
from ruamel.yaml import YAML
from sqlmodel import Session

from agreements.words import PARTIES, Party
from app import stack, terminal
from app.deploying import deploy
from app.stack import Part, Stack
from benchmarks.databases import PEOPLE, Databases, databases
from benchmarks.ground import MONDAY, ROOT
from benchmarks.meter import Meter
from benchmarks.onlooker import Onlooker
from benchmarks.postgresql import Cluster
from benchmarks.receivers import Receivers, receiving
from storage import contracts, roster, time_offset
from storage.tables import AgreementVersion
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox

#: The work pool of Prefect's own worker.
STOCK = "stock"
NO_LIMIT = 1_000_000
#: The time in which a mail may come back, as the agreement writes it.
AT_ONCE = "0 minutes"
#: The settings that differ from the defaults. No time for undo: an answer acts at once, because no benchmark waits for it.
SETTINGS = {"BATON_UNDO_MINUTES": "0", "PREFECT_SERVER_LOGGING_LEVEL": "INFO"}


@dataclass
class Stand:
    """A running stack. started: the monotonic second at which Baton's time was `began`."""

    box: Toolbox
    stack: Stack
    databases: Databases
    receivers: Receivers
    onlooker: Onlooker
    console: Console
    began: datetime
    started: float
    extra: dict[str, Part] = field(default_factory=dict)

    def meter(self) -> Meter:
        """Return a meter of every part that runs now."""
        parts = {**self.stack.parts, **self.extra}
        roots = {name: part.process.pid for name, part in parts.items() if part.process is not None and part.is_running}
        return Meter({**roots, "receivers": self.receivers.process.pid}, self.databases, self.stack.parts["server"].log)

    def instant(self, at: datetime) -> float:
        """Return when Baton's time reaches that instant, in monotonic seconds."""
        return self.started + (at - self.began).total_seconds()

    def until(self, ask: Callable[[], bool], *, what: str, seconds: float = 120, pause: float = 0.1) -> None:
        """Ask again and again until the answer is yes. Raises TimeoutError with the ends of the parts' logs."""
        end = time.monotonic() + seconds
        while not ask():
            if time.monotonic() > end:
                raise TimeoutError(f"Still waiting for {what} after {seconds:.0f} s.\n{self.tails()}")
            time.sleep(pause)

    def tails(self) -> str:
        """Return the ends of the parts' logs, without the calls to Prefect's API."""
        parts = {**self.stack.parts, **self.extra}
        lines = {name: [line for line in part.last_lines(200).splitlines() if "HTTP/1.1" not in line] for name, part in parts.items()}
        return "\n".join(f"== {name}\n" + "\n".join(tail[-15:]) for name, tail in lines.items())

    def start_stock_worker(self, limit: int) -> None:
        """Start Prefect's own worker on the stock pool, with at most `limit` runs at once. Stop a stock worker that already runs."""
        if before := self.extra.get("stock worker"):
            before.stop(seconds=30)
        words = ["worker", "start", "--pool", STOCK, "--type", "process", "--limit", str(limit)]
        environment = {**self.stack.environment, "PYTHONPATH": str(ROOT)}  # each run starts in its own folder
        command = [sys.executable, "-m", "prefect", *words]
        part = Part("stock worker", command, self.stack.folder / "logs" / "stock-worker.log", environment)
        part.start()
        self.extra["stock worker"] = part


@contextmanager
def stand(console: Console, cluster: Cluster | None, *, stock: bool = False) -> Iterator[Stand]:
    """Start everything on empty databases. stock: deploy the agreement to a pool of type `process`, for Prefect's own worker."""
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="baton-benchmark-", ignore_cleanup_errors=True)))
        kept = ending.enter_context(databases(folder, cluster))
        pool = {"BATON_WORK_POOL": STOCK} if stock else {}
        named = {"work_pool": STOCK} if stock else {}
        box = terminal.open_box(terminal.read_settings(home=folder, undo_minutes=0, database_url=kept.baton_url(PEOPLE), **named))
        ending.callback(_close, box)
        box.write_now(lambda session, now: time_offset.leap_to(session, MONDAY))
        began, started = box.read_now(lambda session, now: (now, time.monotonic()))
        received = ending.enter_context(receiving(folder / "received"))
        box.settings.chat_url = received.settings["BATON_CHAT_URL"]  # a deploy asks which channels can prove something
        more = {**SETTINGS, **kept.settings(), **received.settings, **pool}
        prefect_port, web_port = stack.free_port(), stack.free_port()

        def prepare(up: Stack) -> None:
            with up.in_reach():
                asyncio.run(_put_in_force(box, stock=stock))

        with console.status("starting the stack"):
            running = stack.running(folder, prefect_port=prefect_port, web_port=web_port, more=more, prepare=prepare)
            up = ending.enter_context(running)
        onlooker = ending.enter_context(Onlooker(kept))
        made = Stand(box, up, kept, received, onlooker, console, began, started)
        if stock and "clock" in up.parts:  # Baton's worker takes runs from any pool, so stop it, unless it is the clock too
            up.parts.pop("worker").stop()
        yield made
        for part in made.extra.values():
            part.stop()


def _close(box: Toolbox) -> None:
    box.database.close()
    toolbox.use(None)


async def _put_in_force(box: Toolbox, *, stock: bool) -> None:
    if stock:
        async with get_client() as client:
            await client.create_work_pool(WorkPoolCreate(name=STOCK, type="process"))
    await box.write(lambda session, now: roster.load(session, roster_text(), now=now))
    row = await box.write(lambda session, now: contracts.publish(session, agreement_text(), now=now))
    for party in PARTIES:
        await box.write(partial(_sign, row=row, party=party))
    await deploy(box, row.name, row.version)


def _sign(session: Session, now: datetime, *, row: AgreementVersion, party: Party) -> None:
    contracts.sign(session, row, contracts.NewSignature(party, party, "cli"), now=now)


def agreement_text() -> str:
    """Return the example agreement without a limit of leads for a rep. An e-mail counts as arrived at once: otherwise each lead waits two
    minutes for a bounce, and a benchmark would measure these."""
    tree = _tree(ROOT / "agreements/examples/b2b-saas.yaml")
    tree["routing"]["capacity"]["per_rep"] = NO_LIMIT
    tree["notify"]["no_bounce_for"] = AT_ONCE
    return _written(tree)


def roster_text() -> str:
    """Return the example roster without a limit of leads for a rep."""
    tree = _tree(ROOT / "examples/roster.yaml")
    for person in tree["people"].values():
        person.pop("capacity", None)
    return _written(tree)


def _tree(path: Path) -> dict[str, Any]:
    tree: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return tree


def _written(tree: dict[str, Any]) -> str:
    written = io.StringIO()
    YAML(typ="safe", pure=True).dump(tree, written)
    return written.getvalue()


def numbers_set() -> dict[str, str]:
    """Return the settings with numbers that the environment gives to every stack, by name."""
    named = {name: value for name, value in os.environ.items() if name.startswith(("BATON_", "PREFECT_"))}
    return {name: value for name, value in named.items() if value.replace(".", "").isdigit()}
