"""Calls, e-mails and meetings that a rep logged in the CRM: each is an attempt to reach the lead, as one reported by the link."""

from __future__ import annotations

from agreements.crm_words import CHANNEL_OF
from agreements.lifecycle import Stage
from agreements.roster import Role
from agreements.words import ATTEMPTS, SEVERAL, Attempt, NoWord, TouchChannel, word
from storage import offers, roster
from tasks.crm.place import Place
from tasks.replies.answered_for import tell_rep_of_attempt
from tasks.steps.follow_up import NewTouch, touch

#: Who can try to reach a lead for sales.
_OF_SALES: tuple[Role, ...] = ("rep", "manager")


def take_touch(place: Place) -> None:
    """Takes a logged activity as an attempt by that person. Logged before acceptance, it also accepts the lead."""
    kind = word(place.made.values.get("outcome", ""), ATTEMPTS) or "attempted"
    channel: TouchChannel | NoWord = CHANNEL_OF.get(place.made.values.get("channel", "").casefold()) or ""
    facts = {"touch": kind, "channel": channel}
    person = roster.current(place.session).person(place.made.by)
    if person is None or person.role not in _OF_SALES:
        place.not_understood("unknown-person", **facts)
    elif place.wait is None or place.tenure is None:
        place.not_understood("no-task", **facts)
    elif place.made.at < place.tenure.assigned_at:
        place.not_understood("before-assignment", **facts)
    elif kind in place.allowed:
        count_attempt(place, kind, channel)
    elif place.handoff.stage == Stage.ASSIGNED and _is_asked(place):
        place.answer("accepted", implied_by=kind, **({"channel": channel} if channel else {}))
    else:
        place.not_understood("not-asked", **facts)


def count_attempt(place: Place, kind: Attempt, channel: TouchChannel | NoWord = "") -> None:
    """Counts an attempt: the first one answers the open wait, each later one is noted beside it."""
    wait = place.wait
    assert wait is not None, "an attempt is counted only while it is allowed"
    if wait.kind != "outcome":
        place.answer(kind, channel=channel)
        return
    made = place.made
    key = f"crm:{made.key}"
    if touch(place.session, place.handoff, NewTouch(kind, key, made.by, "crm", made.at, channel)):
        tell_rep_of_attempt(place.session, wait, kind, by=made.by, key=key, now=place.now)


def _is_asked(place: Place) -> bool:
    """Whether this person can accept the lead: its rep, a member of the rep's mailbox, or one of several who are asked."""
    by, rep = place.made.by, place.handoff.rep
    if rep == SEVERAL:
        return offers.may_accept(place.session, place.handoff, by)
    person = roster.current(place.session).person(rep)
    return by == rep or (person is not None and by in person.members)
