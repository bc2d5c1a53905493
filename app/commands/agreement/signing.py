"""Signs an agreement: asks for signatures, and records one on behalf of a signer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from app import terminal
from app.commands.agreement.references import Reference, reference
from notifications.circuit_breaker import CircuitBreaker
from storage import contracts
from tasks.signing import page as signing_page
from tasks.signing.requests import Asked, ask_to_sign
from tasks.wiring.toolbox import Toolbox


def send_for_signature(
    ref: Reference,
    again: Annotated[bool, typer.Option("--again", help="Also ask signers who were asked before, as after a lost message.")] = False,
) -> None:
    """Mail the contract and its changes to the signers of each party that has not signed, with a link to the page to sign.

    A second call reaches only the signers whom the first did not reach.
    """
    box = terminal.open_box()
    with terminal.told():
        asked = asyncio.run(_ask(box, *reference(ref), again=again))
        if not asked:
            terminal.console.print(f"Both parties have signed {ref}.")
        for one in asked:
            if one.sent:
                terminal.console.print(f"{one.party}: {one.address} {'was asked before' if one.before else 'was asked'}", markup=False)
            else:
                terminal.complaints.print(f"{one.party}: {one.address} was not asked: {one.error}", markup=False, soft_wrap=True)
        if code := _exit_code(asked):
            raise typer.Exit(code)


async def _ask(box: Toolbox, name: str, version: int, *, again: bool) -> tuple[Asked, ...]:
    email = box.channels["email"]
    try:
        return await ask_to_sign(box, name, version, by=terminal.who(), again=again)
    finally:
        if isinstance(email, CircuitBreaker):
            await email.close()


def _exit_code(asked: Sequence[Asked]) -> int:
    failed = [one for one in asked if not one.sent]
    if not failed:
        return terminal.DONE
    nobody_there = len(failed) == len(asked) and any(one.passing for one in failed)
    return terminal.AWAY if nobody_there else terminal.PARTLY


def sign(
    ref: Reference,
    party: Annotated[str, typer.Option("--as", help="marketing or sales")],
    name: Annotated[str, typer.Option("--on-behalf", help="Who signs.")],
) -> None:
    """Sign a published version for one party. The trail shows the signature as signed on behalf."""
    box = terminal.open_box()
    if party not in contracts.PARTIES:
        terminal.fail(terminal.USAGE, f"--as is marketing or sales, not {party!r}.")
    with terminal.told():
        key = reference(ref)
        box.write_now(
            lambda session, now: signing_page.sign_on_behalf(session, contracts.get(session, *key), party=party, name=name, now=now)
        )
        terminal.console.print(f"{ref} is signed for {party} on behalf of {name}.", markup=False, soft_wrap=True)


def withdraw_signature(
    ref: Reference,
    party: Annotated[str, typer.Option("--as", help="marketing or sales")],
    why: Annotated[str, typer.Option("--reason", help="Every signer gets this reason.")],
) -> None:
    """Withdraw one party's signature, until the version is deployed. Every signer gets a message that says who and why."""
    box = terminal.open_box()
    if party not in contracts.PARTIES:
        terminal.fail(terminal.USAGE, f"--as is marketing or sales, not {party!r}.")
    with terminal.told():
        key, by = reference(ref), terminal.who()
        box.write_now(
            lambda session, now: signing_page.withdraw_on_behalf(
                session, contracts.get(session, *key), party=party, by=by, why=why, now=now
            )
        )
        terminal.console.print(f"The signature for {party} under {ref} is withdrawn.", markup=False, soft_wrap=True)
