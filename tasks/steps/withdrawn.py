"""Withdrawn: tell a rep, or several who were asked at once, that the lead is no longer theirs, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from agreements.words import SEVERAL, Ended
from storage import answerers, deliveries, offers, roster
from storage.tables import Assignment, Handoff
from tasks.steps.offering import tell_the_others


def tell_withdrawn(
    session: Session, handoff: Handoff, rep: str, assignment_id: str, *, because: Ended, now: datetime, what: str = ""
) -> None:
    """Tells a rep that the lead is no longer theirs, or each of several who could still have taken it. what: why, in other words."""
    if rep == SEVERAL:
        row = session.get(Assignment, assignment_id)
        if row:
            ended = [one for one in offers.ended_with(session, row) if one.rep != handoff.wanted_rep]
            tell_the_others(session, handoff, row, ended, lambda _: what or _OF_SEVERAL.get(because, _WITHDRAWN_ELSE), now=now)
        return
    answer = answerers.newest_of(session, assignment_id) if because == "decided" else None
    decided = f"{roster.current(session).name_of(answer.by)} gave it to somebody else." if answer else ""
    context = {"what": what or decided or _WITHDRAWN.get(because, _WITHDRAWN_ELSE), "tenure": assignment_id}
    key = f"{assignment_id}:withdrawn:email"
    deliveries.queue(session, handoff, deliveries.Message("withdrawn", context=context), deliveries.Copy(key, "email", rep), now=now)


_WITHDRAWN_ELSE = "The lead was given to somebody else."
#: The same for several reps who were asked at once.
_OF_SEVERAL: Mapping[Ended, str] = {
    "not delivered in time": "We had no proof in time that the message reached any of you, so the lead goes to one rep now.",
    "not claimed in time": "None of you accepted it in time, so the lead goes to one rep now.",
    "suppressed": "Nobody may contact this person any more.",
    "recalled": "Marketing and sales have agreed on a new version of their agreement. The lead starts again under the new version.",
}
_WITHDRAWN: Mapping[Ended, str] = {
    "not delivered in time": "We had no proof in time that the message reached you, so the lead went to a colleague.",
    "not seen in time": "You did not look at the lead in time, so it went to a colleague.",
    "not answered in time": "You did not answer in time, so the lead went to a colleague.",
    "not attempted in time": "You did not try to reach the lead in time, so it went to a colleague.",
    "crm": "Its owner was changed in the CRM.",
    "back": "The colleague who had the lead before an absence is back and has it again.",
    "recalled": "Marketing and sales have agreed on a new version of their agreement. The lead starts again under the new version.",
}
