"""The end of the trail is deleted as agreed: what is left stays provable, and nobody can pretend it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, update
from sqlmodel import Session, col, func, select

from storage import trail
from storage.database import Database
from storage.tables import Event, Seal
from storage.trail import TrailChanged, TrailCheck
from tests.conftest import MONDAY
from tests.present import the
from tests.rows import a_handoff

KEY = b"a-key-for-tests-only"
DAYS, A_DAY = 6, 10


@pytest.fixture
def sealed(database: Database) -> Database:
    """A seal of ten events on each of six days."""
    database.trail_key = KEY
    for number in range(DAYS):
        day = MONDAY + timedelta(days=number)
        with database.write() as session:
            handoff = a_handoff(session, day)
            for line in range(A_DAY):
                trail.record(session, "captured", now=day, handoff=handoff, number=line)
        with database.write() as session:
            assert trail.seal(session, key=KEY, now=day) == A_DAY
    return database


def check(database: Database) -> TrailCheck:
    with database.read() as session:
        return trail.check(session, key=KEY)


def prune(database: Database, *, days: float, limit: int = trail.ROWS) -> int:
    with database.write() as session:
        return trail.prune(session, before=MONDAY + timedelta(days=days), now=MONDAY + timedelta(days=DAYS), limit=limit)


def seal(database: Database) -> None:
    with database.write() as session:
        trail.seal(session, key=KEY, now=MONDAY + timedelta(days=DAYS))


def left(database: Database) -> list[int | None]:
    with database.read() as session:
        return list(session.exec(select(col(Event.seal_id)).where(col(Event.kind) == "captured").distinct().order_by(col(Event.seal_id))))


@pytest.mark.parametrize("sealed_since", [False, True], ids=["at once", "after the next seal"])
def test_events_before_an_instant_are_deleted_and_the_chain_stays_provable(sealed: Database, sealed_since: bool) -> None:
    head = check(sealed).head

    assert [prune(sealed, days=3), prune(sealed, days=3)] == [3 * A_DAY, 0]
    if sealed_since:
        seal(sealed)

    found = check(sealed)
    assert found.findings == ()
    assert (found.pruned, found.pruned_until) == (3 * A_DAY, MONDAY + timedelta(days=2))
    assert left(sealed) == [4, 5, 6]
    assert sealed_since or found.head == head


@pytest.mark.parametrize(
    ("days", "limit", "each"),
    [
        (0, 50, [0]),
        (0.5, 50, [10, 0]),
        (4, 20, [20, 20, 0]),
        (4, 25, [20, 20, 0]),
        (4, 1, [10, 10, 10, 10, 0]),
        (4, 40, [40, 0]),
        (365, 50, [50, 0]),
    ],
)
def test_few_events_at_once_until_none_is_left(sealed: Database, days: float, limit: int, each: list[int]) -> None:
    """Whole seals, one at least; the newest seal keeps its events, however old it is."""
    assert [prune(sealed, days=days, limit=limit) for _ in each] == each

    assert check(sealed).whole


def test_what_was_pruned_is_told_in_the_trail(sealed: Database) -> None:
    prune(sealed, days=2)

    with sealed.read() as session:
        told = session.exec(select(Event).where(Event.kind == trail.PRUNED)).one()
        row = the(session.get(Seal, 2))
    assert told.data == {"seal": 2, "head": row.digest, "removed": 2 * A_DAY, "removed_in_all": 2 * A_DAY}


def test_later_rounds_go_on_from_there_and_may_delete_the_event_that_told_of_the_first(sealed: Database) -> None:
    prune(sealed, days=2)
    seal(sealed)
    with sealed.write() as session:
        trail.record(session, "captured", now=MONDAY, lead_id=None)
    seal(sealed)

    removed = [prune(sealed, days=365) for _ in range(3)]

    assert removed == [4 * A_DAY + 1, 0, 0]
    assert check(sealed).whole
    assert check(sealed).pruned == 6 * A_DAY + 1


def _pretend(session: Session, row: Seal) -> None:
    """As `prune` does it, but by somebody without the key."""
    session.execute(delete(Event).where(col(Event.seal_id) == row.id))
    session.execute(update(Seal).where(col(Seal.id) == row.id).values(pruned=True))


def without_a_word(session: Session, row: Seal) -> None:
    _pretend(session, row)


def with_an_event_of_ones_own(session: Session, row: Seal) -> None:
    _pretend(session, row)
    said = {"seal": row.id, "head": row.digest, "removed": row.events, "removed_in_all": row.total}
    now = MONDAY + timedelta(days=DAYS)
    values = {"at": now, "recorded_at": now, "kind": trail.PRUNED, "actor": "baton", "stage": "", "data": said, "text_digest": ""}
    session.execute(insert(Event).values(**values, mark="0" * 40))


@pytest.mark.parametrize("way", [without_a_word, with_an_event_of_ones_own], ids=lambda way: way.__name__)
@pytest.mark.parametrize("number", [1, 2, DAYS - 1])
@pytest.mark.parametrize("then_sealed", [False, True], ids=["at once", "after the next seal"])
def test_who_deletes_events_cannot_pretend_that_it_was_agreed(
    sealed: Database, way: Callable[[Session, Seal], None], number: int, then_sealed: bool
) -> None:
    with sealed.write() as session:
        for row in session.exec(select(Seal).where(col(Seal.id) <= number).order_by(col(Seal.id))).all():
            last = row
            if row.id != number:
                _pretend(session, row)
        way(session, last)
    if then_sealed:
        seal(sealed)

    found = check(sealed)

    assert not found.whole


@pytest.mark.parametrize("changed", [False, True], ids=["as it is", "changed"])
def test_the_event_of_one_round_is_good_for_no_other_one(sealed: Database, changed: bool) -> None:
    """The first seal was deleted as agreed; its event is to cover the second one as well."""
    assert prune(sealed, days=0.5) == A_DAY
    with sealed.write() as session:
        row = the(session.get(Seal, 2))
        _pretend(session, row)
        if changed:
            event = session.exec(select(Event).where(Event.kind == trail.PRUNED)).one()
            said = {**event.data, "seal": row.id, "head": row.digest}
            session.execute(update(Event).where(col(Event.id) == event.id).values(data=said))

    assert not check(sealed).whole


def test_events_that_are_left_under_a_pruned_seal_are_found(sealed: Database) -> None:
    prune(sealed, days=2)
    with sealed.write() as session:
        trail.record(session, "captured", now=MONDAY, lead_id=None).seal_id = 1

    assert not check(sealed).whole


@pytest.mark.parametrize("column", ["total", "events", "content", "sealed_at", "previous", "digest"])
def test_a_seal_whose_events_are_gone_is_still_covered(sealed: Database, column: str) -> None:
    prune(sealed, days=4)
    new = {"sealed_at": MONDAY.replace(hour=8), "total": 7, "events": 7}.get(column, "0" * 64)
    with sealed.write() as session:
        session.execute(update(Seal).where(col(Seal.id) == 2).values(**{column: new}))

    assert check(sealed).broken_seal == 2


def test_a_seal_that_does_not_fit_keeps_its_events(sealed: Database) -> None:
    """They are evidence of who has changed them."""
    with sealed.write() as session:
        session.execute(update(Event).where(col(Event.id) == 12).values(actor="maria"))

    with pytest.raises(TrailChanged, match="Seal 2 of the trail does not fit its events, so they are not deleted: run baton verify"):
        prune(sealed, days=4)

    assert left(sealed) == [1, 2, 3, 4, 5, 6]


def test_seals_of_the_first_format_are_pruned_and_stay_linked(database: Database) -> None:
    for number in range(3):
        with database.write() as session:
            trail.record(session, "captured", now=MONDAY, lead_id=None, number=number)
        with database.write() as session:
            trail.seal(session, key=KEY, now=MONDAY + timedelta(days=number))
    database.trail_key = KEY
    with database.write() as session:
        trail.record(session, "captured", now=MONDAY, lead_id=None)
    seal(database)

    assert prune(database, days=2) == 2

    assert check(database).whole
    with database.write() as session:
        session.execute(update(Seal).where(col(Seal.id) == 2).values(digest="0" * 64))
    assert not check(database).whole


def test_a_round_changes_few_rows(sealed: Database) -> None:
    with sealed.read() as session:
        before = session.exec(select(func.count(col(Event.id)))).one()

    removed = prune(sealed, days=365)

    assert removed <= trail.ROWS
    with sealed.read() as session:
        assert session.exec(select(func.count(col(Event.id)))).one() == before - removed + 1
