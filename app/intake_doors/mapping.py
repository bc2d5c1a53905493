"""Carries out a door's map: finds the leads in a payload, and gives each fact and field the value that stands at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.csv_import.cells import TIMES, instant, number_in
from app.csv_import.dates import ISO
from app.csv_import.lead_map import zone_of
from app.intake_doors.door_map import DoorMap
from app.intake_doors.map_parts import FULL_NAME
from app.intake_doors.paths import Path, alone, each, find, parse, words

#: The most leads that one delivery may hold.
MOST_LEADS = 1_000
#: Facts that are texts of digits: a number that cannot be written with all its digits is refused there.
_IDS = ("source_id", "conversion_id", "phone")


@dataclass(frozen=True, slots=True)
class Part:
    """One lead of a payload. value: what the map's paths look into; whole: the payload, with only this lead in it."""

    value: Any
    whole: Any


class TooMany(Exception):
    """The delivery holds more than 1,000 leads. Send them in several deliveries."""


def parts_of(door: DoorMap, payload: Any) -> list[Part]:
    """Return the leads in this payload. Raises TooMany."""
    if door.leads is None:
        return [Part(payload, payload)]
    found: list[Part] = []
    for value, way in each(door.leads, payload):
        if len(found) == MOST_LEADS:
            raise TooMany(TooMany.__doc__)
        found.append(Part(value, alone(door.leads, payload, way)))
    return found


def is_meant(door: DoorMap, part: Part) -> bool:
    """Whether the map is about this part: every path under `only` leads to one of its words, and no path under `unless` does."""

    def is_there(text: str, wanted: tuple[str, ...]) -> bool:
        return words(find(parse(text), part.value, part.whole)) in wanted

    return all(is_there(*one) for one in door.only.items()) and not any(is_there(*one) for one in door.unless.items())


def fetch_id(door: DoorMap, part: Part) -> str:
    """Return the id by which the values are fetched, empty where it is missing or no id."""
    value = find(door.fetch.id, part.value, part.whole) if door.fetch else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return words(value).strip().rpartition(":")[2][:200]  # LinkedIn writes urn:li:leadGenFormResponse:ID


def facts_of(door: DoorMap, part: Part, *, now: datetime) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return the fields of a lead, and what is wrong with single values. now: aware; its year bounds times."""
    facts: dict[str, Any] = {"source": door.source, **door.constants}
    problems: list[dict[str, str]] = []
    for name, value in _values(door, door.columns, part, problems, now):
        facts[name] = value
    fields = dict(_values(door, door.fields, part, problems, now))
    if whole_name := facts.pop(FULL_NAME, None):
        _take_name(facts, str(whole_name))
    if fields:
        facts["fields"] = fields
    if consents := _consents(door, part):
        facts["consents"] = consents
    return facts, problems


def _values(
    door: DoorMap, places: Mapping[str, tuple[Path, ...]], part: Part, problems: list[dict[str, str]], now: datetime
) -> Iterator[tuple[str, Any]]:
    for name, several in places.items():
        found = next((one for path in several if (one := find(path, part.value, part.whole)) not in (None, "", [])), None)
        try:
            value = _meaning(door, name, found, is_field=places is door.fields, now=now)
        except ValueError as error:
            problems.append({"field": name, "problem": str(error)})
            continue
        if value is not None:
            yield name, value


def _meaning(door: DoorMap, name: str, found: Any, *, is_field: bool, now: datetime) -> Any:
    """Return the value of a fact or field, None for nothing. Raises ValueError that says what is wrong."""
    if isinstance(found, list):
        found = ", ".join(_single(one) for one in found)
    text = _single(found).strip()
    if name in door.values and text in door.values[name]:
        return door.values[name][text]
    if text == "":
        return None
    if name in TIMES or name in door.dates:
        at = _instant(door, name, found, text, now)
        return at.isoformat() if is_field else at
    if is_field:
        if isinstance(found, (bool, int, float)):
            return found
        return number_in(text, door.decimal_sign) if name in door.number_fields else text
    if isinstance(found, float) and name in _IDS and not (found.is_integer() and abs(found) <= 2**53):
        raise ValueError("is a number whose digits may be lost; send it as text in quotes")
    return found if isinstance(found, bool) and name == "do_not_contact" else text


def _single(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise ValueError("is not a single value; name the part of it that is meant")
    return words(value)


def _instant(door: DoorMap, name: str, found: Any, text: str, now: datetime) -> datetime:
    dates = door.dates_of(name)
    if dates.form == ISO and isinstance(found, (int, float)):
        raise ValueError("is a number and no date; say under `dates` whether it is `epoch-seconds` or `epoch-milliseconds`")
    return instant(text, zone_of(door.timezone), now.year, dates)


def _take_name(facts: dict[str, Any], name: str) -> None:
    if not facts.get("first_name") and not facts.get("last_name"):
        facts["first_name"], _, facts["last_name"] = " ".join(name.split()).partition(" ")


def _consents(door: DoorMap, part: Part) -> list[dict[str, Any]]:
    found = []
    for one in door.consents:
        said = find(one.where, part.value, part.whole) if one.where else None
        several = said if isinstance(said, list) else [said]
        if one.where is None or any(
            words(each).lower() in map(str.lower, one.words) for each in several if not isinstance(each, (dict, list))
        ):
            found.append({"channel": one.channel, "purpose": one.purpose, "basis": one.basis, "source": door.source})
    return found
