"""Runs the parts: each alone, or all of them together."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from app import stack, terminal
from notifications.checking import problems_of
from storage import contracts
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox

#: Where `baton up --inbox` receives e-mails if BATON_SMTP_URL names no other port of this machine: the default of that setting.
INBOX_SMTP_PORT = 1025
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


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
    home: Annotated[Path | None, typer.Option(help="Folder for everything that Baton keeps in files. Default: BATON_HOME.")] = None,
    inbox: Annotated[
        bool,
        typer.Option(
            "--inbox", help="Send no e-mail. Show each message on a page of this machine, to try Baton out without a mail server."
        ),
    ] = False,
    inbox_port: Annotated[int, typer.Option(help="Port of the page that --inbox shows.")] = 8025,
) -> None:
    """Run everything on this machine: Prefect server, worker and web pages. Ctrl-C ends it."""
    from tasks.wiring.channels import problems_of as wrong_channels

    settings = terminal.read_settings(**({} if home is None else {"home": home}))
    caught = {"smtp_url": f"smtp://127.0.0.1:{_inbox_smtp_port(settings)}"} if inbox else {}
    settings = settings.model_copy(update=caught)
    if wrong := wrong_channels(settings):
        terminal.fail(terminal.USAGE, "\n".join(wrong))
    warn_of_templates(settings)
    stack.end_on_sigterm()
    with (
        terminal.told(),
        caught_mail(settings, inbox_port) if inbox else nullcontext("") as inbox_url,
        stack.running(
            settings.folder,
            prefect_port=prefect_port,
            web_port=settings.web_port,
            more={f"BATON_{name.upper()}": value for name, value in caught.items()},
            tell=terminal.console.print,
            prepare=prepare,
        ) as running,
    ):
        places = {
            **({"Inbox": inbox_url} if inbox else {}),
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


def _inbox_smtp_port(settings: Settings) -> int:
    """Return the port of BATON_SMTP_URL if that is on this machine: other commands of this installation then reach the inbox too."""
    named = urlsplit(settings.smtp_url)
    return named.port or INBOX_SMTP_PORT if named.hostname in _THIS_MACHINE else INBOX_SMTP_PORT


@contextmanager
def caught_mail(settings: Settings, page_port: int) -> Iterator[str]:
    """Receive every e-mail on this machine until the block ends. Gives the address of the page that shows them, earlier ones too."""
    from app.demo.inbox.inbox import Inbox

    smtp_port = _inbox_smtp_port(settings)
    now = partial(datetime.now, UTC)
    inbox = Inbox(folder=settings.folder / "inbox", now=now, smtp_port=smtp_port, http_port=page_port, list_earlier=True)
    try:
        inbox.start()
    except OSError as error:
        told = f"--inbox needs the ports {smtp_port} and {page_port} of this machine: {os.strerror(error.errno or 0)}"
        terminal.fail(terminal.AWAY, f"{told}. End the program that uses them, or choose others with BATON_SMTP_URL and --inbox-port.")
    try:
        yield inbox.url
    finally:
        inbox.stop()


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
