"""Sends a test message: does a channel reach somebody, and what does the other side answer?"""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated

import typer

from agreements.errors import CrmError, DeliveryError, DeliveryUnknown
from agreements.roster import Roster
from agreements.words import word
from app import terminal
from notifications.circuit_breaker import CircuitBreaker
from notifications.letter import Channel, Context, LeadView, Letter
from notifications.rendering import render
from storage import roster
from tasks.messages.lead_context import recipient
from tasks.wiring.toolbox import Toolbox


def send_test(
    channel: Annotated[str, typer.Argument(help="email, chat, sms, webhook, crm …: as agreements name it.")],
    to: Annotated[str, typer.Option(help="Id of a person in the roster. Default: the roster's operator.")] = "",
) -> None:
    """Send a short harmless message over a channel, and show the other side's answer.

    Exit code 1: refused for good; 4: the service is away, or nobody can tell whether the message arrived.
    """
    box = terminal.open_box()
    with terminal.told():
        people = box.read_now(lambda session, now: roster.current(session))
        over, letter = _channel(box, channel), _letter(box, people, to or people.operator, channel)
        try:
            proof = asyncio.run(_send(over, letter))
        except DeliveryUnknown as error:
            terminal.fail(terminal.AWAY, f"{error}\nWhether it arrived cannot be told.")
        except (DeliveryError, CrmError) as error:
            lasting = "This is permanent: the same again cannot help." if error.permanent else "This may pass: Baton would try again."
            terminal.fail(terminal.FINDINGS if error.permanent else terminal.AWAY, f"{error}\n{lasting}")
        terminal.console.print(f"Taken for {letter.to.id}. The proof: {proof}", markup=False)
        terminal.console.print(_counts(over, channel), markup=False)


def _counts(over: Channel, name: str) -> str:
    """Say whether a message over this channel proves that a rep was told."""
    if name == "manager-email":
        return "A message to the manager does not prove that the rep was told, unless the agreement counts it."
    if not over.read_by_people:
        return "Nobody reads this channel here, so it proves nothing. If reps work in the CRM, set BATON_CRM_PEOPLE=true."
    return "People read this channel, so a message to the rep proves that the rep was told."


def _channel(box: Toolbox, name: str) -> Channel:
    known = word(name, box.channels)
    channel = box.channels[known] if known else None
    if channel is None:
        terminal.fail(terminal.USAGE, f"{name!r} is not set up here; there are {', '.join(sorted(box.channels))}.")
    return channel


def _letter(box: Toolbox, people: Roster, ident: str, channel: str) -> Letter:
    if people.person(ident) is None:
        terminal.fail(terminal.USAGE, f"Nobody in the roster is called {ident!r}; name one of {', '.join(people.people)}.")
    context = Context(recipient(people, ident), LeadView(0, "", ""), what=f"over {channel}, asked for by {terminal.who()}")
    key = f"test/{channel}/{ident}/{secrets.token_hex(8)}"
    return render("test", context, key=key, facts={"lead_number": "0", "owner": ident}, folder=box.templates)


async def _send(channel: Channel, letter: Letter) -> str:
    try:
        return await channel.send(letter)
    finally:
        if isinstance(channel, CircuitBreaker):
            await channel.close()
