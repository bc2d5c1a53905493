"""What all commands share: the toolbox, exit codes, and errors in plain words."""

from __future__ import annotations

import getpass
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from agreements.errors import AgreementError, HandoffError, RosterError
from agreements.time_shares import time_shares
from app import log_masks
from app.quick_import import quick_import
from notifications.plain_text import clean
from tasks.wiring.wrong_setting import WrongSetting

if TYPE_CHECKING:
    from agreements.where_time_went import TimeParty
    from tasks.wiring.settings import Settings
    from tasks.wiring.toolbox import Toolbox

DONE, FINDINGS, USAGE, PARTLY, AWAY = 0, 1, 2, 3, 4


class CleanConsole(Console):
    """Prints text without control characters: names come from strangers, and an escape sequence would clear the screen or write to it."""

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(clean(text), **how)


#: Both print what they get letter by letter: names of companies and campaigns may hold what Rich reads as markup.
console = CleanConsole(highlight=False, markup=False, emoji=False)
complaints = CleanConsole(stderr=True, highlight=False, markup=False, emoji=False)
#: For a view that writes markup itself and escapes all else.
marked = CleanConsole(highlight=False, emoji=False)


def fail(code: int, message: str) -> NoReturn:
    """End the command with this exit code and this message on standard error."""
    complaints.print(message, markup=False, style="red", soft_wrap=True)
    raise typer.Exit(code)


def read_settings(**given: Any) -> Settings:
    """Return this installation's settings. An unusable value ends the command with the setting's name, never the value."""
    try:
        found: Settings = quick_import("tasks.wiring.settings").Settings(**given)
    except ValidationError as error:
        wrong = [f"BATON_{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors(include_input=False)]
        fail(USAGE, "\n".join(wrong))
    return found


def open_box(settings: Settings | None = None) -> Toolbox:
    """Return the installation's toolbox, its database migrated. A setting that cannot be used ends the command with its name."""
    box: Toolbox = quick_import("app.opening").open_box(settings)  # imports the database library: not needed for a file alone
    return box


def refuse_to_start(box: Toolbox) -> None:
    """End a part that could only go wrong: the database is not writable or belongs to another installation, clocks differ, or a
    channel cannot be used with its settings."""
    from app.starting import CannotStart, check_database

    try:
        check_database(box)
        len(box.channels)
    except CannotStart as refused:
        fail(AWAY, str(refused))
    except WrongSetting as refused:
        fail(USAGE, str(refused))


def who() -> str:
    """Return who is at the terminal: the name of the account."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a process without a user name, as in some containers
        return "somebody"


@contextmanager
def told() -> Iterator[None]:
    """Turn errors into a sentence and an exit code: 1 refused, 2 unusable input, 4 a service is away."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except (RosterError, WrongSetting, UnicodeDecodeError, FileNotFoundError, IsADirectoryError, PermissionError) as error:
        fail(USAGE, str(error))
    except (AgreementError, HandoffError) as error:
        fail(FINDINGS, str(error))
    except Exception as error:
        if said := _of_a_service(error):
            fail(AWAY, said)
        raise


def _of_a_service(error: Exception) -> str:
    """Return what the error says about a service that is away, empty for another error. Imports these libraries only after an error."""
    import httpx
    from sqlalchemy.exc import DBAPIError

    from app.opening import of_the_database
    from app.stack import StackError

    if isinstance(error, StackError):
        return str(error)
    if isinstance(error, DBAPIError):
        return of_the_database(error)
    if isinstance(error, httpx.HTTPError):
        return f"The Prefect server does not answer ({type(error).__name__}). Is it running, and is PREFECT_API_URL right?"
    return ""


def log_to_standard_error(level: int = logging.INFO) -> None:
    """Log one line an event, for parts that run for long. Secrets are masked, whichever code logs them."""
    log_masks.begin()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("baton").setLevel(level)


#: The colour of each party's part of a lead's time.
_COLOURS: Mapping[TimeParty, str] = {
    "source": "cyan",
    "scoring": "bright_cyan",
    "routing": "bright_blue",
    "notification": "bright_magenta",
    "rep": "green",
    "manager": "yellow",
    "marketing": "magenta",
    "prospect's wish": "white",
    "closed hours": "bright_black",
    "nurture": "blue",
}


def print_bar(parts: Mapping[TimeParty, timedelta]) -> None:
    """Print whose the time was: a line for each party that had some, with its part of a bar of 60 characters, or of as many as fit."""
    shares = time_shares(parts)
    beside = 27 + max((len(one.words) for one in shares), default=0)
    for one in shares:
        cells = max(1, round(min(60, console.width - beside) * one.share))
        console.print(Text.assemble(f"  {one.party:16}{one.share:6.1%}  ", ("█" * cells, _COLOURS[one.party]), f" {one.words}"))
