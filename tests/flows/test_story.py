"""What a run tells of its lead: sentences without personal data, each once, and a server that is away holds nobody up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from sqlmodel import Session

from app import stack
from flows.lead_events import NAMES
from flows.story import AT_ONCE, Line, Story, story_of
from flows.telling import tell
from flows.timeline import timeline_of
from storage import trail
from storage.tables import Handoff
from tasks.wiring.toolbox import Toolbox
from tests.conftest import MONDAY, ROOT
from tests.driver import Driver
from tests.stage import Taken, capture, newest


def told(box: Toolbox, taken: Taken, *, after: int = 0, anew: bool = False, ended: bool = False, tags: Sequence[str] = ()) -> Story:
    """What an attempt would tell of the lead now."""
    return box.read_now(lambda session, now: story_of(session, newest(box, taken), told=after, anew=anew, ended=ended, tags=tags))


def happens(box: Toolbox, taken: Taken, *events: dict[str, Any]) -> None:
    """Records these events of the lead."""

    def record(session: Session, now: object) -> None:
        for event in events:
            trail.record(session, now=MONDAY, handoff=session.get(Handoff, newest(box, taken).id), **event)

    box.write_now(record)


@pytest.fixture
async def assigned(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.settle()
    return taken


async def test_a_run_tells_what_is_new_with_the_time_of_the_agreements_zone(box: Toolbox, assigned: Taken) -> None:
    story = told(box, assigned)
    happens(box, assigned, {"kind": "missed", "clock": "acceptance"})

    later = told(box, assigned, after=story.until)

    assert [one.text for one in story.lines][:2] == ["Mon 01 Feb 09:00 · Came in", "Mon 01 Feb 09:00 · Passed the screen"]
    assert [(one.level, one.text) for one in later.lines] == [(logging.WARNING, "Mon 01 Feb 09:00 · Missed: acceptance")]
    assert told(box, assigned, after=later.until) == Story()
    assert told(box, assigned, after=later.until, anew=True).lines == story.lines + later.lines


async def test_no_line_holds_a_name_that_somebody_typed_or_an_address(box: Toolbox, assigned: Taken) -> None:
    until = told(box, assigned).until
    happens(
        box,
        assigned,
        {"kind": "answered-accepted", "actor": "Erika Mustermann", "claimed": True, "via": "prefect"},
        {"kind": "answered-accepted", "actor": "erika", "claimed": True, "via": "cli"},
        {"kind": "crm-converted", "actor": "erika@example.com"},
        {"kind": "crm-not-understood", "why": "unknown-owner", "owner": "erika@example.com"},
        {"kind": "answered-accepted", "actor": "ben"},
    )

    texts = [one.text.partition(" · ")[2] for one in told(box, assigned, after=until).lines]

    assert "erika" not in " ".join(texts).lower()
    assert texts[0] == "somebody accepted (in Prefect, under a name that nobody checked)"
    assert texts[-1] == "Ben Carter accepted"


async def test_what_is_for_an_operator_is_loud(box: Toolbox, assigned: Taken) -> None:
    until = told(box, assigned).until
    happens(box, assigned, {"kind": "attempt-failed", "error": "CrmError"}, {"kind": "got-stuck", "why": "5 attempts failed: CrmError"})

    lines = told(box, assigned, after=until).lines

    assert [(one.level, one.text.partition(" · ")[2]) for one in lines] == [
        (logging.WARNING, "An attempt failed: CrmError"),
        (logging.ERROR, "Stuck: 5 attempts failed: CrmError"),
    ]


async def test_a_server_that_is_away_raises_nothing_and_is_told_later(make_run: Callable[[], FlowRun]) -> None:
    line = Line(MONDAY + timedelta(seconds=1), logging.INFO, "Came in")
    async with PrefectClient(f"http://127.0.0.1:{stack.free_port()}/api") as client:
        with cast(Any, FlowRunContext).model_construct(client=client, flow_run=make_run(), start_time=MONDAY):
            assert not await tell(Story((line,), until=1))
            assert await tell(Story(until=1)), "nothing to tell costs no call"


async def test_events_for_automations_are_told_once_though_a_new_run_has_the_whole_log(box: Toolbox, assigned: Taken) -> None:
    first = told(box, assigned, tags=("team:emea", "stage:assigned"))
    happens(box, assigned, {"kind": "missed", "clock": "acceptance", "why": "words of somebody"})

    later = told(box, assigned, after=first.until, anew=True)

    assert [one.name for one in first.events] == ["baton.lead.qualified", "baton.lead.assigned"]
    assert first.events[0].tags == ("team:emea",)
    assert [(one.name, one.says["clock"], one.at) for one in later.events] == [("baton.lead.missed", "acceptance", later.lines[-1].at)]
    assert set(later.events[0].says) == {"stage", "agreement", "at", "clock"}
    assert later.events == told(box, assigned, after=first.until).events, "a repetition has the same ids"


async def test_at_its_end_the_story_has_a_timeline_of_the_whole_life_and_the_log_only_what_is_new(box: Toolbox, assigned: Taken) -> None:
    first = told(box, assigned)
    happens(box, assigned, {"kind": "answered-accepted", "actor": "ben"}, {"kind": "crm-converted", "actor": "erika@example.com"})

    last = told(box, assigned, after=first.until, ended=True)

    assert first.timeline == ""
    assert last.lines == told(box, assigned, after=first.until).lines
    rows = last.timeline.splitlines()
    assert rows[:4] == [
        "less than 1 s from the first line to the last. Times are in Europe/London.",
        "",
        "| when | after | what happened |",
        "|---|---|---|",
    ]
    assert [row.split(" | ")[2].removesuffix(" |") for row in rows[4:]] == [
        one.text.partition(" · ")[2].replace("|", "/") for one in first.lines + last.lines
    ]
    assert "erika" not in last.timeline
    assert told(box, assigned, after=last.until, ended=True) == Story(), "an end that is told again tells nothing"


async def test_a_long_life_is_told_whole_at_its_end(box: Toolbox, assigned: Taken) -> None:
    happens(box, assigned, *({"kind": "missed", "clock": "acceptance"} for _ in range(AT_ONCE)))

    part = told(box, assigned)
    whole = told(box, assigned, after=part.until, ended=True)

    assert len(part.events) <= AT_ONCE < len(part.lines) + len(whole.lines)
    assert whole.timeline.count("Missed: acceptance") == AT_ONCE


def test_a_timeline_says_how_long_each_thing_took_and_an_hour_that_comes_twice_is_no_step_back() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)

    shown = timeline_of([(night, "Came in"), (night + timedelta(hours=1), "a|b"), (night, "Late")], berlin)

    assert shown.splitlines()[4:] == [
        "| Sun 31 Oct 2027 02:30 |  | Came in |",
        "| Sun 31 Oct 2027 02:30 | 1 h | a/b |",
        "| Sun 31 Oct 2027 02:30 |  | Late |",
    ]
    assert shown.startswith("1 h from")
    assert timeline_of([], berlin) == ""


def test_the_docs_list_every_event() -> None:
    page = (ROOT / "docs/prefect-ui.md").read_text(encoding="utf-8")

    assert [name for name in set(NAMES.values()) if f"| `{name}` |" not in page] == []


@pytest.fixture
def make_run() -> Callable[[], FlowRun]:
    return lambda: FlowRun(id=uuid4(), flow_id=uuid4(), name="Northwind · lead 17")
