"""GET /metrics and the parts of /healthz over real HTTP: what a key with the scope sees, and that strangers learn nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session, select

from agreements.words import ALARM_KINDS
from app.web.health import PARTS
from storage import deliveries, worker_beats
from storage.keys import Scope
from storage.tables import Alarm, Delivery, KeptPayload, Wake
from tests.app.stage import DUE, NOW, Stage, stage


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


@pytest.fixture
def scraper(company: Stage) -> httpx.Client:
    return company.browser(headers={"authorization": f"Bearer {company.key('prometheus', Scope.METRICS)}"})


def scraped(scraper: httpx.Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = scraper.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def one(found: dict[Any, float], name: str, **labels: str) -> float | None:
    return found.get((name, tuple(sorted(labels.items()))))


def works(company: Stage, *, ago: timedelta = timedelta(0), away: bool = False) -> None:
    def beat(session: Session, now: Any) -> None:
        at = company.time.at - ago
        worker_beats.beat(session, "here:1", real=at, ticked_at=at, prefect_away_since=at if away else None)

    company.box.write_now(beat)


def test_a_key_with_the_scope_reads_how_the_installation_does(company: Stage, scraper: httpx.Client) -> None:
    works(company, ago=timedelta(seconds=30))

    def happen(session: Session, now: Any) -> None:
        due = {"handoff_id": company.handoff_id, "created_at": now, "urgency": 0}
        session.add(Wake(key="late", kind="answer", not_before=now - timedelta(minutes=5), **due))
        session.add(Wake(key="later", kind="answer", not_before=now + timedelta(days=1), **due))
        session.add(KeptPayload(key="k", door="forms", content="{}", at=now))
        session.add(Alarm(kind="lead-stuck", subject="7", since=now, began_at=now))
        session.add(Alarm(kind="clock-late", since=now))  # it does not count yet
        for number, state in enumerate(("sent", "failed", "queued")):
            deliveries.queue(session, None, deliveries.Message("told"), deliveries.Copy(str(number), "email", "ana"), now=now)
            [row] = [one for one in company_rows(session) if one.key == str(number)]
            if state == "sent":
                deliveries.claim(session, row.id)
                session.refresh(row)
                deliveries.succeeded(session, row, None, proof="250", now=now)
            elif state == "failed":
                deliveries.failed(session, row, None, error="x", permanent=True, now=now)

    company.box.write_now(happen)

    found = scraped(scraper)

    assert one(found, "baton_leads_taken_in_total") == 1
    assert one(found, "baton_leads_open", stage="assigned", tier="hot", agreement="small") == 1
    assert one(found, "baton_promises_open", clock="acceptance", sla="on-track") == 1
    assert (one(found, "baton_wakes_undelivered", urgency="hot"), one(found, "baton_wake_age_seconds", urgency="hot")) == (2, 300)
    assert one(found, "baton_clock_lag_seconds") == 300
    assert (one(found, "baton_workers"), one(found, "baton_clock_tick_age_seconds"), one(found, "baton_prefect_away")) == (1, 30, 0)
    assert [one(found, "baton_deliveries", channel="email", state=state) for state in ("confirmed", "failed", "queued")] == [1, 1, 1]
    assert one(found, "baton_intake_payloads_kept", door="forms") == 1
    assert {kind: one(found, "baton_alarms_open", kind=kind) for kind in ALARM_KINDS} == {**dict.fromkeys(ALARM_KINDS, 0), "lead-stuck": 1}
    assert (one(found, "baton_source_silence_seconds", source="website") or 0) >= 0


def company_rows(session: Session) -> list[Delivery]:
    return list(session.exec(select(Delivery)))


def test_a_promise_is_on_track_then_due_soon_then_breached(company: Stage, scraper: httpx.Client) -> None:
    def standing() -> set[str]:
        return {dict(labels)["sla"] for name, labels in scraped(scraper) if name == "baton_promises_open"}

    assert standing() == {"on-track"}
    company.time.at = DUE - timedelta(minutes=59)
    assert standing() == {"due-soon"}
    company.time.at = DUE
    assert standing() == {"breached"}


def test_strangers_and_other_keys_learn_nothing(company: Stage) -> None:
    stranger = company.browser()
    for path in ("/metrics", "/healthz/clock", "/healthz/nothing"):
        refused = stranger.get(path)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert "baton_" not in refused.text
        for scope in set(Scope) - {Scope.METRICS}:
            program = company.browser(headers={"authorization": f"Bearer {company.key(f'{scope} {path}', scope)}"})
            assert program.get(path).status_code == 403
    assert stranger.get("/healthz").json() == {"status": "ok"}


def test_nothing_personal_is_measured(company: Stage, scraper: httpx.Client) -> None:
    text = scraper.get("/metrics").text.casefold()

    assert [
        word for word in ("ana", "lee", "hara", "harbour", "@", "+44") if re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text)
    ] == []


@pytest.mark.parametrize("again", [False, True], ids=["moved away", "replaced"])
def test_a_database_file_that_was_moved_away_is_not_well(company: Stage, scraper: httpx.Client, again: bool) -> None:
    file = Path(company.box.database.url.removeprefix("sqlite:///"))
    moved = file.rename(file.with_suffix(".moved"))
    if again:
        shutil.copy(moved, file)

    for path in ("/healthz", "/healthz/database"):
        answer = scraper.get(path)
        assert (answer.status_code, answer.json()) == (503, {"status": "down"})


def test_each_part_is_well_or_not(company: Stage, scraper: httpx.Client) -> None:
    def well() -> set[str]:
        return {part for part in PARTS if scraper.get(f"/healthz/{part}").status_code == 200}

    assert well() == set(PARTS) - {"clock", "prefect"}, "no worker was ever here"
    works(company)
    assert well() == set(PARTS)
    works(company, away=True)
    assert well() == set(PARTS) - {"prefect"}
    works(company, ago=timedelta(minutes=5))
    assert well() == set(PARTS) - {"clock", "prefect"}
    works(company)
    alarm = Alarm(kind="channel-fails", subject="email", since=NOW, began_at=NOW)
    company.box.write_now(lambda session, now: session.add(alarm))
    assert well() == set(PARTS) - {"mail", "channels"}
    assert scraper.get("/healthz/mail").json() == {"status": "down"}
    assert scraper.get("/healthz/moon").status_code == 404
