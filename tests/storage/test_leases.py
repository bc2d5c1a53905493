"""Leases: who may carry a handoff out is decided by the database, so that what cannot be moved keeps nobody waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from agreements.errors import StaleHandoff
from storage import leases, wakes
from storage.database import Database
from storage.tables import Handoff
from storage.tables.waits import WakeKind
from tests.conftest import MONDAY
from tests.present import the
from tests.rows import a_handoff

REAL = datetime(2030, 1, 1, tzinfo=UTC)
LATER = REAL + timedelta(minutes=10)
#: Why a handoff with a wake may not be moved just now.
RESTING: dict[str, dict[str, Any]] = {
    "stuck for good": {"stage": "stuck", "failures": leases.MAX_FAILURES},
    "carried out by another process": {"lease_by": "other", "lease_until": LATER},
    "backing off": {"retry_at": LATER},
    "held": {"held": True},
}


def woken(session: Session, kind: WakeKind = "answer", *, number: int = 0, **values: object) -> Handoff:
    """A handoff with a wake that is due."""
    handoff = a_handoff(session, MONDAY)
    for name, value in values.items():
        setattr(handoff, name, value)
    session.add(handoff)
    session.flush()
    wakes.add(session, handoff.id, kind, key=f"{kind}:{handoff.id}:{number}", not_before=MONDAY)
    return handoff


def claimed(database: Database, room: int = 4, *, real: datetime = REAL) -> list[int]:
    with database.write() as session:
        return [one.id for one in leases.claim_due(session, by="me", now=MONDAY, real=real, room=room)]


@pytest.mark.parametrize("why", RESTING)
def test_five_hundred_that_may_not_be_moved_keep_nobody_waiting(database: Database, why: str) -> None:
    """They are older, and have wakes that are due."""
    with database.write() as session:
        for _ in range(500):
            woken(session, **RESTING[why])
        good = woken(session).id

    assert claimed(database) == [good]
    with database.read() as session:
        due = wakes.due(session, now=MONDAY, real=REAL, which=leases.may_be_moved(REAL))
    assert due == [], "the lease is taken"


def test_who_asked_by_itself_comes_first_and_a_list_last(database: Database) -> None:
    with database.write() as session:
        listed, turn = woken(session, wakes.CAPTURE).id, woken(session, wakes.TURN).id
        answered, asked = woken(session).id, woken(session, wakes.REQUEST).id
        hot = woken(session, fast_lane=True).id

    assert claimed(database, room=9) == [asked, hot, answered, listed, turn]


def test_a_claim_takes_no_more_than_there_is_room_for_and_each_handoff_once(database: Database) -> None:
    with database.write() as session:
        twice = woken(session)
        wakes.add(session, twice.id, "rung", key="another", not_before=MONDAY)
        others = [woken(session).id for _ in range(3)]

    assert claimed(database, room=2) == [twice.id, others[0]]
    assert claimed(database, room=9) == others[1:]
    assert claimed(database) == []


def test_a_lease_that_is_over_is_anybodys_and_its_holder_writes_nothing_any_more(database: Database) -> None:
    with database.write() as session:
        handoff_id = woken(session).id
    assert claimed(database) == [handoff_id]

    assert claimed(database, real=REAL + timedelta(seconds=leases.LEASE_SECONDS)) == [handoff_id]

    with database.write() as session, pytest.raises(StaleHandoff):
        leases.hold(session, handoff_id, 1, now=MONDAY)
    with database.write() as session:
        leases.release(session, [leases.Over(handoff_id, 1, told=7)])
        handoff = the(session.get(Handoff, handoff_id))
        assert (handoff.lease_by, handoff.told_event) == ("me", 0)
        leases.release(session, [leases.Over(handoff_id, 2, told=8)])
        handoff = the(session.get(Handoff, handoff_id, populate_existing=True))
        assert (handoff.lease_until, handoff.told_event) == (None, 8)


def test_a_lease_that_was_given_back_is_not_renewed(database: Database) -> None:
    """A renewal may be under way while its attempt ends. The lead would wait half a minute for an attempt that is over."""
    with database.write() as session:
        handoff_id = woken(session).id
    assert claimed(database) == [handoff_id]

    with database.write() as session:
        assert leases.renew(session, handoff_id, 1, real=REAL)
        leases.release(session, [leases.Over(handoff_id, 1)])
        assert not leases.renew(session, handoff_id, 1, real=REAL)

    assert claimed(database) == [handoff_id]


@pytest.mark.parametrize(("tries", "seconds"), [(1, None), (2, 2), (3, 4), (9, 256), (30, leases.LONGEST_PUT_OFF)])
def test_what_cannot_be_moved_is_left_alone_for_longer_each_time(database: Database, tries: int, seconds: int | None) -> None:
    with database.write() as session:
        handoff_id = woken(session).id
        leases.put_off(session, handoff_id, tries=tries, real=REAL)

    with database.read() as session:
        assert the(session.get(Handoff, handoff_id)).retry_at == (None if seconds is None else REAL + timedelta(seconds=seconds))
