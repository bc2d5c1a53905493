"""The records of the HubSpot stand-in: properties with their histories, associations, and a search that lags."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
START_MS = 1_764_576_000_000  # a Monday of 2025
KINDS = ("contacts", "companies", "deals", "tasks", "notes", "calls", "emails", "meetings")
#: The properties whose values are unique, by kind.
UNIQUE = {"contacts": ("email", "baton_lead"), **dict.fromkeys(("tasks", "notes", "deals"), ("baton_key",))}
KNOWN: dict[str, set[str]] = {
    "contacts": {
        *("email", "firstname", "lastname", "company", "jobtitle", "phone", "country", "hubspot_owner_id", "hs_lead_status"),
        *("lifecyclestage", "baton_lead", "baton_keys", "hs_merged_object_ids", "sales_stage", "hs_additional_emails"),
        *("createdate", "hs_analytics_source", "rejection_reason", "hs_lifecyclestage_marketingqualifiedlead_date"),
    },
    "companies": {"name", "domain", "lifecyclestage", "hubspot_owner_id", "hs_additional_domains"},
    "deals": {
        *("dealname", "pipeline", "dealstage", "amount", "deal_currency_code", "closedate", "closed_lost_reason", "hubspot_owner_id"),
        *("baton_key", "hs_is_closed"),
    },
    "tasks": {
        *("hs_task_subject", "hs_task_body", "hs_task_status", "hs_task_type", "hs_timestamp", "hubspot_owner_id", "baton_key"),
    },
    "notes": {"hs_note_body", "hs_timestamp", "hubspot_owner_id", "baton_key"},
    "calls": {"hs_timestamp", "hubspot_owner_id", "hs_created_by_user_id", "hs_call_disposition", "hs_call_title"},
    "emails": {"hs_timestamp", "hubspot_owner_id", "hs_created_by_user_id", "hs_email_direction"},
    "meetings": {"hs_timestamp", "hubspot_owner_id", "hs_created_by_user_id", "hs_meeting_outcome"},
}
OPTIONS = {
    "hs_lead_status": {"NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "CONNECTED", "UNQUALIFIED", "BAD_TIMING"},
    "lifecyclestage": {"lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer"},
    "dealstage": {"appointmentscheduled", "contractsent", "closedwon", "closedlost"},
}
STAGES = (("appointmentscheduled", "Appointment", "false", "0.2"), ("contractsent", "Contract sent", "false", "0.9")) + (
    ("closedwon", "Closed won", "true", "1.0"),
    ("closedlost", "Closed lost", "true", "0.0"),
)


class Refused(Exception):  # noqa: N818 - a state
    """HubSpot refuses the request."""

    def __init__(self, status: int, category: str, message: str, **context: str) -> None:
        self.status, self.category, self.message, self.context = status, category, message, context


@dataclass
class Source:
    """Who sets a property: a person, or a program."""

    kind: str
    ident: str
    user: int | None = None


@dataclass
class Record:
    """A record. history: each property's values, oldest first, as (ms, value, source). touched: when it was modified."""

    kind: str
    id: str
    made: int
    lag_ms: int = 0
    history: dict[str, list[tuple[int, str, Source]]] = field(default_factory=dict)
    touched: list[int] = field(default_factory=list)
    archived_at: int = 0

    def value(self, name: str, *, at: int | None = None) -> str:
        """The value of the property now, or at that time."""
        entries = self.history.get(name, ())
        return next((value for ms, value, _ in reversed(entries) if at is None or ms <= at), "")

    def modified(self, *, at: int | None = None) -> int:
        """When the record was modified last, up to that time; 0 for never."""
        return next((ms for ms in reversed(self.touched) if at is None or ms <= at), 0)

    def shown(self, names: list[str], histories: list[str]) -> Json:
        """The record as the API shows it."""
        modified = "lastmodifieddate" if self.kind == "contacts" else "hs_lastmodifieddate"
        own = {"hs_object_id": self.id, "createdate": iso(self.made), modified: iso(self.modified()), "hs_createdate": iso(self.made)}
        shown: Json = {
            "id": self.id,
            "createdAt": iso(self.made),
            "updatedAt": iso(self.modified()),
            "archived": bool(self.archived_at),
            "properties": {**own, **{name: self.value(name) for name in names if self.value(name)}},
        }
        if self.archived_at:
            shown["archivedAt"] = iso(self.archived_at)
        if histories:
            shown["propertiesWithHistory"] = {name: [_entry(*one) for one in reversed(self.history.get(name, ()))] for name in histories}
        return shown


def _entry(ms: int, value: str, source: Source) -> Json:
    user = {} if source.user is None else {"updatedByUserId": source.user}
    return {"value": value, "timestamp": iso(ms), "sourceType": source.kind, "sourceId": source.ident, **user}


def iso(ms: int) -> str:
    """Milliseconds since 1970 as HubSpot writes instants."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class State:
    """Everything that one account of HubSpot holds. now: milliseconds since 1970, moved by tests and by each write."""

    def __init__(self) -> None:
        self.now = START_MS
        self.records: dict[str, dict[str, Record]] = {kind: {} for kind in KINDS}
        self.unique: dict[tuple[str, str, str], str] = {}
        self.tied: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.owners: list[Json] = []
        self.tokens = {"token-1": "app-1"}
        self.expired: set[str] = set()
        self.known = {kind: set(names) for kind, names in KNOWN.items()}
        self.merged: dict[str, str] = {}
        self.lists: dict[str, set[str]] = {}
        self.closed: set[str] = set()
        self.unique_names = {kind: set(names) for kind, names in UNIQUE.items()}
        self.greatest_lag_ms, self.tied_page = 0, 500
        self.random = random.Random(0)
        self._next = 100

    def tick(self) -> int:
        """A moment later."""
        self.now += 1
        return self.now

    def add_owner(self, ident: str, user: int, email: str) -> None:
        """Make a user of HubSpot."""
        at = iso(self.now)
        who = {"id": ident, "userId": user, "email": email, "type": "PERSON", "archived": False, "createdAt": at, "updatedAt": at}
        self.owners.append(who)

    def find(self, kind: str, ident: str, by: str = "") -> Record | None:
        """The record with this id, or with this unique value. A merged id leads to the record that it became part of."""
        if by and by not in UNIQUE.get(kind, ()) or (by and by not in self.known[kind]):
            raise Refused(400, "VALIDATION_ERROR", f"{by} is not a unique property")
        if by:
            ident = self.unique.get((kind, by, ident.lower()), "")
        while ident in self.merged:
            ident = self.merged[ident]
        found = self.records[kind].get(ident)
        return found if found and not found.archived_at else None

    def make(self, kind: str, values: Json, source: Source) -> Record:
        """Make a record."""
        self.check(kind, values)
        for name in UNIQUE.get(kind, ()):
            if values.get(name) and (kind, name, str(values[name]).lower()) in self.unique:
                raise Refused(409, "CONFLICT", f"{kind} already has a record with this {name}")
        self._next += 1
        made = Record(kind, str(self._next), self.tick(), self.random.randint(0, self.greatest_lag_ms))
        self.records[kind][made.id] = made
        self.put(made, values, source, at=made.made)
        return made

    def check(self, kind: str, values: Json) -> None:
        """Refuse values that HubSpot does not take."""
        for name, value in values.items():
            if name not in self.known[kind]:
                raise Refused(
                    400,
                    "VALIDATION_ERROR",
                    f'Property values were not valid: [{{"isValid":false,"message":"Property \\"{name}\\" '
                    f'does not exist","error":"PROPERTY_DOESNT_EXIST","name":"{name}","localizedErrorMessage":"x"}}]',
                )
            if value and name in OPTIONS and value not in OPTIONS[name]:
                raise Refused(
                    400,
                    "VALIDATION_ERROR",
                    f'Property values were not valid: [{{"isValid":false,"message":"{value} was not one '
                    f'of the allowed options","error":"INVALID_OPTION","name":"{name}"}}]',
                )
            if value and name == "hubspot_owner_id" and value not in {one["id"] for one in self.owners if not one["archived"]}:
                raise Refused(
                    400,
                    "VALIDATION_ERROR",
                    'Property values were not valid: [{"isValid":false,"error":"INVALID_OWNER_ID","name":"hubspot_owner_id"}]',
                )

    def put(self, record: Record, values: Json, source: Source, *, at: int | None = None) -> Record:
        """Set properties of a record. A value that it has already is no change."""
        self.check(record.kind, values)
        ms = self.tick() if at is None else at
        new = {name: str(value) for name, value in values.items() if str(value) != record.value(name)}
        for name in UNIQUE.get(record.kind, ()):
            if name in new:
                holder = self.unique.get((record.kind, name, new[name].lower()))
                if new[name] and holder not in (None, record.id):
                    raise Refused(409, "CONFLICT", f"another record has this {name}")
        for name, value in new.items():
            if name in UNIQUE.get(record.kind, ()):
                self.unique.pop((record.kind, name, record.value(name).lower()), None)
                if value:
                    self.unique[(record.kind, name, value.lower())] = record.id
            record.history.setdefault(name, []).append((ms, value, source))
        if record.kind == "deals" and ("dealstage" in new or not record.value("hs_is_closed")):
            closed = "true" if record.value("dealstage").startswith("closed") else "false"
            record.history.setdefault("hs_is_closed", []).append((ms, closed, Source("CALCULATED", "")))
        if new or not record.touched:
            record.touched.append(ms)
        return record

    def tie(self, kind: str, ident: str, other: str, to: str) -> None:
        """Associate two records."""
        self.tied[(kind, ident)][other].add(to)
        self.tied[(other, to)][kind].add(ident)

    def archive(self, kind: str, ident: str) -> None:
        """Delete a record."""
        record = self.find(kind, ident)
        if record:
            record.archived_at = self.tick()
            for name in UNIQUE.get(kind, ()):
                self.unique.pop((kind, name, record.value(name).lower()), None)

    def merge(self, primary: str, other: str, source: Source) -> None:
        """Merge a contact into another: its associations and its past numbers go there."""
        keep, lose = self.records["contacts"][primary], self.records["contacts"][other]
        number, was = lose.value("baton_lead"), lose.history.get("baton_lead", [])
        self.archive("contacts", other)
        lose.archived_at = -1  # it is in no list of deleted contacts
        self.merged[other] = primary
        for kind, tied in list(self.tied[("contacts", other)].items()):
            for ident in tied:
                self.tie(kind, ident, "contacts", primary)
                self.tied[(kind, ident)]["contacts"].discard(other)
        if number:
            keep.history["baton_lead"] = [*was, *keep.history.get("baton_lead", [])]
            if not keep.history["baton_lead"][len(was) :]:
                self.unique[("contacts", "baton_lead", number)] = keep.id
        if lose.value("email"):
            self.unique[("contacts", "email", lose.value("email").lower())] = primary
        ids = [one for one in keep.value("hs_merged_object_ids").split(";") if one]
        self.put(keep, {"hs_merged_object_ids": ";".join([*ids, other])}, source)

    def search(self, kind: str, body: Json) -> tuple[list[Record], int]:
        """The records that match, as the index has them: it lags, by another time for each record."""
        found = []
        for record in self.records[kind].values():
            at = self.now - record.lag_ms
            if not record.archived_at and record.made <= at and any(self._fits(record, group, at) for group in body["filterGroups"]):
                found.append((self._sort(record, body["sorts"], at), int(record.id), record))
        found.sort(key=lambda one: one[:2])
        return [one[2] for one in found], len(found)

    def _sort(self, record: Record, sorts: list[str], at: int) -> int:
        if sorts == ["hs_object_id"]:
            return int(record.id)
        return record.made if sorts and "create" in sorts[0] else record.modified(at=at)

    def _fits(self, record: Record, group: Json, at: int) -> bool:
        return all(self._fits_one(record, one, at) for one in group["filters"])

    def _fits_one(self, record: Record, one: Json, at: int) -> bool:
        name, operator, wanted = one["propertyName"], one["operator"], str(one.get("value", ""))
        if name.startswith("associations."):
            return wanted in self.tied[(record.kind, record.id)][{"company": "companies", "contact": "contacts"}[name.split(".")[1]]]
        if name in ("lastmodifieddate", "hs_lastmodifieddate"):
            return record.modified(at=at) >= int(wanted)
        if name in ("createdate", "hs_object_id"):
            number = record.made if name == "createdate" else int(record.id)
            return {"GTE": number >= int(wanted), "GT": number > int(wanted), "LT": number < int(wanted)}[operator]
        if name not in self.known[record.kind]:
            raise Refused(400, "VALIDATION_ERROR", "There was a problem with the request.", propertyName=name)
        value = record.value(name, at=at)
        if operator in ("GTE", "LT"):  # of a date
            ms = datetime.fromisoformat(value).timestamp() * 1000 if value else None
            return ms is not None and (ms >= int(wanted) if operator == "GTE" else ms < int(wanted))
        if operator == "HAS_PROPERTY":
            return bool(value)
        if operator == "CONTAINS_TOKEN":
            return wanted.lower() in value.lower().replace(";", " ").split()
        return value.lower() == wanted.lower()
