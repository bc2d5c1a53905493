"""A small company on a database of its own, with one lead at a rep, and its site served over real HTTP."""

from __future__ import annotations

import atexit
import json
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
import pytest
from sqlmodel import Session, SQLModel, col, select

from agreements.lead import IncomingLead
from agreements.words import About, AnswerKind, Ended, Move, NoWord, Via, WaitKind
from app.demo.inbox.pages import PageServer
from app.web.page_request_queue import PageRequestQueue
from app.web.site import create_site
from notifications.links import Links
from storage import contracts, devices, handoffs, keys, roster, waits
from storage.crm.local import LocalCrm
from storage.database import Database
from storage.keys import Scope
from storage.tables import Answer, Assignment, Handoff, HandoffNote, Touch, Wait
from storage.tables.access import Level
from tasks.intake import capture
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.patience import PATIENCE_SECONDS, until

T = TypeVar("T")
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
DUE = datetime(2026, 12, 1, 13, 0, tzinfo=UTC)

ROSTER = """
teams: {emea: {manager: maria}}
marketing: mina
operator: oscar
people:
  ana: {name: Ana Silva, email: ana@northgate.example, team: emea, timezone: Europe/Lisbon}
  ben: {name: Ben Carter, email: ben@northgate.example, team: emea, timezone: Europe/Berlin}
  maria: {name: Maria Keller, email: maria@northgate.example, role: manager, team: emea, timezone: Europe/Berlin}
  mina: {name: Mina Okoro, email: mina@northgate.example, role: marketing}
  oscar: {name: Oscar Reyes, email: oscar@northgate.example, role: operator}
"""
AGREEMENT = """
agreement: small
version: 1
effective: {from: 2026-01-01}
timezone: Europe/London
signers: {marketing: [cmo@northgate.example], sales: [cro@northgate.example]}
qualification: {fast_lane: [demo_requested], mql: {total: 60}}
note: {must_state: [why_qualified, buying_signal, next_step]}
calendars: {office: {timezone: Europe/London, hours: {mon-fri: "09:00-17:00"}}}
routing: {segments: [{team: emea}], default_acceptor: ben}
notify: {confirmed_on: 1, within: 10 minutes, undo: 5 minutes}
clocks:
  delivery: {owed_by: marketing, within: 1 hour, when_missed: [{do: tell-marketing-ops}, {after: 1 day, do: default-acceptor}]}
  acceptance: {owed_by: sales, calendar: rep, within: 4 working hours, when_missed: [{do: nurture, track: unworked}]}
  first_attempt: {owed_by: sales, calendar: rep, within: 4 working hours, when_missed: [{do: manager-decides}]}
  outcome: {owed_by: sales, calendar: rep, within: 10 working days, touches: 2, when_missed: [{do: manager-decides}]}
legs: [sdr, ae]
reasons:
  - {code: not-now, label: "Interested, but not now", then: nurture, revisit: 60 days}
  - {code: no-response, label: "Could not be reached", needs: touches, then: nurture}
  - {code: uses-competitor, label: "Uses a competitor", then: nurture, revisit: 270 days, ask: renewal_date}
  - {code: wrong-rep, label: "Belongs to a colleague", then: hand-to}
  - {code: other, label: "Something else", then: marketing-triage, text: required}
"""
LEAD = IncomingLead(
    source="website",
    source_id="17",
    conversion_id="demo-1",
    activity="demo_requested",
    email="lee@harbour.example",
    first_name="Lee",
    last_name="O'Hara <b>",
    phone="+44 (0)20 7946 0177 ext. 3",
    company="Harbour & Sons",
    job_title="Head of Operations",
    country="GB",
    campaign="autumn",
    message="We lose leads between two tools.\n\n<script>alert(1)</script>\nPlease call after lunch.",
    requested_time=datetime(2026, 12, 1, 12, 30, tzinfo=UTC),
)
FIREFOX = {"user-agent": "Mozilla/5.0 Firefox/140"}
STATEMENTS = {"why_qualified": "They asked for a demo.", "buying_signal": "Demo requested.", "next_step": "Call."}


@dataclass
class Stage:
    """The company: its toolbox and time, the handoff of its lead, the address of its site, and who looked there just now."""

    box: Toolbox
    time: SteppedTime
    handoff_id: int = 0
    assignment_id: str = ""
    url: str = ""
    requests: PageRequestQueue | None = None
    browsers: list[httpx.Client] = field(default_factory=list)

    def browser(self, **more: Any) -> httpx.Client:
        """A new browser that keeps cookies and follows redirects."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, trust_env=False, timeout=PATIENCE_SECONDS, **more)
        self.browsers.append(client)
        return client

    @property
    def link(self) -> str:
        """The path of the link that the rep got."""
        return path_of(self.box.links.for_tenure(self.assignment_id, at=NOW))

    def duty_link(self, wait: Wait, person: str) -> str:
        """The path of the link of somebody who owes something else than a rep."""
        return path_of(self.box.links.for_duty(wait.id, person, at=NOW))

    def later(self, **time: float) -> None:
        """Lets time pass."""
        self.time.at += timedelta(**time)

    def rows(self, table: type[SQLModel]) -> list[Any]:
        """All rows of a table, as the database has them once it has been written who looked."""
        if self.requests is not None:
            self.requests.flush()
        return self.box.read_now(lambda session, now: list(session.exec(select(table))))

    def answers(self) -> list[tuple[str, str, str]]:
        """Every answer as kind, person and state."""
        return [(row.kind, row.by, row.state) for row in self.rows(Answer)]

    def touches(self) -> list[str]:
        """The kinds of all touches."""
        return [row.kind for row in self.rows(Touch)]

    def snapshot(self) -> dict[str, list[Any]]:
        """Everything in the database but who or what looked, to be compared."""
        tables = [table for table in SQLModel.metadata.sorted_tables if table.name != "sights"]
        with self.box.database.engine.connect() as connection:
            return {table.name: list(connection.execute(table.select())) for table in tables}

    def twin(self, browser: httpx.Client) -> httpx.Client:
        """The same browser as it is now: what it sends on a double press, before the first answer has come."""
        other = self.browser(headers=browser.headers)
        other.cookies.update(browser.cookies)
        return other

    def know(self, browser: httpx.Client, person: str = "ana", *, level: Level = devices.KNOWN) -> httpx.Client:
        """Makes the browser known for that person, as if the code from a message, or a mailed code, had been typed in it."""
        browser.get(self.link)
        hash = devices.hash_of(browser.cookies["baton_device"])
        self.box.write_now(lambda session, now: devices.remember(session, hash, person, level=level, now=now))
        return browser

    def do(self, work: Callable[[Session, Handoff, datetime], T]) -> T:
        """Changes the database from another door than the pages: work(session, handoff, now)."""
        return self.box.write_now(lambda session, now: work(session, handoffs.get(session, self.handoff_id), now))

    def open(self, kind: WaitKind, *, holder: str, about: About | NoWord = "", mine: bool = True, events: tuple[Move, ...] = ()) -> Wait:
        """Closes what is open, moves the handoff, and opens a wait of that kind."""

        def work(session: Session, handoff: Handoff, now: datetime) -> Wait:
            waits.close_open(session, handoff, because="withdrawn", now=now)
            for event in events:
                handoffs.move(session, handoff, event, now=now)
            return waits.open_wait(
                session,
                handoff,
                waits.NewWait(kind, holder=holder, about=about, due_at=DUE, assignment_id=self.assignment_id if mine else ""),
                now=now,
            )

        return self.do(work)

    def answer(self, kind: AnswerKind, *, by: str, via: Via, **data: Any) -> None:
        """Answers through another door than the pages."""

        def work(session: Session, handoff: Handoff, now: datetime) -> None:
            wait = waits.open_of(session, self.handoff_id)
            assert wait is not None
            waits.answer(session, wait.id, waits.NewAnswer(kind, by=by, via=via, data=data), now=now)

        self.do(work)

    def change_note(self, **content: Any) -> None:
        """Changes what the handoff note holds."""

        def work(session: Session, handoff: Handoff, now: datetime) -> None:
            note = handoffs.note_of(session, handoff)
            assert note is not None
            note.content = {**note.content, **content}
            session.add(note)

        self.do(work)

    def give_to(self, rep: str, *, because: Ended) -> str:
        """Takes the lead from its rep and gives it to another one, whose link's path is returned."""

        def work(session: Session, handoff: Handoff, now: datetime) -> str:
            waits.close_open(session, handoff, because=because, now=now)
            handoffs.end_assignment(session, handoff, because=because, now=now)
            handoffs.move(session, handoff, "reassigned", now=now, was_rep=handoff.rep, because=because)
            return _assign(session, handoff, rep, now=now)

        return path_of(self.box.links.for_tenure(self.do(work)))

    def key(self, name: str = "form", scope: Scope = Scope.INTAKE) -> str:
        """A new key for that door."""
        return self.box.write_now(lambda session, now: keys.create(session, name, now, [scope]))


@contextmanager
def stage(folder: Path, *, web_url: str = "http://baton.example", **more: Any) -> Iterator[Stage]:
    """The company with one lead assigned to ana, who owes an answer by DUE; its site answers until the block ends.

    web_url: under which address people would reach the site; empty for the one under which it is. more: further settings.
    """
    time = SteppedTime(NOW)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    home, handoff_id, assignment_id = _founded()
    shutil.copytree(home, folder / "home", ignore=shutil.ignore_patterns("baton.db", "crm.db"), dirs_exist_ok=True)
    for name in ("baton.db", "crm.db"):
        shutil.copyfile(home / name, folder / name)
    settings = Settings(home=folder / "home", secrets="a-key-that-is-for-tests-only", web_url=web_url or url, **more)
    database = Database(f"sqlite:///{folder / 'baton.db'}")
    links = Links(settings.signing_keys(), settings.public_url)
    company = Stage(Toolbox(settings, database, LocalCrm(folder / "crm.db"), {}, links, time), time, handoff_id, assignment_id)
    toolbox.use(company.box)
    site = create_site(company.box, real_time=lambda: time.at.timestamp())
    server = PageServer(site, listener)
    company.url, company.requests = url, site.state.page_requests
    server.start()
    try:
        yield company
    finally:
        for browser in company.browsers:
            browser.close()
        server.stop()
        listener.close()
        toolbox.use(None)
        database.close()


#: What the companies of this process are copied from.
_kept = TemporaryDirectory(prefix="baton-stage-")
atexit.register(_kept.cleanup)


@cache
def _founded() -> tuple[Path, int, str]:
    """The home of a company as it begins, with its keys, database and CRM, and the ids of its lead's handoff and assignment."""
    home = Path(_kept.name)
    database = Database(f"sqlite:///{home / 'baton.db'}", trail_key=Settings(home=home).seal_key())
    SQLModel.metadata.create_all(database.engine)
    with database.write() as session:
        handoff_id, assignment_id = _found(session, NOW)
    database.close()
    LocalCrm(home / "crm.db")
    return home, handoff_id, assignment_id


def _found(session: Session, now: datetime) -> tuple[int, str]:
    roster.load(session, ROSTER, now=now)
    version = contracts.publish(session, AGREEMENT, now=now)
    for party in ("marketing", "sales"):
        contracts.sign(session, version, contracts.NewSignature(party, party, "cli"), now=now)
    contracts.mark_deployed(session, version, deployment_id="", now=now)
    handoff = handoffs.get(session, capture(session, LEAD, now=now).handoff_id or 0)
    handoff.tier, handoff.score, handoff.fit, handoff.engagement, handoff.fast_lane = "hot", 72, 45, 27, True
    criteria = [{"rule": "job_title contains operations", "value": "Head of Operations", "at": None, "points": 25, "why": ""}]
    content = {"statements": dict(STATEMENTS), "criteria": criteria}
    session.add(HandoffNote(handoff_id=handoff.id, content=content, complete=True, written_at=now))
    for event in ("screened", "qualified", "documented"):
        handoffs.move(session, handoff, event, now=now)
    return handoff.id, _assign(session, handoff, "ana", now=now)


def _assign(session: Session, handoff: Handoff, rep: str, *, now: datetime) -> str:
    number = len(session.exec(select(Assignment).where(col(Assignment.handoff_id) == handoff.id)).all()) + 1
    row = Assignment(handoff_id=handoff.id, lead_id=handoff.lead_id, number=number, rep=rep, team="emea", assigned_at=now, proven_at=now)
    session.add(row)
    handoff.rep = rep
    handoffs.move(session, handoff, "assigned", now=now, rep=rep, why="test")
    handoffs.move(session, handoff, "notified", now=now, channels=["email"])
    waits.open_wait(session, handoff, waits.NewWait("acceptance", holder=rep, due_at=DUE, assignment_id=row.id), now=now)
    return row.id


def path_of(url: str) -> str:
    """The path of an address."""
    return httpx.URL(url).path


def form_of(page: httpx.Response, number: int = 0) -> tuple[str, dict[str, str]]:
    """Where the page's form of that number goes, and the hidden fields and buttons that go along when nothing is chosen."""
    form = re.findall(r"<form[^>]*>.*?</form>", page.text, re.DOTALL)[number]
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    action = re.search(r'action="([^"]+)"', form)
    assert action is not None
    return action[1], dict(hidden)


def answer_form(page: httpx.Response) -> tuple[str, dict[str, str]]:
    """Where the page's answer form goes, and what goes along when nothing is chosen."""
    forms = re.findall(r"<form[^>]*>", page.text)
    return form_of(page, next((number for number, form in enumerate(forms) if 'id="answer"' in form), -1))


def press(browser: httpx.Client, link: str, **chosen: str | bytes) -> httpx.Response:
    """Opens the link, fills in its answer form, and sends it."""
    action, hidden = answer_form(browser.get(link))
    return browser.post(action, data={**hidden, **chosen})


def type_number(browser: httpx.Client, page: httpx.Response, number: str = "") -> httpx.Response:
    """Types the code from the message where it is asked for, as a person does; number: another one instead."""
    forms = [form for form in re.findall(r"<form[^>]*>", page.text) if 'id="number_form"' in form]
    if not forms:
        return page
    action, hidden = form_of(page, re.findall(r"<form[^>]*>", page.text).index(forms[0]))
    token = re.search(r"/[lm]/([^/]+)/", action)
    assert token is not None
    return browser.post(action, data={**hidden, "number": number or toolbox.current().links.number(token[1])})


def number_of(link: str) -> str:
    """The number that stands in the message beside a link with this path."""
    return toolbox.current().links.number(link.partition("?")[0].rpartition("/")[2])


def press_with_number(browser: httpx.Client, link: str, **chosen: str) -> httpx.Response:
    """Opens a page that asks for the number in its form, fills that in with all else, and sends it, as a person does."""
    page = browser.get(link)
    action, hidden = form_of(page, -1)
    typed = {"number": number_of(link)} if 'name="number"' in page.text else {}
    return browser.post(action, data={**hidden, **typed, **chosen})


def send(browser: httpx.Client, link: str, **chosen: str) -> httpx.Response:
    """Opens the link, answers, and types the code from the message where it is asked for, as a person does."""
    return type_number(browser, press(browser, link, **chosen))


def words_of(page: httpx.Response) -> str:
    """What a person reads: no tags, no styles, single spaces."""
    body = re.sub(r"<style>.*?</style>", "", page.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def log_lines(caplog: pytest.LogCaptureFixture, count: int) -> list[dict[str, Any]]:
    """The lines of the access log; the last one is written after its answer is sent, so it is waited for."""

    def lines() -> list[dict[str, Any]]:
        return [json.loads(record.getMessage()) for record in caplog.records if record.name == "baton.web.access"]

    until(lambda: len(lines()) >= count)
    return lines()
