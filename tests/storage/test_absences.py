"""Absences beside the roster file: they are in the roster that everybody reads, whatever is loaded later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from agreements.absences import NewAbsence
from agreements.words import AbsenceSource
from storage import absences, roster
from storage.database import Database
from tests.conftest import MONDAY, ROSTER

DAY = timedelta(days=1)


def absence(first: int, last: int, *, person: str = "ana", source: AbsenceSource = "command", deputy: str = "") -> NewAbsence:
    return NewAbsence(person, MONDAY + first * DAY, MONDAY + last * DAY, source, f"day {first}", deputy)


def away(database: Database, person: str = "ana") -> list[tuple[datetime, datetime]]:
    """When the roster has the person away, in a transaction of its own."""
    with database.read() as session:
        return sorted((one.from_, one.until) for one in roster.current(session).people[person].away)


def read(first: int, last: int) -> NewAbsence:
    return absence(first, last, source="feed")


def days(*pairs: tuple[int, int]) -> list[tuple[datetime, datetime]]:
    return [(MONDAY + first * DAY, MONDAY + last * DAY) for first, last in pairs]


@pytest.fixture
def loaded(database: Database) -> Database:
    with database.write() as session:
        roster.load(session, ROSTER, now=MONDAY)
        absences.add(session, absence(1, 3), by="oscar", now=MONDAY)
    return database


def test_an_absence_is_in_the_roster_and_survives_a_later_load(loaded: Database) -> None:
    assert away(loaded) == days((1, 3))

    with loaded.write() as session:
        roster.load(session, ROSTER.replace("Ana Silva", "Ana da Silva"), now=MONDAY)

    assert away(loaded) == days((1, 3))


def test_a_transaction_sees_what_it_has_changed(loaded: Database) -> None:
    with loaded.write() as session:
        assert len(roster.current(session).people["ana"].away) == 1
        absences.add(session, absence(5, 6), by="oscar", now=MONDAY)
        assert len(roster.current(session).people["ana"].away) == 2


def end_at(at: datetime) -> Callable[[Session], None]:
    return lambda session: absences.end(session, absences.of_person(session, "ana")[0], at=at, now=MONDAY)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda session: absences.add(session, absence(1, 3), by="oscar", now=MONDAY), days((1, 3))),
        (lambda session: absences.add(session, absence(1, 9), by="oscar", now=MONDAY), days((1, 9))),
        (lambda session: absences.add(session, absence(1, 3, source="reply"), by="ana", now=MONDAY), days((1, 3), (1, 3))),
        (lambda session: absences.remove(session, absences.of_person(session, "ana")[0], now=MONDAY), []),
        (end_at(MONDAY + 2 * DAY), days((1, 2))),
        (end_at(MONDAY), []),
    ],
    ids=["the same again", "longer", "from elsewhere", "removed", "ended early", "ended before it began"],
)
def test_absences_are_changed(loaded: Database, change: Callable[[Session], object], left: list[tuple[datetime, datetime]]) -> None:
    with loaded.write() as session:
        change(session)

    assert away(loaded) == left


def test_the_same_absence_may_come_back_after_it_was_removed(loaded: Database) -> None:
    with loaded.write() as session:
        absences.remove(session, absences.of_person(session, "ana")[0], now=MONDAY)
    with loaded.write() as session:
        absences.add(session, absence(1, 4), by="oscar", now=MONDAY)

    assert away(loaded) == days((1, 4))


@pytest.mark.parametrize(
    ("feeds", "changed", "left"),
    [
        ([[read(5, 6)]], [1], days((1, 3), (5, 6))),
        ([[read(5, 6)], [read(5, 6)]], [1, 0], days((1, 3), (5, 6))),
        (
            [[read(5, 6)], [read(5, 7), read(8, 9)]],
            [1, 2],
            days((1, 3), (5, 7), (8, 9)),
        ),
        ([[read(5, 6), read(8, 9)], [read(8, 9)]], [2, 1], days((1, 3), (8, 9))),
        ([[read(5, 6)], []], [1, 1], days((1, 3))),
        ([[read(5, 6)], [], [read(5, 6)]], [1, 1, 1], days((1, 3), (5, 6))),
    ],
    ids=["read", "read again", "changed", "one less", "none left", "back again"],
)
def test_a_source_is_replaced_as_a_whole_and_leaves_others_alone(
    loaded: Database, feeds: list[list[NewAbsence]], changed: list[int], left: list[tuple[datetime, datetime]]
) -> None:
    counts = []
    for found in feeds:
        with loaded.write() as session:
            counts.append(absences.replace(session, "ana", "feed", found, by="feed", now=MONDAY))

    assert (counts, away(loaded)) == (changed, left)


def test_absences_of_other_people_and_of_strangers_change_nothing(loaded: Database) -> None:
    with loaded.write() as session:
        absences.add(session, absence(1, 3, person="nobody"), by="oscar", now=MONDAY)
        absences.add(session, absence(2, 3, person="ben", deputy="cleo"), by="oscar", now=MONDAY)

    assert (away(loaded), away(loaded, "ben")) == (days((1, 3)), days((2, 3)))
