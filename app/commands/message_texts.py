"""The texts of messages: lists and previews them, and checks the company's own templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from agreements.words import TEMPLATE_NAMES, word
from app import terminal
from app.files import written_whole
from notifications.catalogue import WHO_GETS
from notifications.checking import PARTS, problems_of
from notifications.letter import Letter
from notifications.rendering import message_names, render
from notifications.samples import sample
from tasks.wiring.settings import Settings


def list_messages() -> None:
    """List every message: who gets it, when, and which of its parts are the company's own."""
    folder = _folder()
    table = Table("message", "goes to", "when", "of your own")
    for name in message_names():
        own = [part for part in PARTS if folder and (folder / name / part).is_file()]
        table.add_row(name, *(words.replace("`", "") for words in WHO_GETS.get(name, ("", ""))), ", ".join(own) or "–")
    terminal.console.print(table)


def preview(
    name: Annotated[str, typer.Argument(help="Name of the message, from `baton messages list`.")],
    lead: Annotated[int | None, typer.Option(help="Number of a stored lead. Default: a made-up one.")] = None,
    to: Annotated[str, typer.Option(help="Id of a person in the roster. Default: its usual recipient.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write the HTML part to this file.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Show only the plain text.")] = False,
) -> None:
    """Show a message as it would be sent now. Sends nothing and stores nothing."""
    if to and lead is None:
        terminal.fail(terminal.USAGE, "--to needs a --lead: a made-up message goes to a made-up person.")
    with terminal.told():
        letter = _made_up(name, _folder()) if lead is None else _stored(name, lead, to)
        if html:
            with written_whole(html) as file:
                file.write(letter.html)
            terminal.complaints.print(f"{html} written.", markup=False, soft_wrap=True)
    for fault in letter.faults:
        terminal.complaints.print(f"{fault} Baton's own template is used instead.", markup=False, style="yellow", soft_wrap=True)
    if lead is not None and letter.link:
        terminal.complaints.print(f"The message holds the real link of {letter.to.name}: do not forward it.", markup=False, soft_wrap=True)
    _print(letter, only_text=text, with_text=text or not html)


def _made_up(message: str, folder: Path | None) -> Letter:
    """Return the message for an invented lead. Raises MessageFaulty for an unknown message."""
    name = word(message, TEMPLATE_NAMES)
    return render(message, sample(name or "told"), key="preview", folder=folder if name else None)


def _stored(name: str, lead: int, to: str) -> Letter:
    box = terminal.open_box()
    from app.message_preview import for_lead  # a made-up message needs no database

    return box.read_now(lambda session, now: for_lead(session, box, name, lead, to=to, now=now))


def _folder() -> Path | None:
    given = Settings().templates
    return Path(given) if given else None


def _print(letter: Letter, *, only_text: bool, with_text: bool) -> None:
    if not with_text:
        return
    say = terminal.console.out
    if only_text:
        say(letter.text, end="", highlight=False)
        return
    for name, words in (("To", f"{letter.to.name} <{letter.to.email}>"), ("Subject", letter.subject)):
        say(f"{name}: {words}", highlight=False)
    say(f"\n{letter.text}\n-- in a chat --\n{letter.chat}", end="", highlight=False)


def check() -> None:
    """Render every message for several made-up leads, hostile ones among them, and name every faulty template."""
    folder = _folder()
    found = problems_of(folder)
    for fault in found:
        terminal.complaints.print(str(fault), markup=False, soft_wrap=True)
    if found:
        terminal.complaints.print(
            f"{len(found)} faults in {folder}. Baton sends its own text in place of a faulty template.", markup=False, soft_wrap=True
        )
        raise typer.Exit(terminal.FINDINGS)
    whose = f"with the templates in {folder}" if folder else "with Baton's own templates: BATON_TEMPLATES is not set"
    terminal.console.print(f"{len(message_names())} messages are right, {whose}.", markup=False, soft_wrap=True)
