"""One lead's way through the agreement: step after step, and waiting for people in between."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from agreements.lifecycle import next_step
from flows.attempt import SupersededRun, attempt, settle
from flows.parking import finish, park
from tasks.acceptance import acceptance
from tasks.assign import assign
from tasks.decide import decide
from tasks.document import document
from tasks.escalate import escalate
from tasks.follow_up import follow_up
from tasks.notify import notify
from tasks.qualify import qualify
from tasks.remind import remind
from tasks.screen import screen
from tasks.speak import speak
from tasks.turn import Turn
from tasks.undo import undo

#: What can be done for a lead, by the name that the lifecycle calls it.
STEPS = {
    "screen": screen,
    "qualify": qualify,
    "document": document,
    "assign": assign,
    "notify": notify,
    "acceptance": acceptance,
    "follow_up": follow_up,
    "remind": remind,
    "escalate": escalate,
    "decide": decide,
    "undo": undo,
    "speak": speak,
}


async def go_on(turn: Turn) -> Turn:
    """Takes step after step until the lead waits for somebody or has come to an end."""
    while step := next_step(turn.position):
        turn = await STEPS[step](turn)
    return turn


@flow(name="lead-handoff", retries=0, persist_result=False, validate_parameters=False)
async def lead_handoff(handoff: str) -> State:
    """Carries out the agreement for one lead, from inquiry to opportunity or back to nurture."""
    try:
        async with attempt(int(handoff)) as turn:
            rest = None
            while rest is None:
                turn = await go_on(turn)
                turn, rest = await settle(turn)
    except SupersededRun as other:
        return Completed(name="Superseded", message=str(other))
    return await park(rest) if rest.waits else await finish(rest)
