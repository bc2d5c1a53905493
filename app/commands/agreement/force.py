"""Putting an agreement in force: publish, sign, deploy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from app import terminal
from app.commands.agreement.references import Reference, from_file, reference
from app.deploying import deploy
from storage import contracts

app = typer.Typer()


@app.command("publish")
def publish(file: Annotated[Path, typer.Argument(help="An agreement file.")]) -> None:
    """Keep this version for ever, ready to be signed. Its text cannot be changed any more; a new text is a new version."""
    box = terminal.open_box()
    with terminal.told():
        from_file(file)
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
        key = reference(ref)
        box.write_now(
            lambda session, now: contracts.sign(session, contracts.get(session, *key), party=party, name=name, via="cli", now=now)
        )
        terminal.console.print(f"{ref} is signed for {party} on behalf of {name}.")


@app.command("deploy")
def deploy_version(ref: Reference) -> None:
    """Put a signed version in force: new leads run under it. Creates its deployment at the Prefect server."""
    box = terminal.open_box()
    with terminal.told():
        terminal.console.print(f"deployed as {asyncio.run(deploy(box, *reference(ref)))}")
