"""Figures about many leads, and what is looked for among all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from app.web.health import measured
from storage import disputes, lives, sources, trail
from storage.tables import Handoff
from tasks.background import alarms
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.storage.budgets.measuring import assert_at_most, assert_no_scan
from tests.storage.crowd import SOURCES
from tests.storage.plans import Work, recorded, scans

#: Everything that /metrics tells, and a look for alarms.
SCRAPE, LOOK_FOR_ALARMS = 18, 13
#: What is counted row by row: it grows with what is open or to be looked at, and not with the leads.
COUNTED = ("SELECT kept_payloads.door, count(*)",)


def test_where_the_time_of_five_hundred_leads_went_asks_no_more_than_that_of_five(box: Toolbox) -> None:
    ids = box.read_now(
        lambda session, now: session.exec(select(Handoff.lead_id).distinct().order_by(col(Handoff.lead_id).desc()).limit(500)).all()
    )

    def measure(leads: Sequence[int]) -> Work:
        with recorded(box.database) as work, box.database.read() as session:
            assert len(lives.of(session, leads)) == len(leads)
        return work

    first, few, many = measure(ids), measure(ids[::100]), measure(ids)

    assert len(first) >= len(few) == len(many), "the first one also reads the roster and the agreement"
    assert scans(box.database, few) == {}
    few_disputes = ["SELECT disputes.handoff_id"]  # there are so few that to read them all beats five hundred looks into their index
    assert scans(box.database, many.without(few_disputes)) == {}


def test_a_scrape_and_a_look_for_alarms_read_no_big_table_from_end_to_end(box: Toolbox, time: SteppedTime) -> None:
    """Only what is open is counted row by row: handoffs, waits, wakes, and payloads that a person has to look at."""
    with recorded(box.database) as scraped:
        found = measured(box, time.at.timestamp())
    with recorded(box.database) as looked:
        box.read_now(lambda session, now: alarms.find(session, now=now, real=time.at))
        box.read_now(lambda session, now: sources.came_in(session, {f"source{n}": [(now - timedelta(days=1), now)] * 4 for n in range(20)}))

    assert sum(found.open_leads.values()) >= 300
    assert len(found.sources) >= SOURCES
    assert_at_most(scraped, SCRAPE)
    assert_at_most(looked, LOOK_FOR_ALARMS)
    assert scans(box.database, scraped.without(COUNTED)) == {}
    assert scans(box.database, looked.without(COUNTED)) == {}


def test_disputes_and_the_trail_are_read_over_an_index(box: Toolbox) -> None:
    """Which rejections can be disputed, which disputes nobody decided, what is to be sealed."""

    def ask(session: Session, now: datetime) -> None:
        disputes.rejections(session, since=now - timedelta(days=14), now=now)
        disputes.overdue(session, now=now)
        disputes.which_led_to(session, 1)
        trail.seal(session, key=b"key", now=now)

    with recorded(box.database) as work:
        box.write_now(ask)

    assert_no_scan(box, work)
