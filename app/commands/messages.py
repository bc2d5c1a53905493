"""Messages: which there are, how each reads, and whether the company's own templates are right."""

from __future__ import annotations

import typer

from app.commands import attention, channel_trial, message_texts

app = typer.Typer(no_args_is_help=True, help="Messages: list, look at, check, count, try a channel out.")
app.command("list")(message_texts.list_messages)
app.command("preview")(message_texts.preview)
app.command("check")(message_texts.check)
app.command("count")(attention.count)
app.command("test")(channel_trial.send_test)
