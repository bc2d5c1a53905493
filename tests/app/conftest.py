"""What the tests of the doors share: the command line, on the database of the test."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from storage import time_offset
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox

Command = Callable[..., Result]


@pytest.fixture
def baton(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `baton` with these words, on the database of the test, with its keys, and at its time as it was when it began."""
    box.write_now(lambda session, now: time_offset.leap_to(session, now))
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)
    monkeypatch.setenv("BATON_CRM_PEOPLE", "true")
    monkeypatch.setenv("BATON_SECRETS", "a-key-for-tests-only")
    monkeypatch.setenv("BATON_WEB_URL", "http://baton.test")

    def invoke(*words: str) -> Result:
        done = CliRunner().invoke(app, list(words), env={"COLUMNS": "300"})
        toolbox.current().database.close()
        toolbox.use(box)
        return done

    return invoke
