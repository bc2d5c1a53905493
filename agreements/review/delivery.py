"""Delivery: marketing's promise that a qualified lead reaches a rep in time, as a promise like the others."""

from __future__ import annotations

from agreements.calendar.durations import ReleasePlan
from agreements.clocks import calendar_for
from agreements.model import Agreement
from agreements.review.passes import Pass
from agreements.review.promises import Promise
from agreements.words import About, NoWord


def delivery(one: Pass, agreement: Agreement) -> Promise | None:
    """Return the promise of the delivery clock for one pass; None where that clock did not run.

    It runs from the MQL to the proof that a rep has the message. No promise is broken while nobody is there, or while the lead waits in
    the release queue. Where a rep was found in time and only the proof was late, Baton caused the miss.
    """
    clock = agreement.clock("delivery")
    term = clock.term(one.tier)
    if one.mql_at is None or one.merged or isinstance(term, ReleasePlan):
        return None
    due = term.after(one.mql_at, calendar_for(clock, agreement))
    found_in_time = one.assigned_at is not None and one.assigned_at <= due
    about: About | NoWord = "hold" if one.held else "proof" if found_in_time else ""
    return Promise(
        pass_id=one.id,
        kind="delivery",
        owed_by=clock.owed_by,
        promised_at=due,
        about=about,
        tier=one.tier,
        closed_at=one.proven_at or one.ended_at,
        closed_because="proven" if one.proven_at else "",
        began_at=one.mql_at,
    )
