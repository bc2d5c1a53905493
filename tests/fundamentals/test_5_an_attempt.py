"""An attempt carries a handoff on until it waits again. A lease lets one attempt at a time change the handoff."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agreements.errors import StaleHandoff
from storage import leases
from tasks.wiring.toolbox import Toolbox
from tests.conftest import MONDAY
from tests.present import the
from tests.stage import capture, newest


def test_an_attempt_that_lost_its_lease_writes_nothing(box: Toolbox) -> None:
    number = newest(box, capture(box)).id

    def take(by: str, after_seconds: int) -> int | None:
        real = MONDAY + timedelta(seconds=after_seconds)
        return box.write_now(lambda session, now: leases.take(session, number, by=by, real=real))

    first = the(take("one worker", 0))
    assert take("another worker", 10) is None  # the first worker still has the lease

    second = the(take("another worker", leases.LEASE_SECONDS + 1))
    assert second > first

    with pytest.raises(StaleHandoff):
        box.write_now(lambda session, now: leases.hold(session, number, first, now=now))
