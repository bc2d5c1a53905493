"""An org of Salesforce for tests: its objects, its histories, and what it refuses."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.crm.soql_rows import Query, QueryRefused, read_query, sort_key, value_of

BATON_USER = "005000000000001AAA"
START = datetime(2027, 2, 1, 9, tzinfo=UTC)
_SYSTEM = "Id IsDeleted CreatedById CreatedDate LastModifiedById LastModifiedDate SystemModstamp"
_HISTORY = "Id IsDeleted Field DataType OldValue NewValue CreatedById CreatedDate"
#: The columns of each object. Nobody writes those of the system.
COLUMNS: Mapping[str, str] = {
    "User": "Id Name Email Username IsActive UserType",
    "Account": f"{_SYSTEM} Name Website Type OwnerId",
    "Lead": f"{_SYSTEM} MasterRecordId OwnerId FirstName LastName Company Title Phone Email Country Status Rating LeadSource IsConverted"
    " ConvertedContactId ConvertedAccountId ConvertedOpportunityId Baton_Lead__c Baton_Done__c",
    "Contact": f"{_SYSTEM} MasterRecordId OwnerId AccountId FirstName LastName Title Phone Email Baton_Lead__c Baton_Done__c",
    "Task": f"{_SYSTEM} WhoId WhatId OwnerId Subject Description Status Priority IsClosed TaskSubtype Type CallDisposition"
    " CompletedDateTime Baton_Key__c",
    "Event": f"{_SYSTEM} WhoId WhatId OwnerId Subject StartDateTime EndDateTime IsChild Baton_Key__c",
    "Opportunity": f"{_SYSTEM} Name AccountId OwnerId StageName Amount CloseDate IsClosed IsWon Loss_Reason__c Baton_Key__c Baton_Lead__c",
    "OpportunityContactRole": f"{_SYSTEM} OpportunityId ContactId IsPrimary",
    "OpportunityStage": "Id ApiName IsActive IsClosed IsWon SortOrder",
    "EntityDefinition": "Id QualifiedApiName",
    "FieldDefinition": "Id EntityDefinitionId QualifiedApiName IsFieldHistoryTracked",
    "LeadHistory": f"{_HISTORY} LeadId",
    "ContactHistory": f"{_HISTORY} ContactId",
    "OpportunityFieldHistory": f"{_HISTORY} OpportunityId",
    "OpportunityHistory": "Id IsDeleted OpportunityId StageName Amount CloseDate CurrencyIsoCode CreatedById CreatedDate",
}
_PREFIX = {
    "User": "005", "Account": "001", "Lead": "00Q", "Contact": "003", "Task": "00T", "Event": "00U", "Opportunity": "006",
    "OpportunityContactRole": "00K", "OpportunityStage": "01J", "LeadHistory": "00R", "ContactHistory": "01N",
    "OpportunityFieldHistory": "02N", "OpportunityHistory": "008", "EntityDefinition": "4ie", "FieldDefinition": "4fe",
}  # fmt: skip
_READ_ONLY = {*_SYSTEM.split(), "MasterRecordId", "IsConverted", "ConvertedContactId", "IsClosed", "IsWon", "CompletedDateTime", "IsChild"}
_REQUIRED = {"Lead": ("LastName", "Company"), "Contact": ("LastName",), "Opportunity": ("Name", "StageName", "CloseDate")}
_UNIQUE = ("Baton_Key__c", "Baton_Lead__c")
_TRACKED = {"Lead": ("OwnerId", "Status", "Rating"), "Contact": ("OwnerId",), "Opportunity": ("Loss_Reason__c",)}
_LENGTHS = {"FirstName": 40, "LastName": 80, "Company": 255, "Subject": 255, "Baton_Done__c": 255, "Baton_Lead__c": 18, "Baton_Key__c": 32}
_STATUSES = ("Open - Not Contacted", "Working", "Attempted", "Opportunity", "Nurture", "Unqualified", "Closed - Converted")
_STAGES = (("Prospecting", False, False), ("Proposal", False, False), ("Closed Won", True, True), ("Closed Lost", True, False))


class Refused(Exception):
    """The org refuses a request, with a code and a status of HTTP."""

    def __init__(self, code: str, message: str, *, fields: tuple[str, ...] = (), status: int = 400, **more: Any) -> None:
        self.body = [{"message": message, "errorCode": code, "fields": list(fields), **more}]
        self.status = status
        super().__init__(message)


class Org:
    """One company's Salesforce. Its clock stands still until somebody moves it."""

    def __init__(self) -> None:
        self.now, self.tables = START, {name: dict[str, dict[str, Any]]() for name in COLUMNS}
        self.columns = {name: set(text.split()) for name, text in COLUMNS.items()}
        self.statuses, self.countries = list(_STATUSES), list[str]()
        self.multi_currency, self.rules = False, dict[str, str]()
        self._numbers, self._undo = itertools.count(100), list[Callable[[], object]]()
        self.tables["User"][BATON_USER] = _user(BATON_USER, "Baton", "baton@firm.example")
        for place, (name, closed, won) in enumerate(_STAGES):
            stage = {"ApiName": name, "IsActive": True, "IsClosed": closed, "IsWon": won, "SortOrder": place}
            self._insert("OpportunityStage", stage)
        lead = self._insert("EntityDefinition", {"QualifiedApiName": "Lead"})["Id"]
        for name in sorted(self.columns["Lead"]):
            tracked = name in _TRACKED["Lead"]
            self._insert("FieldDefinition", {"EntityDefinitionId": lead, "QualifiedApiName": name, "IsFieldHistoryTracked": tracked})

    # People and programs

    def described(self, kind: str, name: str) -> dict[str, Any]:
        """A field as the describe call shows it."""
        values = _STATUSES if (kind, name) == ("Lead", "Status") else [stage for stage, *_ in _STAGES] if name == "StageName" else ()
        unique = name in _UNIQUE and (kind, name) != ("Opportunity", "Baton_Lead__c")
        return {
            **{"name": name, "type": "picklist" if values else "string", "updateable": name not in _READ_ONLY},
            **{"unique": unique, "externalId": name in _UNIQUE},
            "picklistValues": [{"value": one, "label": one, "active": True} for one in values],
        }

    def add_user(self, name: str, email: str, *, active: bool = True) -> str:
        """Add a user and return the id."""
        return str(self._insert("User", _user("", name, email, active=active))["Id"])

    def create(self, kind: str, values: Mapping[str, Any], *, by: str) -> str:
        """Create a record and return its id."""
        values = self._checked(kind, values)
        missing = [name for name in _REQUIRED.get(kind, ()) if not values.get(name)]
        if missing:
            raise Refused("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", fields=tuple(missing))
        row = {"OwnerId": by, **self._stamps(by), **_defaults(kind), **values}
        self._unique(kind, row, "")
        row = self._insert(kind, self._derived(kind, row, {}))
        if kind == "Opportunity":
            self._snapshot(row, by)
        return str(row["Id"])

    def update(self, kind: str, ident: str, values: Mapping[str, Any], *, by: str) -> None:
        """Change a record, and keep the history of what changed."""
        values, row = self._checked(kind, values), self.live(kind, ident)
        if kind == "Lead" and row["IsConverted"]:
            raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        self._unique(kind, {**row, **values}, row["Id"])
        changed = {name: value for name, value in values.items() if row.get(name) != value}
        before = dict(row)
        now = {"LastModifiedById": by, "LastModifiedDate": self.now, "SystemModstamp": self.now}
        self._set(row, self._derived(kind, {**row, **changed, **now}, before))
        for name in changed:
            if name in _TRACKED.get(kind, ()):
                self._history(kind, row, name, before.get(name), by)
        if kind == "Opportunity" and set(changed) & {"StageName", "Amount", "CloseDate"}:
            self._snapshot(row, by)

    def delete(self, kind: str, ident: str, *, by: str) -> None:
        """Put a record into the recycle bin, a person's tasks with it."""
        row = self.live(kind, ident)
        self._set(row, {**row, "IsDeleted": True, "LastModifiedById": by, "SystemModstamp": self.now})
        for task in list(self.tables["Task"].values()) if kind in ("Lead", "Contact") else []:
            if task["WhoId"] == row["Id"] and not task["IsDeleted"]:
                self._set(task, {**task, "IsDeleted": True, "LastModifiedById": by, "SystemModstamp": self.now})

    def merge(self, kind: str, master: str, loser: str, *, by: str) -> None:
        """Merge one record into another, which takes its activities."""
        row, kept = self.live(kind, loser), self.live(kind, master)
        for task in self.tables["Task"].values():
            if task["WhoId"] == row["Id"]:
                self._set(task, {**task, "WhoId": kept["Id"]})
        end = {"IsDeleted": True, "MasterRecordId": kept["Id"], "LastModifiedById": by, "SystemModstamp": self.now}
        self._set(row, {**row, **end})
        self._history(kind, kept, f"{kind.lower()}Merged", None, by)

    def convert(self, lead: str, *, by: str, opportunity: bool = False, carry: bool = False, contact: str = "") -> str:
        """Convert a lead, and return the contact's id. carry: Baton's number is mapped to it. contact: one that is there already."""
        row = self.live("Lead", lead)
        account = self.create("Account", {"Name": row["Company"]}, by=by)
        names = ("FirstName", "LastName", "Title", "Phone", "Email", *(("Baton_Lead__c",) if carry else ()))
        contact = contact or self.create("Contact", {**{name: row.get(name) for name in names}, "AccountId": account, "OwnerId": by}, by=by)
        made = None
        if opportunity:
            values = {"Name": row["Company"], "StageName": "Prospecting", "CloseDate": "2027-03-31", "AccountId": account}
            made = self.create("Opportunity", values, by=by)
            self.create("OpportunityContactRole", {"OpportunityId": made, "ContactId": contact, "IsPrimary": True}, by=by)
        self.update("Lead", lead, {"Status": "Closed - Converted"}, by=by)
        ids = {"ConvertedAccountId": account, "ConvertedContactId": contact, "ConvertedOpportunityId": made}
        self._set(row, {**row, "IsConverted": True, **ids})
        self._history("Lead", row, "leadConverted", None, by)
        return contact

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All changes within, or none."""
        self._undo = []
        try:
            yield
        except Refused:
            for undo in reversed(self._undo):
                undo()
            raise
        finally:
            self._undo = []

    # What is asked

    def live(self, kind: str, ident: str) -> dict[str, Any]:
        """Return a record that is not deleted."""
        found = self.tables.get(kind, {}).get(long_id(ident[:15]))
        if found is None:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        if found["IsDeleted"]:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return found

    def select(self, text: str, *, deleted: bool) -> list[dict[str, Any]]:
        """Return the rows of a query as JSON shows them."""
        query = read_query(text)
        if query.table not in self.columns:
            message = f"sObject type '{query.table}' is not supported. If you are attempting to use a custom object, append '__c'."
            raise QueryRefused("INVALID_TYPE", message)
        self._known(query)
        rows = [row for row in self._joined(query) if (deleted or not row.get("IsDeleted")) and query.test(row)]
        for column, down in reversed(query.order):
            rows.sort(key=lambda row, column=column: sort_key(row, column), reverse=down)  # type: ignore[misc]
        return [self._shown(query, row) for row in rows[: query.limit]]

    def _joined(self, query: Query) -> Iterator[dict[str, Any]]:
        """Rows with the objects that dotted columns lead to."""
        names = {column.partition(".")[0] for column in (*query.columns, *query.used, *(name for name, _ in query.order)) if "." in column}
        for row in self.tables[query.table].values():
            yield {**row, **{name: self.tables[name].get(str(row.get(f"{name}Id"))) for name in names}} if names else row

    def _known(self, query: Query) -> None:
        for column in (*query.columns, *query.used, *(name for name, _ in query.order)):
            table, _, name = (query.table, "", column) if "." not in column else column.partition(".")
            if name not in self.columns.get(table, ()):
                raise QueryRefused("INVALID_FIELD", f"\nSELECT {column}\n       ^\nERROR at Row:1:Column:8\n" + no_column(name, table))

    def _shown(self, query: Query, row: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {"attributes": {"type": query.table, "url": f"/services/data/v62.0/sobjects/{query.table}/{row['Id']}"}}
        for column in query.columns:
            first, dot, rest = column.partition(".")
            if dot and isinstance(row.get(first), Mapping):
                shown.setdefault(first, {"attributes": {"type": first}})[rest] = in_json(value_of(row, column))
            else:
                shown[first] = in_json(row.get(first))
        return shown

    # Within

    def _checked(self, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
        if kind not in self.columns:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        for name, value in values.items():
            if name not in self.columns[kind]:
                raise Refused("INVALID_FIELD", no_column(name, kind).replace("entity", "sobject of type").replace("'" + kind + "'", kind))
            if name in _READ_ONLY and kind != "OpportunityContactRole":
                raise Refused("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {name}.", fields=(name,))
            if isinstance(value, str) and len(value) > _LENGTHS.get(name, 32_000):
                raise Refused("STRING_TOO_LONG", f"{name}: data value too large: {value} (max length={_LENGTHS[name]})", fields=(name,))
            if name == "Email" and value and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", str(value)):
                raise Refused("INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {value}", fields=("Email",))
            if (kind, name) == ("Lead", "Status") and value not in self.statuses:
                message = f"Status: bad value for restricted picklist field: {value}"
                raise Refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=("Status",))
            if name == "Country" and self.countries and value not in self.countries:
                message = "There's a problem with this country, even though it may appear correct. Please select a country/territory"
                raise Refused("FIELD_INTEGRITY_EXCEPTION", f"{message} from the list of valid countries.: Country", fields=("Country",))
            if name == "OwnerId" and not self.tables["User"].get(str(value), {"IsActive": str(value).startswith("00G")})["IsActive"]:
                message = "operation performed with inactive user [005000000000001] as owner of " + kind.lower()
                raise Refused("INACTIVE_OWNER_OR_USER", message)
            if name in ("WhoId", "ContactId") and not (value in self.tables["Lead"] or value in self.tables["Contact"]):
                raise Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if kind in self.rules:
            raise Refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", self.rules[kind])
        return {name: value if value != "" else None for name, value in values.items()}

    def _unique(self, kind: str, row: Mapping[str, Any], ident: str) -> None:
        for name in _UNIQUE:
            if not row.get(name) or (kind, name) == ("Opportunity", "Baton_Lead__c"):
                continue
            for other in self.tables[kind].values():
                if other.get(name) == row[name] and other["Id"] != ident and not other["IsDeleted"]:
                    message = f"duplicate value found: {name} duplicates value on record with id: {other['Id']}"
                    raise Refused("DUPLICATE_VALUE", message, fields=(name,))

    def _derived(self, kind: str, row: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        """The columns that Salesforce fills by itself."""
        if kind == "Task":
            closed = row["Status"] == "Completed"
            kept = row.get("CompletedDateTime") if before.get("IsClosed") else self.now
            return {**row, "IsClosed": closed, "CompletedDateTime": kept if closed else None}
        if kind == "Opportunity":
            stage = next((one for one in _STAGES if one[0] == row["StageName"]), None)
            if stage is None:
                message = f"StageName: bad value for restricted picklist field: {row['StageName']}"
                raise Refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=("StageName",))
            return {**row, "IsClosed": stage[1], "IsWon": stage[2], "CloseDate": date.fromisoformat(str(row["CloseDate"]))}
        if kind == "Event":
            return {**row, **{name: _time(row[name]) for name in ("StartDateTime", "EndDateTime")}}
        return row

    def _stamps(self, by: str) -> dict[str, Any]:
        at = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), self.now)
        return {"IsDeleted": False, "CreatedById": by, "LastModifiedById": by, **at}

    def _insert(self, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
        ident = long_id(f"{_PREFIX[kind]}{next(self._numbers):012d}")
        row = {**dict.fromkeys(COLUMNS[kind].split()), **values, "Id": ident}
        self.tables[kind][ident] = row
        self._undo.append(lambda: self.tables[kind].pop(ident))
        return row

    def _set(self, row: dict[str, Any], values: Mapping[str, Any]) -> None:
        before = dict(row)
        row.update(values)
        self._undo.append(lambda: row.update(before))

    def _history(self, kind: str, row: Mapping[str, Any], name: str, before: Any, by: str) -> None:
        table = "OpportunityFieldHistory" if kind == "Opportunity" else f"{kind}History"
        base = {"IsDeleted": False, f"{kind}Id": row["Id"], "CreatedById": by, "CreatedDate": self.now}
        field = "Owner" if name == "OwnerId" else name
        if field == "Owner":
            users = self.tables["User"]
            names = {one: users[one]["Name"] if one in users else "A queue" for one in (before, row[name])}
            self._insert(table, {**base, "Field": field, "DataType": "Text", "OldValue": names[before], "NewValue": names[row[name]]})
        kind_of = "EntityId" if field == "Owner" else "Text"
        self._insert(table, {**base, "Field": field, "DataType": kind_of, "OldValue": before, "NewValue": row.get(name)})

    def _snapshot(self, row: Mapping[str, Any], by: str) -> None:
        columns = {name: row.get(name) for name in ("StageName", "Amount", "CloseDate")}
        more = {"CurrencyIsoCode": "EUR"} if self.multi_currency else {}
        base = {"IsDeleted": False, "OpportunityId": row["Id"], "CreatedById": by, "CreatedDate": self.now}
        self._insert("OpportunityHistory", {**base, **columns, **more})


def no_column(name: str, kind: str) -> str:
    """Return what Salesforce says of a column that is not there."""
    return (
        f"No such column '{name}' on entity '{kind}'. If you are attempting to use a custom field, be sure to append the '__c' after"
        " the custom field name. Please reference your WSDL or the describe call for the appropriate names."
    )


def long_id(ident: str) -> str:
    """Return an id of 15 characters with the three that tell which of them are capitals."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    parts = (ident[at : at + 5] for at in (0, 5, 10))
    return ident + "".join(letters[sum(1 << place for place, char in enumerate(part) if char.isupper())] for part in parts)


def in_json(value: Any) -> Any:
    """Return a value as Salesforce writes it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return value.isoformat() if isinstance(value, date) else value


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _user(ident: str, name: str, email: str, *, active: bool = True) -> dict[str, Any]:
    return {"Id": ident, "Name": name, "Email": email, "Username": email, "IsActive": active, "UserType": "Standard", "IsDeleted": False}


def _defaults(kind: str) -> dict[str, Any]:
    defaults: dict[str, dict[str, Any]] = {
        "Lead": {"Status": "Open - Not Contacted", "IsConverted": False},
        "Task": {"Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task"},
        "Event": {"IsChild": False},
    }
    return defaults.get(kind, {})


def moved(org: Org, seconds: float) -> None:
    """Move the org's clock."""
    org.now += timedelta(seconds=seconds)
