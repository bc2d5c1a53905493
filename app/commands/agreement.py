"""Agreements: check, publish, sign, deploy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.table import Table

from agreements.errors import InvalidAgreement
from agreements.loading import read_agreement
from agreements.model import Agreement
from app import terminal
from app.deploying import contract_in_words, deploy
from storage import contracts

app = typer.Typer(no_args_is_help=True, help="The contract between marketing and sales, in versions.")
Reference = Annotated[str, typer.Argument(help="name@version, or a file where a file makes sense.")]


@app.command("check")
def check(file: Annotated[Path, typer.Argument(help="An agreement file.")]) -> None:
    """Every mistake of a file at once, with its line and what to write instead."""
    with terminal.told():
        agreement = _read(file)
        terminal.console.print(f"{agreement.reference} is fine.")


@app.command("publish")
def publish(file: Annotated[Path, typer.Argument(help="An agreement file.")]) -> None:
    """Keep this version for ever, ready to be signed. Its text cannot be changed any more; a new text is a new version."""
    box = terminal.open_box()
    with terminal.told():
        _read(file)
        text = file.read_text(encoding="utf-8")
        row = box.write_now(lambda session, now: contracts.publish(session, text, now=now))
        terminal.console.print(f"{row.name}@{row.version} {row.hash}", soft_wrap=True)


@app.command("sign")
def sign(
    ref: Reference,
    party: Annotated[str, typer.Option("--as", help="marketing or sales")],
    name: Annotated[str, typer.Option("--on-behalf", help="Who signs.")],
) -> None:
    """Sign a published version for one party; shown in the trail as signed on behalf."""
    box = terminal.open_box()
    if party not in ("marketing", "sales"):
        terminal.fail(terminal.USAGE, f"--as is marketing or sales, not {party!r}.")
    with terminal.told():
        key = _reference(ref)
        box.write_now(
            lambda session, now: contracts.sign(session, contracts.get(session, *key), party=party, name=name, via="cli", now=now)
        )
        terminal.console.print(f"{ref} is signed for {party} on behalf of {name}.")


@app.command("deploy")
def deploy_version(ref: Reference) -> None:
    """Put a signed version in force: new leads run under it. Creates its deployment at the Prefect server."""
    box = terminal.open_box()
    with terminal.told():
        terminal.console.print(f"deployed as {asyncio.run(deploy(box, *_reference(ref)))}")


@app.command("show")
def show(ref: Reference) -> None:
    """The contract in words: who owes whom what by when."""
    with terminal.told():
        if Path(ref).is_file():
            agreement = _read(Path(ref))
        else:
            box = terminal.open_box()
            agreement = box.read_now(lambda session, now: contracts.agreement_of(session, *_reference(ref)))
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


def _read(file: Path) -> Agreement:
    try:
        return read_agreement(file.read_text(encoding="utf-8"), name=str(file))
    except InvalidAgreement as error:
        for problem in error.problems:
            terminal.complaints.print(problem, markup=False, soft_wrap=True)
        raise typer.Exit(terminal.FINDINGS) from error


def _reference(ref: str) -> tuple[str, int]:
    name, at, version = ref.rpartition("@")
    if not at or not version.isdigit():
        terminal.fail(terminal.USAGE, f"{ref!r} is no reference; write name@version, as in b2b-saas@3.")
    return name, int(version)
