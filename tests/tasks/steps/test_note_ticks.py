"""What was wrong or missing in a note is ticked on acceptance: kept, told to marketing, shown in the trail, and counted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from agreements.errors import HandoffError
from storage import figures, roster
from storage.tables import Answer
from tasks.messages import lead_view
from tasks.replies import answering
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import news, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture


async def with_a_rep(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.settle()
    return taken


def data_of(box: Toolbox) -> dict[str, Any]:
    return box.read_now(lambda session, now: session.exec(select(Answer)).one()).data


def lines(box: Toolbox, taken: Taken) -> list[str]:
    return box.read_now(
        lambda session, now: [text for _, text in lead_view.timeline(session, taken.lead_id, people=roster.current(session))]
    )


async def test_ticks_go_to_marketing_into_the_trail_and_into_the_figures(driver: Driver, box: Toolbox) -> None:
    taken = await with_a_rep(driver, box)

    answer_by_link(box, taken, "accepted", note_wrong="pain_point,campaign")
    await driver.settle()

    assert data_of(box) == {"note_wrong": ["campaign", "pain_point"]}
    assert news(box) == [("accepted", "Ana Silva accepted it. Wrong or missing in the note: campaign, pain point.")]
    assert "Ana Silva accepted; wrong or missing in the note: campaign, pain point" in lines(box, taken)
    assert box.read_now(lambda session, now: figures.figures(session, now=now)).note_wrong == {"campaign": 1, "pain_point": 1}


async def test_nothing_ticked_says_nothing(driver: Driver, box: Toolbox) -> None:
    taken = await with_a_rep(driver, box)

    answer_by_link(box, taken, "accepted")
    await driver.settle()

    assert news(box) == [("accepted", "Ana Silva accepted it.")]
    assert "Ana Silva accepted" in lines(box, taken)
    assert box.read_now(lambda session, now: figures.figures(session, now=now)).note_wrong == {}


async def test_a_statement_that_there_is_not_is_refused_and_nothing_is_stored(driver: Driver, box: Toolbox) -> None:
    taken = await with_a_rep(driver, box)

    with pytest.raises(HandoffError, match="no statement spelling; it can have why_qualified"):
        answer_by_link(box, taken, "accepted", note_wrong="campaign,spelling")

    assert wait_of(box, taken).answer_id is None


async def test_ticks_of_an_answer_that_is_no_acceptance_are_left_out(driver: Driver, box: Toolbox) -> None:
    taken = await with_a_rep(driver, box)

    answer_by_link(box, taken, "rejected", reason="not-now", note_wrong="campaign")

    assert data_of(box) == {"reason": "not-now"}


async def test_who_answers_in_prefect_or_at_the_command_line_is_shown_as_claimed(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await with_a_rep(driver, box)
    wait = wait_of(box, taken)

    box.write_now(
        lambda session, now: answering.answer_wait(
            session,
            wait.id,
            answering.SentForm("accepted", {"note_wrong": "campaign"}, via="prefect"),
            by="Maria",
            now=now,
            answered_at=now,
        )
    )

    assert data_of(box) == {"claimed": True, "note_wrong": ["campaign"]}
    said = "Maria accepted; wrong or missing in the note: campaign (in Prefect, under a name that nobody checked)"
    assert said in lines(box, taken)
