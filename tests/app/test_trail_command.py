"""`baton trail`: one lead's history, an export that a script proves with the key alone, and a restore that is accepted."""

from __future__ import annotations

import json
import random
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage import trail
from storage.tables import Event, PersonalText, Seal
from tasks.trail.sealing import seal_trail
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.conftest import MONDAY, ROOT
from tests.driver import Driver
from tests.kept import Kept
from tests.stage import Taken, answer_by_link, capture

SCRIPT = ROOT / "docs/verify_trail.py"


@pytest.fixture
def run(baton: Command) -> Command:
    """Runs `baton trail`."""
    return partial(baton, "trail")


@pytest.fixture(scope="module")
def sealed_once(tmp_path_factory: pytest.TempPathFactory) -> Kept[Taken]:
    return Kept(tmp_path_factory.mktemp("taken") / "kept")


@pytest.fixture
async def taken(driver: Driver, box: Toolbox, sealed_once: Kept[Taken]) -> Taken:
    """A lead that was rejected with a word of why, and another one, all sealed in several seals."""

    async def carry() -> Taken:
        first = capture(box, message="Please call me")
        await driver.settle()
        await seal_trail(box)
        answer_by_link(box, first, "rejected", reason="not-now", text="No budget this year")
        await driver.settle()
        capture(box)
        await driver.settle()
        await seal_trail(box)
        return first

    return await sealed_once.on(box, carry)


# -- show


def test_the_history_of_a_lead_says_who_did_what_and_what_they_wrote(taken: Taken, run: Command) -> None:
    said = run("show", str(taken.lead_id))

    assert said.exit_code == 0
    row = next(line for line in said.output.splitlines() if "answered-rejected" in line)
    assert "2027-02-01 09:00:00" in row
    assert "ana" in row
    assert "“No budget this year”" in said.output
    assert "“Please call me”" in said.output


def test_the_same_as_json_has_an_event_a_line(taken: Taken, box: Toolbox, run: Command) -> None:
    said = run("show", str(taken.lead_id), "--json")

    rows = [json.loads(line) for line in said.output.splitlines()]
    own = select(Event.id).where(Event.lead_id == taken.lead_id).order_by(col(Event.id))
    known = box.read_now(lambda session, now: session.exec(own).all())
    assert [row["id"] for row in rows] == known
    answered = next(row for row in rows if row["kind"] == "answered-rejected")
    assert (answered["actor"], answered["words"], answered["data"]["reason"]) == ("ana", "No budget this year", "not-now")


def test_what_was_erased_and_what_looks_like_markup_is_shown_as_it_is(taken: Taken, box: Toolbox, run: Command) -> None:
    box.write_now(lambda session, now: session.execute(delete(PersonalText)))
    odd = "[red]\\[/red] [link=x]"
    text = box.write_now(lambda session, now: trail.record(session, "noted", now=now, lead_id=taken.lead_id, odd=odd).data["odd"])

    said = run("show", str(taken.lead_id))

    assert said.exit_code == 0
    assert "No budget" not in said.output
    assert text in said.output


def test_a_lead_of_which_nothing_is_told_is_a_finding(taken: Taken, run: Command) -> None:
    said = run("show", "4711")

    assert (said.exit_code, said.stderr) == (1, "The trail has no event of lead 4711.\n")


# -- export


@pytest.fixture
def exported(taken: Taken, run: Command, tmp_path: Path) -> Path:
    file = tmp_path / "trail.jsonl"
    assert run("export", str(file)).exit_code == 0
    return file


def proves(file: Path, box: Toolbox, head: str = "") -> tuple[int, str]:
    """What the very script of the docs says, run by a Python that has nothing else."""
    key = file.with_name("key")
    key.write_bytes(box.settings.seal_key())
    words = [sys.executable, "-I", "-S", str(SCRIPT), str(file), str(key), *([head] if head else [])]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def seals_of(box: Toolbox) -> list[Seal]:
    return box.read_now(lambda session, now: list(session.exec(select(Seal).order_by(col(Seal.id)))))


def events(box: Toolbox) -> int:
    return seals_of(box)[-1].total


def test_the_script_is_short_and_needs_nothing_but_python() -> None:
    code = SCRIPT.read_text().partition("import hashlib")[2].partition('"""Says')[2]

    assert len([line for line in code.splitlines() if line.strip()]) <= 40
    assert all(word not in SCRIPT.read_text() for word in ("import storage", "from storage", "import app"))


def test_a_whole_export_is_proven_and_nobody_else_can_read_it(exported: Path, box: Toolbox) -> None:
    head = seals_of(box)[-1].digest

    assert proves(exported, box) == (0, f"{events(box)} events proven, 0 removed before them, head {head}\n")
    assert proves(exported, box, head[:16])[0] == 0
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600


def test_no_word_that_somebody_wrote_is_in_an_export(exported: Path) -> None:
    words = exported.read_text()

    assert "No budget" not in words
    assert "Please call" not in words


def test_one_changed_byte_is_found_wherever_it_is(exported: Path, box: Toolbox) -> None:
    """In each line one byte at a place that chance chooses; a byte that changes no value, as a blank between two, changes nothing."""
    prove = _prove()
    whole, dice, key = exported.read_bytes(), random.Random(4711), box.settings.seal_key()
    ends = [number for number, byte in enumerate(whole) if byte == 10]
    begin = whole.index(b"\n") + 1
    for end in ends[1:]:
        place = dice.randrange(begin, end)
        changed = bytearray(whole)
        changed[place] ^= 1 << dice.randrange(7)
        exported.write_bytes(changed)
        is_seal = whole[begin:end].startswith(b'{"seal"')
        begin = end + 1
        if is_seal and b'"seal":' in whole[place - 8 : place + 8]:
            continue  # the number of a seal is a word for people, and stands under no digest
        with pytest.raises(SystemExit, match=r"line \d+: this was changed, taken away or put in|the end is missing"):
            prove(str(exported), key)
    exported.write_bytes(whole)
    assert prove(str(exported), key)[0] == events(box)


def _prove() -> Callable[..., tuple[int, str]]:
    names: dict[str, object] = {"__name__": "verify_trail"}
    exec(compile(SCRIPT.read_text(), str(SCRIPT), "exec"), names)  # the script is no package of ours
    found = names["prove"]
    assert callable(found)
    return found


@pytest.mark.parametrize("byte", ["first", "middle", "last"])
def test_the_script_ends_with_an_error_for_a_changed_byte(exported: Path, box: Toolbox, byte: str) -> None:
    whole = exported.read_bytes()
    lines = whole.splitlines(keepends=True)
    number = {"first": 1, "middle": len(lines) // 2, "last": len(lines) - 2}[byte]
    lines[number] = lines[number].replace(b'"kind":"', b'"kind":"x', 1)
    exported.write_bytes(b"".join(lines))

    code, said = proves(exported, box)

    assert code == 1
    assert "this was changed, taken away or put in" in said


def test_a_tail_that_was_cut_off_is_found_by_its_head(exported: Path, box: Toolbox) -> None:
    lines, seals = exported.read_text().splitlines(keepends=True), seals_of(box)
    at = [number for number, line in enumerate(lines) if line.startswith('{"seal"')]
    exported.write_text("".join(lines[: at[-2] + 1]))

    assert proves(exported, box)[0] == 0  # what is left is as it was: only a head that was kept tells
    code, said = proves(exported, box, seals[-1].digest[:16])
    assert code == 1
    assert f"ends with the head {seals[-2].digest}, and not with {seals[-1].digest[:16]}" in said


def test_a_tail_that_was_cut_off_within_a_seal_is_found_without(exported: Path, box: Toolbox) -> None:
    lines = exported.read_text().splitlines(keepends=True)
    exported.write_text("".join(lines[:-1]))

    code, said = proves(exported, box)

    assert code == 1
    assert "the end is missing" in said


@pytest.mark.parametrize("what", ["swapped", "deleted", "twice"])
def test_lines_in_another_order_or_number_are_found(exported: Path, box: Toolbox, what: str) -> None:
    lines = exported.read_text().splitlines(keepends=True)
    if what == "swapped":
        lines[2], lines[3] = lines[3], lines[2]
    elif what == "deleted":
        del lines[2]
    else:
        lines.insert(2, lines[2])
    exported.write_text("".join(lines))

    assert proves(exported, box)[0] == 1


def test_a_seal_that_was_taken_out_is_found(exported: Path, box: Toolbox) -> None:
    lines = exported.read_text().splitlines(keepends=True)
    at = [number for number, line in enumerate(lines) if line.startswith('{"seal"')]
    exported.write_text("".join([*lines[: at[0] + 1], *lines[at[1] + 1 :]]))

    assert proves(exported, box)[0] == 1


def test_who_has_another_key_proves_nothing(exported: Path, box: Toolbox) -> None:
    with pytest.raises(SystemExit):
        _prove()(str(exported), b"another key")


def test_events_that_were_removed_as_agreed_are_no_fault(box: Toolbox, taken: Taken, run: Command, tmp_path: Path) -> None:
    box.write_now(lambda session, now: trail.prune(session, before=now + timedelta(days=1), now=now, limit=1))
    removed = sum(row.events for row in seals_of(box) if row.pruned)
    assert removed
    file = tmp_path / "trail.jsonl"
    assert run("export", str(file)).exit_code == 0

    code, said = proves(file, box)

    assert code == 0
    assert said.startswith(f"{events(box) - removed} events proven, {removed} removed before them, ")
    lines = file.read_text().splitlines(keepends=True)
    last = next(number for number, line in enumerate(lines) if line.startswith('{"id"'))
    end = next(number for number, line in enumerate(lines) if number > last and line.startswith('{"seal"'))
    later = [number for number, line in enumerate(lines) if number > end and line.startswith('{"seal"')][0]
    hidden = [*lines[: end + 1], lines[later].replace('"pruned":false', '"pruned":true'), *lines[later + 1 :]]
    file.write_text("".join(hidden))
    assert proves(file, box)[0] == 1


def note_captured(box: Toolbox, **said: Any) -> None:
    box.write_now(lambda session, now: trail.record(session, "captured", now=now, **said))


def test_what_was_sealed_before_there_were_marks_is_proven_too(box: Toolbox, time: SteppedTime, run: Command, tmp_path: Path) -> None:
    key = box.settings.seal_key()
    box.write_now(lambda session, now: session.execute(delete(Event)))
    box.database.trail_key = b""
    for number in range(2):
        note_captured(box, number=number)
        box.write_now(lambda session, now: trail.seal(session, key=key, now=now))
    box.database.trail_key = key
    box.write_now(lambda session, now: trail.record(session, "captured", now=now))
    box.write_now(lambda session, now: trail.seal(session, key=key, now=now))
    file = tmp_path / "trail.jsonl"
    assert run("export", str(file)).exit_code == 0

    assert proves(file, box)[0] == 0
    file.write_text(file.read_text().replace('"number":1', '"number":2'))
    assert proves(file, box)[0] == 1


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [("2027-02-02", "", [2, 3]), ("", "2027-02-02", [1]), ("2027-02-02", "2027-02-03T08:00:00", [2]), ("2027-03-01", "", [])],
)
def test_an_export_can_begin_and_end_at_a_day(
    box: Toolbox, time: SteppedTime, run: Command, tmp_path: Path, since: str, until: str, days: list[int]
) -> None:
    for day in (1, 2, 3):
        time.at = MONDAY.replace(day=day)
        note_captured(box, day=day)
        box.write_now(lambda session, now: trail.seal(session, key=box.settings.seal_key(), now=now))
    file = tmp_path / "trail.jsonl"

    said = run("export", str(file), *(["--from", since] if since else []), *(["--to", until] if until else []))

    assert said.exit_code == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["data"]["day"] for row in rows if row.get("kind") == "captured"] == days
    assert not days or proves(file, box)[0] == 0


def test_an_export_that_cannot_be_written_leaves_what_was_there(taken: Taken, run: Command, tmp_path: Path) -> None:
    said = run("export", str(tmp_path / "nowhere" / "trail.jsonl"))

    assert said.exit_code == 2
    assert "nowhere" in said.stderr


# -- accept-restore


def test_a_restore_is_accepted_with_who_and_why(taken: Taken, box: Toolbox, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def put_back(session: Session, now: object) -> None:
        last = seals_of(box)[-1].id
        session.execute(delete(Event).where(col(Event.seal_id) == last))
        session.execute(delete(Seal).where(col(Seal.id) == last))

    monkeypatch.setenv("LOGNAME", "sam")
    assert run("accept-restore", "--why", "nothing").output == "No head is missing: nothing was changed.\n"
    lost = seals_of(box)[-1]
    box.write_now(put_back)

    said = run("accept-restore", "--why", "The disk failed; restored from Sunday")

    assert said.exit_code == 0
    assert f"(seal {lost.id})" in said.output
    shown = box.read_now(lambda session, now: session.exec(select(Event).where(Event.kind == "restore-accepted")).one())
    assert (shown.actor, shown.data["lost"]) == ("sam", lost.digest)


def test_a_restore_without_a_reason_is_refused(taken: Taken, run: Command) -> None:
    said = run("accept-restore", "--why", " ")

    assert said.exit_code == 2
    assert "Write what was restored" in said.stderr
