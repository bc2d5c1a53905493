"""The commands print names that strangers chose letter by letter, whatever Rich or a terminal would read in them."""

from __future__ import annotations

import pytest

from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command
from tests.driver import Driver
from tests.stage import capture

STRANGE = "[/b] [red]Dot[/red] [link=http://x.example]y[/link] :smile:"
CLEARS_THE_SCREEN, TURNS_ROUND = "\x1b[2J", "\u202e"


@pytest.mark.parametrize("command", [("leads", "list"), ("leads", "show", "1"), ("verify", "--table", "--no-runs")])
async def test_a_name_with_markup_is_printed_as_it_is(driver: Driver, box: Toolbox, baton: Command, command: tuple[str, ...]) -> None:
    name = f"{STRANGE}{CLEARS_THE_SCREEN}{TURNS_ROUND}"
    capture(box, company=name, source=name, campaign=name, job_title=name)
    await driver.settle()

    done = baton(*command)

    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    assert (done.exit_code, STRANGE in done.output) == (0, True), done.output
    assert not {CLEARS_THE_SCREEN[0], TURNS_ROUND} & set(done.output)
