"""`baton suppress` on a real database: one entry, a file with bad lines, the list, and a removal."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlmodel import select

from storage.tables import Suppression
from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command
from tests.driver import Driver
from tests.stage import capture, events_of, newest

FILE = """value,channel,source,on
lee@harbour.example,,,2026-05-03
"+44 20 7946 0101",phone,"call, Monday",
harbour.example,phone,,
no address,,,

# a remark
ann@quay.example,fax,,
ann@quay.example,email,,2026-02-30
ann@quay.example,email,,2999-01-01
@quay.example,all,letter,
"""


@pytest.fixture
def run(baton: Command) -> Command:
    """Runs `baton suppress`."""
    return partial(baton, "suppress")


def listed(box: Toolbox) -> list[tuple[str, str, str, str]]:
    rows = box.read_now(lambda session, now: list(session.exec(select(Suppression))))
    return sorted((one.value, one.channel, one.source, f"{one.since:%Y-%m-%d}") for one in rows)


async def test_an_entry_ends_what_is_under_way_and_can_be_listed_and_removed(driver: Driver, box: Toolbox, run: Command) -> None:
    taken = capture(box)
    await driver.settle()
    email = taken.incoming.email

    added = run("add", email.upper(), "--source", "letter", "--on", "2026-05-03")
    again = run("add", email)
    shown = run("list", "--match", email[:6])
    removed = run("remove", email, "--why", "She asked for a demo.")
    gone = run("remove", email, "--why", "Again.")

    assert added.output == "1 listed, 0 listed before. 1 leads known, 1 handoffs ended.\n"
    assert again.output == "0 listed, 1 listed before. 1 leads known, 0 handoffs ended.\n"
    assert "2026-05-03" in shown.output
    assert "letter" in shown.output
    assert removed.output == "Removed: all. The trail says who removed it, and why.\n"
    assert (gone.exit_code, gone.output) == (1, f"{email} is not on the list. `baton suppress list` shows what is.\n")
    assert newest(box, taken).stage == "suppressed"
    assert [one.kind for one in events_of(box, taken)][-1] == "opt-out-removed"


def test_a_file_goes_in_line_by_line_and_names_the_bad_ones(box: Toolbox, run: Command, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(FILE, encoding="utf-8")

    first, second = run("import", str(path), "--source", "newsletter"), run("import", str(path), "--source", "newsletter")

    assert first.exit_code == second.exit_code == 3
    said = [line.removeprefix(f"{path}:") for line in first.output.splitlines() if line.strip()]
    assert [line.split(":")[0] for line in said[:-1]] == ["4", "5", "8", "9", "10"]
    assert [
        part in line for part, line in zip(("a domain says", "no address", "'fax'", "is no day", "not come yet"), said, strict=False)
    ] == [True] * 5
    assert said[-1].startswith("3 listed, 0 listed before, 5 bad.")
    assert second.output.splitlines()[-1].startswith("0 listed, 3 listed before, 5 bad.")
    assert listed(box) == [
        ("442079460101", "phone", "call, Monday", "2027-02-01"),
        ("lee@harbour.example", "all", "newsletter", "2026-05-03"),
        ("quay.example", "all", "letter", "2027-02-01"),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "lee"], "is no address, domain or phone number"),
        (["add", "harbour.example", "--channel", "phone"], "a domain says nothing about phone numbers"),
        (["add", "lee@harbour.example", "--channel", "fax"], "'fax' is no channel; write all, email, phone."),
        (["add", "lee@harbour.example", "--on", "2999-01-01"], "has not come yet"),
        (["remove", "lee@harbour.example", "--why", " "], "Say with --why"),
        (["import", "/no/such/file"], "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(box: Toolbox, run: Command, words: list[str], said: str) -> None:
    done = run(*words)

    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert listed(box) == []
