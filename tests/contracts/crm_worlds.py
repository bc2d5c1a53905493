"""One world for each CRM: the adapter, and what the people of the company do and see in this CRM."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from storage.crm.hubspot import HubSpotCrm
from storage.crm.hubspot_api import HubSpotApi
from storage.crm.local import LocalCrm
from storage.crm.port import Account, Crm
from tests.crm.stand_in import StandIn

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
PEOPLE = {"ana": "ana@sales.example", "ben": "ben@sales.example", "cleo": "cleo@sales.example"}


#: busy: too many requests. broken: a fault of the CRM's own. expired: the token ends, and there is a new one. half: half a batch fails.
Trouble = Literal["busy", "broken", "expired", "half"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What people see of a lead in the CRM. tasks, notes: their texts. opportunities: their ids."""

    owner: str = ""
    fields: Mapping[str, str] | None = None
    tasks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    opportunities: tuple[str, ...] = ()


class World(Protocol):
    """A CRM with its people."""

    crm: Crm

    def account(self, account: Account) -> None:
        """There is this company."""
        ...

    def existing(self, email: str) -> None:
        """There is a record of this person, which Baton did not make."""
        ...

    def set(self, lead: int, by: str, values: Mapping[str, str]) -> None:
        """Somebody sets `owner`, `status`."""
        ...

    def touch(self, lead: int, by: str, channel: str, outcome: str) -> None:
        """Somebody logs a touch."""
        ...

    def deal(self, lead: int, by: str, stage: str, amount: str) -> str:
        """Somebody makes a deal in this stage (`open`, `won`, `lost`) and returns its id."""
        ...

    def move(self, deal: str, by: str, stage: str, reason: str = "") -> None:
        """Somebody moves a deal."""
        ...

    def merge(self, into: int, lead: int, by: str) -> None:
        """Somebody merges a lead into another."""
        ...

    def delete(self, lead: int) -> None:
        """Somebody deletes a lead."""
        ...

    def many(self, numbers: Sequence[int]) -> None:
        """There are records with these numbers, all of Ana's and with the status OPEN."""
        ...

    def trouble(self, kind: Trouble) -> None:
        """The CRM fails once amid the next reading of many records."""
        ...

    def leads(self) -> int:
        """How many records of leads there are."""
        ...

    def seen(self, lead: int) -> Seen:
        """What people see of this lead."""
        ...

    def later(self) -> None:
        """So much time passes that the CRM shows everything, deletions too."""
        ...

    def problems(self) -> list[str]:
        """What the CRM found wrong in the requests."""
        ...


class LocalWorld:
    """The local CRM."""

    def __init__(self, folder: Path) -> None:
        self.path, self._at = folder / "crm.db", MONDAY
        self.crm: Crm = LocalCrm(self.path)
        self._local = LocalCrm(self.path)
        self._deals: dict[str, int] = {}

    def account(self, account: Account) -> None:
        self._local.add_accounts([account])

    def existing(self, email: str) -> None:
        raise NotImplementedError

    def set(self, lead: int, by: str, values: Mapping[str, str]) -> None:
        self._local.person_changes(lead, by=by, at=self._tick(), values=values)

    def _tick(self) -> datetime:
        self._at += timedelta(minutes=1)
        return self._at

    def touch(self, lead: int, by: str, channel: str, outcome: str) -> None:
        self._local.person_logs(lead, by=by, at=self._tick(), channel=channel, outcome=outcome)

    def deal(self, lead: int, by: str, stage: str, amount: str) -> str:
        values = {"stage": stage, "state": stage, "amount": amount, "currency": "EUR"}
        deal = self._local.person_sets_opportunity(lead, by=by, at=self._tick(), **values)
        self._deals[deal] = lead
        return deal

    def move(self, deal: str, by: str, stage: str, reason: str = "") -> None:
        values = {"stage": stage, "state": stage, "reason": reason, "closed_on": "2026-03-04"}
        self._local.person_sets_opportunity(self._deals[deal], by=by, at=self._tick(), opportunity=deal, **values)

    def merge(self, into: int, lead: int, by: str) -> None:
        self._local.person_merges(lead, by=by, at=self._tick(), into=into)

    def delete(self, lead: int) -> None:
        self._local.person_deletes(lead, by="ana", at=self._tick())

    def many(self, numbers: Sequence[int]) -> None:
        db = sqlite3.connect(self.path)
        for name, value in (("owner", "ana"), ("status", "OPEN")):
            db.executemany("INSERT INTO lead_fields VALUES (?, ?, ?)", [(number, name, value) for number in numbers])
        db.commit()
        db.close()

    def trouble(self, kind: Trouble) -> None:
        raise NotImplementedError

    def leads(self) -> int:
        return int(self._rows("SELECT count(DISTINCT number) FROM tasks")[0][0])

    def _rows(self, query: str, *given: Any) -> list[Any]:
        db = sqlite3.connect(self.path)
        try:
            return db.execute(query, given).fetchall()
        finally:
            db.close()

    def seen(self, lead: int) -> Seen:
        texts = [(f"{subject} {body}".strip(), subject.startswith("New lead")) for subject, body in self._texts(lead)]
        fields = self._local.fields_of(lead)
        return Seen(
            fields.get("owner", ""),
            fields,
            tuple(text for text, task in texts if task and text),
            tuple(text for text, task in texts if not task and text),
            tuple(self._local.opportunities_of(lead)),
        )

    def _texts(self, lead: int) -> list[Any]:
        return self._rows("SELECT subject, body FROM tasks WHERE number = ? ORDER BY id", lead)

    def later(self) -> None:
        self._at += timedelta(hours=1)

    def problems(self) -> list[str]:
        return []


_USERS = {"ana": 11, "ben": 12, "cleo": 13}
_STAGES = {"open": "appointmentscheduled", "won": "closedwon", "lost": "closedlost"}
_NAMES = {"status": "hs_lead_status", "lifecycle": "lifecyclestage"}
_KINDS = {"call": "calls", "email": "emails", "meeting": "meetings"}


class HubSpotWorld:
    """HubSpot, played by the stand-in."""

    def __init__(
        self, stand_in: StandIn, *, lag_ms: int = 5_000, seed: int = 0, validate: bool = True, timeout_seconds: float = 30
    ) -> None:
        self.stand_in = stand_in
        stand_in.do("reset", lag_ms=lag_ms, seed=seed, validate=validate)
        for person, address in PEOPLE.items():
            stand_in.do("owner", id=str(_USERS[person] + 60), user=_USERS[person], email=address)
        self.token = "token-1"
        self.people: dict[str, str] = dict(PEOPLE)
        self.fields: tuple[str, ...] = ()
        self.crm: Crm = HubSpotCrm(
            HubSpotApi(stand_in.url, token=lambda: self.token, pause=self._pause, timeout_seconds=timeout_seconds),
            people=lambda: self.people,
            fields=lambda: self.fields,
        )

    async def _pause(self, seconds: float) -> None:
        self.stand_in.do("clock", seconds=seconds)

    def _values(self, values: Mapping[str, str]) -> dict[str, str]:
        known = {_NAMES.get(name, name): value for name, value in values.items() if name != "owner"}
        return {**known, **({"hubspot_owner_id": str(_USERS[values["owner"]] + 60)} if "owner" in values else {})}

    def contact(self, lead: int) -> dict[str, Any]:
        """The lead's contact, as the account has it."""
        return next(one for one in self.stand_in.do("records", kind="contacts") if one.get("baton_lead") == str(lead))

    def account(self, account: Account) -> None:
        owner = {"hubspot_owner_id": str(_USERS[account.owner] + 60)} if account.owner else {}
        stage = "customer" if account.status == "customer" else "lead"
        values = {"name": account.name, "domain": account.domain, "lifecyclestage": stage, **owner}
        made = self.stand_in.do("make", kind="companies", values=values, user=11)
        if account.open_opportunity:
            owned = {"hubspot_owner_id": str(_USERS[account.opportunity_owner] + 60)} if account.opportunity_owner else {}
            deal = {"dealname": "x", "dealstage": "contractsent", **owned}
            self.stand_in.do("make", kind="deals", values=deal, user=11, ties=[["companies", made["id"]]])
        self.stand_in.do("clock", seconds=60)

    def existing(self, email: str) -> None:
        self.stand_in.do("make", kind="contacts", values={"email": email, "firstname": "Known", "hs_lead_status": "OPEN"}, user=11)

    def set(self, lead: int, by: str, values: Mapping[str, str]) -> None:
        self.stand_in.do("put", kind="contacts", id=self.contact(lead)["id"], values=self._values(values), user=_USERS[by])

    def touch(self, lead: int, by: str, channel: str, outcome: str) -> None:
        spoke = outcome == "connected"
        values = {"hubspot_owner_id": str(_USERS[by] + 60)}
        if channel == "call":
            values["hs_call_disposition"] = "f240bbac-87c9-4f6e-bf70-924b57d47db7" if spoke else "73a0d17f-1163-4015-bdd5-ec830791da20"
        if channel == "meeting":
            values["hs_meeting_outcome"] = "COMPLETED" if spoke else "NO_SHOW"
        if channel == "email":
            values["hs_email_direction"] = "EMAIL"
        ties = [["contacts", self.contact(lead)["id"]]]
        self.stand_in.do("make", kind=_KINDS[channel], values=values, user=_USERS[by], ties=ties)

    def deal(self, lead: int, by: str, stage: str, amount: str) -> str:
        values = {"dealname": "x", "dealstage": _STAGES[stage], "amount": amount, "deal_currency_code": "EUR"}
        ties = [["contacts", self.contact(lead)["id"]]]
        return str(self.stand_in.do("make", kind="deals", values=values, user=_USERS[by], ties=ties)["id"])

    def move(self, deal: str, by: str, stage: str, reason: str = "") -> None:
        values = {"dealstage": _STAGES[stage], **({"closed_lost_reason": reason} if reason else {}), "closedate": "2026-03-04T10:00:00Z"}
        self.stand_in.do("put", kind="deals", id=deal, values=values, user=_USERS[by])

    def merge(self, into: int, lead: int, by: str) -> None:
        self.stand_in.do("merge", primary=self.contact(into)["id"], other=self.contact(lead)["id"], user=_USERS[by])

    def delete(self, lead: int) -> None:
        self.stand_in.do("delete", kind="contacts", id=self.contact(lead)["id"])

    def many(self, numbers: Sequence[int]) -> None:
        made = {"hubspot_owner_id": "71", "hs_lead_status": "OPEN"}
        steps = [{"do": "make", "kind": "contacts", "values": {**made, "baton_lead": str(one)}, "user": 11} for one in numbers]
        self.stand_in.do("many", steps=steps)

    def trouble(self, kind: Trouble) -> None:
        fault = {"busy": "429", "broken": "503", "expired": "expired", "half": "half-read"}[kind]
        if kind == "expired":
            self.stand_in.do("token", token="token-2")
            self.token = "token-2"
        self.stand_in.do("faults", next=[{"kind": fault, "match": "contacts/batch/read", "skip": 1}])

    def leads(self) -> int:
        return len(self.stand_in.do("records", kind="contacts"))

    def seen(self, lead: int) -> Seen:
        contact = self.contact(lead)
        mine = {
            kind: [one for one in self.stand_in.do("records", kind=kind) if contact["id"] in one["ties"].get("contacts", ())]
            for kind in ("tasks", "notes", "deals")
        }
        names = {name: word for word, name in _NAMES.items()}
        known = {user + 60: person for person, user in _USERS.items()}
        return Seen(
            known.get(int(contact.get("hubspot_owner_id") or 0), ""),
            {names.get(name, name): value for name, value in contact.items()},
            tuple(f"{one.get('hs_task_subject', '')} {one.get('hs_task_body', '')}".strip() for one in mine["tasks"]),
            tuple(one.get("hs_note_body", "") for one in mine["notes"]),
            tuple(one["id"] for one in mine["deals"]),
        )

    def later(self) -> None:
        self.stand_in.do("clock", seconds=3_600)

    def problems(self) -> list[str]:
        return list(self.stand_in.do("seen")["problems"])
