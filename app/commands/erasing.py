"""Erases a person at their wish. A receipt says what was deleted and what remains."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from app import terminal
from app.files import written_whole
from tasks.erasure import erasing
from tasks.erasure.erasing import Preview, Receipt
from tasks.wiring.toolbox import Toolbox


def erase(
    lead: Annotated[int, typer.Argument(help="Number of the lead.")],
    reason: Annotated[str, typer.Option(help="The reason. Write nothing personal, because Baton keeps the reason.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")] = False,
    receipt: Annotated[Path | None, typer.Option(help="Also write the receipt as JSON to this file.")] = None,
) -> None:
    """Erase a person at their wish: delete everything personal, here and at Prefect, and never take the person in again."""
    box = terminal.open_box()
    with terminal.told():
        _tell(lead, box.read_now(lambda session, now: erasing.look(session, lead, now=now)))
        if dry_run:
            return
        if not yes and not typer.confirm("This cannot be undone. Erase?"):
            terminal.fail(terminal.FINDINGS, "Nothing was erased.")
        box.write_now(lambda session, now: erasing.ask(session, lead, by=terminal.who(), reason=reason, now=now))
        done = asyncio.run(_carry_out(box, lead))
        _print(done)
        if receipt is not None:
            with written_whole(receipt, encoding="utf-8") as out:
                json.dump(done.as_json(), out, indent=2, ensure_ascii=False)
                out.write("\n")
    if not done.is_done or done.files["left"]:
        raise typer.Exit(terminal.PARTLY)


async def _carry_out(box: Toolbox, lead: int) -> Receipt:
    """Do everything that can be done now. While the Prefect server is away, a worker deletes the runs later."""
    from app.tidying import at_named_server  # imports Prefect, which --dry-run does not need

    words, found = await erasing.clear(box, lead)
    deleted, left = await at_named_server(box)
    if left:
        terminal.complaints.print(left, style="yellow", soft_wrap=True)
    return await erasing.close(box, lead, words, found, deleted)


def _tell(lead: int, what: Preview) -> None:
    say = terminal.console.print
    if what.erased:
        say(f"Lead {lead} was erased before. This deletes anything that may be left.")
    others = [str(one) for one in what.leads if one != lead]
    say(f"Erases lead {lead}" + (f" and lead {', '.join(others)}, which are the same person." if others else "."))
    if what.open_handoff:
        say(f"Its handoff in stage {what.open_handoff} ends as erased, and the rep gets a message.")
    say(f"Deletes {what.texts} texts, all values, held answers, notes, and the words of messages. Cancels {what.unsent} messages.")
    say("Deletes its runs at Prefect, messages kept in the home folder, and its rows in tables there.")
    if what.linked:
        linked = ", ".join(map(str, what.linked))
        say(f"Stays: lead {linked}, the same person at another company. To erase this lead too, run the command for it.")


def _print(done: Receipt) -> None:
    say = terminal.console.print
    why = f": {done.reason}" if done.reason else ""
    say(f"\nReceipt for lead {done.lead}, asked for by {done.by} at {done.asked_at}{why}", markup=False)
    for name, count in {**done.deleted, **{f"{name} at Prefect": count for name, count in done.at_prefect.items()}}.items():
        if count:
            say(f"  deleted: {count} {name}")
    for name in done.files["deleted"]:
        say(f"  deleted: the message {name}", markup=False)
    for name in done.files["changed"]:
        say(f"  deleted: rows of {name}", markup=False)
    say("  The person is not taken in again: a keyed hash of address, phone and ids is kept.")
    for one in done.remains:
        say(f"  remains: {one}", markup=False, soft_wrap=True)
    if done.waiting:
        say(f"  waits: {done.waiting} things that a worker deletes at Prefect.")
    say(f"Done at {done.done_at}." if done.is_done else "Not done yet, see above. Run the command again, or let a worker finish.")
