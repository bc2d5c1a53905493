"""Read what people did in Salesforce: each source by a time that does not change, all of them in one order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from storage.crm.port import Change
from storage.crm.salesforce_api import Calls, Row
from storage.crm.salesforce_bookmark import read_position
from storage.crm.salesforce_errors import SalesforceRefused
from storage.crm.salesforce_numbers import numbers_of
from storage.crm.salesforce_people import Who, short, whose
from storage.crm.salesforce_sources import Found, Source, sources_of
from storage.crm.soql import instant, read_instant

#: A source that has more rows is read on at the next reading.
AT_MOST = 2_000


@dataclass(frozen=True, slots=True)
class _Read:
    """What the sources have, oldest first. until: the newest time up to which all of them were read."""

    found: Sequence[Found]
    until: datetime


async def read_changes(
    calls: Calls, bookmark: str, *, key_field: str, people: Callable[[], Mapping[str, str]], spelled: Mapping[str, str]
) -> tuple[list[Change], str]:
    """Return the changes by people after this bookmark, oldest first, and the new bookmark. Raises CrmError.

    spelled: how the agreements write a field, by its name in small letters. The first reading begins with the first task that Baton
    wrote: before it there was no lead of Baton's.
    """
    position = read_position(bookmark)
    start = position.start or await _first_task(calls, key_field)
    if start is None:
        return [], position.moved(calls.now, []).text()
    read = await _read(calls, start, after=position.at or start, given=frozenset(position.given))
    numbers = await numbers_of(calls, {ident for one in read.found for ident in (one.record, one.into) if ident})
    ours = [one for one in read.found if short(one.record) in numbers]
    users = {ident for one in ours for ident in (one.user, one.values.get("owner", "")) if ident.startswith("005")}
    known = await whose(calls, users, people)
    changes = [_change(place, one, numbers, known, spelled) for place, one in enumerate(ours, 1)]
    return changes, position.moved(read.until, ((row, one.at) for one in ours for row in one.rows)).text()


async def _first_task(calls: Calls, key_field: str) -> datetime | None:
    query = f"SELECT CreatedDate FROM Task WHERE {key_field} != null ORDER BY CreatedDate ASC LIMIT 1"
    rows = await calls.rows(query, deleted=True)
    return read_instant(str(rows[0]["CreatedDate"])) if rows else None


async def _read(calls: Calls, start: datetime, *, after: datetime, given: frozenset[str]) -> _Read:
    """Read what all sources have from this time on, except what was given. Where one has too much, all end before the time it reached."""
    found: list[Found] = []
    ends, newest = [], start
    for source in await sources_of(calls):
        rows, whole = await _some(calls, source, start, after=after)
        newest = max([newest, *(source.time(row) for row in rows)])
        ends += [] if whole else [source.time(rows[-1])]
        found += [one for row in rows if short(str(row["Id"])) not in given and (one := source.found(row))]
    end = min(ends, default=None)
    together = _together(one for one in found if end is None or one.at < end)
    return _Read(sorted(together, key=lambda one: (one.at, one.source, one.rows)), end or newest)


async def _some(calls: Calls, source: Source, start: datetime, *, after: datetime) -> tuple[list[Row], bool]:
    """Rows of a source from this time on, to later than `after`, and whether these are all. If not, some of the last time may lack."""
    rows: list[Row] = []
    try:
        async for page in calls.pages(source.query(instant(start), instant(calls.now)), deleted=source.deleted):
            rows += page
            if len(rows) >= AT_MOST and source.time(rows[-1]) > after:
                return rows, False
    except SalesforceRefused as error:
        if not source.optional or error.code != "INVALID_TYPE":
            raise
    return rows, True


def _together(found: Iterable[Found]) -> list[Found]:
    """Put together what one person saved of one record at the same time: an agreement may ask for several fields at once.

    A field that was saved twice in that second begins a second change. A reason that came with its stage is no second change.
    """
    saved: list[Found] = []
    places: dict[tuple[object, ...], list[int]] = {}
    for one in sorted(found, key=lambda one: one.rows):
        same = places.setdefault((one.kind, one.record, one.user, one.at), [])
        place = next((place for place in same if _belongs(one, saved[place], newest=place == same[-1])), None)
        if place is None:
            same.append(len(saved))
            saved.append(one)
        else:
            before = saved[place]
            saved[place] = replace(before, values={**before.values, **one.values}, rows=(*before.rows, *one.rows))
    return saved


def _belongs(one: Found, before: Found, *, newest: bool) -> bool:
    if one.kind == "fields":
        return newest and not one.values.keys() & before.values.keys()
    return one.kind == "opportunity" and one.values.items() <= before.values.items()


def _change(place: int, one: Found, numbers: Mapping[str, int], known: Mapping[str, Who], spelled: Mapping[str, str]) -> Change:
    kind, values, number = one.kind, dict(one.values), numbers[short(one.record)]
    if kind == "fields":
        values = {spelled.get(name.casefold(), name): value for name, value in values.items()}
    if owner := values.get("owner"):
        values["owner"] = known.get(short(owner), Who(name=owner)).said
    into = numbers.get(short(one.into), number) if one.into else number
    if kind == "merged":
        values["into"] = str(into) if into != number else ""
    elif kind == "converted" and into != number:  # the contact is another lead's already
        kind, values = "merged", {"into": str(into)}
    by = known.get(short(one.user), Who(name=one.user)).said
    # Another row of that second may be seen only at a second reading: the name has all rows, or what that row says would count as known.
    name = f"{one.source}:{'+'.join(short(row) for row in one.rows)}"
    return Change(place, number, by, one.happened or one.at, values, kind, name)
