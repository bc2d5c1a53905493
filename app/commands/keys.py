"""Keys for programs, and the keys that sign links."""

from __future__ import annotations

from typing import Annotated

import typer

from app import terminal
from storage import keys
from storage.keys import Scope
from tasks.wiring.settings import Settings


def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as `website`.")],
    scopes: Annotated[
        list[Scope] | None,
        typer.Option(
            "--scope",
            help="What the key opens: intake (leads), dsn (returned mail), crm (the CRM has news) or metrics (how Baton does). Repeatable.",
        ),
    ] = None,
) -> None:
    """Create a key and print it once; Baton keeps only its hash. Without --scope the key is for sending leads."""
    box, wanted = terminal.open_box(), scopes or [Scope.INTAKE]
    with terminal.told():
        terminal.console.print(box.write_now(lambda session, now: keys.create(session, name, now, wanted)), soft_wrap=True)


def revoke(name: str) -> None:
    """End a key from now on."""
    box = terminal.open_box()
    if not box.write_now(lambda session, now: keys.revoke(session, name, now)):
        terminal.fail(terminal.FINDINGS, f"There is no key called {name!r}.")


def show() -> None:
    """List all keys that work, and what each key permits."""
    box = terminal.open_box()
    for row in box.read_now(lambda session, now: keys.working(session)):
        terminal.console.print(f"{row.name}  {row.scopes}", markup=False, soft_wrap=True)


def rotate() -> None:
    """Sign links with a new key from the next start on. Links, codes and forms already sent stay good."""
    with terminal.told():
        count = Settings().rotate()
    said = f"There are {count} keys now. The newest signs, and all are accepted. Restart every part of Baton: until then a part signs"
    terminal.console.print(f"{said} with the previous key, and refuses signatures of other parts with the new one.", soft_wrap=True)
