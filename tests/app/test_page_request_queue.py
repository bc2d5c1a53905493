"""Who looks at a page waits for no write: requests wait in memory and are written together, soon, each as of its own time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlmodel import Session, col, select

from app.web.page_request_queue import AT_ONCE, SightQueue
from storage import page_requests
from storage.database import Database
from storage.page_requests import PageRequest
from storage.tables import Sight
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.stage import stage
from tests.conftest import MONDAY
from tests.rows import a_handoff
from tests.written import written


@pytest.fixture
def looks(box: Toolbox) -> Callable[..., list[PageRequest]]:
    """So many requests for the pages of so many tenures, one a minute."""
    handoff_id = box.write_now(lambda session, now: a_handoff(session, now).id)

    def made(count: int, **more: object) -> list[PageRequest]:
        given: dict[str, Any] = {"handoff_id": handoff_id, "method": "GET", "what": "looked", "device": "new", **more}
        return [PageRequest(MONDAY + timedelta(minutes=one), **{"assignment_id": f"a{one}", **given}) for one in range(count)]

    return made


def kept(box: Toolbox) -> list[Sight]:
    return box.read_now(lambda session, now: list(session.exec(select(Sight).order_by(col(Sight.id)))))


async def queue_of(box: Toolbox, requests: list[PageRequest], **more: int) -> SightQueue:
    """A queue into which these were put at once: nothing of them is written before the next await."""
    queue = SightQueue(box, **more)
    for one in requests:
        queue.put(one)
    return queue


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_page_answers_while_another_process_holds_the_write_lock(tmp_path: Path, method: str) -> None:
    """It waited for its own write, up to ten seconds, and a browser gives up before."""
    with stage(tmp_path) as company:
        other = Database(company.box.database.url)
        with other.write() as session:
            session.connection()  # takes the lock
            page = company.browser().request(method, company.link)
            company.later(minutes=5)
        other.close()

        assert page.status_code == 200
        [sight] = company.rows(Sight)
        assert (sight.method, sight.what, sight.at) == (method, "looked", company.time.at - timedelta(minutes=5))


async def test_many_are_written_together_and_no_transaction_grows(box: Toolbox, looks: Callable[..., list[PageRequest]]) -> None:
    queue = await queue_of(box, looks(3 * AT_ONCE + 1))

    with written(box.database) as done:
        queue.flush()

    done.assert_short()
    assert len(done.rows) == 4
    assert [row.assignment_id for row in kept(box)] == [f"a{one}" for one in range(3 * AT_ONCE + 1)]
    assert [row.at for row in kept(box)][:2] == [MONDAY, MONDAY + timedelta(minutes=1)]


async def test_where_each_pushes_out_an_older_one_no_transaction_grows_either(
    box: Toolbox, looks: Callable[..., list[PageRequest]]
) -> None:
    same = {"assignment_id": "one"}
    (await queue_of(box, looks(page_requests.KEPT, **same))).flush()
    queue = await queue_of(box, looks(AT_ONCE + 1, **same))

    with written(box.database) as done:
        queue.flush()

    done.assert_short()
    assert len(kept(box)) == page_requests.KEPT


async def test_where_more_wait_than_may_the_oldest_is_dropped_and_the_log_says_so(
    box: Toolbox, looks: Callable[..., list[PageRequest]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "baton.web"):
        queue = await queue_of(box, looks(5), waiting_at_most=3)
    queue.flush()

    assert [row.assignment_id for row in kept(box)] == ["a2", "a3", "a4"]
    assert "the oldest is dropped" in caplog.text


async def test_one_that_cannot_be_kept_costs_no_other(box: Toolbox, looks: Callable[..., list[PageRequest]]) -> None:
    first, last = looks(2)
    nowhere = PageRequest(MONDAY, 4711, "looked", "GET", "new", "nowhere")

    (await queue_of(box, [first, nowhere, last])).flush()

    assert [row.assignment_id for row in kept(box)] == ["a0", "a1"]


class Away(SteppedTime):
    """A database that does not answer: every transaction fails."""

    def now(self, session: Session) -> NoReturn:
        raise ConnectionError("away")


async def test_while_the_database_is_away_they_wait_and_the_newest_are_kept(
    box: Toolbox, looks: Callable[..., list[PageRequest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = await queue_of(box, looks(3), waiting_at_most=3)
    with monkeypatch.context() as away:
        away.setattr(box, "time", Away(MONDAY))
        queue.flush()
    queue.put(looks(4)[3])

    queue.flush()

    assert [row.assignment_id for row in kept(box)] == ["a1", "a2", "a3"]


async def test_nobody_has_to_ask_that_they_are_written(box: Toolbox, looks: Callable[..., list[PageRequest]]) -> None:
    queue = await queue_of(box, looks(2))

    assert queue._task is not None
    while len(kept(box)) < 2:
        await asyncio.sleep(0)

    queue._task.cancel()
