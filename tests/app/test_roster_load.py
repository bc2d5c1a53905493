"""`baton roster load`: a roster without somebody who has something open."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from storage import roster
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.conftest import ROSTER
from tests.driver import Driver
from tests.stage import capture, newest


async def test_whoever_is_missing_hands_over_first(baton: Command, box: Toolbox, driver: Driver, time: SteppedTime, tmp_path: Path) -> None:
    taken = capture(box, activity="form_submitted")
    await driver.settle()
    file = tmp_path / "roster.yaml"
    file.write_text("".join(line for line in ROSTER.splitlines(keepends=True) if not line.startswith("  ana:")))

    refused = baton("roster", "load", str(file))
    assert refused.exit_code == 1, refused.output
    assert "Ana Silva (ana) is missing and has 1 open lead" in refused.output
    assert "ana" in box.read_now(lambda session, now: roster.current(session)).people

    loaded = baton("roster", "load", str(file), "--to", "cleo")
    time.at += timedelta(minutes=2)
    await driver.settle()
    assert loaded.exit_code == 0, loaded.output
    assert "1 lead or duty of people who have left is handed over." in loaded.output
    assert newest(box, taken).rep == "cleo"


def test_a_file_that_lacks_what_is_agreed_is_refused(baton: Command, tmp_path: Path) -> None:
    file = tmp_path / "roster.yaml"
    file.write_text("".join(line for line in ROSTER.splitlines(keepends=True) if not line.startswith("  dora:")))

    refused = baton("roster", "load", str(file), "--hand-over")

    assert refused.exit_code == 2, refused.output
    assert "b2b-saas@1: routing.default_acceptor: nobody in the roster is called 'dora'" in refused.output
