"""A crowd: a database as it is after years, filled in bulk, so that a query that reads too much shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Integer, String, Table, case, cast, insert, literal, select, text
from sqlalchemy.orm import class_mapper
from sqlmodel import SQLModel

from storage.database import Database, UtcDateTime
from storage.tables import (
    Activity,
    Answer,
    Assignment,
    Delivery,
    DigestItem,
    Dispute,
    Event,
    Handoff,
    Lead,
    LeadSource,
    LeadValues,
    PageView,
    Seal,
    Touch,
    Wait,
    Wake,
)
from tests.conftest import MONDAY

#: The reps of the crowd are not in the roster, so the roster's have only a test's own leads; but they had these before.
REPS, KNOWN = 500, ("ana", "ben", "cleo", "dan", "faye", "dora")
#: One in so many of the leads that have ended was with somebody of the roster.
ONE_IN = 20
#: The leads come from so many sources.
SOURCES = 20
#: And from so many campaigns.
CAMPAIGNS = 40
BEFORE, AFTER = MONDAY - timedelta(days=90), MONDAY + timedelta(days=90)
UNSEALED, WAKES, ONE_DISPUTE_IN = 50, 20_000, 60
_BATCH = 10_000
_EMPTY: dict[str, Any] = {"JSON": {}, "VARCHAR": "", "INTEGER": 0, "FLOAT": 0.0, "BOOLEAN": False, "TEXT": ""}

_numbers = Table("numbers", SQLModel.metadata.__class__(), Column("n", Integer, primary_key=True), prefixes=["TEMPORARY"])
N = _numbers.c.n


def fill(database: Database, *, open_handoffs: int, ended: int) -> None:
    """So many leads with a handoff each: the first ones open, the others ended; and all that comes with them."""
    with database.engine.connect().execution_options(baton_write=True) as connection, connection.begin():
        _numbers.create(connection)
        whole = [{"n": number} for number in range(1, open_handoffs + ended + 1)]
        for start in range(0, len(whole), _BATCH):
            connection.execute(insert(_numbers), whole[start : start + _BATCH])
        is_open = N.between(1, open_handoffs)
        _leads(connection, is_open)
        _work(connection, is_open)
        _post(connection, open_handoffs + ended)
        if not database.is_sqlite:
            _set_counters(connection)
        _numbers.drop(connection)


def analyze(database: Database) -> None:
    """Lets the database count what it has, as PostgreSQL does by itself."""
    with database.engine.connect().execution_options(baton_write=True) as connection, connection.begin():
        connection.execute(text("ANALYZE"))


def _named(prefix: str) -> ColumnElement[Any]:
    return literal(prefix).concat(cast(N, String))


def _rep() -> ColumnElement[Any]:
    return literal("rep").concat(cast(N % REPS, String))


def _had() -> ColumnElement[Any]:
    """Who had a lead that has ended."""
    turns = ((N % (ONE_IN * len(KNOWN)) == ONE_IN * number, name) for number, name in enumerate(KNOWN))
    return case(*turns, else_=_rep())


def _source() -> ColumnElement[Any]:
    return literal("source").concat(cast(N % SOURCES, String))


def _campaign() -> ColumnElement[Any]:
    return literal("campaign").concat(cast(N % CAMPAIGNS, String))


def _put(connection: Connection, table: type[SQLModel], where: Any = None, **given: Any) -> None:
    """A row for each number for which the condition holds; what is not given is empty, zero, or long ago."""
    columns = class_mapper(table).columns
    values: dict[str, Any] = {}
    for column in columns:
        if column.name in given:
            values[column.name] = given[column.name]
        elif not column.nullable and not (column.name == "id" and isinstance(column.type, Integer)):
            values[column.name] = _EMPTY.get(str(column.type), BEFORE)
    chosen = [value if isinstance(value, ColumnElement) else literal(value, columns[name].type) for name, value in values.items()]
    rows = select(*chosen).select_from(_numbers)
    connection.execute(insert(table).from_select(list(values), rows if where is None else rows.where(where)))


def _leads(connection: Connection, is_open: Any) -> None:
    mail = _named("seed").concat("@seed.example")
    _put(
        connection,
        Lead,
        id=N,
        mail_key=mail,
        person_key=mail,
        email=mail,
        company=_named("Company "),
        campaign=_campaign(),
        source=_source(),
    )
    _put(connection, LeadSource, source="seed", source_id=cast(N, String), lead_id=N)
    _put(connection, LeadValues, lead_id=N, at=BEFORE)
    came = {"at": BEFORE, "received_at": MONDAY - timedelta(days=1)}
    _put(connection, Activity, lead_id=N, key=_named("seed"), kind="form_submitted", source=_source(), **came)
    stage = case(
        (is_open & (N % 4 == 0), "mql"),
        (is_open & (N % 4 == 1), "assigned"),
        (is_open & (N % 4 == 2), "accepted"),
        (is_open, "working"),
        (N % 4 == 0, "nurturing"),
        (N % 4 == 1, "opportunity"),
        else_="disqualified",
    )
    rep = case((is_open, _rep()), else_=_had())
    _put(
        connection,
        Handoff,
        id=N,
        lead_id=N,
        agreement="b2b-saas",
        version=1,
        stage=stage,
        rep=rep,
        owner=rep,
        tier="normal",
        queue=case((N % 8 == 0, "normal:emea"), else_=""),
        flow_run_id=_named("run-"),
        ended_at=case((is_open, None), else_=literal(BEFORE + timedelta(days=9), UtcDateTime())),
    )


def _work(connection: Connection, is_open: Any) -> None:
    times = {"opened_at": BEFORE, "due_at": AFTER, "promised_at": AFTER, "next_at": AFTER}
    kind = case((N % 4 == 0, "delivery"), (N % 4 == 1, "acceptance"), (N % 4 == 2, "first_attempt"), else_="outcome")
    mine = {"handoff_id": N, "assignment_id": _named("a"), "holder": _rep()}
    _put(connection, Wait, is_open, id=_named("w"), kind=kind, about=kind, **mine, **times)
    in_nurture = ~is_open & (N % 4 == 0)
    _put(connection, Wait, in_nurture, id=_named("n"), kind="revisit", handoff_id=N, holder="marketing", **times)
    over = {**times, "due_at": BEFORE, "next_at": BEFORE, "closed_at": BEFORE, "closed_because": "accepted", "answer_id": N}
    _put(connection, Wait, ~is_open, id=_named("c"), kind="acceptance", about="acceptance", **mine, **over)
    said = case((N % 3 == 0, "rejected"), else_="accepted")
    _put(connection, Answer, ~is_open, id=N, wait_id=_named("c"), handoff_id=N, kind=said, by=_rep(), via="link", state="counted")
    ended = case((is_open, None), else_=literal(BEFORE + timedelta(days=9), UtcDateTime()))
    rep = case((is_open, _rep()), else_=_had())
    tenure = {"handoff_id": N, "lead_id": N, "rep": rep, "number": 1, "assigned_at": BEFORE, "proven_at": BEFORE, "ended_at": ended}
    _put(connection, Assignment, ~is_open | (N % 4 != 0), id=_named("a"), **tenure)
    _put(connection, Touch, N % 4 == 2, key=_named("touch"), handoff_id=N, lead_id=N, by=_rep(), kind="attempted", at=BEFORE)
    ruled = {"holder": "maria", "due_at": BEFORE, "ruling": "overturned", "again_id": N + 1}
    _put(connection, Dispute, ~is_open & (N % ONE_DISPUTE_IN == 0), answer_id=N, handoff_id=N, lead_id=N, **ruled)


def _post(connection: Connection, count: int) -> None:
    state = case((N % 50 == 0, "failed"), else_="confirmed")
    sent = {"sent_at": BEFORE, "send_at": BEFORE, "confirm_at": BEFORE}
    told = {"handoff_id": N, "assignment_id": _named("a"), "channel": "email", "message": "assigned", "person": _rep()}
    _put(connection, Delivery, key=_named("d"), state=state, **told, **sent)
    personal = {"handoff_id": None, "channel": "email", "message": "digest", "person": _rep(), "state": "confirmed"}
    _put(connection, Delivery, N % 20 == 0, key=_named("p"), **personal, **sent)
    _put(connection, DigestItem, N % 20 == 0, key=_named("i"), person=_rep(), handoff_id=N, kind="reminder", at=BEFORE, digest_id=1)
    _put(connection, Seal, N == 1, events=2 * count - UNSEALED, digest="d", sealed_at=BEFORE)
    line = {"lead_id": N, "handoff_id": N, "at": BEFORE, "recorded_at": BEFORE}
    _put(connection, Event, kind="captured", seal_id=1, **line)
    unsealed = case((N.between(count - UNSEALED + 1, count), None), else_=1)
    _put(connection, Event, kind="assigned", seal_id=unsealed, **line)
    looked = {"handoff_id": N, "assignment_id": _named("a"), "at": BEFORE, "method": "GET", "what": "looked", "device": "new"}
    _put(connection, PageView, N % 2 == 0, **looked)
    _put(connection, Wake, N <= WAKES, key=_named("later"), handoff_id=N, kind="effective", not_before=AFTER)


def _set_counters(connection: Connection) -> None:
    """Ids that were given move no counter on PostgreSQL."""
    for table in ("leads", "handoffs", "answers"):
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"))
