"""Writing an agreement: what is wrong with a file, and where."""

from __future__ import annotations

import typer

from app import terminal
from app.commands.agreement.references import ReferenceOrFile, agreement_of

app = typer.Typer()


@app.command("check")
def check(ref: ReferenceOrFile) -> None:
    """Every mistake of a file at once, with its line and what to write instead."""
    with terminal.told():
        agreement = agreement_of(ref)
        terminal.console.print(f"{agreement.reference} is fine.")
