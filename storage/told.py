"""What a source says about a person who is already known.

A source may correct what came under its own id of the person. Anybody may have sent what comes under another id: it fills unknown facts, is
kept beside known ones, and replaces nothing. Otherwise anyone who knows an address could change a telephone number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agreements.identity import Who, contradict
from agreements.lead import IncomingLead
from storage.tables import Lead

NAMED = ("first_name", "last_name", "phone", "company", "job_title", "country")
#: The facts that are about the person alone.
PERSONAL = ("first_name", "last_name", "phone", "job_title")
#: How many other values of one fact are kept, the newest ones.
KEPT_BESIDE = 5


@dataclass(frozen=True, slots=True)
class Told:
    """The facts that were filled, replaced, or kept beside known ones, by name."""

    filled: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.filled or self.replaced or self.beside)


def take(lead: Lead, incoming: IncomingLead, *, may_replace: bool, now: datetime, may_fill: bool = True) -> Told:
    """Brings the lead's facts up to date. may_replace: it is the source's own id, or the person is at another company now.
    may_fill: nothing says that the conversion is somebody else's; otherwise everything is kept beside.

    A name that contradicts the known one is replaced as a whole or not at all, and what came with it says nothing about this person:
    two people's facts do not mix. A name joins an address only if both come together. now: aware. Empty values change nothing.
    """
    said = {name: getattr(incoming, name) for name in NAMED} | {f"fields.{name}": value for name, value in incoming.fields.items()}
    found: dict[str, list[str]] = {"filled": [], "replaced": [], "beside": []}
    somebody_else = _may_be_somebody_else(lead, incoming, may_replace)
    values, beside = dict(lead.values), dict(lead.beside)
    for name, value in said.items():
        known = values.get(name.removeprefix("fields.")) if name.startswith("fields.") else getattr(lead, name)
        if value in (None, "") or _same(value, known):
            continue
        how = "filled" if known in (None, "") else "replaced" if may_replace else "beside"
        how = "beside" if not may_fill or (somebody_else and name in PERSONAL) else how
        found[how].append(name.removeprefix("fields."))
        if how == "beside":
            beside[name.removeprefix("fields.")] = _added(beside.get(name.removeprefix("fields."), []), value, incoming.source, now)
        elif name.startswith("fields."):
            values[name.removeprefix("fields.")] = value
        else:
            setattr(lead, name, value)
    lead.values, lead.beside = values, beside
    return Told(**{how: tuple(names) for how, names in found.items()})


def keep_beside(lead: Lead, name: str, value: str, source: str, *, now: datetime) -> None:
    """Keeps a value that differs from the lead's own beside it."""
    lead.beside = {**lead.beside, name: _added(lead.beside.get(name, []), value, source, now)}


def show_merged(lead: Lead, merged: Lead, *, now: datetime) -> None:
    """Keeps the facts of a lead that was merged into this one beside its own, where they differ; the merged lead keeps them too."""
    for name in (*NAMED, "email"):
        if (value := getattr(merged, name)) and not _same(value, getattr(lead, name)):
            keep_beside(lead, name, value, _as_source(merged), now=now)


def hide_merged(lead: Lead, merged: Lead) -> None:
    """Takes the facts of a lead that is its own again from beside this lead's."""
    rest = {name: [one for one in others if one["source"] != _as_source(merged)] for name, others in lead.beside.items()}
    lead.beside = {name: others for name, others in rest.items() if others}


def _as_source(merged: Lead) -> str:
    return f"lead {merged.id}"


def _may_be_somebody_else(lead: Lead, incoming: IncomingLead, may_replace: bool) -> bool:
    """Whether the name came for another person: it contradicts the known one, or it came without the address of a nameless lead."""
    known, told = Who(lead.email, lead.first_name, lead.last_name), Who(incoming.email, incoming.first_name, incoming.last_name)
    if known.address and not known.is_named and told.is_named and not told.address:
        return True
    return contradict(known, told) and not (may_replace and told.first_name and told.last_name)


def _added(before: list[dict[str, Any]], value: Any, source: str, now: datetime) -> list[dict[str, Any]]:
    others = [one for one in before if not (_same(one["value"], value) and one["source"] == source)]
    return [*others, {"value": value, "source": source, "at": now.isoformat()}][-KEPT_BESIDE:]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
    return type(one) is type(other) and bool(one == other)
