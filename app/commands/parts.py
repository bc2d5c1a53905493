"""Runs the parts: each alone, or all of them together."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from app import stack, terminal
from notifications.checking import problems_of
from storage import contracts
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox


def worker(
    timetable: Annotated[float, typer.Option(help="Real seconds between two looks at what Prefect has scheduled.")] = 15.0,
) -> None:
    """Watch deadlines and carry out the steps of leads. Any number of workers share the load, on any number of machines."""
    from app.named_server import named_server
    from app.worker import run_in_thread

    terminal.log_to_standard_error()
    box = terminal.open_box()
    terminal.refuse_to_start(box)
    warn_of_templates(box.settings)
    stop = threading.Event()
    with terminal.told(), named_server(box.settings.folder):
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        thread = run_in_thread(box, stop, on_sqlite=stack.prefect_on_sqlite(), timetable_seconds=timetable)
        while thread.is_alive():
            thread.join(0.5)
    if not stop.is_set():
        terminal.fail(terminal.AWAY, "The worker ended unasked; its log says why.")


def warn_of_templates(settings: Settings) -> None:
    """Name the company's faulty templates. No part refuses to start because of them: Baton uses its own instead."""
    faults = problems_of(Path(settings.templates)) if settings.templates else []
    for fault in faults:
        terminal.complaints.print(f"template {fault}", markup=False, style="yellow", soft_wrap=True)
    if faults:
        terminal.complaints.print("Baton uses its own text instead. `baton messages check` looks for faults again.", soft_wrap=True)


def web() -> None:
    """Serve the pages behind the links, and the intake API."""
    from app.web.site import serve

    terminal.log_to_standard_error()
    box = terminal.open_box()
    terminal.refuse_to_start(box)
    serve(box, box.settings.web_host, box.settings.web_port)


def up(
    prefect_port: Annotated[int, typer.Option(help="Port of the Prefect server.")] = 4200,
    home: Annotated[Path | None, typer.Option(help="Folder for everything that Baton keeps in files. The default is BATON_HOME.")] = None,
) -> None:
    """Run everything on this machine: Prefect server, worker and web pages. Ctrl-C ends it."""
    from tasks.wiring.channels import problems_of as wrong_channels

    settings = terminal.read_settings(**({} if home is None else {"home": home}))
    if wrong := wrong_channels(settings):
        terminal.fail(terminal.USAGE, "\n".join(wrong))
    warn_of_templates(settings)
    stack.end_on_sigterm()
    with (
        terminal.told(),
        stack.running(
            settings.folder, prefect_port=prefect_port, web_port=settings.web_port, tell=terminal.console.print, prepare=prepare
        ) as running,
    ):
        places = {
            "Prefect UI": running.prefect_url,
            "  log-in": running.log_in,
            "Baton": running.web_url,
            "Logs": settings.folder / "logs",
        }
        terminal.console.print("\n".join(f"{name:12}{place}" for name, place in places.items()), markup=False)
        try:
            while True:
                time.sleep(1)
                for name in running.watch():
                    terminal.console.print(f"{name} had ended and was started again")
        except KeyboardInterrupt:
            terminal.console.print("stopping …")


def prepare(running: stack.Stack) -> None:
    """Migrate the database and make sure that every version in force has its deployment at this server."""
    box = terminal.open_box(Settings(home=running.folder))
    with running.in_reach():
        asyncio.run(_redeploy(box))
    box.database.close()


async def _redeploy(box: Toolbox) -> None:
    from app.deploying import create_deployment, keep_timetable
    from app.worker import ensure_pool

    await ensure_pool(box.settings.work_pool)
    await keep_timetable(box.settings.work_pool)
    for row in await box.read(lambda session, now: contracts.deployed(session)):
        agreement = contracts.read(row)
        made = await create_deployment(agreement, pool=box.settings.work_pool)
        await box.write(
            lambda session, now, row=row, made=made: contracts.renew_deployment(  # type: ignore[misc]
                session, contracts.get(session, row.name, row.version), deployment_id=made
            )
        )
