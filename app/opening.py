"""Opens this installation for a command: its settings, its toolbox, and its database migrated to this version."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from app import terminal
from storage import schema
from tasks.wiring import secret_files, toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox
from tasks.wiring.wrong_setting import WrongSetting


def open_box(settings: Settings | None = None) -> Toolbox:
    """Return the installation's toolbox, its database migrated. A setting that cannot be used ends the command with its name.

    Channels are wired when the first one is used: until then their settings raise no error.
    """
    try:
        box = toolbox.wire(settings or terminal.read_settings(), send=False)
    except WrongSetting as error:
        terminal.fail(terminal.USAGE, str(error))
    if found := secret_files.close(box.settings.folder):
        terminal.complaints.print(found, markup=False, style="yellow", soft_wrap=True)
    try:
        schema.upgrade(box.database)
    except DBAPIError as error:
        terminal.fail(terminal.AWAY, of_the_database(error))
    toolbox.use(box)
    return box


def of_the_database(error: DBAPIError) -> str:
    """Return a sentence that says why the database refused."""
    said = str(error.orig).strip().splitlines()[0]
    if any(word in said for word in ("readonly", "read-only", "full", "No space")):
        return f"The database cannot be written to: {said}. Free space, or give the right to write, then start again."
    return f"The database does not answer: {said}"
