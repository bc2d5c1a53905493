"""baton: the command line."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from app import prefect_log_in
from app.commands import (
    agreement,
    bounces,
    demo,
    devices,
    disputes,
    keys,
    leads,
    messages,
    parts,
    people,
    retention,
    trail,
    verify,
)
from tasks.wiring import secret_files
from tasks.wiring.settings import Settings

app = typer.Typer(
    name="baton",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Runs the agreement between marketing and sales: each lead is a Prefect flow that carries it out.\n\n"
    "Exit codes: 0 done, 1 findings or refused, 2 usage or unreadable input, 3 partly done, 4 a service is away.",
)


@app.callback()
def begin(context: typer.Context) -> None:
    """Runs before every command."""
    home = Path(os.environ.get("BATON_HOME") or Settings.model_fields["home"].default)  # other settings may be wrong, and are told of later
    context.with_resource(prefect_log_in.kept_in(home.expanduser().absolute()))


app.command(name="demo")(demo.demo)
app.command(name="up")(parts.up)
app.command(name="worker")(parts.worker)
app.command(name="web")(parts.web)
app.command(name="verify")(verify.verify)
app.add_typer(leads.app, name="leads")
app.add_typer(agreement.app, name="agreement")
app.add_typer(people.app, name="roster")
app.add_typer(messages.app, name="messages")
app.add_typer(disputes.app, name="disputes")
app.add_typer(keys.app, name="keys")
app.add_typer(retention.app, name="retention")
app.add_typer(bounces.app, name="bounces")
app.add_typer(devices.app, name="devices")
app.add_typer(trail.app, name="trail")


def main() -> None:
    """The entry point. Every part and every command makes files that only their owner can read."""
    os.umask(secret_files.UMASK)
    app()


if __name__ == "__main__":
    main()
