"""Reviews that come by themselves: each once, at its instant, whatever dies and however many workers there are."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import pytest
from sqlmodel import col, select

from app.review import flow
from app.review.making import make_due
from storage.tables import KeptReview
from tasks.erasure import retention
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.deal import until_working
from tests.driver import Driver
from tests.dying import Died, MortalTime

#: The Monday after the first week under the agreement, when its first review is due.
DUE = datetime(2027, 2, 8, 9, tzinfo=UTC)
FIRST_WEEK = ("weekly", date(2027, 2, 1), date(2027, 2, 7))


def kept(box: Toolbox) -> list[KeptReview]:
    return box.read_now(lambda session, now: list(session.exec(select(KeptReview).order_by(col(KeptReview.id)))))


def named(box: Toolbox) -> list[tuple[str, date, date]]:
    return [(one.kind, one.first, one.last) for one in kept(box)]


async def test_two_weeks_and_a_change_of_month_give_each_review_once_at_its_instant(box: Toolbox, time: SteppedTime) -> None:
    """Summer time begins in London on 28 March, so nine o'clock is 08:00 UTC from then on."""
    time.at = datetime(2027, 3, 22, 9, tzinfo=UTC)
    await make_due(box)
    made: list[tuple[str, str, str]] = []

    for at in looked(date(2027, 3, 22), days=15):
        time.at = max(at, time.at)
        made += [(f"{time.at:%d %b %H:%M}", one.due.kind, one.days) for one in await make_due(box)]

    assert made == [
        ("29 Mar 08:00", "weekly", "22 Mar 2027 to 28 Mar 2027"),
        ("01 Apr 08:00", "monthly", "1 Mar 2027 to 31 Mar 2027"),
        ("05 Apr 08:00", "weekly", "29 Mar 2027 to 4 Apr 2027"),
    ]


def looked(first: date, *, days: int) -> list[datetime]:
    """Return the instants at which a worker looks: some of each day, around nine o'clock in winter and in summer."""
    hours = [time_of_day(*at) for at in ((7, 45), (8, 0), (8, 15), (8, 45), (9, 0), (9, 15), (17, 0))]
    return [datetime.combine(first + timedelta(days=number), at, UTC) for number in range(days) for at in hours]


@pytest.mark.parametrize("lives", [1, 2])
async def test_a_review_whose_worker_died_is_made_by_the_next(box: Toolbox, time: SteppedTime, lives: int) -> None:
    """The worker dies while it counts, or while it keeps the review."""
    time.at = DUE
    box.time = MortalTime(DUE, lives=lives)
    with pytest.raises(Died):
        await make_due(box)
    box.time = time
    before = named(box)

    await make_due(box)

    assert (before, named(box)) == ([], [FIRST_WEEK])


async def test_two_workers_at_once_keep_one(box: Toolbox, time: SteppedTime) -> None:
    time.at = DUE

    both = await asyncio.gather(make_due(box), make_due(box))

    assert sorted(len(made) for made in both) == [0, 1]
    assert named(box) == [FIRST_WEEK]


async def test_any_machine_shows_a_kept_review_as_it_was(
    driver: Driver, box: Toolbox, time: SteppedTime, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What happens later changes nothing in it, and the run names no person, company or lead."""
    await until_working(driver, box)
    time.at = DUE
    made = await make_due(box)
    baton: Command = request.getfixturevalue("baton")

    shown = baton("review", "show", "1", "--out", str(tmp_path / "out"))
    listed = baton("review", "list").output

    assert shown.exit_code == 0, (shown.output, shown.exception)
    told = json.loads((tmp_path / "out" / "review.json").read_text(encoding="utf-8"))
    assert (told["first"], told["funnel"]["mqls"], told["as_of"]) == ("2027-02-01", 1, "2027-02-08T00:00:00Z")
    assert "Review of b2b-saas" in (tmp_path / "out" / "review.html").read_text(encoding="utf-8")
    assert "b2b-saas@1" in listed
    assert "1 Feb 2027 to 7 Feb 2027" in baton("review", "show", "1").output
    assert flow.in_words(made) == "Made: the weekly review of b2b-saas for 1 Feb 2027 to 7 Feb 2027 (number 1)."
    assert "| MQLs | 1 |" in flow.summary(made)
    assert not [one for one in ("Emil", "Alder", "lead 1") if one in flow.summary(made)]


async def test_the_figures_go_with_the_trail_and_the_review_is_not_made_again(
    box: Toolbox, time: SteppedTime, request: pytest.FixtureRequest
) -> None:
    time.at = DUE
    await make_due(box)
    time.at += timedelta(days=4 * 365)

    gone = await retention.carry_out(box)

    baton: Command = request.getfixturevalue("baton")
    assert gone.deleted["figures of reviews"] == 1
    assert [(one.report, one.page, one.first_sheet) for one in kept(box)] == [(b"", b"", {})]
    assert "its figures were deleted" in baton("review", "show", "1").output
    assert baton("review", "show", "7").exit_code == 1


def test_where_nothing_is_due_the_run_and_the_list_say_so(baton: Command) -> None:
    assert flow.in_words(()) == "No review was due."
    assert "No review was due yet." in baton("review", "list").output
