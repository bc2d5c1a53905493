"""`baton review` on a real database: the period, the files, and what was decided."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from agreements.review.period import Period, last_week
from app.review.making import make_due
from app.review.review import report
from storage.tables import Touch
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.deal import until_accepted, until_working
from tests.driver import Driver
from tests.storage.plans import recorded


async def lead_and_next_week(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Carry a lead to work, and move to the Monday after."""
    await until_working(driver, box)
    time.at += timedelta(days=7)


async def test_the_last_whole_week_is_reviewed_and_written(
    driver: Driver, box: Toolbox, time: SteppedTime, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    await lead_and_next_week(driver, box, time)
    baton: Command = request.getfixturevalue("baton")

    done = baton("review", "--out", str(tmp_path / "out"))
    told = json.loads((tmp_path / "out" / "review.json").read_text(encoding="utf-8"))

    assert done.exit_code == 0, done.output
    assert "b2b-saas@1, 1 Feb 2027 to 7 Feb 2027" in done.output
    assert (told["first"], told["last"], told["funnel"]["mqls"], told["open_leads"]) == ("2027-02-01", "2027-02-07", 1, 1)
    assert {"objectives.csv", "funnel.csv", "review.json"} <= {path.name for path in (tmp_path / "out").iterdir()}


async def test_in_a_written_review_each_lead_to_discuss_is_a_link_that_is_the_same_for_everybody(
    driver: Driver, box: Toolbox, time: SteppedTime, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Whoever has the file has no token of anybody: the address asks for a remembered browser."""
    await until_accepted(driver, box)
    time.at = datetime(2027, 2, 8, 9, tzinfo=UTC)
    await make_due(box)
    baton: Command = request.getfixturevalue("baton")

    done = [baton("review", *words, "--out", str(tmp_path / name)) for name, words in (("made", ()), ("kept", ("show", "1")))]
    pages = [(tmp_path / name / "review.html").read_text(encoding="utf-8") for name in ("made", "kept")]

    assert [one.exit_code for one in done] == [0, 0], [one.output for one in done]
    assert [re.findall(r"<a [^>]*>", page) for page in pages] == [['<a href="http://baton.test/me/leads/1">']] * 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--week", "--month"], 2, "Name one period"),
        (["--to", "2027-01-31"], 2, "Name the first day too"),
        (["--from", "2027-01-31", "--to", "2027-01-01"], 2, "write the earlier day first"),
        (["--from", "2027-03-01", "--to", "2027-03-31"], 2, "has not come yet"),
        (["--agreement", "nobody's"], 1, "No version of"),
        (["--month", "--json", "-"], 0, '"first": "2027-01-01"'),
        (["--from", "2027-02-01"], 0, "The period is not over."),
        (["done", "7"], 1, "There is no decision 7."),
        (["decide", "  "], 2, "Write what was decided."),
        (["decide", "Yes", "--proposal", "1"], 1, "No monthly review is kept yet."),
        (["decide", "Yes", "--proposal", "1", "--review", "9"], 1, "There is no review 9 with figures."),
        (["decide", "Yes", "--review", "9"], 2, "Name the proposal too"),
        (["decisions"], 0, "Nothing was decided yet."),
    ],
)
def test_what_is_asked_is_answered_or_refused_in_words(baton: Command, words: list[str], code: int, said: str) -> None:
    done = baton("review", *words)

    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_a_decision_is_kept_shown_in_the_next_review_and_done_once(baton: Command) -> None:
    kept = baton("review", "decide", "Call hot leads  before nine", "--by", "Maria Keller", "--until", "2027-01-15")
    open_one = baton("review", "decisions").output
    shown = json.loads(baton("review", "--from", "2027-02-01", "--json", "-").stdout)["decisions"]
    done = [baton("review", "done", "1").exit_code for _ in range(2)]

    assert kept.output.startswith("Decision 1 is kept.")
    assert "Call hot leads before nine" in open_one
    assert "overdue" in open_one
    assert [(one["text"], one["by"], one["until"], one["overdue"]) for one in shown] == [
        ("Call hot leads before nine", "Maria Keller", "2027-01-15", True)
    ]
    assert done == [0, 0]
    assert "done 01 Feb 2027" in baton("review", "decisions").output


async def test_a_clock_that_was_set_back_is_said_and_spoils_no_speed(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    await lead_and_next_week(driver, box, time)

    def set_back(session: object, now: object) -> None:
        touch = session.exec(select(Touch)).one()  # type: ignore[attr-defined]
        touch.at -= timedelta(days=3)

    box.write_now(set_back)
    of = Period(*last_week(time.at.date()), "Europe/London", time.at)

    found = box.read_now(lambda session, now: report(session, "b2b-saas", of))

    assert [(one.code, one.count) for one in found.notes] == [("out-of-order", 1)]
    assert found.speeds[0].median_seconds is None


async def test_the_number_of_statements_does_not_grow_with_the_leads(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    counts = []
    for _ in range(2):
        await until_working(driver, box)
        of = Period(time.at.date(), time.at.date(), "Europe/London", time.at)
        with recorded(box.database) as work:
            box.read_now(lambda session, now, of=of: report(session, "b2b-saas", of))  # type: ignore[misc]
        counts.append(len(work))

    assert counts[0] == counts[1] <= 20
