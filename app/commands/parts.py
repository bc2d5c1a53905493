"""The parts: each alone, or all of them together."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from app import stack, terminal
from app.deploying import create_deployment
from notifications.checking import problems_of
from storage import contracts
from tasks import channels
from tasks.settings import Settings
from tasks.toolbox import Toolbox


def worker(poll: Annotated[float, typer.Option(help="Real seconds between two looks when nothing is expected.")] = 5.0) -> None:
    """Run attempts: takes runs from the work pool and carries them out in this process. More of them share the work."""
    from app.worker import run_in_thread

    terminal.log_to_standard_error()
    box = terminal.open_box()
    warn_of_templates(box.settings)
    _show_notes_in_prefect(box)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    thread = run_in_thread(box, stop, poll_seconds=poll)
    while thread.is_alive():
        thread.join(0.5)
    if not stop.is_set():
        terminal.fail(terminal.AWAY, "The worker ended by itself; its log says why.")


def warn_of_templates(settings: Settings) -> None:
    """Names the company's templates that are faulty. No part refuses to start because of them: Baton's own stand in."""
    faults = problems_of(Path(settings.templates)) if settings.templates else []
    for fault in faults:
        terminal.complaints.print(f"template {fault}", markup=False, style="yellow", soft_wrap=True)
    if faults:
        terminal.complaints.print("Baton's own are sent instead of the faulty ones; `baton messages check` looks again.", soft_wrap=True)


def _show_notes_in_prefect(box: Toolbox) -> None:
    from flows.window import show_note

    box.show = show_note


def web() -> None:
    """Serve the pages behind the links, and the intake API."""
    from app.web.site import serve

    terminal.log_to_standard_error()
    box = terminal.open_box()
    serve(box, box.settings.web_host, box.settings.web_port)


def clock(tick: Annotated[float | None, typer.Option(help="Real seconds between two ticks; BATON_TICK_SECONDS otherwise.")] = None) -> None:
    """Watch deadlines, deliver wakes, mend what was left lying. Run one (a second one does no harm)."""
    from prefect.client.orchestration import get_client

    from app.clock import Clock
    from app.engine import PrefectEngine

    terminal.log_to_standard_error()
    box = terminal.open_box()

    async def run() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with get_client() as client:
            engine = PrefectEngine(client, on_sqlite=stack.prefect_on_sqlite())
            at_once = box.settings.resume_at_once or (1 if engine.on_sqlite or box.database.is_sqlite else 8)
            await Clock(box, engine, tick_seconds=tick or box.settings.tick_seconds, at_once=at_once).run(stop)

    asyncio.run(run())


def up(
    prefect_port: Annotated[int, typer.Option(help="Where the Prefect server listens.")] = 4200,
    home: Annotated[Path | None, typer.Option(help="Folder of everything Baton keeps; BATON_HOME otherwise.")] = None,
) -> None:
    """Run everything on this machine: Prefect server, worker, web pages and clock. Ctrl-C ends it."""
    settings = terminal.read_settings(**({} if home is None else {"home": home}))
    if wrong := channels.problems_of(settings):
        terminal.fail(terminal.USAGE, "\n".join(wrong))
    warn_of_templates(settings)
    stack.end_on_sigterm()
    with (
        terminal.told(),
        stack.running(
            settings.folder, prefect_port=prefect_port, web_port=settings.web_port, tell=terminal.console.print, prepare=prepare
        ) as running,
    ):
        terminal.console.print(f"Prefect UI  {running.prefect_url}\nBaton       {running.web_url}\nLogs        {settings.folder / 'logs'}")
        try:
            while True:
                time.sleep(1)
                for name in running.watch():
                    terminal.console.print(f"{name} had ended and was started again")
        except KeyboardInterrupt:
            terminal.console.print("stopping …")


def prepare(running: stack.Stack) -> None:
    """Brings the database up to date and makes sure that every version in force has its deployment at this server."""
    box = terminal.open_box(Settings(home=running.folder))
    with stack.talking_to(running.prefect_url):
        asyncio.run(_redeploy(box))
    box.database.close()


async def _redeploy(box: Toolbox) -> None:
    from app.worker import ensure_pool

    await ensure_pool(box.settings.work_pool)
    for row in await box.read(lambda session, now: contracts.deployed(session)):
        agreement = contracts.read(row)
        made = await create_deployment(agreement, pool=box.settings.work_pool)
        await box.write(
            lambda session, now, row=row, made=made: contracts.renew_deployment(  # type: ignore[misc]
                session, contracts.get(session, row.name, row.version), deployment_id=made
            )
        )
