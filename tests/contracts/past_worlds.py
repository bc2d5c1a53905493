"""One world for each CRM whose past is read: what people who do not know Baton do there, minute by minute."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from storage.crm.hubspot_api import HubSpotApi
from storage.crm.hubspot_past import READS as HUBSPOT_READS
from storage.crm.hubspot_past import HubSpotPast
from storage.crm.local import LocalCrm
from storage.crm.local_past import LocalPast
from storage.crm.past import CrmPast
from storage.crm.read_only import only
from storage.crm.salesforce_api import SalesforceApi
from storage.crm.salesforce_past import READS as SALESFORCE_READS
from storage.crm.salesforce_past import SalesforcePast
from tests.crm.salesforce_server import KEY, SECRET
from tests.crm.salesforce_stand_in import StandIn as SalesforceStandIn
from tests.crm.stand_in import StandIn

#: When every story begins: a Monday.
BEGIN = datetime(2026, 2, 2, 9, tzinfo=UTC)


class PastWorld(Protocol):
    """A CRM and its people. Minutes count from the beginning of the story."""

    @property
    def past(self) -> CrmPast:
        """The past of this CRM, by a client that only reads."""
        ...

    def arrives(self, minute: int, *, source: str, owner: str = "") -> str:
        """A lead comes in. Returns its id in the CRM."""
        ...

    def owned(self, minute: int, lead: str, owner: str) -> None:
        """Somebody gives the lead to this rep."""
        ...

    def status(self, minute: int, lead: str, word: str) -> None:
        """Somebody sets the status (accepted, rejected or recycled)."""
        ...

    def touched(self, minute: int, lead: str, kind: str, *, by: str = "ana") -> None:
        """Somebody logs a call, an e-mail or a meeting. by: empty for a program."""
        ...

    def deal(self, minute: int, lead: str, amount: str) -> str:
        """The lead becomes a deal. Returns the id of the deal."""
        ...

    def closed(self, minute: int, deal: str, *, won: bool, on: str, reason: str = "") -> None:
        """A deal is closed on this day."""
        ...

    def merged(self, minute: int, lead: str, into: str) -> None:
        """Somebody merges the lead into another one."""
        ...

    def deleted(self, minute: int, lead: str) -> None:
        """Somebody deletes the lead."""
        ...

    def stored(self) -> Any:
        """Everything that is stored in the CRM, to see that nothing changes."""
        ...


class LocalPastWorld:
    """The local CRM, with the fields that people of a trial keep there."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "crm.db"
        self.crm, self.past, self._leads = LocalCrm(self.path), LocalPast(self.path), 0
        self._deals: dict[str, int] = {}

    def _at(self, minute: int) -> datetime:
        return BEGIN + timedelta(minutes=minute)

    def _set(self, minute: int, lead: str, **values: str) -> None:
        self.crm.person_changes(int(lead), by="ana", at=self._at(minute), values=values)

    def arrives(self, minute: int, *, source: str, owner: str = "") -> str:
        self._leads += 1
        owned = {"owner": owner} if owner else {}
        self._set(minute, str(self._leads), created=self._at(minute).isoformat(), source=source, **owned)
        return str(self._leads)

    def owned(self, minute: int, lead: str, owner: str) -> None:
        self._set(minute, lead, owner=owner)

    def status(self, minute: int, lead: str, word: str) -> None:
        self._set(minute, lead, status=word)

    def touched(self, minute: int, lead: str, kind: str, *, by: str = "ana") -> None:
        self.crm.person_logs(int(lead), by=by or "baton", at=self._at(minute), channel=kind)

    def deal(self, minute: int, lead: str, amount: str) -> str:
        self._set(minute, lead, status="opportunity")
        made = self.crm.person_sets_opportunity(int(lead), by="ana", at=self._at(minute), stage="open", state="open", amount=amount)
        self._deals[made] = int(lead)
        return made

    def closed(self, minute: int, deal: str, *, won: bool, on: str, reason: str = "") -> None:
        state = "won" if won else "lost"
        values = {"stage": state, "state": state, "closed_on": on, "reason": reason}
        self.crm.person_sets_opportunity(self._deals[deal], by="ana", at=self._at(minute), opportunity=deal, **values)

    def merged(self, minute: int, lead: str, into: str) -> None:
        self.crm.person_merges(int(lead), by="ana", at=self._at(minute), into=int(into))

    def deleted(self, minute: int, lead: str) -> None:
        self.crm.person_deletes(int(lead), by="ana", at=self._at(minute))

    def stored(self) -> Any:
        db = sqlite3.connect(self.path)
        try:
            return list(db.iterdump())
        finally:
            db.close()


_OWNERS = {"ana": ("71", 11), "ben": ("72", 12)}
_KINDS = {"call": "calls", "email": "emails", "meeting": "meetings"}
_HUBSPOT = {"accepted": "IN_PROGRESS", "rejected": "UNQUALIFIED", "recycled": "BAD_TIMING"}


class HubSpotPastWorld:
    """HubSpot, played by the stand-in."""

    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        stand_in.do("reset")
        for person, (owner, user) in _OWNERS.items():
            stand_in.do("owner", id=owner, user=user, email=f"{person}@sales.example")
        self.api = HubSpotApi(stand_in.url, token=lambda: "token-1", pause=self.pause, check=only(HUBSPOT_READS))
        self.past = HubSpotPast(self.api, pause=self.pause)

    async def pause(self, seconds: float) -> None:
        """Let this time pass for the stand-in."""
        self.stand_in.do("clock", seconds=seconds)

    def _go(self, minute: int) -> None:
        now = self.stand_in.do("clock", seconds=0)["now"]
        self.stand_in.do("clock", seconds=(BEGIN + timedelta(minutes=minute)).timestamp() - now / 1000)

    def _put(self, minute: int, kind: str, ident: str, **values: str) -> None:
        self._go(minute)
        self.stand_in.do("put", kind=kind, id=ident, values=values, user=11)

    def arrives(self, minute: int, *, source: str, owner: str = "") -> str:
        self._go(minute)
        owned = {"hubspot_owner_id": _OWNERS[owner][0]} if owner else {}
        values = {"hs_analytics_source": source, "email": f"lead{minute}@firm.example", "firstname": "Ines", **owned}
        return str(self.stand_in.do("make", kind="contacts", values=values, user=11)["id"])

    def owned(self, minute: int, lead: str, owner: str) -> None:
        self._put(minute, "contacts", lead, hubspot_owner_id=_OWNERS[owner][0])

    def status(self, minute: int, lead: str, word: str) -> None:
        self._put(minute, "contacts", lead, hs_lead_status=_HUBSPOT[word])

    def touched(self, minute: int, lead: str, kind: str, *, by: str = "ana") -> None:
        self._go(minute)
        owned = {"hubspot_owner_id": _OWNERS[by][0]} if by else {}
        values = {"hs_timestamp": (BEGIN + timedelta(minutes=minute)).isoformat(), **owned}
        program = {} if by else {"program": "42"}
        self.stand_in.do("make", kind=_KINDS[kind], values=values, user=11, ties=[["contacts", lead]], **program)

    def deal(self, minute: int, lead: str, amount: str) -> str:
        self._put(minute, "contacts", lead, hs_lead_status="OPEN_DEAL")
        values = {"dealname": "x", "dealstage": "appointmentscheduled", "amount": amount}
        return str(self.stand_in.do("make", kind="deals", values=values, user=11, ties=[["contacts", lead]])["id"])

    def closed(self, minute: int, deal: str, *, won: bool, on: str, reason: str = "") -> None:
        stage = "closedwon" if won else "closedlost"
        self._put(minute, "deals", deal, dealstage=stage, closedate=f"{on}T10:00:00Z", closed_lost_reason=reason)

    def merged(self, minute: int, lead: str, into: str) -> None:
        self._go(minute)
        self.stand_in.do("merge", primary=into, other=lead, user=11)

    def deleted(self, minute: int, lead: str) -> None:
        self._go(minute)
        self.stand_in.do("delete", kind="contacts", id=lead)

    def stored(self) -> Any:
        return {kind: self.stand_in.do("records", kind=kind) for kind in ("contacts", "deals", "calls", "emails", "meetings", "tasks")}


_SALESFORCE = {"accepted": "Working", "rejected": "Unqualified", "recycled": "Nurture"}
_QUEUE = "00G000000000001AAA"
_TABLES = ("Lead", "Contact", "Task", "Event", "Opportunity", "LeadHistory")


class SalesforcePastWorld:
    """Salesforce, played by the stand-in. A lead without a rep belongs to a queue."""

    def __init__(self, org: SalesforceStandIn) -> None:
        self.org = org
        org.do("reset")
        org.at(BEGIN)
        org.users = {person: org.do("user", name=person.title(), email=f"{person}@sales.example") for person in ("ana", "ben", "robot")}
        org.do("raw", kind="User", id=org.users["robot"], values={"UserType": "AutomatedProcess"})
        self.api = SalesforceApi(org.url, lambda: f"{KEY}:{SECRET}", check=only(SALESFORCE_READS))
        self.past = SalesforcePast(self.api, pause=self.pause)
        self._contacts: dict[str, str] = {}

    async def pause(self, seconds: float) -> None:
        """Let this time pass for the stand-in."""
        self.org.do("move", seconds=seconds)

    def _at(self, minute: int) -> str:
        return (BEGIN + timedelta(minutes=minute)).isoformat()

    def _set(self, minute: int, lead: str, values: Mapping[str, Any]) -> None:
        self.org.update("Lead", lead, values, at=self._at(minute))

    def arrives(self, minute: int, *, source: str, owner: str = "") -> str:
        values = {"LastName": "Berg", "Company": "Firm", "LeadSource": source, "OwnerId": self.org.users.get(owner, _QUEUE)}
        return self.org.create("Lead", values, at=self._at(minute))

    def owned(self, minute: int, lead: str, owner: str) -> None:
        self._set(minute, lead, {"OwnerId": self.org.users[owner]})

    def status(self, minute: int, lead: str, word: str) -> None:
        self._set(minute, lead, {"Status": _SALESFORCE[word]})

    def touched(self, minute: int, lead: str, kind: str, *, by: str = "ana") -> None:
        at, base = self._at(minute), {"WhoId": self._contacts.get(lead, lead), "Subject": "x", "OwnerId": self.org.users[by or "robot"]}
        if kind == "meeting":
            self.org.create("Event", {**base, "StartDateTime": at, "EndDateTime": at}, at=at)
        else:
            self.org.create("Task", {**base, "TaskSubtype": kind.title(), "Status": "Completed"}, at=at)

    def deal(self, minute: int, lead: str, amount: str) -> str:
        self._contacts[lead] = self.org.act("convert", id=lead, opportunity=True, at=self._at(minute))
        made = str(self.org.rows("Lead", Id=lead)[0]["ConvertedOpportunityId"])
        self.org.update("Opportunity", made, {"Amount": float(amount)}, at=self._at(minute))
        return made

    def closed(self, minute: int, deal: str, *, won: bool, on: str, reason: str = "") -> None:
        values = {"StageName": "Closed Won" if won else "Closed Lost", "CloseDate": on, **({"Loss_Reason__c": reason} if reason else {})}
        self.org.update("Opportunity", deal, values, at=self._at(minute))

    def merged(self, minute: int, lead: str, into: str) -> None:
        self.org.act("merge", kind="Lead", master=into, loser=lead, at=self._at(minute))

    def deleted(self, minute: int, lead: str) -> None:
        self.org.act("delete", kind="Lead", id=lead, at=self._at(minute))

    def stored(self) -> Any:
        return {kind: self.org.rows(kind) for kind in _TABLES}
