"""Since when a lead has been in its stage, as its trail tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agreements.lifecycle import Stage
from agreements.words import NoWord


def in_stage_since(stage: Stage, seen: Sequence[tuple[Stage | NoWord, datetime]]) -> datetime | None:
    """Return when the lead came into this stage for the last time, None if the trail does not say.

    seen: the stage after each event, oldest first, with its aware instant. An event without a stage says nothing about it.
    """
    since: datetime | None = None
    for after, at in seen:
        if after == stage:
            since = since or at
        elif after:
            since = None
    return since
