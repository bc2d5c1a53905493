"""Where the time of the period's leads went, summed by party."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlmodel import Session

from agreements.errors import RosterError
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.where_time_went import TIME_PARTIES, TimeParty, summed, where_time_went
from storage import lives


def leads_of(passes: Sequence[Pass], period: Period) -> list[int]:
    """Return the leads that had an open pass at some time of the period, by number."""
    return sorted({one.lead_id for one in passes if not one.merged and (one.ended_at is None or one.ended_at >= period.begins)})


def time_spent(session: Session, leads: Sequence[int], period: Period) -> Mapping[TimeParty, timedelta]:
    """Return the time that each party had of these leads within the period. Reads some hundred lives at once.

    Without a roster nobody knows the hours of people, and nothing is returned.
    """
    parts: dict[TimeParty, timedelta] = dict.fromkeys(TIME_PARTIES, timedelta())
    try:
        for start in range(0, len(leads), lives.AT_ONCE):
            for life in lives.of(session, leads[start : start + lives.AT_ONCE]):
                stretches = where_time_went(life, now=period.as_of)
                for party, part in summed(stretches, since=period.begins, until=period.as_of).items():
                    parts[party] += part
    except RosterError:
        return {}
    return parts
