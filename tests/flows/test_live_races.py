"""Races against a live Prefect server and real pages: whatever comes first counts, and the others are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlmodel import col, select

from app.demo.browser import Page
from storage import time_offset
from storage.tables import Answer
from tests.examples import at_night
from tests.live import Live, live_stack
from tests.stage import Taken

pytestmark = [pytest.mark.long, pytest.mark.live]
ROUNDS = at_night(20, before_a_change=8)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One stack for all races."""
    with live_stack(Path(tmp_path_factory.mktemp("races"))) as running:
        yield running


def counted(live: Live, taken: Taken) -> list[str]:
    """What counted for the lead's acceptance, deadline included: one entry when all is well."""
    handoff_id = live.handoff(taken).id
    query = select(Answer).where(Answer.handoff_id == handoff_id, Answer.state == "counted").order_by(col(Answer.id))
    return [answer.kind for answer in live.box.read_now(lambda session, now: list(session.exec(query)))]


def together(actions: list[Callable[[], Page]]) -> list[Page]:
    """Does all of it at once, as far as threads can."""
    gate = Barrier(len(actions))

    def act(action: Callable[[], Page]) -> Page:
        gate.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def press(live: Live, taken: Taken, choice: str, **fields: str) -> Callable[[], Page]:
    """A person who has read the page and has a finger on the button."""
    visitor = live.enrolled(taken)
    page = visitor.open(live.link_of(taken))
    form = page.form_with("choice")
    assert form is not None

    def submit() -> Page:
        with visitor:
            return visitor.submit(page, form, choice=choice, **fields)

    return submit


def test_an_answer_before_the_run_has_parked_is_not_lost(live: Live) -> None:
    """Answered as soon as the message is there, while the attempt is still under way."""
    for _ in range(ROUNDS):
        taken = live.capture()
        live.answer(taken, "accepted")
        live.until_stage(taken, "accepted")
        assert counted(live, taken) == ["accepted"]


def test_of_two_opposite_answers_at_once_one_counts_and_the_other_is_told(live: Live) -> None:
    """Accept and reject in the same instant, from two browsers."""
    many = [live.capture() for _ in range(ROUNDS)]
    for taken in many:
        live.until_parked(taken, "AwaitingAcceptance")
        first, second = together([press(live, taken, "accepted"), press(live, taken, "rejected", reason="not-icp")])

        won = counted(live, taken)
        assert won in (["accepted"], ["rejected"])
        assert all(page.status == 200 for page in (first, second))
        loser = second if won == ["accepted"] else first
        assert won[0] in loser.text
        live.until_stage(taken, "accepted" if won == ["accepted"] else "disqualified")


def test_answer_and_deadline_at_the_same_instant_leave_one_of_them(live: Live) -> None:
    """The clock and the rep at once: accepted, or gone to a colleague; never both."""
    many = [live.capture() for _ in range(ROUNDS)]
    for taken in many:
        live.until_parked(taken, "AwaitingAcceptance")
    presses = [press(live, taken, "accepted") for taken in many]
    until_known = timedelta(seconds=time_offset.KNOWN_FOR_SECONDS)
    live.leap_to(max(live.wait_of(taken).due_at for taken in many) - until_known - timedelta(milliseconds=150))

    together(presses)

    def is_over(taken: Taken) -> bool:
        return live.handoff(taken).stage == "accepted" or "deadline" in counted(live, taken)

    for taken in many:
        live.until(partial(is_over, taken))
        first = counted(live, taken)[0]
        assert first in ("accepted", "deadline")
        if first == "accepted":
            live.until_stage(taken, "accepted")
            assert counted(live, taken)[0] == "accepted"
