"""Heads of the trail beside the database: the sealer goes on behind no head that is gone, and an operator can say that it is right."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import column, delete, table, text, update
from sqlmodel import Session, col, func, select

from storage import trail
from storage.tables import Event, Seal
from storage.trail import HeadMissing
from tasks.trail.heads import Accepted, Head, HeadFile, HeadsUnreadable
from tasks.trail.sealing import accept_restore, lost_heads, seal_trail
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox
from tests.app.shaky import look_afresh
from tests.driver import Driver
from tests.present import the
from tests.stage import capture
from tests.stage import newest as newest_handoff


def heads_of(box: Toolbox) -> HeadFile:
    return HeadFile(box.settings.folder)


async def some_more(box: Toolbox, count: int = 2) -> None:
    """So many events more, sealed."""

    def captured(number: int) -> None:
        box.write_now(lambda session, now: trail.record(session, "captured", now=now, number=number))

    for number in range(count):
        captured(number)
    await seal_trail(box)


def newest(box: Toolbox) -> Seal:
    found = box.read_now(lambda session, now: trail.newest_seal(session))
    assert found is not None
    return found


def cut_off(box: Toolbox, *, since: int) -> None:
    """Puts the database back to where it was before that seal."""

    def work(session: Session, now: object) -> None:
        session.execute(delete(Event).where((col(Event.seal_id) >= since) | col(Event.seal_id).is_(None)))
        session.execute(delete(Seal).where(col(Seal.id) >= since))
        if box.database.is_sqlite:
            last = select(func.coalesce(func.max(Event.id), 0)).scalar_subquery()
            session.execute(update(table("sqlite_sequence", column("name"), column("seq"))).where(text("name = 'events'")).values(seq=last))

    box.write_now(work)


def last_head(box: Toolbox) -> Head:
    """The head in the last line of the file."""
    found = heads_of(box).last()
    assert isinstance(found, Head)
    return found


def whole(box: Toolbox) -> bool:
    chain = box.read_now(lambda session, now: trail.check(session, key=box.settings.seal_key()))
    return chain.whole and not box.read_now(lambda session, now: lost_heads(session, heads_of(box)))


async def test_each_new_head_is_added_to_a_file_that_nobody_else_can_read(box: Toolbox) -> None:
    old = os.umask(0)
    try:
        await some_more(box)
        await some_more(box)
    finally:
        os.umask(old)

    path = heads_of(box).path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["seal"] for line in lines] == [1, 2]
    last = newest(box)
    assert lines[-1] == {"at": last.sealed_at.isoformat(), "seal": 2, "events": last.total, "head": last.digest}


async def test_nothing_new_adds_no_line(box: Toolbox) -> None:
    await some_more(box)
    before = heads_of(box).path.read_bytes()

    assert [await seal_trail(box) for _ in range(3)] == [0, 0, 0]

    assert heads_of(box).path.read_bytes() == before


async def test_many_batches_leave_one_head(box: Toolbox) -> None:
    await some_more(box, trail.BATCH * 2 + 1)

    assert len(heads_of(box).path.read_text().splitlines()) == 1
    assert last_head(box).seal == newest(box).id


async def test_a_process_that_died_between_seal_and_file_leaves_no_false_alarm_and_the_next_one_adds_the_head(box: Toolbox) -> None:
    await some_more(box)
    path = heads_of(box).path
    before = path.read_bytes()
    await some_more(box)
    path.write_bytes(before)
    assert whole(box)

    await seal_trail(box)

    assert last_head(box).head == newest(box).digest


@pytest.mark.parametrize("torn", [b'{"at":"2027-02-01T09:00:00+00:00","se', b"{", b'{"at":"x"}'], ids=["half", "one", "all but the end"])
async def test_a_line_that_was_torn_off_is_no_head(box: Toolbox, torn: bytes) -> None:
    await some_more(box)
    path = heads_of(box).path
    with path.open("ab") as file:
        file.write(torn)

    if not torn.endswith(b"}"):
        await some_more(box)
        assert last_head(box).head == newest(box).digest
        assert whole(box)
    else:
        assert last_head(box).seal == 1


@pytest.mark.parametrize("since", [1, 2, 3])
async def test_nothing_is_sealed_behind_a_head_that_is_gone(box: Toolbox, since: int) -> None:
    for _ in range(3):
        await some_more(box)
    lost = newest(box)
    cut_off(box, since=since)
    box.write_now(lambda session, now: trail.record(session, "captured", now=now))

    with pytest.raises(HeadMissing) as refused:
        await seal_trail(box)

    assert f"(seal 3, {lost.digest[:16]}) stands in {heads_of(box).path} and not in the database" in str(refused.value)
    assert "baton trail accept-restore --why" in str(refused.value)
    assert box.read_now(lambda session, now: session.exec(select(Event).where(col(Event.seal_id).is_(None))).all())
    assert not whole(box)


async def test_a_chain_that_was_made_anew_with_the_key_is_refused(box: Toolbox) -> None:
    for _ in range(2):
        await some_more(box)

    def made_anew(session: Session, now: object) -> None:
        session.execute(delete(Seal))
        session.execute(update(Event).values(seal_id=None))
        session.delete(session.exec(select(Event).order_by(col(Event.id).desc()).limit(1)).one())

    box.write_now(made_anew)
    box.write_now(lambda session, now: trail.seal(session, key=box.settings.seal_key(), now=now))

    with pytest.raises(HeadMissing):
        await seal_trail(box)


async def test_another_machine_may_lack_heads_that_are_not_its_own(box: Toolbox, tmp_path: Path) -> None:
    """Each has a file of its own; what one has sealed is not missing to the other one."""
    key = box.settings.seal_key().decode()
    other = replace(box, settings=Settings(home=tmp_path / "other", trail_key=key))
    for _ in range(2):
        await some_more(box)
        await some_more(other)

    assert [line.seal for line in heads_of(box).since_restore()] == [1, 3]
    assert [line.seal for line in heads_of(other).since_restore()] == [2, 4]
    assert whole(box)
    assert whole(other)
    cut_off(box, since=4)
    assert whole(box)
    assert not whole(other)


async def test_after_a_restore_an_operator_lets_the_trail_go_on(box: Toolbox) -> None:
    for _ in range(3):
        await some_more(box)
    lost = newest(box)
    cut_off(box, since=2)

    given_up = accept_restore(box, by="sam", why="The disk failed; restored from Sunday")

    assert isinstance(given_up, Head)
    assert given_up.head == lost.digest
    await some_more(box)
    assert whole(box)
    told = box.read_now(lambda session, now: session.exec(select(Event).where(Event.kind == "restore-accepted")).one())
    assert (told.actor, told.data) == ("sam", {"lost": lost.digest, "seal": 3})
    assert told.text_id is not None
    lines = [type(line) for line in heads_of(box).since_restore()]
    assert lines == [Accepted, Head]


async def test_accepting_twice_or_without_a_loss_changes_nothing_more(box: Toolbox) -> None:
    assert accept_restore(box, by="sam", why="nothing") is None
    for _ in range(2):
        await some_more(box)
    assert accept_restore(box, by="sam", why="nothing") is None
    cut_off(box, since=2)
    accept_restore(box, by="sam", why="restored")
    before = heads_of(box).path.read_bytes()

    assert accept_restore(box, by="sam", why="restored again") is None

    assert heads_of(box).path.read_bytes() == before


async def test_who_dies_while_accepting_does_it_again_and_it_is_told_once(box: Toolbox) -> None:
    for _ in range(2):
        await some_more(box)
    cut_off(box, since=2)
    path = heads_of(box).path
    before = path.read_bytes()
    accept_restore(box, by="sam", why="restored")
    path.write_bytes(before)

    accept_restore(box, by="sam", why="restored")

    await some_more(box)
    assert whole(box)
    assert len(box.read_now(lambda session, now: session.exec(select(Event).where(Event.kind == "restore-accepted")).all())) == 1


async def test_a_restore_to_before_the_beginning_can_be_accepted(box: Toolbox) -> None:
    await some_more(box)
    cut_off(box, since=1)

    accept_restore(box, by="sam", why="all is lost")
    await some_more(box)

    assert whole(box)


async def test_a_second_restore_to_before_the_first_word_needs_a_word_of_its_own(box: Toolbox) -> None:
    for _ in range(3):
        await some_more(box)
    cut_off(box, since=3)
    accept_restore(box, by="sam", why="first")
    await some_more(box)
    cut_off(box, since=2)
    assert not whole(box)

    accept_restore(box, by="sam", why="second")

    await some_more(box)
    assert whole(box)


async def test_whoever_writes_to_the_database_only_cannot_accept_for_the_operator(box: Toolbox) -> None:
    for _ in range(2):
        await some_more(box)
    lost = newest(box)
    cut_off(box, since=2)

    box.write_now(lambda session, now: trail.record(session, "restore-accepted", now=now, lost=lost.digest, seal=2))

    assert not whole(box)
    with pytest.raises(HeadMissing):
        await seal_trail(box)


async def test_whoever_writes_to_the_file_only_is_found(box: Toolbox) -> None:
    for _ in range(2):
        await some_more(box)
    lost, first = newest(box), the(box.read_now(lambda session, now: session.get(Seal, 1)))
    cut_off(box, since=2)
    heads_of(box).add(Accepted("2027-02-01T09:00:00+00:00", True, lost.digest, "sam", 1, first.digest))

    assert not whole(box)


@pytest.mark.parametrize("line", ['{"at":1}', "[]", "{}", '{"seal":}', "not a head}"])
async def test_a_line_that_is_no_head_is_told_with_its_place(box: Toolbox, line: str) -> None:
    await some_more(box)
    with heads_of(box).path.open("a") as file:
        file.write(line + ("\n" if line.endswith("}") else "}\n"))

    with pytest.raises(HeadsUnreadable, match="line 2: this is no head of the trail"):
        list(heads_of(box).since_restore())
    with pytest.raises(HeadsUnreadable, match="the last line: this is no head of the trail"):
        await seal_trail(box)


async def test_the_clock_says_once_why_nothing_is_sealed_and_goes_on_with_all_else(
    driver: Driver, box: Toolbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.clock_parts.SEAL_SECONDS", 0.0)
    for _ in range(2):
        await some_more(box)
    cut_off(box, since=2)
    taken = capture(box)

    for _ in range(3):
        await driver.settle()

    told = [record.getMessage() for record in caplog.records if "the trail is not sealed" in record.getMessage()]
    assert len(told) == 1
    assert "baton trail accept-restore" in told[0]
    assert newest_handoff(box, taken).stage == "assigned"

    accept_restore(box, by="sam", why="restored")
    await look_afresh(driver)
    assert whole(box)
