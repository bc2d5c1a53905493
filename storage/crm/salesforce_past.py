"""Read the past of leads in Salesforce: Leads by their ids, then the histories, activities and opportunities of each page of Leads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace

from agreements.errors import CrmError
from storage.crm.asked_again import asked_again
from storage.crm.past import Asked, PastDeal, PastLead, PastTouch
from storage.crm.salesforce import FIELDS
from storage.crm.salesforce_api import VERSION, Calls, Row, SalesforceApi
from storage.crm.salesforce_errors import SalesforceRefused
from storage.crm.salesforce_past_rows import OWNER, began_of, deal_of, lead_of, meeting_of, task_of
from storage.crm.salesforce_people import IDS_AT_ONCE, chunks, short
from storage.crm.salesforce_sources import CURRENCY, REASON_FIELDS
from storage.crm.soql import column, instant, listed, quoted

_DATA = f"/services/data/{VERSION}"
#: The only requests that this client sends. The first one is the log-in.
READS = (
    ("POST", "/services/oauth2/token"),
    ("GET", f"{_DATA}/query(/[A-Za-z0-9-]+)?"),
    ("GET", f"{_DATA}/sobjects/Opportunity/describe"),
)
#: Salesforce's field for where a Lead came from.
SOURCE = "LeadSource"
#: Salesforce's field for when a Lead was made.
CREATED = "CreatedDate"
_FIRST = "00Q000000000000"


class SalesforcePast:
    """The past of leads in an org. api: a client with READS as its check. pause: waits that many seconds."""

    name = "Salesforce"

    def __init__(self, api: SalesforceApi, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._api, self._pause = api, pause

    async def without_history(self, asked: Asked) -> Sequence[str]:
        """Return the fields whose history is not switched on, or not shown to this user."""
        async with self._api.open() as calls:
            reader = _Reader(calls, self._pause, asked)
            tracked = await reader.tracked()
        return [name for name, column in (("owner", OWNER), *reader.columns.items()) if column.casefold() not in tracked]

    async def pages(self, asked: Asked) -> AsyncIterator[Sequence[PastLead]]:
        """Yield the leads page by page, in the order of their ids. Each page is a query of its own, so that no cursor has to last."""
        async with self._api.open() as calls:
            reader = _Reader(calls, self._pause, asked)
            await reader.learn_robots()
            tracked = await reader.tracked()
            deals = await reader.columns_of_deals()
            last = _FIRST
            while rows := await reader.leads_after(last):
                yield await reader.whole(rows, tracked=tracked, deals=deals)
                last = str(rows[-1]["Id"])


@dataclass(frozen=True, slots=True)
class _DealColumns:
    """The columns of opportunities that only some orgs have; empty for none."""

    reason: str
    currency: str


class _Reader:
    """Asks Salesforce, again where that may help."""

    def __init__(self, calls: Calls, pause: Callable[[float], Awaitable[None]], asked: Asked) -> None:
        self.calls, self.pause, self.asked = calls, pause, asked
        self.columns = {name: FIELDS.get(name, name) for name in asked.fields}
        self.source, self.created = asked.source or SOURCE, asked.created or CREATED
        self.robots: frozenset[str] = frozenset()

    async def rows(self, soql: str) -> list[Row]:
        """Return all rows of a query."""
        return await asked_again(lambda: self.calls.rows(soql), pause=self.pause)

    async def tracked(self) -> frozenset[str]:
        """Return the fields of a Lead whose history this user can read, in small letters."""
        columns = "QualifiedApiName, IsFieldHistoryTracked"
        try:
            fields = await self.rows(f"SELECT {columns} FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Lead'")
            await self.rows("SELECT Id FROM LeadHistory LIMIT 1")
        except SalesforceRefused as error:
            if not error.permanent:
                raise
            return frozenset()
        return frozenset(str(one["QualifiedApiName"]).casefold() for one in fields if one["IsFieldHistoryTracked"])

    async def learn_robots(self) -> None:
        """Read which users are no people."""
        rows = await self.rows("SELECT Id FROM User WHERE UserType = 'AutomatedProcess'")
        self.robots = frozenset(short(str(row["Id"])) for row in rows)

    async def columns_of_deals(self) -> _DealColumns:
        """Return which columns the opportunities of this org have."""
        told = await asked_again(lambda: self.calls.send("GET", "sobjects/Opportunity/describe"), pause=self.pause)
        there = {str(one["name"]) for one in told["fields"]}
        return _DealColumns(next((name for name in REASON_FIELDS if name in there), ""), CURRENCY if CURRENCY in there else "")

    async def leads_after(self, last: str) -> list[Row]:
        """Return the next Leads."""
        own = ("Id", CREATED, "OwnerId", "IsConverted", "ConvertedContactId", "ConvertedOpportunityId")
        columns = list(dict.fromkeys([*own, *(_named(one) for one in (self.created, self.source, *self.columns.values()))]))
        created = f"{self.created} >= {instant(self.asked.since)} AND {self.created} < {instant(self.asked.until)}"
        where = f"Id > {quoted(last)} AND {created}"
        return await self.rows(f"SELECT {', '.join(columns)} FROM Lead WHERE {where} ORDER BY Id ASC LIMIT {IDS_AT_ONCE}")

    async def whole(self, rows: Sequence[Row], *, tracked: Collection[str], deals: _DealColumns) -> list[PastLead]:
        """Return these Leads with all that became of them."""
        ids = [str(row["Id"]) for row in rows]
        histories = await self._histories(ids) if tracked else {}
        touches = await self._touches({*ids, *(str(row["ConvertedContactId"]) for row in rows if row["ConvertedContactId"])})
        made = await self._deals([str(row["ConvertedOpportunityId"]) for row in rows if row["ConvertedOpportunityId"]], deals)
        found = []
        for row in rows:
            mine = [touch for one in (row["Id"], row["ConvertedContactId"]) for touch in touches.get(short(str(one or "")), ())]
            deal = made.get(short(str(row["ConvertedOpportunityId"] or "")))
            history = histories.get(short(str(row["Id"])), ())
            lead = lead_of(row, history, self.columns, source=self.source, owners_tracked=OWNER.casefold() in tracked)
            lead = replace(lead, created=began_of(row, self.created))
            found.append(replace(lead, touches=mine, deals=[deal] if deal else []))
        return found

    async def _histories(self, ids: Collection[str]) -> dict[str, list[Row]]:
        columns = "Id, LeadId, Field, DataType, OldValue, NewValue, CreatedDate"
        query = f"SELECT {columns} FROM LeadHistory WHERE LeadId IN {listed(ids)} ORDER BY CreatedDate ASC, Id ASC"
        found: dict[str, list[Row]] = {}
        for row in await self.rows(query):
            found.setdefault(short(str(row["LeadId"])), []).append(row)
        return found

    async def _touches(self, people: Collection[str]) -> dict[str, list[PastTouch]]:
        """Return the touches of each Lead or Contact. An activity goes over to the Contact when its Lead is converted."""
        tasks = "SELECT WhoId, OwnerId, TaskSubtype, Type, CompletedDateTime FROM Task WHERE IsClosed = true"
        events = f"SELECT WhoId, OwnerId, StartDateTime FROM Event WHERE IsChild = false AND EndDateTime <= {instant(self.calls.now)}"
        found: dict[str, list[PastTouch]] = {}
        for some in chunks(people):
            for query, read in ((tasks, task_of), (events, meeting_of)):
                for row in await self.rows(f"{query} AND WhoId IN {listed(some)} ORDER BY Id ASC"):
                    if touch := read(row, self.robots):
                        found.setdefault(short(str(row["WhoId"])), []).append(touch)
        return found

    async def _deals(self, ids: Collection[str], columns: _DealColumns) -> dict[str, PastDeal]:
        """Return these opportunities by id. The conversion of a Lead made them."""
        more = "".join(f", {one}" for one in (columns.reason, columns.currency) if one)
        query = f"SELECT Id, CreatedDate, IsClosed, IsWon, Amount, CloseDate{more} FROM Opportunity WHERE Id IN"
        found = {}
        for some in chunks(ids):
            for row in await self.rows(f"{query} {listed(some)}"):
                found[short(str(row["Id"]))] = deal_of(row, reason=columns.reason, currency=columns.currency)
        return found


def _named(field: str) -> str:
    """Return the name of a field. Raises CrmError for what cannot be one: it would be read as a part of the query."""
    try:
        return column(field)
    except ValueError as error:
        raise CrmError(f"Salesforce: {error}; correct the agreement or the map", permanent=True) from None
