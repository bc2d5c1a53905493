"""What is done all the time reads no big table from end to end, and asks a number of things that does not grow with the leads.

The numbers below are what it takes today: lower them with the code, and raise none without a reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, insert, update
from sqlmodel import Session, col, select

from agreements.words import ChannelName, WaitKind
from app.commands import one_lead
from app.web.health import measured
from app.web.site import create_site
from flows.story import story_of
from notifications.links import Links
from storage import devices, disputes, handoffs, keys, leases, lives, outcomes, schema, sources, trail, waits
from storage.crm.local import LocalCrm
from storage.database import Database
from storage.keys import Scope
from storage.tables import Answer, Assignment, CrmChange, Delivery, DeliveryState, DigestItem, Enrolment, Handoff, KeptPayload, Wait, Wake
from tasks import intake
from tasks.background import alarms
from tasks.background.read_crm import read_crm
from tasks.messages import digest, digest_message
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.stage import answer_form
from tests.conftest import MONDAY, put_in_force
from tests.deal import BY_POINTS, NOT_YET
from tests.driver import Driver
from tests.fakes import KeepingChannel, make_lead
from tests.patience import PATIENCE_SECONDS
from tests.postgres import new_database
from tests.present import the
from tests.rows import a_handoff
from tests.stage import answer_by_link, capture, newest, token_of
from tests.storage.crowd import SOURCES, analyze, fill
from tests.storage.plans import Work, recorded, scans

#: A tick with nothing due: the first one of a process, which does also what is done now and then, and any other with its post.
FIRST_TICK, QUIET_TICK = 42, 16
#: What each wait that is due adds to a tick that hands runs over, and each handoff with a wake.
TICK_A_NUDGE, TICK_A_DEADLINE, TICK_A_REVISIT, TICK_A_WAKE = 8, 8, 17, 8
#: Taking in: a new lead, something more of a known one, a known person under a new id or at another company, and one who
#: comes back after the end. One of them is the lock that PostgreSQL needs, one asks whether the person was erased.
CAPTURE_NEW, CAPTURE_MORE, CAPTURE_SAME_PERSON, CAPTURE_MOVED, CAPTURE_CAME_BACK = 23, 14, 23, 33, 27
#: The same for a new lead at the API: the key is looked up once a request. And each further lead of a batch.
SENT_NEW, SENT_IN_BATCH = CAPTURE_NEW + 1, CAPTURE_NEW
#: An attempt from the screen until its rep is told, seven steps (three statements ask for colleagues: the
#: lock that PostgreSQL needs, for the choice and for the message); and one that carries out an acceptance, two steps. One statement of
#: each asks which promises were missed, for the tags of the run. Two keep what the CRM was told, by which its echo is known.
ATTEMPT_TO_REP, ATTEMPT_AT_ANSWER = 73, 44
#: Claiming what is due, however much that is: a look at each urgency, and the leases.
CLAIM = 4
#: Reading one change of the CRM and taking it; a few are stored and taken in one transaction.
READ_A_CHANGE = 20
#: Everything that /metrics tells, and a look for alarms.
SCRAPE, LOOK_FOR_ALARMS = 18, 13
#: A rep's page, an answer given on it, and the lead at the terminal. Seven statements of each say where the lead's time went, however much
#: it was.
PAGE, ANSWER, SHOW_LEAD = 22, 45, 23
#: The overview of all open leads, with the browser, the link and the roster. Three of them are for each team, and one for the week.
OVERVIEW = 26
#: Each further row of a list. It should be none: own_list and digest_rows look up each row by itself.
ROW_OF_OWN_LIST, ROW_OF_MANAGERS_LIST, ROW_OF_DIGEST = 3, 3, 5
#: What one statement may take of SQLite's machine: some hundred rows. One beyond this reads more rows with more leads.
STEPS_AT_MOST = 3_000

#: The time and the handoff, which an attempt has anyway, then its events and the roster.
STORY = 4
#: What is counted row by row: it grows with what is open or to be looked at, and not with the leads.
COUNTED = ("SELECT kept_payloads.door, count(*)",)
#: Statements that may read much, by how they begin: where they are asked, and why they may still.
KNOWN_SCANS = {
    "SELECT handoffs.id FROM handoffs WHERE handoffs.ended_at IS NULL": "storage/strays.py looks at 500 open handoffs each time",
    "SELECT handoffs.id FROM handoffs WHERE handoffs.stage IN": "storage/strays.py looks at 500 open handoffs each time",
    "SELECT handoffs.flow_run_id, handoffs.id": "app/repair.py compares 200 open handoffs with Prefect each time",
    "SELECT assignments.rep, count(*) AS count_1": "tasks/steps/candidates.py counts all turns that a rep has ever had",
}


@pytest.fixture(
    scope="module",
    params=["few", *(pytest.param(name, marks=[pytest.mark.long, pytest.mark.timeout(900)]) for name in ("sqlite", "postgresql"))],
)
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with leads: a few thousand in SQLite without statistics, as it is installed; and 230,000 in either kind."""
    if request.param == "postgresql":
        with new_database(request.getfixturevalue("postgresql_server")) as url:
            yield from _filled(url, open_handoffs=30_000, ended=200_000)
        return
    url = f"sqlite:///{tmp_path_factory.mktemp('crowd') / 'baton.db'}"
    if request.param == "few":
        yield from _filled(url, open_handoffs=300, ended=2_000, counted=False)
    else:
        yield from _filled(url, open_handoffs=30_000, ended=200_000)


def _filled(url: str, *, open_handoffs: int, ended: int, counted: bool = True) -> Iterator[Database]:
    database = Database(url)
    schema.upgrade(database)
    fill(database, open_handoffs=open_handoffs, ended=ended)
    fill_beside(database, ended // 10)
    if counted:
        analyze(database)
    with database.write() as session:
        put_in_force(session, MONDAY)
    yield database
    database.close()


def fill_beside(database: Database, count: int) -> None:
    """Fill the tables beside the leads with rows that are settled: payloads that a person looks at, changes that were taken, enrolments."""
    long_ago = MONDAY - timedelta(days=20)
    payload = {"door": "forms", "content": "{}", "content_type": "", "is_base64": False, "reason": "", "at": long_ago, "tries": 0}
    change = {"lead_id": 1, "kind": "fields", "by": "ana", "at": long_ago, "details": {}, "read_at": long_ago, "taken_at": long_ago}
    enrolment = {"track": "not-now", "wanted": "in", "turn": 1, "state": "confirmed", "since": long_ago, "rung": 0, "tries": 0}
    with database.write() as session:
        leads = session.execute(select(Handoff.id, Handoff.lead_id).order_by(col(Handoff.id)).limit(count)).all()
        session.execute(insert(KeptPayload), [{**payload, "key": f"beside-{number}"} for number in range(count)])
        session.execute(insert(CrmChange), [{**change, "id": f"beside-{number}"} for number in range(count)])
        rows = [{**enrolment, "handoff_id": handoff, "lead_id": lead, "proof": "", "error": ""} for handoff, lead in leads]
        session.execute(insert(Enrolment), rows)


@pytest.fixture
def box(crowd: Database, time: SteppedTime, tmp_path: Path) -> Iterator[Toolbox]:
    """A toolbox on it, with nothing that an earlier test left to be done."""
    settings = Settings(home=tmp_path / "home", undo_minutes=0, crm_poll_seconds=0.0001)
    names: tuple[ChannelName, ...] = ("email", "chat", "manager-email", "crm")
    channels = {name: KeepingChannel(name) for name in names}
    links = Links(["a-key-for-tests-only"], "http://baton.test")
    made = Toolbox(settings, crowd, LocalCrm(tmp_path / "crm.db"), channels, links, time)
    toolbox.use(made)
    made.write_now(_clear)
    yield made
    toolbox.use(None)


def _clear(session: Session, now: datetime) -> None:
    soon = now + timedelta(days=30)
    session.execute(delete(Wake).where(col(Wake.not_before) <= soon))
    session.execute(update(Delivery).where(col(Delivery.state) == DeliveryState.QUEUED).values(state=DeliveryState.CANCELLED))
    session.execute(update(Wait).where(col(Wait.closed_at).is_(None), col(Wait.next_at) <= soon).values(closed_at=now))


def assert_no_scan(box: Toolbox, work: Work) -> None:
    """Nothing of this work reads a big table from end to end, or more rows than a lead or a person has."""
    asked = work.without(KNOWN_SCANS)
    assert scans(box.database, asked) == {}
    assert {one.statement: one.steps for one in asked.asked if one.steps > STEPS_AT_MOST} == {}


def assert_at_most(work: Work, most: int) -> None:
    """The work asks for no more statements than that."""
    assert len(work) <= most, f"{len(work)} statements:\n{work.most_often()}"


def rep_has(box: Toolbox, rep: str, count: int, *, kind: WaitKind = "acceptance", **times: timedelta) -> None:
    """So many leads more that this rep has, each with a wait of that kind, due in an hour if no other time is given."""

    def work(session: Session, now: datetime) -> None:
        for _ in range(count):
            handoff = a_handoff(session, now, rep=rep, owner=rep)
            handoffs.born_under(session, handoff, at=now, values={})
            tenure = Assignment(handoff_id=handoff.id, lead_id=handoff.lead_id, rep=rep, team="emea", assigned_at=now, proven_at=now)
            session.add(tenure)
            session.flush()
            due: dict[str, Any] = {"due_at": now + timedelta(hours=1), **{name: now + after for name, after in times.items()}}
            waits.open_wait(session, handoff, waits.NewWait(kind, holder=rep, assignment_id=tenure.id, **due), now=now)

    box.write_now(work)


async def from_5_to_25(measure: Callable[[int], Awaitable[Work]]) -> tuple[float, Work]:
    """How many statements each further thing adds, and what is asked for 25 of them. measure: the work for so many."""
    few, many = await measure(5), await measure(25)
    return (len(many) - len(few)) / 20, many


async def tick_with(box: Toolbox, time: SteppedTime, prepare: Callable[[int], object]) -> tuple[float, Work]:
    """The same for a tick, after the first one of its process. prepare: makes so many things due."""

    async def measure(count: int) -> Work:
        box.write_now(_clear)
        driver = Driver(box, time)
        await driver.clock.tick()
        prepare(count)
        with recorded(box.database) as work:
            await driver.clock.tick()
        return work

    return await from_5_to_25(measure)


async def list_with(box: Toolbox, rep: str, path: str, person: str = "") -> tuple[float, Work]:
    """The same for a page on which all leads of this rep stand; person: whose browser asks, the rep's where not given."""
    has = 0

    async def measure(count: int) -> Work:
        nonlocal has
        rep_has(box, rep, count - has)
        has = count
        async with browser_of(box, person or rep) as browser:
            with recorded(box.database) as work:
                page = await browser.get(path)
        assert page.status_code == 200
        assert page.text.count("Harbour") >= count
        return work

    return await from_5_to_25(measure)


@asynccontextmanager
async def browser_of(box: Toolbox, person: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that was enrolled as this person's, at the site."""
    cookie = f"a-browser-of-the-person-{person}"
    box.write_now(lambda session, now: devices.remember(session, devices.hash_of(cookie), person, level=devices.ENROLLED, now=now))
    inside = httpx.ASGITransport(app=create_site(box))
    known = {"baton_device": cookie}
    async with httpx.AsyncClient(transport=inside, base_url="http://baton.test", cookies=known, timeout=PATIENCE_SECONDS) as browser:
        yield browser


async def test_a_tick_with_nothing_due_asks_a_few_things(box: Toolbox, time: SteppedTime) -> None:
    clock = Driver(box, time).clock

    with recorded(box.database) as first:
        await clock.tick()
    with recorded(box.database) as second:
        await clock.tick()
        await clock.personal_messages()

    assert_no_scan(box, first)
    assert_no_scan(box, second)
    assert_at_most(first, FIRST_TICK)
    assert_at_most(second, QUIET_TICK)


async def test_each_nudge_adds_the_same_to_a_tick(box: Toolbox, time: SteppedTime) -> None:
    each, work = await tick_with(box, time, lambda count: rep_has(box, "ana", count, next_at=timedelta(0)))

    assert_no_scan(box, work)
    assert each <= TICK_A_NUDGE, work.most_often()


async def test_each_missed_deadline_adds_the_same_to_a_tick(box: Toolbox, time: SteppedTime) -> None:
    each, work = await tick_with(box, time, lambda count: rep_has(box, "ana", count, due_at=timedelta(0)))

    assert_no_scan(box, work)
    assert each <= TICK_A_DEADLINE, work.most_often()


async def test_each_nurtured_lead_that_is_due_adds_the_same_to_a_tick(box: Toolbox, time: SteppedTime) -> None:
    def nurture(session: Session, now: datetime) -> None:
        handoff = handoffs.get(session, intake.capture(session, make_lead(**NOT_YET), now=now).handoff_id or 0)
        handoffs.move(session, handoff, "recycled", now=now)
        waits.open_wait(session, handoff, waits.NewWait("revisit", holder="marketing", due_at=now), now=now)
        session.execute(delete(Wake).where(col(Wake.handoff_id) == handoff.id))

    each, work = await tick_with(box, time, lambda count: [box.write_now(nurture) for _ in range(count)])

    assert_no_scan(box, work)
    assert each <= TICK_A_REVISIT, work.most_often()


async def test_each_change_in_the_crm_adds_the_same_to_its_reading(box: Toolbox, time: SteppedTime) -> None:
    crm = box.crm
    assert isinstance(crm, LocalCrm)
    ended = select(Handoff.lead_id).where(col(Handoff.ended_at).is_not(None)).limit(30)
    leads = box.read_now(lambda session, now: list(session.exec(ended)))

    async def measure(count: int) -> Work:
        time.at += timedelta(minutes=1)
        for number, lead in enumerate(leads[:count]):
            if number % 3 == 0:
                crm.person_logs(lead, by="ana", at=time.at, channel="call")
            elif number % 3 == 1:
                crm.person_changes(lead, by="ana", at=time.at, values={"status": "Looked at"})
            else:
                crm.person_sets_opportunity(lead, by="ana", at=time.at, stage="Discovery", amount="100")
        with recorded(box.database) as work:
            assert await read_crm(box) == count
        return work

    each, many = await from_5_to_25(measure)

    assert each <= READ_A_CHANGE
    assert_no_scan(box, many)


async def test_each_wake_adds_the_same_to_a_tick(box: Toolbox, time: SteppedTime) -> None:
    each, work = await tick_with(box, time, lambda count: [capture(box) for _ in range(count)])

    assert_no_scan(box, work)
    assert each <= TICK_A_WAKE, work.most_often()


async def test_taking_in_does_not_look_at_other_leads(box: Toolbox) -> None:
    with recorded(box.database) as new:
        taken = capture(box)
    known = {"source_id": taken.source_id, "email": taken.incoming.email}
    with recorded(box.database) as more:
        capture(box, conversion_id="more", **known)
    with recorded(box.database) as same_person:
        capture(box, email=taken.incoming.email)
    other = capture(box)
    with recorded(box.database) as moved:
        capture(box, conversion_id="moved", source_id=other.source_id, email="lee@quay.example", company="Quay")
    box.write_now(lambda session, now: handoffs.move(session, the(handoffs.latest_of(session, taken.lead_id)), "disqualified", now=now))
    with recorded(box.database) as came_back:
        capture(box, conversion_id="back", **known)

    for work in (new, more, same_person, moved, came_back):
        assert_no_scan(box, work)
    assert_at_most(new, CAPTURE_NEW)
    assert_at_most(more, CAPTURE_MORE)
    assert_at_most(same_person, CAPTURE_SAME_PERSON)
    assert_at_most(moved, CAPTURE_MOVED)
    assert_at_most(came_back, CAPTURE_CAME_BACK)


async def test_a_lead_and_a_batch_at_the_api_do_not_look_at_other_leads(box: Toolbox) -> None:
    key = box.write_now(lambda session, now: keys.create(session, "form", now, [Scope.INTAKE]))
    inside, known = httpx.ASGITransport(app=create_site(box)), {"authorization": f"Bearer {key}"}

    async with httpx.AsyncClient(transport=inside, base_url="http://baton.test", headers=known, timeout=PATIENCE_SECONDS) as form:

        async def sent(count: int) -> Work:
            batch = [{"source_id": f"{count}-{number}", "email": f"kim-{number}@sent-{count}.example"} for number in range(count)]
            with recorded(box.database) as work:
                answer = await form.post("/api/leads", json=batch if count > 1 else batch[0])
            assert answer.status_code in (200, 201, 207), answer.text
            return work

        one = await sent(1)
        each, many = await from_5_to_25(sent)

    assert_no_scan(box, one)
    assert_no_scan(box, many)
    assert_at_most(one, SENT_NEW)
    assert each <= SENT_IN_BATCH, many.most_often()


async def test_claiming_does_not_look_at_other_leads(box: Toolbox) -> None:
    for _ in range(3):
        capture(box)
    real = datetime.now(UTC)
    with recorded(box.database) as looked:
        assert box.read_now(lambda session, now: leases.is_any_due(session, now=now, real=real))
    with recorded(box.database) as claimed:
        assert len(box.write_now(lambda session, now: leases.claim_due(session, by="me", now=now, real=real, room=3))) == 3

    assert_no_scan(box, looked)
    assert_no_scan(box, claimed)
    assert_at_most(claimed, CLAIM)


async def test_an_attempt_does_not_look_at_other_leads(box: Toolbox, time: SteppedTime) -> None:
    taken, driver = capture(box, **BY_POINTS), Driver(box, time)
    ident = newest(box, taken).id
    await driver.clock.tick()

    with recorded(box.database) as work:
        await driver.carry_out(ident)

    assert newest(box, taken).stage == "assigned"
    assert_no_scan(box, work)
    assert_at_most(work, ATTEMPT_TO_REP)

    answer_by_link(box, taken, "accepted")
    with recorded(box.database) as work:
        await driver.carry_out(ident)

    assert newest(box, taken).stage == "accepted"
    assert_no_scan(box, work)
    assert_at_most(work, ATTEMPT_AT_ANSWER)


async def test_the_story_of_a_run_does_not_look_at_other_leads(box: Toolbox, time: SteppedTime) -> None:
    taken, driver = capture(box, **BY_POINTS), Driver(box, time)
    await driver.settle()
    ident = newest(box, taken).id

    with recorded(box.database) as work:
        story = box.read_now(lambda session, now: story_of(session, handoffs.get(session, ident), told=0))

    assert len(story.lines) >= 5
    assert_no_scan(box, work)
    assert_at_most(work, STORY)


async def test_a_page_and_an_answer_on_it_do_not_look_at_other_leads(box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, **BY_POINTS)
    await Driver(box, time).settle()
    rep, path = newest(box, taken).rep, f"/l/{token_of(box, taken)}"

    async with browser_of(box, rep) as browser:
        with recorded(box.database) as shown:
            page = await browser.get(path)
        action, hidden = answer_form(page)
        with recorded(box.database) as answered:
            page = await browser.post(action, data={**hidden, "choice": "accepted"}, follow_redirects=True)

    assert "Thank you" in page.text
    assert_no_scan(box, shown)
    assert_no_scan(box, answered)
    assert_at_most(shown, PAGE)
    assert_at_most(answered, ANSWER)


async def test_showing_a_lead_at_the_terminal_does_not_look_at_other_leads(box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, **BY_POINTS)
    await Driver(box, time).settle()

    with recorded(box.database) as work:
        box.read_now(lambda session, now: one_lead.print_lead(session, taken.lead_id, now=now))

    assert_no_scan(box, work)
    assert_at_most(work, SHOW_LEAD)


def test_where_the_time_of_five_hundred_leads_went_asks_no_more_than_that_of_five(box: Toolbox) -> None:
    ids = box.read_now(
        lambda session, now: session.exec(select(Handoff.lead_id).distinct().order_by(col(Handoff.lead_id).desc()).limit(500)).all()
    )

    def measure(leads: Sequence[int]) -> Work:
        with recorded(box.database) as work, box.database.read() as session:
            assert len(lives.of(session, leads)) == len(leads)
        return work

    first, few, many = measure(ids), measure(ids[::100]), measure(ids)

    assert len(first) >= len(few) == len(many), "the first one also reads the roster and the agreement"
    assert scans(box.database, few) == {}
    few_disputes = ["SELECT disputes.handoff_id"]  # there are so few that to read them all beats five hundred looks into their index
    assert scans(box.database, many.without(few_disputes)) == {}


@pytest.mark.parametrize("asked", ["", "?stage=accepted", "?rep=ben", "?campaign=campaign3&source=source3", "?month=2026-10"])
async def test_the_overview_of_all_open_leads_asks_the_same_however_many_there_are(box: Toolbox, asked: str) -> None:
    link = box.read_now(lambda session, now: box.links.for_person("mina", at=now)).removeprefix("http://baton.test")

    each, work = await list_with(box, "ben", f"{link}/leads?rep=ben", "mina")
    async with browser_of(box, "mina") as browser:
        with recorded(box.database) as chosen:
            page = await browser.get(f"{link}/leads{asked}")

    assert page.status_code == 200
    assert each <= 0, work.most_often()
    assert scans(box.database, chosen) == {}
    assert_at_most(chosen, OVERVIEW)


async def test_a_further_row_of_a_persons_own_list_adds_the_same(box: Toolbox) -> None:
    each, work = await list_with(box, "dan", "/me")

    assert_no_scan(box, work)
    assert each <= ROW_OF_OWN_LIST, work.most_often()


async def test_a_further_row_of_a_managers_list_adds_the_same(box: Toolbox, time: SteppedTime) -> None:
    path = box.links.for_person("marcus", at=time.at).removeprefix("http://baton.test")
    each, work = await list_with(box, "faye", path, person="marcus")

    assert_no_scan(box, work)
    assert each <= ROW_OF_MANAGERS_LIST, work.most_often()


async def test_a_further_row_of_a_digest_adds_the_same(box: Toolbox, time: SteppedTime) -> None:
    path = box.links.for_digest("dora", "2027-02-01", at=time.at).removeprefix("http://baton.test")
    each, work = await list_with(box, "dora", path)

    assert_no_scan(box, work)
    assert each <= ROW_OF_DIGEST, work.most_often()


async def test_marketings_digest_asks_the_same_however_much_became_of_leads(box: Toolbox, time: SteppedTime) -> None:
    accepted = select(Answer).where(Answer.kind == "accepted", Answer.handoff_id > 500).order_by(col(Answer.id))

    def keep(session: Session, now: datetime, count: int) -> Delivery:
        session.execute(delete(DigestItem).where(col(DigestItem.person) == outcomes.MARKETING))
        for answer in session.exec(accepted.limit(count)).all():
            outcomes.put_aside(session, answer, "accepted", "Ana Silva accepted it.", key=f"plan:{answer.id}", at=now)
        digest.expect(session, "mina", now=now)
        return the(session.exec(select(Delivery).where(Delivery.person == "mina", Delivery.message == "digest")).first())

    async def measure(count: int) -> Work:
        row = box.write_now(lambda session, now: keep(session, now, count))
        with recorded(box.database) as work:
            box.read_now(lambda session, now: digest_message.compose(session, row, box.links, now=now))
            assert len(box.read_now(lambda session, now: outcomes.untold(session, now=now))) == count
        return work

    each, work = await from_5_to_25(measure)

    assert_no_scan(box, work)
    assert each == 0, work.most_often()


def test_a_scrape_and_a_look_for_alarms_read_no_big_table_from_end_to_end(box: Toolbox, time: SteppedTime) -> None:
    """Only what is open is counted row by row: handoffs, waits, wakes, and payloads that a person has to look at."""
    with recorded(box.database) as scraped:
        found = measured(box, time.at.timestamp())
    with recorded(box.database) as looked:
        box.read_now(lambda session, now: alarms.find(session, now=now, real=time.at))
        box.read_now(lambda session, now: sources.came_in(session, {f"source{n}": [(now - timedelta(days=1), now)] * 4 for n in range(20)}))

    assert sum(found.open_leads.values()) >= 300
    assert len(found.sources) >= SOURCES
    assert_at_most(scraped, SCRAPE)
    assert_at_most(looked, LOOK_FOR_ALARMS)
    assert scans(box.database, scraped.without(COUNTED)) == {}
    assert scans(box.database, looked.without(COUNTED)) == {}


def test_disputes_and_the_trail_are_read_over_an_index(box: Toolbox) -> None:
    """Which rejections can be disputed, which disputes nobody decided, what is to be sealed."""

    def ask(session: Session, now: datetime) -> None:
        disputes.rejections(session, since=now - timedelta(days=14), now=now)
        disputes.overdue(session, now=now)
        disputes.which_led_to(session, 1)
        trail.seal(session, key=b"key", now=now)

    with recorded(box.database) as work:
        box.write_now(ask)

    assert_no_scan(box, work)
