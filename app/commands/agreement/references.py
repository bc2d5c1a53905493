"""How commands name an agreement: name@version, or a file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from agreements.errors import InvalidAgreement
from agreements.loading import MAX_BYTES, agreement_text, read_agreement
from agreements.model import Agreement
from app import terminal

Reference = Annotated[str, typer.Argument(help="name@version of a published version.")]
ReferenceOrFile = Annotated[str, typer.Argument(help="name@version of a published version, or an agreement file.")]


def from_file(file: Path) -> Agreement:
    """Return the agreement in that file; a file with problems ends the command with all of them, one a line."""
    try:
        return read_agreement(text_of(file), name=str(file))
    except InvalidAgreement as error:
        for problem in error.problems:
            terminal.complaints.print(problem, markup=False, soft_wrap=True)
        raise typer.Exit(terminal.FINDINGS) from error


def starter() -> Agreement:
    """Return the shipped agreement that people begin with."""
    return read_agreement(files("agreements").joinpath("examples", "starter.yaml").read_text(encoding="utf-8"), name="starter")


def text_of(file: Path) -> str:
    """Return the text of that file, reading no more than an agreement can hold. Raises InvalidAgreement, OSError."""
    with file.open("rb") as opened:
        return agreement_text(opened.read(MAX_BYTES + 1), name=str(file))


def agreement_of(ref: str) -> Agreement:
    """Return the agreement from a file or a published version."""
    if Path(ref).is_file():
        return from_file(Path(ref))
    key = reference(ref)
    box = terminal.open_box()
    from storage import contracts  # a file needs no database

    return box.read_now(lambda session, now: contracts.agreement_of(session, *key))


def reference(ref: str) -> tuple[str, int]:
    """Return name and version; ends the command for any other text."""
    name, at, version = ref.rpartition("@")
    if not at or not version.isdigit():
        terminal.fail(terminal.USAGE, f"{ref!r} is no file and no reference; write name@version, as in b2b-saas@3.")
    return name, int(version)
