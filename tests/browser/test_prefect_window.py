"""The links into Prefect's own window, in a real Chromium: each lists the runs that it promises, and no others.

With BATON_PICTURES=FOLDER the pictures of the docs are taken on the way.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from notifications.prefect_window import window_links
from tests.live import Live, live_stack
from tests.stage import Taken

pytestmark = [pytest.mark.long, pytest.mark.live]
DESK = {"width": 1280, "height": 900}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_stack(tmp_path) as running:
        yield running


def lead(live: Live, company: str) -> Taken:
    """A lead of this company that waits for its rep."""
    taken = live.capture(company=company, email=f"lee@{company.lower()}.example")
    live.until_parked(taken, "AwaitingAcceptance")
    return taken


def test_each_link_lists_the_runs_that_it_promises(live: Live, request: pytest.FixtureRequest) -> None:
    decide = lead(live, "Harbour")
    live.answer(decide, "rejected", reason="other", text="Ask somebody.")
    live.until_parked(decide, "AwaitingDecision")
    late = lead(live, "Alder")
    live.answer(late, "accepted")
    live.until_parked(late, "AwaitingFirstAttempt")
    live.leap_to(live.wait_of(late).due_at + timedelta(minutes=10))
    live.until(lambda: "sla:breached" in live.run_of(late).tags)
    in_time = lead(live, "Northwind")
    address, decides = live.stack.environment["BATON_PREFECT_UI_URL"], live.wait_of(decide).holder
    overdue, waits = window_links(address, "maria")[0].link, window_links(address, decides)[1].link

    # Chromium comes only now, because no other event loop runs beside it.
    new_page: Callable[..., Page] = request.getfixturevalue("new_page")
    page = new_page(viewport=DESK)
    page.add_init_script(f"localStorage.setItem('prefect-password', '{b64encode(live.stack.log_in.encode()).decode()}')")
    for link, listed, name in ((overdue, late, "prefect-overdue"), (waits, decide, "prefect-decisions")):
        page.goto(link)
        expect(page.get_by_text(f"lead {listed.lead_id}").first).to_be_visible()
        if folder := os.environ.get("BATON_PICTURES", ""):
            page.screenshot(path=Path(folder) / f"{name}.png")
        for other in {decide.lead_id, late.lead_id, in_time.lead_id} - {listed.lead_id}:
            expect(page.get_by_text(f"lead {other}")).to_have_count(0)
