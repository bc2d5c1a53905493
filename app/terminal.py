"""What all commands share: the toolbox, exit codes, and errors told in plain words."""

from __future__ import annotations

import getpass
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from agreements.errors import AgreementError, HandoffError, RosterError
from app import log_masks
from app.stack import StackError
from app.starting import CannotStart, check_database
from storage import schema
from tasks.wiring import secret_files, toolbox
from tasks.wiring.channels import WrongSetting
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox

DONE, FINDINGS, USAGE, PARTLY, AWAY = 0, 1, 2, 3, 4
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)


def fail(code: int, message: str) -> NoReturn:
    """Ends the command with this exit code, saying why on standard error."""
    complaints.print(message, markup=False, style="red", soft_wrap=True)
    raise typer.Exit(code)


def read_settings(**given: Any) -> Settings:
    """What this installation sets; a value that is none ends the command, with the setting's name and not the value."""
    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = [f"BATON_{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors(include_input=False)]
        fail(USAGE, "\n".join(wrong))


def open_box(settings: Settings | None = None) -> Toolbox:
    """The installation's toolbox, its database brought up to date. A setting that cannot be used ends the command, named."""
    try:
        box = toolbox.wire(settings or read_settings())
    except WrongSetting as error:
        fail(USAGE, str(error))
    if found := secret_files.close(box.settings.folder):
        complaints.print(found, markup=False, style="yellow", soft_wrap=True)
    try:
        schema.upgrade(box.database)
    except DBAPIError as error:
        fail(AWAY, _of_the_database(error))
    toolbox.use(box)
    return box


def refuse_to_start(box: Toolbox) -> None:
    """Ends a part that could only go wrong: the database is not writable, belongs to another installation, or clocks differ."""
    try:
        check_database(box)
    except CannotStart as refused:
        fail(AWAY, str(refused))


def _of_the_database(error: DBAPIError) -> str:
    said = str(error.orig).strip().splitlines()[0]
    if any(word in said for word in ("readonly", "read-only", "full", "No space")):
        return f"The database cannot be written to: {said}. Free space, or give the right to write, and start again."
    return f"The database does not answer: {said}"


def who() -> str:
    """Who is at the terminal, by the name of the account."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a process without a user name, as in some containers
        return "somebody"


@contextmanager
def told() -> Iterator[None]:
    """Turns what can go wrong into a sentence and an exit code: 1 refused, 2 unusable input, 4 a service is away."""
    import httpx

    try:
        yield
    except (RosterError, UnicodeDecodeError, FileNotFoundError, IsADirectoryError, PermissionError) as error:
        fail(USAGE, str(error))
    except StackError as error:
        fail(AWAY, str(error))
    except (AgreementError, HandoffError) as error:
        fail(FINDINGS, str(error))
    except DBAPIError as error:
        fail(AWAY, _of_the_database(error))
    except httpx.HTTPError as error:
        fail(AWAY, f"The Prefect server does not answer ({type(error).__name__}). Is it running, and is PREFECT_API_URL right?")


def log_to_standard_error(level: int = logging.INFO) -> None:
    """One line an event, for parts that run for long; secrets in it are masked, whoever writes it."""
    log_masks.begin()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("baton").setLevel(level)
