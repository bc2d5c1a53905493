"""The trail: whoever changes what was sealed is found out, and erasing what somebody wrote breaks nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from storage import trail, trail_lines
from storage.database import Database
from storage.tables import Event, PersonalText, Seal
from storage.trail import TrailCheck
from tests.conftest import MONDAY
from tests.present import the
from tests.rows import a_handoff

KEY = b"a-key-for-tests-only"


@pytest.fixture
def sealed(database: Database) -> Database:
    """Three seals of two events each, the last event with a text, and one event that is not sealed yet."""
    database.trail_key = KEY
    for number in range(3):
        with database.write() as session:
            handoff = a_handoff(session, MONDAY)
            trail.record(session, "captured", now=MONDAY, handoff=handoff, number=number)
            text = trail.keep_text(session, f"Call me, says {number}", lead_id=handoff.lead_id)
            trail.record(session, "answered-rejected", now=MONDAY, handoff=handoff, actor="ana", text=text, reason="other")
        with database.write() as session:
            assert trail.seal(session, key=KEY, now=MONDAY) == 2
    with database.write() as session:
        trail.record(session, "captured", now=MONDAY, lead_id=None)
    return database


def check(database: Database, key: bytes = KEY) -> TrailCheck:
    with database.read() as session:
        return trail.check(session, key=key)


def tamper(database: Database, change: Callable[[Session, list[Event], list[Seal]], object]) -> None:
    """Changes the database as somebody with access to it could."""
    with database.write() as session:
        events = list(session.exec(select(Event).order_by(col(Event.id))))
        change(session, events, list(session.exec(select(Seal).order_by(col(Seal.id)))))


def test_events_that_a_session_holds_know_their_seal_at_once_and_are_not_written_again(database: Database) -> None:
    with database.write() as session:
        events = [trail.record(session, "captured", now=MONDAY, number=number) for number in range(trail.BATCH + 1)]
        session.flush()

        counts = [trail.seal(session, key=KEY, now=MONDAY) for _ in range(3)]

        assert counts == [trail.BATCH, 1, 0]
        assert [event.seal_id for event in events] == [1] * trail.BATCH + [2]
        assert not session.dirty


def test_an_untouched_trail_is_whole(sealed: Database) -> None:
    found = check(sealed)

    assert found.whole
    assert (found.sealed, found.unsealed, found.broken_seal) == (6, 1, None)
    assert len(found.head) == 64


def test_an_empty_trail_is_whole(database: Database) -> None:
    assert check(database) == TrailCheck(sealed=0, unsealed=0, broken_seal=None, head="")


def test_sealing_seals_each_event_once(sealed: Database) -> None:
    with sealed.write() as session:
        assert trail.seal(session, key=KEY, now=MONDAY) == 1
        assert trail.seal(session, key=KEY, now=MONDAY) == 0

    assert check(sealed).unsealed == 0


def test_many_events_are_sealed_a_batch_at_a_time(database: Database) -> None:
    database.trail_key = KEY
    with database.write() as session:
        for number in range(trail.BATCH + 1):
            trail.record(session, "captured", now=MONDAY, lead_id=None, number=number)

    with database.write() as session:
        assert [trail.seal(session, key=KEY, now=MONDAY) for _ in range(3)] == [trail.BATCH, 1, 0]
    assert check(database).whole


def test_each_head_depends_on_all_before_it(sealed: Database) -> None:
    before = check(sealed).head
    with sealed.write() as session:
        trail.seal(session, key=KEY, now=MONDAY)

    assert check(sealed).head != before


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "maria"},
        {"kind": "answered-accepted"},
        {"stage": "working"},
        {"data": {"reason": "not-now"}},
        {"at": MONDAY.replace(hour=8)},
        {"lead_id": None},
        {"text_digest": "0" * 64},
        {"recorded_at": MONDAY},
        {"handoff_id": 3},
        {"text_id": 1},
        {"text_id": None},
        {"mark": "0" * 40},
        {"mark": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_event_is_found(sealed: Database, change: dict[str, object]) -> None:
    tamper(sealed, lambda session, events, seals: session.execute(update(Event).where(col(Event.id) == events[3].id).values(**change)))

    found = check(sealed)

    assert found.broken_seal == 2
    assert any("event 4 " in finding for finding in found.findings)


#: What an event says, by column, with something of the same kind.
INSTANTS = st.datetimes(min_value=MONDAY.replace(tzinfo=None), timezones=st.just(UTC))
WORDS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)
NUMBERS = st.none() | st.integers(min_value=1, max_value=2**31 - 1)
SAID = st.dictionaries(WORDS, WORDS | st.integers(min_value=-(2**53), max_value=2**53) | st.booleans() | st.none(), max_size=4)
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "at": INSTANTS,
    "recorded_at": INSTANTS,
    "kind": WORDS,
    "lead_id": NUMBERS,
    "handoff_id": NUMBERS,
    "stage": WORDS,
    "actor": WORDS,
    "data": SAID,
    "text_id": NUMBERS,
    "text_digest": WORDS,
    "mark": WORDS,
}


def test_every_column_of_an_event_is_covered() -> None:
    assert set(COLUMNS) == set(Event.model_fields) - {"id", "seal_id"}


@given(st.data())
def test_an_event_that_says_anything_else_has_another_mark_or_another_line(data: st.DataObject) -> None:
    event = Event(id=7, **{name: data.draw(values, name) for name, values in COLUMNS.items() if name != "mark"})
    event.mark = trail_lines.mark(KEY, event)
    name = data.draw(st.sampled_from(sorted(COLUMNS)))
    other = event.model_copy(update={name: data.draw(COLUMNS[name].filter(lambda value: value != getattr(event, name)))})

    marked = [trail_lines.is_marked(KEY, one.mark, trail_lines.told(one)) for one in (event, other)]

    assert marked == [True, False]
    assert trail_lines.line(other, 1, trail_lines.told(other)) != trail_lines.line(event, 1, trail_lines.told(event))


@given(st.data())
def test_one_character_more_or_less_in_a_seal_gives_another_digest(data: st.DataObject) -> None:
    numbers = st.integers(min_value=0, max_value=2**31)
    columns: dict[str, st.SearchStrategy[Any]] = {
        "format": st.just(2) | numbers,
        "previous": WORDS,
        "events": numbers,
        "total": numbers,
        "first_id": numbers,
        "last_id": numbers,
        "content": WORDS,
        "sealed_at": INSTANTS,
    }
    row = Seal(**{name: data.draw(values, name) for name, values in columns.items()})
    name = data.draw(st.sampled_from(sorted(columns)))
    other = row.model_copy(update={name: data.draw(columns[name].filter(lambda value: value != getattr(row, name)))})

    assert trail_lines.digest(KEY, other) != trail_lines.digest(KEY, row)


def test_a_swapped_pair_is_found(sealed: Database) -> None:
    """Two events of one seal, each under the number of the other one; and two of different seals."""
    for one, other in ((3, 4), (2, 5)):

        def swap(session: Session, events: list[Event], seals: list[Seal], one: int = one, other: int = other) -> None:
            for number, to in ((one, 1000), (other, one), (1000, other)):
                session.execute(update(Event).where(col(Event.id) == number).values(id=to).execution_options(synchronize_session=False))

        tamper(sealed, swap)
        found = check(sealed)
        tamper(sealed, swap)

        assert not found.whole, (one, other)
        assert check(sealed).whole


def test_an_event_moved_to_another_seal_is_found(sealed: Database) -> None:
    tamper(sealed, lambda session, events, seals: session.execute(update(Event).where(col(Event.id) == 4).values(seal_id=3)))

    assert check(sealed).broken_seal == 2


def test_a_copy_of_an_event_is_found_once_it_is_sealed(sealed: Database) -> None:
    def copy(session: Session, events: list[Event], seals: list[Seal]) -> None:
        session.add(Event(**events[3].model_dump(exclude={"id", "seal_id"})))

    tamper(sealed, copy)
    with sealed.write() as session:
        trail.seal(session, key=KEY, now=MONDAY)

    assert [finding for finding in check(sealed).findings if "copy" in finding] == ["Event 8 is a copy of another one."]


@pytest.mark.parametrize("column", ["first_id", "last_id", "total", "content", "sealed_at", "format", "pruned"])
def test_what_a_seal_says_of_itself_is_covered(sealed: Database, column: str) -> None:
    new = {"content": "0" * 64, "sealed_at": MONDAY.replace(hour=8), "format": 1, "pruned": True}.get(column, 77)
    tamper(sealed, lambda session, events, seals: session.execute(update(Seal).where(col(Seal.id) == 2).values(**{column: new})))

    assert check(sealed).broken_seal == 2


def test_an_event_that_was_not_marked_is_found(sealed: Database) -> None:
    """A process without the key wrote it."""
    sealed.trail_key = b""
    with sealed.write() as session:
        trail.record(session, "captured", now=MONDAY, lead_id=None)

    assert check(sealed).findings == ("Event 8 is not sealed yet, and was changed or was not written by Baton.",)


def test_what_was_sealed_and_written_before_there_were_marks_stays_provable(database: Database) -> None:
    """Its seals are of format 1, also those of what was not sealed yet at the upgrade; the first one with marks goes on from them."""
    for _ in range(2):
        with database.write() as session:
            text = trail.keep_text(session, "Call me", lead_id=None)
            trail.record(session, "captured", now=MONDAY, lead_id=None, text=text)
            trail.record(session, "merged", now=MONDAY, lead_id=None)
        with database.write() as session:
            trail.seal(session, key=KEY, now=MONDAY)
    with database.write() as session:
        trail.record(session, "captured", now=MONDAY, lead_id=None, late=True)
    database.trail_key = KEY
    with database.write() as session:
        trail.record(session, "captured", now=MONDAY, lead_id=None)
    assert check(database).whole
    with database.write() as session:
        assert [trail.seal(session, key=KEY, now=MONDAY) for _ in range(3)] == [1, 1, 0]

    with database.read() as session:
        assert [(row.format, row.total) for row in session.exec(select(Seal).order_by(col(Seal.id)))] == [(1, 2), (1, 4), (1, 5), (2, 6)]
    assert check(database).whole
    for number, changed in ((1, {"actor": "maria"}), (2, {"data": {"more": 1}}), (3, {"text_id": None}), (5, {"stage": "won"})):
        with database.write() as session:
            before = the(session.get(Event, number)).model_dump()
            session.execute(update(Event).where(col(Event.id) == number).values(**changed))
        assert not check(database).whole, number
        with database.write() as session:
            session.execute(update(Event).where(col(Event.id) == number).values(**before))
    assert check(database).whole


def test_a_removed_event_is_found(sealed: Database) -> None:
    tamper(sealed, lambda session, events, seals: session.delete(events[2]))

    assert check(sealed).broken_seal == 2


def test_an_event_put_in_later_is_found(sealed: Database) -> None:
    def put_in(session: Session, events: list[Event], seals: list[Seal]) -> None:
        trail.record(session, "answered-accepted", now=MONDAY, lead_id=events[0].lead_id).seal_id = seals[1].id

    tamper(sealed, put_in)

    assert check(sealed).broken_seal == 2


@pytest.mark.parametrize("change", [{"digest": "0" * 64}, {"previous": "0" * 64}, {"events": 1}], ids=lambda change: next(iter(change)))
def test_a_changed_seal_is_found(sealed: Database, change: dict[str, object]) -> None:
    tamper(sealed, lambda session, events, seals: session.execute(update(Seal).where(col(Seal.id) == seals[1].id).values(**change)))

    assert check(sealed).broken_seal == 2


@pytest.mark.parametrize("number", [0, 1, 2], ids=["first", "middle", "last"])
def test_a_seal_taken_away_is_found(sealed: Database, number: int) -> None:
    tamper(sealed, lambda session, events, seals: session.delete(seals[number]))

    assert not check(sealed).whole


def test_a_seal_and_its_events_taken_out_of_the_middle_are_found(sealed: Database) -> None:
    def take_out(session: Session, events: list[Event], seals: list[Seal]) -> None:
        session.execute(delete(Event).where(col(Event.seal_id) == seals[1].id))
        session.delete(seals[1])

    tamper(sealed, take_out)

    assert check(sealed).broken_seal == 3


def test_an_event_whose_seal_was_wiped_off_is_found(sealed: Database) -> None:
    tamper(sealed, lambda session, events, seals: session.execute(update(Event).where(col(Event.id) == events[5].id).values(seal_id=None)))

    assert check(sealed).broken_seal == 3


def test_who_does_not_know_the_key_cannot_forge_the_chain(sealed: Database) -> None:
    assert check(sealed, key=b"another key").broken_seal == 1


def test_erasing_what_somebody_wrote_leaves_the_chain_whole(sealed: Database) -> None:
    tamper(sealed, lambda session, events, seals: session.execute(delete(PersonalText)))

    assert check(sealed).whole


def test_a_changed_text_is_found(sealed: Database) -> None:
    """Its event is sealed with the digest of what was written first."""
    tamper(sealed, lambda session, events, seals: session.execute(update(PersonalText).values(text="Call me never")))

    found = check(sealed)

    assert (found.broken_seal, found.changed_text) == (None, 2)
    assert not found.whole


def test_events_hold_no_text_and_a_digest_that_cannot_be_guessed(sealed: Database) -> None:
    def text_and_digests(session: Session) -> tuple[list[str], set[str]]:
        rows = list(session.exec(select(Event)))
        return [str(row.model_dump()) for row in rows], {row.text_digest for row in rows if row.text_digest}

    with sealed.write() as session:
        for _ in range(2):
            text = trail.keep_text(session, "the same words", lead_id=None)
            trail.record(session, "activity", now=MONDAY, lead_id=None, text=text)
    with sealed.read() as session:
        lines, digests = text_and_digests(session)

    assert not any("Call me" in line or "the same words" in line for line in lines)
    assert len(digests) == 5


def test_nothing_written_is_no_text(database: Database) -> None:
    with database.write() as session:
        assert trail.keep_text(session, "", lead_id=None) is None
