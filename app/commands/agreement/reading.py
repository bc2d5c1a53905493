"""Reading an agreement: the contract in words, and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.table import Table

from agreements.wording import contract_in_words
from app import terminal
from app.commands.agreement.references import ReferenceOrFile, agreement_of
from notifications.contract_page import contract_page
from storage import contracts

app = typer.Typer()


@app.command("show")
def show(
    ref: ReferenceOrFile,
    file: Annotated[Path | None, typer.Argument(help="With --html: where to write the page; printed where left out.")] = None,
    html: Annotated[bool, typer.Option("--html", help="As a page with pictures that stands for itself.")] = False,
) -> None:
    """The contract in words: who owes whom what by when."""
    if file and not html:
        terminal.fail(terminal.USAGE, f"{file} is where --html writes a page; add --html, or name one agreement.")
    with terminal.told():
        agreement = agreement_of(ref)
        if file:
            file.write_text(contract_page(agreement), encoding="utf-8")
            terminal.console.print(f"{agreement.reference} is written to {file}.", markup=False, soft_wrap=True)
        elif html:
            typer.echo(contract_page(agreement), nl=False)
        else:
            terminal.console.print(Markdown(contract_in_words(agreement)))


@app.command("list")
def list_versions() -> None:
    """Every published version, who signed it, and whether it is in force."""
    box = terminal.open_box()
    table = Table("version", "effective", "hash", "lacks the signature of", "deployed")
    rows = box.read_now(lambda session, now: [(one, contracts.unsigned_parties(session, one)) for one in contracts.all_of(session)])
    for row, missing in rows:
        deployed = f"{row.deployed_at:%Y-%m-%d %H:%M} UTC" if row.deployed_at else ""
        table.add_row(f"{row.name}@{row.version}", f"{row.effective_at:%Y-%m-%d}", row.hash[:12], ", ".join(missing), deployed)
    terminal.console.print(table)
