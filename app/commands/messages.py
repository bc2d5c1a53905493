"""baton messages: what people are told."""

from __future__ import annotations

import typer

from app.commands import attention

app = typer.Typer(no_args_is_help=True, help="What people are told, and how often.")
app.command(name="count")(attention.count)
