"""`baton verify` against somebody who rewrites the database: each way is found, named, and told by the exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, update
from sqlmodel import Session, col, func, select

from storage import trail, trail_lines
from storage.tables import Answer, Assignment, Delivery, Event, Seal, Signature, Wait
from tasks.trail.sealing import seal_trail
from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command
from tests.driver import Driver
from tests.kept import Kept
from tests.stage import answer_by_link, capture

Rewrite = Callable[[Session], object]


@pytest.fixture(scope="module")
def sealed_once(tmp_path_factory: pytest.TempPathFactory) -> Kept[None]:
    return Kept(tmp_path_factory.mktemp("sealed") / "kept")


@pytest.fixture
async def sealed(driver: Driver, box: Toolbox, sealed_once: Kept[None]) -> Toolbox:
    """Two leads, one accepted and one rejected with a word of why, all of it sealed in several seals."""

    async def carry() -> None:
        first = capture(box, message="Please call me in the morning")
        await driver.settle()
        await seal_trail(box)
        answer_by_link(box, first, "accepted")
        await driver.settle()
        await seal_trail(box)
        second = capture(box, message="What does it cost?")
        await driver.settle()
        answer_by_link(box, second, "rejected", reason="not-now", text="They have no budget this year")
        await driver.settle()
        await seal_trail(box)

    await sealed_once.on(box, carry)
    return box


def rewritten(box: Toolbox, rewrite: Rewrite) -> None:
    with box.database.write() as session:
        rewrite(session)


def event_of(session: Session, kind: str) -> Event:
    found = session.exec(select(Event).where(Event.kind == kind).order_by(col(Event.id)).limit(1)).first()
    assert found is not None, kind
    return found


def newest_seal(session: Session) -> Seal:
    return session.exec(select(Seal).order_by(col(Seal.id).desc()).limit(1)).one()


def change(table: type[Any], ident: object, **values: object) -> Rewrite:
    return lambda session: session.execute(update(table).where(table.id == ident).values(**values))


def test_what_nobody_has_rewritten_is_whole(sealed: Toolbox, baton: Command) -> None:
    said = baton("verify")

    assert (said.exit_code, said.stderr) == (0, "")
    assert "0 not yet" in said.output


# -- the newest seal is cut off with its events


def cut_off(session: Session) -> None:
    last = newest_seal(session)
    session.execute(delete(Event).where(col(Event.seal_id) == last.id))
    session.delete(last)


def test_a_tail_that_was_cut_off_is_found_by_the_file_of_heads(sealed: Toolbox, baton: Command) -> None:
    with sealed.database.read() as session:
        last = newest_seal(session)
    rewritten(sealed, cut_off)

    said = baton("verify")

    assert said.exit_code == 1
    assert f"(seal {last.id}, {last.digest[:16]}) stands in {sealed.settings.folder / 'trail-heads'} and not in the database" in said.stderr


def test_a_tail_that_was_cut_off_is_found_by_a_head_that_was_mailed(sealed: Toolbox, baton: Command) -> None:
    with sealed.database.read() as session:
        last = newest_seal(session)
    assert baton("verify", "--head", last.digest).exit_code == 0
    rewritten(sealed, cut_off)
    (sealed.settings.folder / "trail-heads").unlink()

    said = baton("verify", "--head", last.digest[:16])

    assert said.exit_code == 1
    assert f"No seal has the head {last.digest[:16]}" in said.stderr


# -- events


@pytest.mark.parametrize("kind", ["answered-accepted", "assigned", "delivered", "signed"])
def test_a_changed_actor_is_found(sealed: Toolbox, baton: Command, kind: str) -> None:
    with sealed.database.read() as session:
        event = event_of(session, kind)
    rewritten(sealed, change(Event, event.id, actor="somebody else"))

    said = baton("verify")

    assert said.exit_code == 1
    assert f"Seal {event.seal_id} does not fit: event {event.id} was changed, or was not written by Baton." in said.stderr


def made_anew(session: Session, key: bytes) -> None:
    """Takes one event out of the middle, and seals all others again."""
    session.delete(event_of(session, "answered-accepted"))
    session.execute(delete(Seal))
    session.execute(update(Event).values(seal_id=None))
    session.flush()
    while trail.seal(session, key=key, now=event_of(session, "signed").at):
        continue


def test_an_event_that_was_deleted_is_found_though_all_seals_were_made_anew(sealed: Toolbox, baton: Command) -> None:
    rewritten(sealed, lambda session: made_anew(session, b"a key of the attacker"))

    said = baton("verify")

    assert said.exit_code == 1
    assert re.search(r"Seal \d+ (is not as it was made|does not fit)", said.stderr)


@pytest.mark.parametrize("kept", ["file", "mail"])
def test_it_is_found_even_where_the_attacker_has_the_key(sealed: Toolbox, baton: Command, kept: str) -> None:
    with sealed.database.read() as session:
        head = newest_seal(session).digest
    rewritten(sealed, lambda session: made_anew(session, sealed.settings.seal_key()))
    if kept == "mail":
        (sealed.settings.folder / "trail-heads").unlink()

    said = baton("verify", *(["--head", head] if kept == "mail" else []))

    assert said.exit_code == 1
    assert ("and not in the database" if kept == "file" else f"No seal has the head {head}") in said.stderr
    assert "The answer 1 is in no event of the trail." in said.stderr


def forged(session: Session, **changes: object) -> None:
    event = event_of(session, "answered-accepted")
    session.execute(insert(Event).values(**{**event.model_dump(exclude={"id"}), "actor": "ben", **changes}))


FORGED: dict[str, Rewrite] = {
    "under a seal": lambda session: forged(session),
    "among those not sealed yet": lambda session: forged(session, seal_id=None, mark=""),
    "with an old date": lambda session: forged(session, seal_id=None, recorded_at=event_of(session, "signed").recorded_at),
    "with the mark of another one": lambda session: forged(session, seal_id=None),
    "the same once more": lambda session: forged(session, seal_id=None, actor=event_of(session, "answered-accepted").actor),
}


@pytest.mark.parametrize("rewrite", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("then_sealed", [False, True], ids=["at once", "after the next seal"])
async def test_a_forged_event_is_found(sealed: Toolbox, baton: Command, rewrite: Rewrite, then_sealed: bool) -> None:
    rewritten(sealed, rewrite)
    with sealed.database.read() as session:
        newest = session.exec(select(func.max(Event.id))).one()
    if then_sealed:
        await seal_trail(sealed)

    said = baton("verify")

    assert said.exit_code == 1
    assert f"vent {newest} " in said.stderr


def note_captured(box: Toolbox, number: int) -> None:
    box.write_now(lambda session, now: trail.record(session, "captured", now=now, number=number))


async def test_an_event_that_was_deleted_before_it_was_sealed_leaves_a_gap(sealed: Toolbox, baton: Command) -> None:
    """SQLite gives each number once; PostgreSQL leaves gaps of its own."""
    if not sealed.database.is_sqlite:
        pytest.skip("PostgreSQL leaves gaps of its own")
    for number in range(3):
        note_captured(sealed, number)
    middle = select(func.max(Event.id) - 1).scalar_subquery()
    rewritten(sealed, lambda session: session.execute(delete(Event).where(col(Event.id) == middle)))
    assert baton("verify").exit_code == 1
    await seal_trail(sealed)

    said = baton("verify")

    assert said.exit_code == 1
    assert "1 were deleted before they were sealed" in said.stderr


# -- texts


def test_a_text_that_was_unlinked_is_found(sealed: Toolbox, baton: Command) -> None:
    with sealed.database.read() as session:
        event = event_of(session, "answered-rejected")
    assert event.text_id is not None
    rewritten(sealed, change(Event, event.id, text_id=None))

    said = baton("verify")

    assert said.exit_code == 1
    assert f"Event {event.id} had a text, which was unlinked from it." in said.stderr


# -- rows of which the trail tells


def test_an_answer_of_somebody_else_is_found(sealed: Toolbox, baton: Command) -> None:
    rewritten(sealed, change(Answer, 1, by="ben"))

    said = baton("verify")

    assert said.exit_code == 1
    assert "The answer 1 was changed: its by is not what event" in said.stderr


ROWS: dict[str, tuple[type[Any], str, object]] = {
    "an answer's time": (Answer, "answered_at", timedelta(hours=-2)),
    "an answer's kind": (Answer, "kind", "rejected"),
    "an answer's state": (Answer, "state", "undone"),
    "an answer's way": (Answer, "via", "crm"),
    "a promise": (Wait, "promised_at", timedelta(hours=2)),
    "a due time": (Wait, "due_at", timedelta(days=365_000)),
    "when a wait began": (Wait, "opened_at", timedelta(hours=-2)),
    "whose a lead is": (Assignment, "rep", "somebody"),
    "since when it is": (Assignment, "assigned_at", timedelta(hours=1)),
    "a delivery's proof": (Delivery, "proof", "250 OK, queued as 4711"),
    "a delivery's missing proof": (Delivery, "proof", ""),
    "a delivery's time": (Delivery, "sent_at", timedelta(hours=-2)),
    "a delivery's state": (Delivery, "state", "bounced"),
    "when a delivery counts": (Delivery, "confirm_at", timedelta(hours=-2)),
    "to whom it went": (Delivery, "person", "somebody"),
    "a signature's name": (Signature, "name", "Somebody Else"),
    "a signature's way": (Signature, "via", "page"),
    "a signature's address": (Signature, "address", "cso@firm.example"),
    "a signature's time": (Signature, "signed_at", timedelta(days=-1)),
    "a signature's agreement": (Signature, "hash", "0" * 64),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_that_was_changed_is_found_and_named(sealed: Toolbox, baton: Command, row: tuple[type[Any], str, object]) -> None:
    table, column, new = row
    with sealed.database.read() as session:
        of_event = select(table) if table is not Delivery else select(table).where(col(Delivery.state) == "confirmed")
        first = session.exec(of_event.order_by(table.id).limit(1)).one()
        before = getattr(first, column)
        moved = (before or first.sent_at) + new if isinstance(new, timedelta) else new
    assert moved != before
    rewritten(sealed, change(table, first.id, **{column: moved}))

    said = baton("verify")

    assert said.exit_code == 1
    named = f"The signature for {first.party} over" if table is Signature else f"The {table.__name__.lower()} {first.id} "
    assert named in said.stderr
    assert "event" in said.stderr


@pytest.mark.parametrize("table", [Answer, Delivery], ids=lambda table: table.__name__)
def test_a_row_that_was_put_in_is_found(sealed: Toolbox, baton: Command, table: type[Any]) -> None:
    def put_in(session: Session) -> None:
        row = session.exec(select(table).where(table.state.in_(["counted", "confirmed"])).order_by(table.id).limit(1)).one()
        more = {"key": "put in"} if table is Delivery else {"answered_at": row.answered_at + timedelta(minutes=1)}
        session.execute(insert(table).values(**{**row.model_dump(exclude={"id"}), **more}))

    rewritten(sealed, put_in)

    said = baton("verify")

    assert said.exit_code == 1
    assert "is in no event of the trail" in said.stderr


def test_a_row_that_was_deleted_is_found(sealed: Toolbox, baton: Command) -> None:
    rewritten(sealed, lambda session: session.execute(delete(Signature).where(col(Signature.party) == "sales")))

    said = baton("verify")

    assert said.exit_code == 1
    assert "The signature for sales over" in said.stderr


# -- --head


def test_every_head_there_ever_was_is_found(sealed: Toolbox, baton: Command) -> None:
    with sealed.database.read() as session:
        seals = list(session.exec(select(Seal).order_by(col(Seal.id))))
    assert len(seals) >= 3

    for row in (seals[0], seals[len(seals) // 2], seals[-1]):
        said = baton("verify", "--head", row.digest[:16].upper())
        assert said.exit_code == 0
        assert f"seal {row.id} of {row.sealed_at:%Y-%m-%d %H:%M} UTC, {row.total} events up to it" in said.output


@pytest.mark.parametrize("head", ["abc", "0123456789abcde", "%" * 16, "no head of the trail"])
def test_what_can_be_no_head_is_refused(sealed: Toolbox, baton: Command, head: str) -> None:
    said = baton("verify", "--head", head)

    assert said.exit_code == 2
    assert "at least 16 characters of a head" in said.stderr


def test_a_file_of_heads_that_cannot_be_read_is_a_finding(sealed: Toolbox, baton: Command) -> None:
    path = sealed.settings.folder / "trail-heads"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({"at": "today"}), *lines]) + "\n")

    said = baton("verify")

    assert said.exit_code == 1
    assert f"{path}, line 1: this is no head of the trail" in said.stderr


def test_the_words_of_a_line_are_those_that_the_script_in_docs_reads(sealed: Toolbox) -> None:
    with sealed.database.read() as session:
        event, seal = event_of(session, "assigned"), newest_seal(session)

    said = json.loads(trail_lines.line(event, 7, trail_lines.told(event)))

    assert (said["id"], said["place"], said["mark"], said["kind"]) == (event.id, 7, event.mark, "assigned")
    assert json.loads(trail_lines.seal_line(seal))["total"] == seal.total
