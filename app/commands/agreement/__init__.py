"""Agreements: write, read, try out, sign, put in force. One file for each of these."""

from __future__ import annotations

import typer

from app.commands.agreement import comparing, due, explaining, force, reading, signing, trying, writing

app = typer.Typer(no_args_is_help=True, help="The contract between marketing and sales, in versions.")
for part in (writing, reading, comparing, explaining, due, trying, signing, force):
    app.registered_commands.extend(part.app.registered_commands)
