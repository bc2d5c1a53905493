"""The sources of changes in Salesforce: what is asked for, and what a row means. History rows never change, so reading again is safe."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from storage.crm.port import ChangeKind
from storage.crm.salesforce_api import Calls, Row
from storage.crm.salesforce_words import as_text, channel_of, outcome_of
from storage.crm.soql import quoted, read_instant

#: The fields in which companies keep why an opportunity was lost. Salesforce itself has none; the first that is there counts.
REASON_FIELDS = ("Loss_Reason__c", "Lost_Reason__c", "Closed_Lost_Reason__c", "Reason_Lost__c")
#: The column of the currency, which only an org with several currencies has.
CURRENCY = "CurrencyIsoCode"
#: Rows of a history that are about no field.
_NO_FIELD = frozenset("created feedEvent individualMerged leadMerged contactMerged ownerAssignment ownerAccepted locked unlocked".split())
#: The names that every agreement may use for a field; other fields keep Salesforce's names.
_NAMES = {"Owner": "owner", "Status": "status"}
_ID = re.compile(r"(005|00G)[a-zA-Z0-9]{12}(?:[a-zA-Z0-9]{3})?")


@dataclass(frozen=True, slots=True)
class Found:
    """A row that may be a change.

    at: its time in Salesforce, by which it is read. record: whose lead it is about. user: who did it. rows: the ids by which it is
    remembered. happened: when the person did it, if not at that time. into: the record that this one became or was merged into.
    """

    at: datetime
    source: str
    record: str
    user: str
    kind: ChangeKind
    values: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    happened: datetime | None = None
    into: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What is asked for. query: takes the first and the present time as literals. stamp: the column by whose time it is read.

    deleted: rows in the recycle bin count. found: what a row means, None for nothing. optional: an org may lack this object.
    """

    name: str
    query: Callable[[str, str], str]
    stamp: str
    found: Callable[[Row], Found | None]
    deleted: bool = False
    optional: bool = False

    def time(self, row: Row) -> datetime:
        """Return the time of a row."""
        return read_instant(str(row[self.stamp]))


@dataclass(frozen=True, slots=True)
class Stages:
    """What the stages of opportunities mean in this org: those that are won, and those that are lost."""

    won: frozenset[str]
    lost: frozenset[str]

    def end(self, name: str) -> str:
        """Return what the stage of this name is: open, won or lost."""
        return "won" if name in self.won else "lost" if name in self.lost else "open"


async def sources_of(calls: Calls) -> list[Source]:
    """Return the sources of this org. Asks for the stages of opportunities and for their fields, which differ between orgs."""
    me = await calls.user()
    rows = await calls.rows("SELECT ApiName, IsClosed, IsWon FROM OpportunityStage")
    won = frozenset(str(row["ApiName"]) for row in rows if row["IsWon"])
    stages = Stages(won, frozenset(str(row["ApiName"]) for row in rows if row["IsClosed"]) - won)
    told = await calls.send("GET", "sobjects/Opportunity/describe")
    fields = {str(one["name"]) for one in told["fields"]}
    reason = next((name for name in REASON_FIELDS if name in fields), "")
    found = [
        _history("Lead", me),
        _history("Contact", me),
        *_activities(),
        _opportunities(stages, me, reason=reason, currency=CURRENCY if CURRENCY in fields else ""),
        _ends("Lead", me),
        _ends("Contact", me),
    ]
    return [*found, _reasons(reason, me)] if reason else found


def _history(sobject: str, me: str) -> Source:
    """The fields that people changed. A change of an owner has a row with names and a row with ids: the second one counts."""
    more = ", Lead.ConvertedOpportunityId, Lead.ConvertedContactId" if sobject == "Lead" else ""
    ask = f"SELECT Id, {sobject}Id, Field, DataType, NewValue, CreatedById, CreatedDate{more} FROM {sobject}History"

    def found(row: Row) -> Found | None:
        name, value = str(row["Field"]), as_text(row["NewValue"])
        base = partial(Found, read_instant(str(row["CreatedDate"])), f"{sobject}History", str(row[f"{sobject}Id"]), str(row["CreatedById"]))
        if name == "leadConverted":
            lead = row["Lead"] if isinstance(row.get("Lead"), Mapping) else {}
            made, contact = (str(lead.get(column) or "") for column in ("ConvertedOpportunityId", "ConvertedContactId"))
            return base("converted", {"opportunity": made} if made else {}, (str(row["Id"]),), into=contact)
        if name in _NO_FIELD or bool(_ID.fullmatch(value)) != (name == "Owner") or (name != "Owner" and row["DataType"] == "EntityId"):
            return None
        return base("fields", {_NAMES.get(name, name): value}, (str(row["Id"]),))

    def query(start: str, now: str) -> str:
        return f"{ask} WHERE CreatedDate >= {start} AND CreatedById != {quoted(me)} ORDER BY CreatedDate ASC, Id ASC"

    return Source(f"{sobject}History", query, "CreatedDate", found)


def _activities() -> list[Source]:
    """Completed tasks that were calls, e-mails or meetings, and meetings that are over.

    A meeting is read by its end, or by its latest edit where that is later: people also write meetings down afterwards.
    """
    tasks = "SELECT Id, WhoId, WhatId, OwnerId, TaskSubtype, Type, CallDisposition, CompletedDateTime FROM Task WHERE IsClosed = true"
    events = "SELECT Id, WhoId, WhatId, OwnerId, EndDateTime, SystemModstamp FROM Event WHERE IsChild = false"

    def task(row: Row) -> Found | None:
        channel = channel_of(str(row["TaskSubtype"] or ""), str(row["Type"] or ""))
        values = {"channel": channel, "outcome": outcome_of(channel, str(row["CallDisposition"] or ""))}
        at = read_instant(str(row["CompletedDateTime"]))
        return Found(at, "Task", _about(row), str(row["OwnerId"]), "touch", values, (str(row["Id"]),)) if channel else None

    def event(row: Row, *, by_end: bool) -> Found | None:
        end, edited = (read_instant(str(row[name])) for name in ("EndDateTime", "SystemModstamp"))
        values = {"channel": "meeting", "outcome": "connected"}
        if by_end != (end >= edited):
            return None  # the other source gives it
        return Found(max(end, edited), "Event", _about(row), str(row["OwnerId"]), "touch", values, (str(row["Id"]),), happened=end)

    def done(start: str, now: str) -> str:
        return f"{tasks} AND CompletedDateTime >= {start} ORDER BY CompletedDateTime ASC, Id ASC"

    def ended(start: str, now: str) -> str:
        return f"{events} AND EndDateTime >= {start} AND EndDateTime <= {now} ORDER BY EndDateTime ASC, Id ASC"

    def edited(start: str, now: str) -> str:
        return f"{events} AND SystemModstamp >= {start} AND EndDateTime <= {now} ORDER BY SystemModstamp ASC, Id ASC"

    return [
        Source("Task", done, "CompletedDateTime", task),
        Source("Event", ended, "EndDateTime", partial(event, by_end=True)),
        Source("Event", edited, "SystemModstamp", partial(event, by_end=False)),
    ]


def _opportunities(stages: Stages, me: str, *, reason: str, currency: str) -> Source:
    """Each saved stage, amount and closing date of an opportunity. Salesforce keeps a row for each without being told to."""
    columns = ["Id", "OpportunityId", "StageName", "Amount", "CloseDate", "CreatedById", "CreatedDate", "Opportunity.CreatedDate"]
    columns += [currency] if currency else []
    columns += [f"Opportunity.{reason}"] if reason else []

    def found(row: Row) -> Found:
        stage, opportunity = str(row["StageName"] or ""), row.get("Opportunity")
        parent = opportunity if isinstance(opportunity, Mapping) else {}
        state = stages.end(stage)
        values = {
            "opportunity": str(row["OpportunityId"]),
            "stage": stage,
            "state": state,
            "amount": as_text(row["Amount"]),
            "currency": as_text(row[currency]) if currency else "",
            "opened_on": as_text(parent.get("CreatedDate"))[:10],
            "closed_on": as_text(row["CloseDate"]) if state != "open" else "",
            "reason": as_text(parent.get(reason)) if state == "lost" else "",
        }
        at, rows = read_instant(str(row["CreatedDate"])), (str(row["Id"]),)
        said = {name: value for name, value in values.items() if value}
        return Found(at, "OpportunityHistory", str(row["OpportunityId"]), str(row["CreatedById"]), "opportunity", said, rows)

    def query(start: str, now: str) -> str:
        where = f"CreatedDate >= {start} AND CreatedById != {quoted(me)}"
        return f"SELECT {', '.join(columns)} FROM OpportunityHistory WHERE {where} ORDER BY CreatedDate ASC, Id ASC"

    return Source("OpportunityHistory", query, "CreatedDate", found)


def _reasons(reason: str, me: str) -> Source:
    """The reason of a loss, where people save it after the stage. Only an org that tracks the history of the field has such rows."""

    def found(row: Row) -> Found | None:
        values = {"opportunity": str(row["OpportunityId"]), "reason": as_text(row["NewValue"])}
        at, rows = read_instant(str(row["CreatedDate"])), (str(row["Id"]),)
        if not values["reason"]:
            return None
        return Found(at, "OpportunityFieldHistory", values["opportunity"], str(row["CreatedById"]), "opportunity", values, rows)

    def query(start: str, now: str) -> str:
        where = f"Field = {quoted(reason)} AND CreatedDate >= {start} AND CreatedById != {quoted(me)}"
        columns = "Id, OpportunityId, NewValue, CreatedById, CreatedDate"
        return f"SELECT {columns} FROM OpportunityFieldHistory WHERE {where} ORDER BY CreatedDate ASC, Id ASC"

    return Source("OpportunityFieldHistory", query, "CreatedDate", found, optional=True)


def _ends(sobject: str, me: str) -> Source:
    """Records that were deleted, and those that were merged into another one. They do not change any more."""

    def found(row: Row) -> Found:
        into = str(row["MasterRecordId"] or "")
        at, rows = read_instant(str(row["SystemModstamp"])), (str(row["Id"]),)
        by = str(row["LastModifiedById"])
        return Found(at, sobject, str(row["Id"]), by, "merged" if into else "gone", {"into": ""} if into else {}, rows, into=into)

    def query(start: str, now: str) -> str:
        where = f"IsDeleted = true AND SystemModstamp >= {start} AND LastModifiedById != {quoted(me)}"
        columns = "Id, MasterRecordId, LastModifiedById, SystemModstamp"
        return f"SELECT {columns} FROM {sobject} WHERE {where} ORDER BY SystemModstamp ASC, Id ASC"

    return Source(sobject, query, "SystemModstamp", found, deleted=True)


def _about(row: Row) -> str:
    return str(row["WhoId"] or row["WhatId"] or "")
