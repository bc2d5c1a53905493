"""Shows an agreement: the contract in words, and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agreements.model import Agreement
from agreements.wording import contract_in_words
from app import terminal
from app.commands.agreement.references import ReferenceOrFile, agreement_of


def show(
    ref: ReferenceOrFile,
    file: Annotated[Path | None, typer.Argument(help="With --html: file for the page. Default: standard output.")] = None,
    html: Annotated[bool, typer.Option("--html", help="As one self-contained page with pictures.")] = False,
) -> None:
    """Show the contract in words: who owes whom what by when."""
    if file and not html:
        terminal.fail(terminal.USAGE, f"{file} is where --html writes a page; add --html, or name one agreement.")
    with terminal.told():
        agreement = agreement_of(ref)
        if file:
            file.write_text(_page(agreement), encoding="utf-8")
            terminal.console.print(f"{agreement.reference} is written to {file}.", markup=False, soft_wrap=True)
        elif html:
            typer.echo(_page(agreement), nl=False)
        else:
            from rich.markdown import Markdown

            terminal.console.print(Markdown(contract_in_words(agreement)))


def _page(agreement: Agreement) -> str:
    from notifications.contract_page import contract_page  # imports its templates, which the words alone do not need

    return contract_page(agreement)
