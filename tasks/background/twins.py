"""Likely twins: look once a day for leads that may be one person, so that marketing can say with one click whether they are."""

from __future__ import annotations

from storage import twin_pairs
from storage.likely_twins import Suggestion, suggestions
from tasks.background.slices import write_in_slices
from tasks.wiring.toolbox import Toolbox

#: At most so many pairs are looked for: what marketing can look at in weeks.
AT_MOST = 1_000


async def find_twins(box: Toolbox, *, limit: int = AT_MOST) -> list[Suggestion]:
    """Keep the pairs of leads that may be one person, and return them, the newest first. Nothing is merged.

    Pairs that somebody said are two people are left out.
    """
    found = await box.read(lambda session, now: suggestions(session, limit=limit + AT_MOST))
    apart = await box.read(lambda session, now: twin_pairs.apart(session, [(one.lead, one.other) for one in found]))
    left = [one for one in found if (one.lead, one.other) not in apart][:limit]
    await write_in_slices(box, left, lambda session, now, some: twin_pairs.keep(session, some, now=now))
    return left
