"""HubSpot, played by the stand-in, with its people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storage.crm.hubspot import HubSpotCrm
from storage.crm.hubspot_api import HubSpotApi
from storage.crm.port import Account, Crm
from tests.contracts.crm_worlds import PEOPLE, Deed, Seen, Trouble
from tests.crm.stand_in import StandIn

_USERS = {"ana": 11, "ben": 12, "cleo": 13}
_STAGES = {"open": "appointmentscheduled", "won": "closedwon", "lost": "closedlost"}
_NAMES = {"status": "hs_lead_status", "lifecycle": "lifecyclestage"}
_KINDS = {"call": "calls", "email": "emails", "meeting": "meetings"}


class HubSpotWorld:
    """An account whose people are those of the suite."""

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
        self._contacts: dict[int, str] = {}
        self._deals: dict[int, str] = {}
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
        fault = {"busy": "429", "broken": "503", "expired": "renewed", "half": "half-read"}[kind]
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

    def storm(self, *, rate: float, seed: int, hang: bool = False) -> None:
        self.stand_in.do("faults", rate=rate, hang=hang)

    def calm(self) -> None:
        self.stand_in.do("faults", rate=0)

    def failed(self) -> None:
        """The stand-in goes on as before."""

    def act(self, deeds: Sequence[Deed]) -> None:
        """All of it in one request, since there are thousands."""
        if any(one.lead not in self._contacts for one in deeds):
            self._contacts = {int(one["baton_lead"]): one["id"] for one in self.stand_in.do("records", kind="contacts")}
        steps = [step for one in deeds for step in ({"do": "clock", "seconds": one.seconds}, self._step(one))]
        done = self.stand_in.do("many", steps=steps)[1::2]
        self._deals |= {one.lead: made["id"] for one, made in zip(deeds, done, strict=True) if one.kind == "opportunity" and "id" in made}

    def _step(self, deed: Deed) -> dict[str, Any]:
        contact, user = self._contacts[deed.lead], _USERS[deed.by]
        ties = [["contacts", contact]]
        if deed.kind == "fields":
            return {"do": "put", "kind": "contacts", "id": contact, "values": {"hs_lead_status": deed.value}, "user": user}
        if deed.kind == "touch":
            said = {"hs_email_direction": "EMAIL"} if deed.value == "email" else {}
            values = {"hubspot_owner_id": str(user + 60), **said}
            return {"do": "make", "kind": _KINDS[deed.value], "values": values, "user": user, "ties": ties}
        if deed.lead in self._deals:
            return {"do": "put", "kind": "deals", "id": self._deals[deed.lead], "values": {"amount": deed.value}, "user": user}
        values = {"dealname": "x", "dealstage": _STAGES["open"], "amount": deed.value}
        return {"do": "make", "kind": "deals", "values": values, "user": user, "ties": ties}

    def done(self) -> None:
        """They have."""

    def dies_assigning(self, *, key: str, lead: int, owner: str, facts: Mapping[str, str]) -> None:
        """Half a batch and an answer that is lost do the same."""

    def keys(self) -> list[str]:
        return [one["baton_key"] for kind in ("tasks", "notes") for one in self.stand_in.do("records", kind=kind)]
