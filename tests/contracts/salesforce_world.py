"""Salesforce, played by the stand-in, with its people."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any

from storage.crm.port import Account, Crm
from storage.crm.salesforce import SalesforceCrm
from tests.contracts.crm_worlds import PEOPLE, Deed, Seen, Trouble
from tests.crm.salesforce_org import START
from tests.crm.salesforce_server import KEY, SECRET
from tests.crm.salesforce_stand_in import StandIn

_STAGES = {"open": "Prospecting", "won": "Closed Won", "lost": "Closed Lost"}
#: The values of the status: those of the suite, and those of the example agreement.
_STATUSES = ["NEW", "OPEN", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED", "BAD_TIMING", "Working", "Attempted", "Opportunity"]
_NAMES = {"owner": "OwnerId", "status": "Status"}
#: How the suite names what it looks at, for each field of Salesforce.
_SHOWN = {"FirstName": "firstname", "LastName": "lastname", "Email": "email", "Status": "status"}


class SalesforceWorld:
    """An org whose people are those of the suite. Each thing that people do takes a minute."""

    def __init__(self, stand_in: StandIn, *, timeout_seconds: float = 30) -> None:
        self.org, self._at = stand_in, START
        self._leads: dict[int, str] = {}
        self._deals: dict[int, str] = {}
        self._dice = random.Random(0)
        self.people: dict[str, str] = dict(PEOPLE)
        stand_in.do("reset")
        stand_in.do("set", statuses=_STATUSES, multi_currency=True)
        stand_in.do("column", kind="Lead", column="lifecycle")
        stand_in.users = {person: stand_in.do("user", name=person.title(), email=address) for person, address in PEOPLE.items()}
        self.crm: Crm = SalesforceCrm(
            stand_in.url, token=lambda: f"{KEY}:{SECRET}", people=lambda: self.people, timeout_seconds=timeout_seconds
        )

    def _tick(self, **more: float) -> str:
        self._at += timedelta(**more) if more else timedelta(minutes=1)
        return self._at.isoformat()

    def account(self, account: Account) -> None:
        """There is this company. Without an owner it is somebody's outside the roster."""
        outside = self.org.do("user", name="Zoe", email="zoe@other.example")
        owner = self.org.users.get(account.owner, outside)
        status = {"customer": "Customer - Direct", "former": "Former customer"}.get(account.status, "Prospect")
        values = {"Name": account.name, "Website": f"https://www.{account.domain}", "Type": status, "OwnerId": owner}
        made = self.org.create("Account", values)
        if account.open_opportunity:
            deal = {"Name": "x", "StageName": "Proposal", "CloseDate": "2027-05-01", "AccountId": made}
            self.org.create("Opportunity", {**deal, "OwnerId": self.org.users.get(account.opportunity_owner, owner)})

    def existing(self, email: str) -> None:
        """There is a lead of this person, which people made."""
        self.org.create("Lead", {"Email": email, "FirstName": "Known", "LastName": "Berg", "Company": "x", "Status": "OPEN"})

    def set(self, lead: int, by: str, values: Mapping[str, str]) -> None:
        """Somebody sets `owner`, `status`."""
        known = {_NAMES.get(name, name): self.org.users[value] if name == "owner" else value for name, value in values.items()}
        self.org.update("Lead", self.org.lead(lead), known, by=by, at=self._tick())

    def touch(self, lead: int, by: str, channel: str, outcome: str) -> None:
        """Somebody logs a touch."""
        at = self._tick()
        base = {"WhoId": self.org.lead(lead), "Subject": channel}
        if channel == "meeting":
            end = datetime.fromisoformat(at) - timedelta(minutes=5)
            self.org.create("Event", {**base, "StartDateTime": end.isoformat(), "EndDateTime": end.isoformat()}, by=by, at=at)
        else:
            said = {"CallDisposition": "Connected" if outcome == "connected" else "Left voicemail"}
            self.org.create("Task", {**base, **said, "TaskSubtype": channel.title(), "Status": "Completed"}, by=by, at=at)

    def deal(self, lead: int, by: str, stage: str, amount: str) -> str:
        """Somebody makes a deal of this lead and returns its id."""
        values = {"Name": "x", "StageName": _STAGES[stage], "CloseDate": "2027-05-01", "Amount": float(amount), "Baton_Lead__c": str(lead)}
        return self.org.create("Opportunity", values, by=by, at=self._tick())

    def move(self, deal: str, by: str, stage: str, reason: str = "") -> None:
        """Somebody moves a deal."""
        values = {"StageName": _STAGES[stage], "CloseDate": "2026-03-04", **({"Loss_Reason__c": reason} if reason else {})}
        self.org.update("Opportunity", deal, values, by=by, at=self._tick())

    def merge(self, into: int, lead: int, by: str) -> None:
        """Somebody merges a lead into another."""
        self.org.act("merge", kind="Lead", master=self.org.lead(into), loser=self.org.lead(lead), by=by, at=self._tick())

    def delete(self, lead: int) -> None:
        """Somebody deletes a lead."""
        self.org.act("delete", kind="Lead", id=self.org.lead(lead), at=self._tick())

    def many(self, numbers: Sequence[int]) -> None:
        """There are Leads with these numbers."""
        made = {"LastName": "Berg", "Company": "x", "Status": "OPEN"}
        self.org.act("many", kind="Lead", values=[{**made, "Baton_Lead__c": str(number)} for number in numbers])

    def trouble(self, kind: Trouble) -> None:
        """The org fails once amid the next reading of many records. It has no batches of which a part fails."""
        name = {"busy": "limit", "broken": "broken", "expired": "expired", "half": "lost"}[kind]
        self.org.do("fault", name=name, where="queryAll.*FROM.Lead.*'95'")

    def leads(self) -> int:
        """How many records of leads there are."""
        return len(self.org.rows("Lead", IsDeleted=False))

    def seen(self, lead: int) -> Seen:
        """What people see of this lead. Salesforce keeps texts plain, and its pages escape them."""
        record = self.org.rows("Lead", Baton_Lead__c=str(lead), IsDeleted=False)[0]
        tasks = self.org.rows("Task", WhoId=record["Id"], IsDeleted=False)
        texts = [(task["IsClosed"], escape(f"{task['Subject']} {task['Description']}".strip(), quote=False)) for task in tasks]
        people = {user: person for person, user in self.org.users.items()}
        return Seen(
            people.get(str(record["OwnerId"]), ""),
            {_SHOWN.get(name, name): str(value) for name, value in record.items() if value is not None},
            tuple(text for closed, text in texts if not closed),
            tuple(text for closed, text in texts if closed),
            tuple(self._id(one) for one in self.org.rows("Opportunity", Baton_Lead__c=str(lead), IsDeleted=False)),
        )

    @staticmethod
    def _id(row: Mapping[str, Any]) -> str:
        return str(row["Id"])

    def later(self) -> None:
        """An hour passes."""
        self.org.do("move", seconds=0, at=self._tick(hours=1))

    def problems(self) -> list[str]:
        """The stand-in refuses what is wrong at once."""
        return []

    def storm(self, *, rate: float, seed: int, hang: bool = False) -> None:
        """Requests fail, pages are short, and some records are seen up to five minutes later than their time says."""
        self._dice = random.Random(seed)
        self.org.do("set", storm=rate, seed=seed, page=300)

    def calm(self) -> None:
        self.org.do("set", storm=0.0)

    def failed(self) -> None:
        """The stand-in goes on as before."""

    def act(self, deeds: Sequence[Deed]) -> None:
        """One thing after another, each in a transaction that may be a long one."""
        if any(one.lead not in self._leads for one in deeds):
            self._leads = {int(row["Baton_Lead__c"]): row["Id"] for row in self.org.rows("Lead")}
        for one in deeds:
            self._do(one, {"at": self._tick(seconds=one.seconds), "late": self._dice.choice([0, 0, 0, 40, 290])})

    def _do(self, deed: Deed, when: dict[str, Any]) -> None:
        lead = self._leads[deed.lead]
        if deed.kind == "fields":
            self.org.update("Lead", lead, {"Status": deed.value}, by=deed.by, **when)
        elif deed.kind == "touch":
            values = {"WhoId": lead, "TaskSubtype": "Task", "Type": deed.value.title(), "Status": "Completed"}
            self.org.create("Task", values, by=deed.by, **when)
        elif deed.lead in self._deals:
            self.org.update("Opportunity", self._deals[deed.lead], {"Amount": float(deed.value)}, by=deed.by, **when)
        else:
            values = {"Name": "x", "StageName": _STAGES["open"], "CloseDate": "2027-05-01", "Baton_Lead__c": str(deed.lead)}
            self._deals[deed.lead] = self.org.create("Opportunity", {**values, "Amount": float(deed.value)}, by=deed.by, **when)

    def done(self) -> None:
        """They have."""

    def dies_assigning(self, *, key: str, lead: int, owner: str, facts: Mapping[str, str]) -> None:
        """Composite requests are whole or nothing, and an answer that is lost does the rest."""

    def keys(self) -> list[str]:
        return [str(row["Baton_Key__c"]) for row in self.org.rows("Task") if row["Baton_Key__c"]]
