"""What a review asks of the database: as many statements for many leads as for few."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from agreements.review.period import Period
from app.review.report import Review
from app.review.review import report
from storage import lives, schema
from storage.database import Database
from tests.conftest import MONDAY, put_in_force
from tests.storage.crowd import fill
from tests.storage.plans import Work, recorded

#: Everything that a review asks, and what it asks for each `lives.AT_ONCE` leads to say where their time went.
REVIEW, LIVES = 24, 8


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Database]:
    """A database with 40 open leads, and with some more leads that have ended than are read at once."""
    database = Database(f"sqlite:///{tmp_path / 'baton.db'}")
    schema.upgrade(database)
    fill(database, open_handoffs=40, ended=lives.AT_ONCE + 60)
    with database.write() as session:
        put_in_force(session, MONDAY)
    yield database
    database.close()


def test_a_review_of_many_leads_asks_what_a_review_of_few_asks(crowd: Database) -> None:
    made(crowd, date(2027, 1, 25), date(2027, 1, 31))  # the first one also reads the agreement

    few, found = made(crowd, date(2027, 1, 25), date(2027, 1, 31))
    many, whole = made(crowd, date(2026, 11, 1), date(2027, 1, 31))

    assert (found.time_of_leads, whole.time_of_leads) == (40, lives.AT_ONCE + 100)
    assert len(many) - len(few) <= LIVES, many.most_often()
    assert len(few) <= REVIEW, few.most_often()


def made(database: Database, first: date, last: date) -> tuple[Work, Review]:
    """Return what a review of these days asks, and the review."""
    with recorded(database) as work, database.read() as session:
        found = report(session, "b2b-saas", Period(first, last, "Europe/London", MONDAY))
    return work, found
