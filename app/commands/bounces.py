"""Reads returned mail from a Maildir, for installations whose mail server cannot call `POST /hooks/dsn`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from app import terminal
from notifications import bounces
from tasks.background.bounces import AWAY, NOT_OURS, NOTED, READ, REPEATED, take
from tasks.wiring.toolbox import Toolbox


def read(maildir: Annotated[Path, typer.Argument(help="The Maildir to which the address for bounces delivers.")]) -> None:
    """Read the new mail in a Maildir, note each bounce of a Baton message, and move each mail to `cur` when it is read.

    The command names an unreadable mail and leaves the file in place. The exit code is then 3.
    """
    new, cur = maildir / "new", maildir / "cur"
    if not (new.is_dir() and cur.is_dir()):
        terminal.fail(terminal.USAGE, f"{maildir} is no Maildir: it has no folders `new` and `cur`. Name the folder that holds them.")
    box = terminal.open_box()
    found: Counter[str] = Counter()
    unreadable: list[str] = []
    with terminal.told(), Progress(console=terminal.complaints, transient=True) as progress:
        files = sorted(new.iterdir())
        for file in progress.track(files, description="reading"):
            try:
                found[_read_one(box, file)] += 1
                file.rename(cur / _seen(file.name))
            except FileNotFoundError:  # another reader was faster
                continue
            except (bounces.UnreadableMessage, OSError) as error:
                unreadable.append(f"{file}: {getattr(error, 'strerror', None) or error}")
    for line in unreadable:
        terminal.complaints.print(line, markup=False, soft_wrap=True)
    others = sum(found.values()) - sum(found[kind] for kind in (NOTED, REPEATED, READ, AWAY, bounces.DELAYED, NOT_OURS))
    terminal.console.print(
        f"{found[NOTED]} bounced, {found[REPEATED]} were known, {found[READ]} were read before, {found[AWAY]} say that somebody is away, "
        f"{found[bounces.DELAYED]} temporary, {found[NOT_OURS]} not ours, "
        f"{others} no bounces, {len(unreadable)} unreadable.",
        soft_wrap=True,
    )
    if unreadable:
        raise typer.Exit(terminal.PARTLY)


def _read_one(box: Toolbox, file: Path) -> str:
    if not file.is_file():
        raise bounces.UnreadableMessage("it is no file")
    if file.stat().st_size > bounces.MAX_BYTES:
        raise bounces.UnreadableMessage(f"longer than {bounces.MAX_BYTES:,} bytes")
    returned = bounces.read(file.read_bytes())
    return box.write_now(lambda session, now: take(session, returned, box.links, now=now))


def _seen(name: str) -> str:
    return name if ":2," in name else f"{name}:2,S"
