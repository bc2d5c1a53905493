"""The demo's people: they read the real message, open its link, choose and submit, each in a personal manner and pace."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags

from agreements.calendar.working_time import WorkingCalendar
from agreements.roster import Roster
from app.demo.browser import Form, Page, Visitor
from app.demo.inbox.inbox import Inbox
from app.demo.inbox.message import Received
from storage.crm.local import LocalCrm

Action = Callable[[], Awaitable[object]]
Plan = Callable[[datetime, str, Action], None]
GRID = timedelta(minutes=15)
_NUMBER = re.compile(r"(https?://\S+)\s+Your code: (\d{4})\b")

#: What each rep does with one lead after another; the list repeats. Dan wins his leads without a link: he works in the CRM alone.
MANNERS: dict[str, tuple[str, ...]] = {
    "ana": ("win", "reject:not-now", "no-response", "win", "rot", "reject:no-authority", "hand"),
    "ben": ("rot", "win", "ignore", "reject:not-icp", "lose:no-budget", "slow"),
    "cleo": ("slow", "ignore", "win", "reject:bad-data", "ignore", "win"),
    "dan": ("crm-win", "reject:uses-competitor", "slow", "crm-win"),
    "faye": ("crm-owner", "ignore", "win", "rot"),
    "dora": ("win", "no-response", "reject:not-icp"),
}
#: The story that the demo tells first: what happens to the first lead, assignment after assignment.
STORY = ("ignore", "reject:not-now", "win", "win")


@dataclass
class Office:
    """What the people share: their working calendar, the plan of their next actions, and the CRM.

    scripts: by company, what the reps do with its lead, one assignment after another, instead of their usual manner. left_open:
    companies whose notes and decisions nobody answers. disputed: companies whose rejection marketing disputes.
    """

    inbox: Inbox
    roster: Roster
    calendar: WorkingCalendar
    plan: Plan
    now: Callable[[], datetime]
    crm: LocalCrm
    scripts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_open: frozenset[str] = frozenset()
    disputed: frozenset[str] = frozenset()
    turns: Counter[str] = field(default_factory=Counter)

    def later(self, minutes: float) -> datetime:
        """Return the instant so many working minutes from now, on the quarter hour after that."""
        at = self.calendar.add(self.now(), timedelta(minutes=minutes))
        past = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
        return at + (GRID - past) if past else at


class Person:
    """A person with a browser and an inbox."""

    def __init__(self, ident: str, office: Office) -> None:
        self.ident, self.office = ident, office
        self.visitor = Visitor()
        self.taken = 0
        self.behaviour: dict[str, str] = {}
        self.numbers: dict[str, str] = {}

    async def receive(self, received: Received) -> None:
        """Read a message and plan what to do about it."""
        message = received.key.split(":")[1] if ":" in received.key else ""
        link = next((one for one in Inbox.links(received) if "/l/" in one), "")
        self.numbers.update(_NUMBER.findall(received.text))
        if ":assigned:" in received.key and link and "manager" not in received.key:
            self._take(received, link)
        elif received.key.startswith("digest:"):
            for row in Inbox.links(received):
                self._reminded(row)
        elif message == "reminder" or ":remind" in received.key:
            self._reminded(link)
        elif ":feedback:" in received.key and _one_of(self.office.disputed, received.subject):
            objected = next(one for one in Inbox.links(received) if "/q/" in one)
            self._plan(30, "disputes", lambda: self._dispute(objected))
        elif _one_of(self.office.left_open, received.subject):
            return
        elif ":decision-asked:" in received.key:
            self._plan(40, "decides", lambda: self._decide(received, link))
        elif ":note-needed:" in received.key:
            self._plan(30, "completes the note", lambda: self._complete(link))

    def _plan(self, minutes: float, what: str, action: Action) -> None:
        self.office.plan(self.office.later(minutes), f"{self.ident} {what}", action)

    def _take(self, received: Received, link: str) -> None:
        company = _one_of(self.office.scripts, received.subject)
        if company:
            script = self.office.scripts[company]
            manner = script[min(self.office.turns[company], len(script) - 1)]
            self.office.turns[company] += 1
        else:
            manners = MANNERS.get(self.ident, ("win",))
            manner = manners[self.taken % len(manners)]
            self.taken += 1
        self.behaviour[link] = manner
        verb, _, reason = manner.partition(":")
        if verb == "reject":
            self._plan(20, f"rejects {reason}", lambda: self._reject(link, reason))
        elif verb == "hand":
            self._plan(15, "hands on", lambda: self._answer(link, "handed", colleague=True))
        elif verb == "crm-owner":
            number = _lead_number(received.subject)
            self._plan(20, "changes the CRM", lambda: self._change_owner(number))
        elif verb == "crm-win":
            number = _lead_number(received.subject)
            self._plan(10, "accepts in the CRM", lambda: self._accept_in_crm(number))
        elif verb in ("win", "no-response", "lose", "rot"):
            self._plan(10, "accepts", lambda: self._accept(link, verb, reason))

    def _reminded(self, link: str) -> None:
        if self.behaviour.get(link) == "slow":
            self.behaviour[link] = "slow, reminded"
            self._plan(5, "accepts late", lambda: self._accept(link, "no-response", ""))

    async def _open(self, link: str) -> Page:
        return await asyncio.to_thread(self.visitor.open, link)

    async def _answer(self, link: str, choice: str, *, colleague: bool = False, **fields: str) -> bool:
        page = await self._open(link)
        form = page.form_with("choice")
        if form is None or not page.offers(choice):
            return False
        if colleague:
            fields["colleague"] = next((one for one in form.choices.get("colleague", []) if one and one != self.ident), "")
        after = await self._send(link, page, form, choice=choice, **fields)
        return after.status < 400

    async def _send(self, link: str, page: Page, form: Form, **fields: str) -> Page:
        """Send the form, and type the code from the message where the page asks for it: in a new browser, and after so quick a press."""
        after = await asyncio.to_thread(lambda: self.visitor.submit(page, form, **fields))
        asked = after.form_with("number")
        if asked is None:
            return after
        return await asyncio.to_thread(lambda: self.visitor.submit(after, asked, number=self.numbers.get(link, "")))

    async def _reject(self, link: str, reason: str) -> None:
        await self._answer(link, "rejected", reason=reason, text="Interested, the budget opens in spring." if reason == "not-now" else "")

    async def _accept(self, link: str, then: str, reason: str) -> None:
        if await self._answer(link, "accepted") and then != "rot":
            self._plan(35, "calls", lambda: self._attempt(link, then, reason))

    async def _attempt(self, link: str, then: str, reason: str) -> None:
        reached = "attempted" if then == "no-response" else "connected"
        if await self._answer(link, reached):
            self._plan(480 if then == "win" else 960, "closes", lambda: self._close(link, then, reason))

    async def _close(self, link: str, then: str, reason: str) -> None:
        if then == "win":
            await self._answer(link, "opportunity")
        else:
            await self._answer(link, "returned", reason=reason or "no-response")

    async def _change_owner(self, number: int) -> None:
        other = next(one for one in self.office.roster.reps_of("americas") + self.office.roster.reps_of("emea") if one != self.ident)
        now = self.office.now()
        await asyncio.to_thread(lambda: self.office.crm.person_changes(number, by=self.ident, at=now, values={"owner": other}))
        await asyncio.sleep(1.5)
        accept = self.office.later(45)
        self.office.plan(accept, f"{other} sets the status in the CRM", lambda: self._set_status(number, other))

    async def _accept_in_crm(self, number: int) -> None:
        await self._set_status(number, self.ident)
        self._plan(35, "logs a call in the CRM", lambda: self._log_call(number))

    async def _log_call(self, number: int) -> None:
        now = self.office.now()
        await asyncio.to_thread(lambda: self.office.crm.person_logs(number, by=self.ident, at=now, channel="call", outcome="connected"))
        await asyncio.sleep(1.5)
        self._plan(480, "sets the opportunity in the CRM", lambda: self._set_status(number, self.ident, "Opportunity"))

    async def _set_status(self, number: int, by: str, status: str = "Working") -> None:
        now = self.office.now()
        await asyncio.to_thread(lambda: self.office.crm.person_changes(number, by=by, at=now, values={"status": status}))
        await asyncio.sleep(1.5)

    async def _complete(self, link: str) -> None:
        page = await self._open(link)
        form = page.form_with("choice")
        if form is not None:
            said = {name: "Spring campaign, completed by marketing" for name in form.values if name.startswith("state_")}
            await self._send(link, page, form, choice="completed", **said)

    async def _dispute(self, link: str) -> None:
        page = await self._open(link)
        form = page.form_with("choice")
        if form is not None:
            said = {"text": "They sell to freight companies, which the agreement names.", "number": self.numbers.get(link, "")}
            await asyncio.to_thread(lambda: self.visitor.submit(page, form, **said))

    async def _decide(self, received: Received, link: str) -> None:
        decision = ("nurture", "reassign", "disqualify")[self.taken % 3]
        self.taken += 1
        if self.ident == "marcus":
            await self._decide_in_prefect(_lead_number(received.subject), decision)
            return
        page = await self._open(link)
        form = page.form_with("choice")
        if form is not None:
            await self._send(link, page, form, choice="decided", decision=decision)

    async def _decide_in_prefect(self, number: int, decision: str) -> None:
        """Resume the run as the form in Prefect's window does."""
        async with get_client() as client:
            runs = await client.read_flow_runs(flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[f"lead:{number}"])))
            for run in runs:
                if run.state and run.state.is_paused() and run.state.name == "AwaitingDecision":
                    await client.resume_flow_run(run.id, run_input={"choice": decision, "who_answers": "Marcus Webb"})
                    await asyncio.sleep(2)


def _one_of(companies: Iterable[str], subject: str) -> str:
    """Return the first of these companies that the subject names, empty for none."""
    return next((company for company in companies if company in subject), "")


def _lead_number(subject: str) -> int:
    _, _, rest = subject.rpartition("lead ")
    digits = "".join(ch for ch in rest[:8] if ch.isdigit())
    return int(digits or 0)
