"""The commands print names that strangers chose letter by letter, whatever Rich would read in them."""

from __future__ import annotations

import pytest

from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command
from tests.driver import Driver
from tests.stage import capture

STRANGE = "[/b] [red]Dot[/red] [link=http://x.example]y[/link] :smile:"


@pytest.mark.parametrize("command", [("leads", "list"), ("leads", "show", "1"), ("verify", "--table", "--no-runs")])
async def test_a_name_with_markup_is_printed_as_it_is(driver: Driver, box: Toolbox, baton: Command, command: tuple[str, ...]) -> None:
    capture(box, company=STRANGE, source=STRANGE, campaign=STRANGE, job_title=STRANGE)
    await driver.settle()

    done = baton(*command)

    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    assert (done.exit_code, STRANGE in done.output) == (0, True), done.output
