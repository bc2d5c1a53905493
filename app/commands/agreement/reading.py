"""Reading an agreement: the contract in words."""

from __future__ import annotations

import typer
from rich.markdown import Markdown
from rich.table import Table

from agreements.wording import contract_in_words
from app import terminal
from app.commands.agreement.references import ReferenceOrFile, agreement_of
from storage import contracts

app = typer.Typer()


@app.command("show")
def show(ref: ReferenceOrFile) -> None:
    """The contract in words: who owes whom what by when."""
    with terminal.told():
        terminal.console.print(Markdown(contract_in_words(agreement_of(ref))))


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
