"""The week so far under one agreement, as the pages for marketing and managers show it: what both sides kept, and where the time went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from agreements.model import Agreement
from agreements.review.objectives import Measured, Objective, objectives
from agreements.review.pace import days_of
from agreements.review.period import Period, midnight
from agreements.review.promises import Promise, kept, side
from agreements.review.share import Share, Value
from agreements.where_time_went import TimeParty
from agreements.words import PARTIES, SEVERAL, Party


class ThisWeek(Value):
    """What was kept from Monday to as_of, in the agreement's zone. Everything is counted by the rules of the review.

    first: the Monday. as_of: aware. sides: the promises that each side kept, over all its clocks. by_person: those of sales, by the id of
    the person who owed them. leads: how many had an open pass; seconds: the time that each party had of them within the week.
    """

    agreement: str
    version: int
    timezone: str
    first: date
    as_of: datetime
    objectives: tuple[Objective, ...]
    sides: dict[Party, Share]
    by_person: dict[str, Share]
    leads: int
    seconds: dict[TimeParty, int]

    def of_people(self, people: Iterable[str]) -> Share:
        """Return what these people kept of the promises that sales owed."""
        return sum((self.by_person[one] for one in people if one in self.by_person), Share())


def week_of(agreement: Agreement, now: datetime) -> Period:
    """Return the week of this instant so far, in the agreement's zone. now: aware."""
    today = Period(date.min, date.min, agreement.timezone, now).day(now)
    return Period(today - timedelta(days=today.weekday()), today, agreement.timezone, now)


def read_from(agreement: Agreement, week: Period) -> datetime:
    """Return from when facts are needed: from Monday, or from the beginning of the longest period that an objective names. Aware UTC."""
    sides = (agreement.objectives.marketing, agreement.objectives.sales)
    begins = [days_of(aim, week.last)[0] for aims in sides for aim in aims.values() if aim.per]
    return midnight(min([week.first, *begins]), week.zone)


def this_week(by: Measured, week: Period, *, leads: int, spent: Mapping[TimeParty, timedelta]) -> ThisWeek:
    """Count the week. spent: the time of so many leads within it, by party."""
    found = kept(by.promises, week)
    return ThisWeek(
        agreement=by.agreement.agreement,
        version=by.agreement.version,
        timezone=week.zone,
        first=week.first,
        as_of=week.as_of,
        objectives=objectives(by, week),
        sides={party: side(found, party) for party in PARTIES},
        by_person=_by_person(by.promises, week),
        leads=leads,
        seconds={party: round(part.total_seconds()) for party, part in spent.items()},
    )


def _by_person(promises: Iterable[Promise], week: Period) -> dict[str, Share]:
    """What each person kept. Nobody is charged where several were asked at once."""
    theirs: dict[str, list[Promise]] = {}
    for one in promises:
        if one.owed_by == "sales" and one.holder not in ("", SEVERAL) and week.holds(one.promised_at):
            theirs.setdefault(one.holder, []).append(one)
    return {person: side(kept(own, week), "sales") for person, own in sorted(theirs.items())}
