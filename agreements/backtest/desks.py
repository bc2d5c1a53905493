"""What each rep has while leads are replayed: open leads, leads of the working day, and leads that wait for the opening."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush

from agreements.choosing import with_the_nights
from agreements.model import Release
from agreements.routing import Candidate
from agreements.staff import Staff


@dataclass(slots=True)
class Desks:
    """The desks of all reps. stands_for: how many leads each replayed lead stands for; every count is of these.

    released: the tiers that are given out day by day. Their leads do not count against leads of other tiers.
    """

    stands_for: float = 1.0
    released: frozenset[str] = frozenset()
    _open: dict[tuple[str, bool], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _given: dict[tuple[str, str], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _nights: dict[str, Counter[datetime]] = field(default_factory=lambda: defaultdict(Counter))

    def candidates(self, staff: Staff, names: Iterable[str], *, tier: str, release: Release | None) -> tuple[Candidate, ...]:
        """Return these people as candidates for a lead of that tier, at the instant of the staff."""
        found = []
        for name in names:
            left = None
            if release:
                left = self.left(staff, name, tier, release) if staff.is_open(name) else 0
            found.append(staff.candidate(name, open_leads=self.open_leads(name, staff.now, tier=tier), left=left))
        if not found or any(one.at_work for one in found) or not staff.agreement.routing.overnight_pace:
            return tuple(found)
        some = [(one, count) for one in found if (count := self._nights[one.rep][one.opens_at])]
        return with_the_nights(found, {one.rep: {one.opens_at: int(self.stands_for * count)} for one, count in some})

    def open_leads(self, rep: str, now: datetime, *, tier: str = "") -> int:
        """Return how many leads of the rep are open and count against a lead of that tier."""
        count = self._still_open(rep, False, now) + (self._still_open(rep, True, now) if tier in self.released else 0)
        return int(self.stands_for * count)

    def left(self, staff: Staff, rep: str, tier: str, release: Release) -> int:
        """Return how many more leads of the tier the rep may get this working day; outside hours, the next one."""
        given = self._given[rep, tier]
        return max(0, release.per_rep - int(self.stands_for * (len(given) - bisect_left(given, staff.share_began(rep)))))

    def give(self, rep: str, *, tier: str, at: datetime, until: datetime) -> None:
        """Puts a lead on the rep's desk. until: from when it is no longer open."""
        heappush(self._open[rep, tier in self.released], until)
        self._given[rep, tier].append(at)

    def keep_for_opening(self, rep: str, opening: datetime) -> None:
        """Notes that a lead of the rep waits for the opening at that instant."""
        self._nights[rep][opening] += 1

    def _still_open(self, rep: str, released: bool, now: datetime) -> int:
        ends = self._open[rep, released]
        while ends and ends[0] <= now:
            heappop(ends)
        return len(ends)


@dataclass(frozen=True, slots=True)
class Tenure:
    """A rep had a lead. lead: its number."""

    rep: str
    lead: int
    at: datetime
    until: datetime


@dataclass(slots=True)
class Companies:
    """Which rep had which lead of a company, while leads are replayed."""

    _had: dict[str, list[Tenure]] = field(default_factory=lambda: defaultdict(list))

    def of(self, company: str) -> Collection[Tenure]:
        """Return the tenures of the leads of this company, oldest first; none for an empty key."""
        return self._had.get(company, ())

    def add(self, company: str, tenure: Tenure) -> None:
        """Adds a tenure, unless the key is empty."""
        if company:
            self._had[company].append(tenure)
