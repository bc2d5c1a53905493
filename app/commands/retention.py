"""Retention: what was agreed to be kept how long, what is over its time, and deleting that now."""

from __future__ import annotations

import asyncio
from typing import Annotated

import httpx
import typer
from prefect.exceptions import PrefectHTTPStatusError
from rich.table import Table

from app import terminal
from app.tidying import server
from flows import tidying
from flows.retention import in_words
from tasks.erasure.retention import Kept, Plan, agreed, carry_out, plan
from tasks.wiring.toolbox import Toolbox

app = typer.Typer(no_args_is_help=True, help="How long things are kept, as agreed.")


@app.command("show")
def show() -> None:
    """What each agreement says, and what the next run would delete."""
    box = terminal.open_box()
    with terminal.told():
        table = Table("agreement", "personal", "trail")
        for name, personal, trail in box.read_now(lambda session, now: agreed(session)):
            table.add_row(name, f"{personal} days after the last activity", f"{trail} days")
        terminal.console.print(table)
        _print(box.read_now(lambda session, now: plan(session, now=now)))


@app.command("run")
def run(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False) -> None:
    """Delete what is over its time, as the flow `retention` does each day. Open handoffs are never touched."""
    box = terminal.open_box()
    with terminal.told():
        if dry_run:
            _print(box.read_now(lambda session, now: plan(session, now=now)))
            return
        kept = asyncio.run(_carry_out(box))
        terminal.console.print(in_words(kept))
        for one in kept.left:
            terminal.console.print(one, markup=False, soft_wrap=True)


async def _carry_out(box: Toolbox) -> Kept:
    kept = await carry_out(box)
    try:
        async with server() as client:
            deleted = await tidying.carry_out(box, client)
        kept.deleted.update({f"{name} at Prefect": count for name, count in deleted.items() if count})
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        kept.left.append(f"The Prefect server does not answer ({type(error).__name__}): a worker deletes what is there when it is back.")
    return kept


def _print(what: Plan) -> None:
    say = terminal.console.print
    say(f"Over their time: {what.leads} leads, with {what.texts} texts.")
    if what.trail_before is not None:
        say(f"The trail is kept from {what.trail_before:%d %B %Y} on.")
    if what.chores:
        say(f"{what.chores} things wait to be deleted at Prefect.")
