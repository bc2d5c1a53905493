"""Two transactions at one person at the same moment: one lead, one open handoff, and no conversion is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from agreements.lead import IncomingLead
from app.csv_import.file import BadRow, IncomingRow, ReadLeads
from app.csv_import.importing import ROWS_A_TRANSACTION, import_leads
from storage import handoffs, waits
from storage.database import Database
from storage.identity import again_if_taken
from storage.tables import Activity, Handoff, Lead, LeadSource, Wait
from tasks.background.revisit import revisit
from tasks.intake import capture
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tests.conftest import AGREEMENT, MONDAY, ROSTER
from tests.fakes import make_lead
from tests.postgres import new_database
from tests.processes import side_by_side
from tests.racing import box_on, prepare
from tests.rows import all_at

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

ROUNDS = 220
LATER = MONDAY + timedelta(days=120)
PATIENCE_SECONDS = 30
PEOPLE = 5 * ROWS_A_TRANSACTION
ROLES = ("info", "sales")


@dataclass(frozen=True)
class Kind:
    """What is raced for. stands: where the lead is when both come: new (nobody knows it), ended, moved (both are about the same
    other company), nurtured (and due to be given up). by: what both sides know of the person: the address, the id, or either
    (the id on one side and the address on the other). does: what each side does."""

    stands: str
    by: str
    does: tuple[str, str] = ("capture", "capture")

    @property
    def leads(self) -> int:
        """How many leads there are in the end."""
        return 2 if self.stands == "moved" else 1

    @property
    def conversions(self) -> int:
        """How many things the person has done in the end."""
        return self.does.count("capture") + (self.stands != "new")


KINDS = [
    *(Kind("new", by) for by in ("address", "id")),
    *(Kind(stands, by) for stands in ("ended", "moved") for by in ("address", "id", "either")),
    Kind("nurtured", "id", ("capture", "revisit")),
    Kind("nurtured", "address", ("revisit", "capture")),
]


def kind_of(number: int) -> Kind:
    return KINDS[number % len(KINDS)]


def inquiry(number: int, side: int) -> IncomingLead:
    """What this side takes in of the person of that number; side 2 is what they did long before."""
    kind = kind_of(number)
    by_id = kind.by == "id" or (kind.by == "either" and side != 1)
    return make_lead(
        source_id=f"p{number}" if by_id else f"p{number}-{side}",
        email="" if kind.by == "either" and side == 0 else mail_of(number),
        last_name=f"Person {number}",
        company="Quay" if kind.stands == "moved" and side != 2 else f"Harbour {number}",
        conversion_id=f"side-{side}",
    )


def mail_of(number: int) -> str:
    return f"p{number}@gmail.com"


def prepared(url: str, home: Path) -> None:
    """An agreement in force, and a lead for each round in which it is known already."""
    prepare(url, home, MONDAY, [], agreement=AGREEMENT, people=ROSTER)
    box = box_on(url, home, MONDAY)
    for number in range(ROUNDS):
        if kind_of(number).stands != "new":
            box.write_now(partial(known_before, number))
    box.database.close()
    toolbox.use(None)


def known_before(number: int, session: Session, now: datetime) -> None:
    handoff = handoffs.get(session, capture(session, inquiry(number, 2), now=now).handoff_id or 0)
    if kind_of(number).stands == "ended":
        handoffs.move(session, handoff, "disqualified", now=now)
    if kind_of(number).stands == "nurtured":
        handoff.revisits = 99
        handoffs.move(session, handoff, "recycled", now=now)
        waits.open_wait(session, handoff, waits.NewWait("revisit", holder="marketing", due_at=now + timedelta(days=90)), now=now)


def act(session: Session, now: datetime, number: int, side: int) -> None:
    """What this side does about the person of that number, in the caller's transaction."""
    if kind_of(number).does[side] == "capture":
        capture(session, inquiry(number, side), now=now)
        return
    mine = select(Handoff.id).where(Handoff.lead_id == select(Lead.id).where(Lead.mail_key == mail_of(number)).limit(1).scalar_subquery())
    ident = session.exec(select(Wait.id).where(Wait.handoff_id == mine.limit(1).scalar_subquery(), Wait.kind == "revisit")).one()
    wait = session.get(Wait, ident, with_for_update=True, populate_existing=True)
    if wait is not None and wait.closed_at is None:
        revisit(session, wait, now=now)


def do(box: Toolbox, number: int, side: int) -> None:
    """The same as a door does it."""
    again_if_taken(lambda: box.write_now(lambda session, now: act(session, now, number, side)))


def one_side(side: int, together: Callable[[], None], url: str, home: Path) -> None:
    """One process of the race."""
    box = box_on(url, home, LATER)
    for number in range(ROUNDS):
        together()
        do(box, number, side)
    box.database.close()


def check(url: str) -> None:
    """One lead a person and company, one open handoff a lead, and every conversion once."""
    leads = {lead.id: lead for lead in all_at(url, Lead) if lead.merged_into is None}
    open_ones = Counter(row.lead_id for row in all_at(url, Handoff) if row.ended_at is None)
    persons = Counter(person_of(leads, lead) for lead in leads.values())
    done = Counter(person_of(leads, leads[row.lead_id]) for row in all_at(url, Activity))
    begun = Counter(person_of(leads, leads[lead_id]) for lead_id in open_ones.elements())
    wrong = {}
    for number in range(ROUNDS):
        kind, mail = kind_of(number), mail_of(number)
        came_of_it = {"leads": persons[mail], "open": begun[mail], "conversions": done[mail]}
        if came_of_it != {"leads": kind.leads, "open": kind.leads, "conversions": kind.conversions}:
            wrong[number] = (kind, came_of_it)
    assert wrong == {}
    assert set(open_ones.values()) == {1}


def person_of(leads: dict[int, Lead], lead: Lead) -> str:
    """The address of the person's first lead."""
    while lead.linked_to:
        lead = leads[lead.linked_to]
    return lead.mail_key


def test_two_processes_at_one_person_make_one_lead_with_one_open_handoff(race_url: str, tmp_path: Path) -> None:
    prepared(race_url, tmp_path)

    side_by_side(one_side, race_url, tmp_path)

    check(race_url)


@contextmanager
def watcher(database: Database) -> Iterator[Callable[[], bool]]:
    """Whether somebody waits for a lock in this database."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield lambda: bool(connection.execute(waiting).scalar_one())


def interleaved(box: Toolbox, number: int, first: int, is_waiting: Callable[[], bool]) -> None:
    """One side has done everything but its commit; the other one begins, and goes on until it has ended or waits for a lock."""
    at_the_end, may_commit = threading.Event(), threading.Event()

    def come_first(session: Session, now: datetime) -> None:
        act(session, now, number, first)
        session.flush()
        at_the_end.set()
        may_commit.wait(PATIENCE_SECONDS)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(box.write_now, come_first)
        while not at_the_end.wait(0.01) and not one.done():
            continue
        other = pool.submit(do, box, number, 1 - first)
        while not other.done() and not is_waiting():
            continue
        may_commit.set()
        one.result(PATIENCE_SECONDS)
        other.result(PATIENCE_SECONDS)


@pytest.mark.parametrize("first", [0, 1])
def test_who_comes_while_the_other_has_not_committed_waits_and_sees_it(first: int, postgresql_server: str, tmp_path: Path) -> None:
    """On PostgreSQL, where two transactions write at once, every kind in either order and without chance."""
    with new_database(postgresql_server) as url:
        prepared(url, tmp_path)
        box = box_on(url, tmp_path, LATER)
        with watcher(box.database) as is_waiting:
            for number in range(ROUNDS):
                interleaved(box, number, first, is_waiting)
        box.database.close()
        toolbox.use(None)

        check(url)


def test_role_mailboxes_are_read_by_several_people_also_at_once(race_url: str, tmp_path: Path) -> None:
    prepare(race_url, tmp_path, MONDAY, [], agreement=AGREEMENT, people=ROSTER)

    side_by_side(from_roles, race_url, tmp_path)

    leads = all_at(race_url, Lead)
    assert (len(leads), {lead.merged_into for lead in leads}) == (40, {None})
    assert len({lead.id for lead in leads} & {row.lead_id for row in all_at(race_url, LeadSource)}) == 40


def take_in(box: Toolbox, incoming: IncomingLead) -> None:
    box.write_now(lambda session, now: capture(session, incoming, now=now))


def from_roles(side: int, together: Callable[[], None], url: str, home: Path) -> None:
    """Both processes take in leads of the same mailboxes."""
    box = box_on(url, home, LATER)
    for number in range(20):
        incoming = make_lead(source_id=f"r{number}-{side}", email=f"{ROLES[number % 2]}@quay.example", company="Quay")
        together()
        take_in(box, incoming)
    box.database.close()


def test_two_imports_of_one_list_in_opposite_order_take_every_row_once(race_url: str, tmp_path: Path) -> None:
    """Fifty rows are one transaction: locks that were taken row by row would lock each other out."""
    prepare(race_url, tmp_path, MONDAY, [], agreement=AGREEMENT, people=ROSTER)

    results = side_by_side(from_list, race_url, tmp_path)

    (new, merged, bad), (other_new, other_merged, other_bad) = results
    assert (new + merged, other_new + other_merged, new + other_new) == (PEOPLE, PEOPLE, PEOPLE)
    assert bad + other_bad == []
    assert len({lead.mail_key for lead in all_at(race_url, Lead) if lead.merged_into is None}) == PEOPLE
    assert deadlocks(race_url) == 0


def from_list(side: int, together: Callable[[], None], url: str, home: Path) -> tuple[int, int, list[BadRow]]:
    """One import of the two, under ids of its own; the second has the people of each transaction the other way round."""
    box = box_on(url, home, LATER)
    together()
    new, merged = 0, 0
    bad: list[BadRow] = []
    for start in range(0, PEOPLE, ROWS_A_TRANSACTION):
        people = [make_lead(source_id=f"l{one}-{side}", email=mail_of(one)) for one in range(start, start + ROWS_A_TRANSACTION)]
        together()
        listed = [IncomingRow(line, lead) for line, lead in enumerate(people[::-1] if side else people, 2)]
        result = import_leads(box, ReadLeads(listed), hold=False, actor="race")
        new, merged, bad = new + result.new, merged + result.merged, bad + result.bad
    box.database.close()
    return new, merged, bad


def deadlocks(url: str) -> int:
    """How many transactions the database had to end because each waited for another one."""
    if url.startswith("sqlite"):
        return 0
    database = Database(url)
    with database.read() as session:
        found = session.execute(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")).scalar_one()
    database.close()
    return int(found)


@pytest.mark.parametrize("first", [0, 1])
def test_two_people_under_one_id_at_one_moment_are_two_leads(first: int, postgresql_server: str, tmp_path: Path) -> None:
    """The second waits for the id, sees the first one's lead, and gets a lead of their own; neither is lost."""
    people = ({"email": "ana@gmail.com", "first_name": "Ana"}, {"email": "bo@gmail.com", "first_name": "Bo"})
    with new_database(postgresql_server) as url:
        prepared(url, tmp_path)
        box = box_on(url, tmp_path, LATER)
        at_the_end, may_commit = threading.Event(), threading.Event()

        def come(session: Session, now: datetime, side: int) -> None:
            capture(session, make_lead(source_id="shared", conversion_id="the same", **people[side]), now=now)
            session.flush()
            if side == first:
                at_the_end.set()
                may_commit.wait(PATIENCE_SECONDS)

        def send(side: int) -> None:
            again_if_taken(lambda: box.write_now(lambda session, now: come(session, now, side)))

        with watcher(box.database) as is_waiting, ThreadPoolExecutor(2) as pool:
            one = pool.submit(send, first)
            assert at_the_end.wait(PATIENCE_SECONDS)
            other = pool.submit(send, 1 - first)
            while not other.done() and not is_waiting():
                continue
            may_commit.set()
            one.result(PATIENCE_SECONDS)
            other.result(PATIENCE_SECONDS)
        box.database.close()
        toolbox.use(None)
        found = {lead.email: lead for lead in all_at(url, Lead) if lead.email in ("ana@gmail.com", "bo@gmail.com")}
        open_ones = Counter(row.lead_id for row in all_at(url, Handoff) if row.ended_at is None)
        assert {email: lead.first_name for email, lead in found.items()} == {one["email"]: one["first_name"] for one in people}
        assert [open_ones[lead.id] for lead in found.values()] == [1, 1]
