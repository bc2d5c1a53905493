"""The demo's end: brings four leads and a version of the agreement to where somebody has to act, and leaves them there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from agreements.lead import IncomingLead
from agreements.model import Agreement
from app.csv_import.file import IncomingRow, ReadLeads
from app.csv_import.importing import import_leads
from app.demo.director import Director
from app.demo.waiting import CaseKind, open_cases
from storage import contracts
from storage.crm.port import Account
from tasks.signing.requests import ask_to_sign
from tasks.wiring.toolbox import Toolbox

#: The company of each lead that is left waiting, by what the lead waits for.
COMPANIES = {
    "hot": "Alder Freight",
    "decision": "Beacon Parcel Services",
    "note": "Cobalt Tooling",
    "dispute": "Dunmore Rail Supplies",
}
#: What the reps do with them: nothing; accept and forget, twice; return.
SCRIPTS: dict[str, tuple[str, ...]] = {
    COMPANIES["hot"]: ("ignore",),
    COMPANIES["decision"]: ("rot",),
    COMPANIES["dispute"]: ("reject:not-icp",),
}
#: Ana owns this company in the CRM, so she gets its lead.
OWNED = Account("A-101", COMPANIES["hot"], "alder-freight.example", "prospect", "ana")
#: Changes in the new version of the agreement, by words of the version in force.
CHANGES = {
    "version: 1\n": "version: 2\n",
    "hot: 30 working minutes, normal: 4 working hours": "hot: 20 working minutes, normal: 3 working hours",
}
_FROM = "effective: {{from: {}}}"
#: The finale begins this long after the calendar opens, so that reps who have just come in have read their digest.
AFTER_OPENING = timedelta(minutes=30)
#: If a lead is not in its place by then, the demo ends without it.
GIVEN_UP_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Finale:
    """Brings the five cases to where they wait. sender: a toolbox that sends mail to the demo's inbox and writes links to its pages."""

    director: Director
    agreement: Agreement
    text: str
    sender: Toolbox

    async def play(self, *, look: Callable[[], None], not_before: datetime) -> None:
        """Play until all five wait, on the third working morning after `not_before` (aware)."""
        first = self.morning_after(not_before)
        self._take_in(first, "decision")
        self._take_in(self.morning_after(first), "dispute")
        await self.director.run(look=look, at_rest=lambda: self._waiting("decision", "dispute") or self._late(first))
        last = self.morning_after(self.director.now())
        self._take_in(last, "hot", "note")
        await self.director.run(look=look, at_rest=lambda: self._waiting("hot", "note") or self._late(last))
        await self._ask_to_sign()

    def morning_after(self, at: datetime) -> datetime:
        """Return half an hour after work begins on the next working day."""
        calendar = self.agreement.calendar()
        midnight = datetime.combine(self._day(at) + timedelta(days=1), time(), calendar.timezone)
        return calendar.next_opening(midnight) + AFTER_OPENING

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.agreement.calendar().timezone).date()

    def _late(self, since: datetime) -> bool:
        return self.director.now() > since + GIVEN_UP_AFTER

    def _waiting(self, *kinds: CaseKind) -> bool:
        found = {case.kind: case for case in self.director.box.read_now(lambda session, now: open_cases(session, COMPANIES.values()))}
        return all(kind in found and found[kind].company == COMPANIES[kind] for kind in kinds)

    def _take_in(self, at: datetime, *kinds: CaseKind) -> None:
        rows = [IncomingRow(number, LEADS[kind]) for number, kind in enumerate(kinds, 1)]

        async def take_in() -> None:
            read = ReadLeads(rows=rows, bad=[])
            await asyncio.to_thread(lambda: import_leads(self.director.box, read, hold=False, actor="website", progress=None))

        self.director.plan(at, "the leads that stay", take_in)

    async def _ask_to_sign(self) -> None:
        begins = self._day(self.director.now()) + timedelta(days=14)
        text = next_version(self.text, self.agreement, begins)
        row = await self.director.box.write(lambda session, now: contracts.publish(session, text, now=now))
        await ask_to_sign(self.sender, row.name, row.version, by="the demo")


def next_version(text: str, agreement: Agreement, begins: date) -> str:
    """Return the agreement's text as its next version: from that day on, hot leads need an answer sooner."""
    changes = {**CHANGES, _FROM.format(agreement.effective.from_): _FROM.format(begins)}
    for old, new in changes.items():
        if text.count(old) != 1:
            raise ValueError(f"{agreement.reference} does not have {old.strip()!r} exactly once, so the demo has no next version of it")
        text = text.replace(old, new)
    return text


def _lead(kind: CaseKind, ident: str, person: str, title: str, employees: int, message: str, **more: str) -> IncomingLead:
    first, last = person.split()
    domain = COMPANIES[kind].lower().replace(" ", "-") + ".example"
    return IncomingLead(
        source="website",
        source_id=ident,
        conversion_id=f"demo-{ident}",
        email=f"{first.lower()}.{last.lower()}@{domain}",
        first_name=first,
        last_name=last,
        company=COMPANIES[kind],
        job_title=title,
        country="GB",
        activity="demo_requested",
        path="/demo",
        message=message,
        fields={"industry": "logistics", "employees": employees},
        **{"campaign": "Spring demo campaign", **more},
    )


LEADS = {
    "hot": _lead(
        "hot",
        "L-2001",
        "Iris Holt",
        "Head of Operations",
        260,
        "We lose requests between two desks. Could somebody show us the escalation today? I am at my desk until noon.",
        phone="+44 20 7946 0411",
    ),
    "decision": _lead("decision", "L-2002", "Owen Tate", "Operations Director", 180, "Please show us how leads come back after a year."),
    "note": _lead(
        "note",
        "L-2003",
        "Freya Lund",
        "Head of Logistics",
        90,
        "A colleague told me of you.",
        campaign="",
        phone="+44 20 7946 0413",
    ),
    "dispute": _lead("dispute", "L-2004", "Hugo Marsh", "VP Revenue Operations", 320, "Twenty minutes for a first look, please."),
}
