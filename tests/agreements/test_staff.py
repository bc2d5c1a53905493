"""Staff: what routing sees of each rep at an instant is what calendar and roster say, asked once for all who share a calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agreements.staff import Staff
from benchmarks.measures.routing import agreed, staffed

AGREEMENT, PEOPLE = agreed(), staffed(24)


#: An opening, a break, a night, a weekend, the hour that a zone skips, an evening.
INSTANTS = ["01-04T08:59", "01-04T09:00", "01-04T12:45", "01-05T03:00", "01-09T12:00", "03-28T00:30", "06-30T22:00"]


@pytest.mark.parametrize("now", INSTANTS)
def test_each_rep_is_seen_as_their_calendar_and_absences_say(now: str) -> None:
    at = datetime.fromisoformat(f"2027-{now}").replace(tzinfo=UTC)
    staff = Staff(PEOPLE, AGREEMENT, at, weighted=True)

    for name in (one for one in PEOPLE.people if one.startswith("rep")):
        person, calendar = PEOPLE.people[name], AGREEMENT.calendar(PEOPLE.people[name].calendar)
        seen = staff.candidate(name, open_leads=3)
        assert (seen.rep, seen.open_leads, seen.capacity, seen.left) == (name, 3, AGREEMENT.routing.capacity.per_rep, None)
        assert seen.away == person.is_away(at)
        assert seen.at_work == (calendar.is_open(at) and not person.is_away(at))
        assert seen.opens_at == calendar.next_opening(person.back_at(at))
        assert seen.weight == person.weight_at(at, weighted=True)


def test_two_who_share_a_calendar_have_openings_of_their_own_where_one_is_away() -> None:
    at = datetime(2027, 1, 4, 10, tzinfo=UTC)  # rep0 is away for two weeks from the 4th on, rep4 later
    staff = Staff(PEOPLE, AGREEMENT, at)
    same = [one for one in PEOPLE.people if PEOPLE.people[one].calendar == PEOPLE.people["rep0"].calendar and one != "rep0"]

    assert staff.candidate("rep0", open_leads=0).opens_at == at.replace(hour=9) + timedelta(days=14)
    assert staff.candidate(same[0], open_leads=0).opens_at == at
