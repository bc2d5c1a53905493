"""The changes in HubSpot's records: who set which property when. Pure functions over the JSON of HubSpot's API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from storage.crm.hubspot_api import EngagementKind, Json
from storage.crm.hubspot_bookmark import Found
from storage.crm.hubspot_people import Owners
from storage.crm.port import Change

_EPOCH = datetime.fromtimestamp(0, UTC)
#: HubSpot's names of properties, and the words for every CRM. A change has both names.
WORDS = {"hs_lead_status": "status", "lifecyclestage": "lifecycle"}
#: HubSpot's result of a call in which the rep spoke to the lead.
CONNECTED_CALL = "f240bbac-87c9-4f6e-bf70-924b57d47db7"
#: The properties whose history is read, for each kind of an engagement, and the values that mean that the rep spoke to the lead.
OUTCOMES: Mapping[EngagementKind, tuple[str, str]] = {
    "calls": ("hs_call_disposition", CONNECTED_CALL),
    "meetings": ("hs_meeting_outcome", "COMPLETED"),
    "emails": ("hs_email_direction", ""),
}
#: The properties of an engagement that say who did it, when, and in which direction.
ENGAGED = ("hs_timestamp", "hs_createdate", "hubspot_owner_id", "hs_created_by_user_id", "hs_email_direction", "hs_meeting_outcome")
_CHANNEL: Mapping[EngagementKind, str] = {"calls": "call", "emails": "email", "meetings": "meeting"}
#: A message from the lead is no touch by a rep.
_INCOMING = "INCOMING_EMAIL"
_CANCELED = "CANCELED"
#: HubSpot writes a record's first values within this time of making it.
AT_ONCE_MS = 2_000
DEAL = ("dealstage", "amount", "deal_currency_code", "closedate", "closed_lost_reason")


DealState = Literal["open", "won", "lost"]


class Stage(NamedTuple):
    """A stage of deals: its label, and whether a deal in it is open, won or lost."""

    label: str
    ends: DealState


@dataclass(frozen=True, slots=True)
class Entry:
    """A value that a property got. source: HubSpot's type and id of what set it; by_user: the id of the user, empty for a program."""

    name: str
    value: str
    at_ms: int
    source: tuple[str, str]
    by_user: str

    def by(self, owners: Owners) -> str:
        """The person of the roster who set it, or HubSpot's own name for somebody or something else."""
        return owners.user(self.by_user) if self.by_user else f"HubSpot {self.source[0].lower()}"


def entries_of(record: Json, names: Iterable[str]) -> Iterator[Entry]:
    """Yield each value that these properties of the record got, in any order."""
    history = record.get("propertiesWithHistory") or {}
    for name in names:
        for one in history.get(name) or ():
            kind, ident = str(one.get("sourceType") or ""), str(one.get("sourceId") or "")
            user = str(one.get("updatedByUserId") or (ident.removeprefix("userId:") if ident.startswith("userId:") else ""))
            yield Entry(name, str(one.get("value") or ""), ms_of(one.get("timestamp")), (kind, ident), user)


def own_sources(record: Json, names: Sequence[str]) -> set[tuple[str, str]]:
    """The programs that set Baton's own properties: Baton's app, also one that it used earlier."""
    return {one.source for one in entries_of(record, names) if _is_program(one.source[0])}


def _is_program(source: str) -> bool:
    return source.startswith(("INTEGRATION", "API"))


def contact_changes(record: Json, *, watched: Sequence[str], own: set[tuple[str, str]], owners: Owners) -> Iterator[Found]:
    """Yield the changes of a contact since it is a lead, by anybody except Baton, and the merges of other leads into it."""
    number = number_of(record)
    numbers = sorted(entries_of(record, ("baton_lead",)), key=lambda one: one.at_ms)
    if number is None or not numbers:
        return
    began = next((one.at_ms for one in numbers if one.value == str(number)), numbers[0].at_ms)
    together: dict[tuple[int, tuple[str, str]], list[Entry]] = {}
    for entry in entries_of(record, watched):
        if entry.at_ms >= began and entry.source not in own and not entry.source[0].startswith("MERGE"):
            together.setdefault((entry.at_ms, entry.source), []).append(entry)
    for (at_ms, source), entries in together.items():
        values: dict[str, str] = {}
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.name == "hubspot_owner_id":
                values["owner"] = owners.owner(entry.value)
                continue
            values[entry.name] = entry.value
            if entry.name in WORDS:
                values[WORDS[entry.name]] = entry.value
        ident = f"contact:{record['id']}:{at_ms}:{':'.join(source)}"
        yield Found(at_ms, Change(0, number, entries[0].by(owners), at_of(at_ms), values, "fields", ident))
    merged = sorted(entries_of(record, ("hs_merged_object_ids",)), key=lambda one: one.at_ms)
    for other in dict.fromkeys(one.value for one in numbers) if merged else ():
        if other.isdigit() and int(other) != number:
            last = merged[-1]
            ident, into = f"merged:{record['id']}:{other}", {"into": str(number)}
            change = Change(0, int(other), last.by(owners), at_of(last.at_ms), into, "merged", ident)
            yield Found(last.at_ms, change)


def is_touch(known: Json) -> bool:
    """Whether an engagement with these properties is a touch: no message from the lead, and no canceled meeting."""
    return known.get("hs_email_direction") != _INCOMING and known.get("hs_meeting_outcome") != _CANCELED


def touches(record: Json, kind: EngagementKind, *, numbers: Iterable[int], owners: Owners) -> Iterator[Found]:
    """Yield the touches that an engagement is: one when it was logged, and one when the rep says later that they spoke."""
    known = record["properties"]
    if not is_touch(known):
        return
    made = ms_of(known.get("hs_createdate") or record.get("createdAt"))
    took_place = min(ms_of(known.get("hs_timestamp")) or made, made)
    name, spoke = OUTCOMES[kind]
    reached = sorted(one.at_ms for one in entries_of(record, (name,)) if spoke and one.value == spoke)
    owner = known.get("hubspot_owner_id") or ""
    by = owners.owner(owner) if owner else owners.user(str(known.get("hs_created_by_user_id") or ""))
    times = [(made, took_place, "connected" if reached and reached[0] <= made + AT_ONCE_MS else "attempted")]
    if reached and times[0][2] == "attempted":
        times.append((reached[0], reached[0], "connected"))
    for at_ms, at, outcome in times:
        for number in numbers:
            ident = f"{kind}:{record['id']}:{outcome}:{number}"
            values = {"channel": _CHANNEL[kind], "outcome": outcome}
            yield Found(at_ms, Change(0, number, by, at_of(at), values, "touch", ident))


def deal_changes(
    record: Json, *, numbers: Iterable[int], stages: Mapping[str, Stage], own: set[tuple[str, str]], owners: Owners
) -> Iterator[Found]:
    """Yield how a deal stood after each change of it by anybody except Baton."""
    entries = sorted(entries_of(record, DEAL), key=lambda one: one.at_ms)
    together: dict[tuple[int, tuple[str, str]], Entry] = {}
    for entry in entries:
        if entry.source not in own and not entry.source[0].startswith("MERGE"):
            together.setdefault((entry.at_ms, entry.source), entry)
    for (at_ms, source), entry in together.items():
        stood = {one.name: one.value for one in entries if one.at_ms <= at_ms}
        values = {"opportunity": str(record["id"]), **_as_said(stood, stages)}
        for number in numbers:
            ident = f"deal:{record['id']}:{at_ms}:{':'.join(source)}:{number}"
            yield Found(at_ms, Change(0, number, entry.by(owners), at_of(at_ms), values, "opportunity", ident))


def _as_said(stood: Mapping[str, str], stages: Mapping[str, Stage]) -> dict[str, str]:
    stage = stages.get(stood.get("dealstage", ""), Stage(stood.get("dealstage", ""), "open"))
    said = {
        "stage": stage.label,
        "amount": stood.get("amount", ""),
        "currency": stood.get("deal_currency_code", ""),
        "state": stage.ends,
        "reason": stood.get("closed_lost_reason", "") if stage.ends == "lost" else "",
        "closed_on": day_of(stood.get("closedate", "")) if stage.ends != "open" else "",
    }
    return {name: value for name, value in said.items() if value}


def stages_of(pipelines: Json | None) -> dict[str, Stage]:
    """The stages of deals by their ids. A closed stage with a probability of 0 is lost, any other closed one is won."""
    found: dict[str, Stage] = {}
    for pipeline in (pipelines or {}).get("results", ()):
        for stage in pipeline.get("stages", ()):
            said = stage.get("metadata") or {}
            closed = str(said.get("isClosed", "")).lower() == "true"
            ends: DealState = "open" if not closed else "lost" if _is_zero(str(said.get("probability", ""))) else "won"
            found[str(stage["id"])] = Stage(str(stage.get("label") or stage["id"]), ends)
    return found


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0
    except ValueError:
        return False


def number_of(record: Json) -> int | None:
    """The number of the lead that this contact is, None for a contact that is none."""
    said = str((record.get("properties") or {}).get("baton_lead") or "")
    return int(said) if said.isdigit() and len(said) < 19 else None


def ms_of(said: Any) -> int:
    """An instant as HubSpot writes it (ISO, or milliseconds), in milliseconds since 1970; 0 for none."""
    text = str(said or "")
    if text.isdigit():
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)


def at_of(at_ms: int) -> datetime:
    """Milliseconds since 1970 as an aware instant."""
    return _EPOCH + timedelta(milliseconds=at_ms)


def day_of(said: str) -> str:
    """The day of an instant as HubSpot writes it, in UTC, as YYYY-MM-DD; empty for none."""
    return at_of(ms_of(said)).date().isoformat() if ms_of(said) else ""
