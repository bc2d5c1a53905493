"""Returned mail at the command line: read a Maildir, for mail servers that cannot call `POST /hooks/dsn`, and list what is to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from agreements.words import MailFindingKind
from app import terminal
from notifications import bounces
from notifications.returned import DELAYED
from storage import mail_findings
from tasks.background.bounces import AWAY, COMPLAINED, DOUBTFUL, NOT_OURS, NOTED, READ, REPEATED, take
from tasks.wiring.toolbox import Toolbox

#: The results that the summary counts by name.
_NAMED = (NOTED, REPEATED, READ, AWAY, DELAYED, NOT_OURS, COMPLAINED, DOUBTFUL)
#: What a finding is, in words.
_FINDINGS: Mapping[MailFindingKind, str] = {
    "complaint": "reported the message as unwanted, and gets no e-mail now",
    "answered": "somebody answered to the return path",
    "doubtful": "mail that is no bounce, no automatic reply and no report",
}


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
    others = sum(found.values()) - sum(found[kind] for kind in _NAMED)
    terminal.console.print(
        f"{found[NOTED]} bounced, {found[REPEATED]} were known, {found[READ]} were read before, {found[AWAY]} say that somebody is away, "
        f"{found[DELAYED]} temporary, {found[NOT_OURS]} not ours, "
        f"{found[COMPLAINED]} complaints, {found[DOUBTFUL]} doubtful, "
        f"{others} no bounces, {len(unreadable)} unreadable.",
        soft_wrap=True,
    )
    if unreadable:
        raise typer.Exit(terminal.PARTLY)


def show() -> None:
    """List complaints, and mail to the return path that nothing explains, until `baton bounces settle` says that somebody looked at it.

    The mail itself is in the mailbox for bounces. Its recipient is the address with the mark that the list shows.
    """
    box = terminal.open_box()
    rows, total = box.read_now(lambda session, now: (mail_findings.open_findings(session), mail_findings.open_count(session)))
    for row in rows:
        mark = box.links.bounce_marks.of(row.delivery_id)
        about = f"{row.person}: {_FINDINGS[row.kind]} (delivery {row.delivery_id}, mark {mark}, by {row.source})"
        terminal.console.print(f"{row.id}  {row.at:%Y-%m-%d %H:%M} UTC  {about}", markup=False, soft_wrap=True)
    more = f", the oldest {len(rows)} are shown" if total > len(rows) else ""
    terminal.console.print(f"{total} to look at{more}." if total else "Nothing to look at.")


def settle(
    number: Annotated[int, typer.Argument(help="The number that `baton bounces list` shows.")],
    by: Annotated[str, typer.Option(help="Who looked at it: a person in the roster.")] = "operator",
) -> None:
    """Say that somebody has looked at a line of the list. A settled complaint lets e-mail go to that person again."""
    box = terminal.open_box()
    row = box.write_now(lambda session, now: mail_findings.settle(session, number, by=by, now=now))
    if row is None:
        terminal.fail(terminal.USAGE, f"Line {number} is not open. `baton bounces list` shows what is.")
    terminal.console.print(f"Line {number} is settled." + (" E-mail goes out again." if row.kind == "complaint" else ""))


def _read_one(box: Toolbox, file: Path) -> str:
    if not file.is_file():
        raise bounces.UnreadableMessage("it is no file")
    if file.stat().st_size > bounces.MAX_BYTES:
        raise bounces.UnreadableMessage(f"longer than {bounces.MAX_BYTES:,} bytes")
    returned = bounces.read(file.read_bytes())
    return box.write_now(lambda session, now: take(session, returned, box.links, now=now))


def _seen(name: str) -> str:
    return name if ":2," in name else f"{name}:2,S"
