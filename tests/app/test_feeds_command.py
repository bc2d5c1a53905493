"""`baton roster feeds`: the state of each calendar feed, without its address."""

from __future__ import annotations

from datetime import timedelta

from storage import feeds, roster
from storage.feeds import Asked
from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command
from tests.conftest import ROSTER

ADDRESS = "https://calendar.example/private-8d2fd2c9/basic.ics"


def test_nobody_has_a_feed(baton: Command) -> None:
    shown = baton("roster", "feeds")

    assert (shown.exit_code, shown.output.strip()) == (0, "Nobody in the roster has a calendar feed.")


def test_each_feed_has_its_age_and_its_problem_and_no_address(baton: Command, box: Toolbox) -> None:
    text = ROSTER.replace("ana@northgate.example,", f"ana@northgate.example, calendar_feed: '{ADDRESS}',")
    box.write_now(lambda session, now: roster.load(session, text, now=now))
    assert "not yet" in baton("roster", "feeds").output
    box.write_now(lambda session, now: feeds.take_over(session, {"ana": ADDRESS}, now=now))
    box.write_now(lambda session, now: feeds.read(session, "ana", Asked("", "", "", 3), now=now - timedelta(hours=5)))
    good = baton("roster", "feeds")
    box.write_now(lambda session, now: feeds.failed(session, "ana", "its address does not exist; copy it anew", now=now))

    bad = baton("roster", "feeds")

    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "5 hours ago" in good.output
    assert "5 hours ago" in bad.output
    assert "does not" in bad.output
    assert "8d2fd2c9" not in good.output + bad.output
