"""Since when a lead has been in its stage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agreements.lifecycle import Stage
from agreements.stage_time import in_stage_since
from agreements.words import NoWord

BEGAN = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seen", "hours"),
    [
        (["inquiry", "mql", "mql", "assigned", "assigned"], 3),
        (["inquiry", "mql", "assigned", "mql", "assigned"], 4),
        (["inquiry", "assigned", "", "assigned"], 1),
        (["assigned"], 0),
        (["inquiry", "mql"], None),
        (["assigned", "mql"], None),
        ([], None),
    ],
)
def test_the_stage_began_with_the_last_event_that_came_from_another_stage(seen: list[Stage | NoWord], hours: int | None) -> None:
    known = [(stage, BEGAN + timedelta(hours=number)) for number, stage in enumerate(seen)]

    assert in_stage_since(Stage.ASSIGNED, known) == (None if hours is None else BEGAN + timedelta(hours=hours))
