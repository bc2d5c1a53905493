"""Seeding: thousands of leads that wait for their rep's yes or no, copied in bulk from real leads that the engine brought there.

Seeding copies every row that Baton has about such a lead (lead, sources, values, activities, handoff, note, assignment, waits,
deliveries, trail) under new ids, and at Prefect the run, its state and its form. So a copy differs from a real lead in two
points only: all copies came at one instant, and their waits are due when the benchmark says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Integer, MetaData, Table, select, text
from sqlalchemy.exc import SAWarning
from sqlmodel import SQLModel

from benchmarks.copies import Exchange, Row, insert_copies
from benchmarks.databases import PEOPLE
from benchmarks.people import Taken, capture
from benchmarks.progress import track
from benchmarks.stand import Stand
from storage import trail
from storage.tables import new_id

#: How many real leads are copied: one for each rep of the team.
TEMPLATES = 3
#: From now until a copy's wait is due, unless the benchmark sets another time.
FAR_AWAY = timedelta(days=200)
CHUNK = 500
#: Tables without rows of a waiting lead: pending wakes, page views and digests.
NOT_COPIED = ("wakes", "sights", "digest_items")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A copy that waits for its rep."""

    lead_id: int
    handoff_id: int
    assignment_id: str
    wait_id: str
    rep: str


@dataclass(frozen=True, slots=True)
class Template:
    """A real lead that waits. mark: a word that occurs only in this lead's names. baton, prefect: its rows, by table."""

    taken: Taken
    mark: str
    assignment_id: str
    wait_id: str
    rep: str
    names: tuple[str, ...]
    baton: tuple[tuple[Table, tuple[Row, ...]], ...]
    prefect: tuple[tuple[Table, tuple[Row, ...]], ...]

    def words(self, lead_id: int, handoff_id: int) -> dict[str, str]:
        """Return the replacements for the copy with these ids."""
        fresh = {name: str(uuid4()) if "-" in name else new_id() for name in self.names}
        lead, handoff = self.taken.lead_id, self.taken.handoff_id
        numbers = {f"lead:{lead}": f"lead:{lead_id}", f"lead {lead}": f"lead {lead_id}", f"handoff:{handoff}:": f"handoff:{handoff_id}:"}
        return {**fresh, **numbers, f'"handoff": "{handoff}"': f'"handoff": "{handoff_id}"', self.mark: f"{self.mark}-{lead_id}"}


class Seeder:
    """Copies a few leads. They are parked when the seeder is ready."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        marks = [f"seed{uuid4().hex[:8]}" for _ in range(TEMPLATES)]
        taken = [capture(stand.box, source_id=mark, email=f"pat@{mark}.example", company=mark) for mark in marks]
        stand.until(lambda: all(is_parked(stand, one.handoff_id) for one in taken), what="the leads to copy to be parked")
        self._at_prefect = MetaData()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # about indexes that SQLAlchemy cannot describe, and that nobody needs here
            self._at_prefect.reflect(stand.onlooker.prefect, only=["flow_run", "flow_run_state", "flow_run_input"], resolve_fks=False)
        self.templates = [self._template(one, mark) for one, mark in zip(taken, marks, strict=True)]

    def seed(self, count: int) -> list[Waiting]:
        """Add `count` copies, seal them in the trail, and refresh the statistics of the databases' planners."""
        made: list[Waiting] = []
        engines = self.stand.databases.engines(PEOPLE)
        starts, words = range(0, count, CHUNK), f"seeding {count:,} leads"
        for number, start in enumerate(track(starts, total=len(starts), description=words, console=self.stand.console)):
            template = self.templates[number % len(self.templates)]
            made += self._copy(engines, template, min(CHUNK, count - start))
        for engine in engines:
            with engine.begin() as connection:
                connection.execute(text("ANALYZE"))
            engine.dispose()
        key = self.stand.box.settings.seal_key()
        while self.stand.box.write_now(lambda session, now: trail.seal(session, key=key, now=now)):
            continue
        return made

    def _template(self, taken: Taken, mark: str) -> Template:
        at = self.stand.onlooker.standings([taken.handoff_id])[taken.handoff_id]
        due = self.stand.box.read_now(lambda session, now: now) + FAR_AWAY
        own = tuple((table, _own_rows(self.stand.onlooker.baton, table, taken, due)) for table in SQLModel.metadata.sorted_tables)
        waits = next(rows for table, rows in own if table.name == "waits")
        run, state, form = (self._at_prefect.tables[name] for name in ("flow_run", "flow_run_state", "flow_run_input"))
        look = self.stand.onlooker.prefect
        runs = _rows(look, run, "id", at.run_id)
        states = _rows(look, state, "id", str(runs[0]["state_id"]))
        names = (at.assignment_id, *(row["id"] for row in waits), at.run_id, str(runs[0]["state_id"]))
        return Template(
            taken,
            mark,
            at.assignment_id,
            next(row["id"] for row in waits if row["closed_at"] is None),
            next(row["holder"] for row in waits if row["closed_at"] is None),
            names,
            tuple((table, rows) for table, rows in own if rows),
            ((run, runs), (state, states), (form, _rows(look, form, "flow_run_id", at.run_id))),
        )

    def _copy(self, engines: tuple[Engine, Engine], template: Template, count: int) -> list[Waiting]:
        with engines[0].begin() as baton, engines[1].begin() as prefect:
            ids = list(zip(_new_numbers(baton, "leads", count), _new_numbers(baton, "handoffs", count), strict=True))
            words = [template.words(lead_id, handoff_id) for lead_id, handoff_id in ids]
            for connection in (baton, prefect):
                if connection.dialect.name == "postgresql":  # no foreign key checks: rows that refer to one another come table by table
                    connection.execute(text("SET LOCAL session_replication_role = replica"))
            for table, rows in template.baton:
                insert_copies(baton, table, rows, [Exchange(one, _columns(table, *pair)) for one, pair in zip(words, ids, strict=True)])
            for table, rows in template.prefect:
                fresh = ["id"] if table.name == "flow_run_input" else []
                insert_copies(prefect, table, rows, [Exchange(one) for one in words], fresh=fresh)
        return [
            Waiting(lead_id, handoff_id, one[template.assignment_id], one[template.wait_id], template.rep)
            for one, (lead_id, handoff_id) in zip(words, ids, strict=True)
        ]


def is_parked(stand: Stand, handoff_id: int) -> bool:
    """Return whether the lead waits for its rep's yes or no and its run is parked for this answer."""
    at = stand.onlooker.standings([handoff_id])[handoff_id]
    state = stand.onlooker.runs([at.run_id]).get(at.run_id)
    return at.wait_kind == "acceptance" and state is not None and state.rests_for("acceptance")


def make_due(stand: Stand, waiting: Sequence[Waiting], *, first: datetime, within: timedelta) -> dict[int, datetime]:
    """Make these waits due one after another, evenly spaced, from `first` in Baton's time. Return the due times by handoff."""
    due = {one.wait_id: first + within * number / max(1, len(waiting)) for number, one in enumerate(waiting)}
    table = SQLModel.metadata.tables["waits"]

    def work(session: Any, now: datetime) -> None:
        for wait_id, at in due.items():
            session.execute(table.update().where(table.c.id == wait_id).values(due_at=at, promised_at=at, next_at=at))

    stand.box.write_now(work)
    return {one.handoff_id: due[one.wait_id] for one in waiting}


def _own_rows(connection: Connection, table: Table, taken: Taken, due: datetime) -> tuple[Row, ...]:
    """Return the lead's rows in that table, changed for copying: an open wait is due at `due`, and no message can bounce any more."""
    own = {"lead_id": taken.lead_id, "handoff_id": taken.handoff_id, **({"id": taken.lead_id} if table.name == "leads" else {})}
    conditions = [table.c[name] == value for name, value in own.items() if name in table.c and (name != "id" or table.name == "leads")]
    if not conditions or table.name in NOT_COPIED:
        return ()
    query = select(table).where(conditions[0] if len(conditions) == 1 else conditions[0] | conditions[1])
    found = [dict(row._mapping) for row in connection.execute(query)]
    for row in found:
        if table.name == "waits" and row["closed_at"] is None:
            row |= {"due_at": due, "promised_at": due, "next_at": due, "nudges": []}
        if table.name == "deliveries" and row["state"] == "sent":
            row |= {"state": "confirmed"}
        if _is_numbered(table):
            del row["id"]
    return tuple(found)


def _is_numbered(table: Table) -> bool:
    """Return whether the database numbers the rows of that table. For leads and handoffs the benchmark sets the numbers."""
    return "id" in table.c and isinstance(table.c["id"].type, Integer) and table.name not in ("leads", "handoffs")


def _columns(table: Table, lead_id: int, handoff_id: int) -> dict[str, int]:
    own = {"leads": lead_id, "handoffs": handoff_id}
    return {"lead_id": lead_id, "handoff_id": handoff_id, **({"id": own[table.name]} if table.name in own else {})}


def _rows(connection: Connection, table: Table, name: str, value: str) -> tuple[Row, ...]:
    wanted = UUID(value) if connection.dialect.name == "postgresql" else value
    return tuple(dict(row._mapping) for row in connection.execute(select(table).where(table.c[name] == wanted)))


def _new_numbers(connection: Connection, table: str, count: int) -> list[int]:
    """Return `count` ids that no row of the table has, and that the database will not give to another row."""
    if connection.dialect.name == "postgresql":
        query = text(f"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, :count)")
        return [row[0] for row in connection.execute(query, {"count": count})]
    newest = connection.execute(text(f"SELECT coalesce(max(id), 0) FROM {table}")).scalar_one()
    return list(range(newest + 1, newest + 1 + count))
