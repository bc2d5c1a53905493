"""A part that could only go wrong refuses to start, at once, and says what to do."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import prefect
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from sqlalchemy import event

from app.prefect_check import check_prefect
from app.starting import SKEW, CannotStart, check_database, compare_clocks
from storage.database import Database
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox


def test_a_database_of_ones_own_is_taken_at_every_start(box: Toolbox) -> None:
    check_database(box)
    check_database(box)


def test_two_installations_on_one_database_are_told_apart_and_the_other_is_named(box: Toolbox, tmp_path: Path) -> None:
    check_database(box)
    other = replace(box, settings=Settings(home=tmp_path / "other"))

    with pytest.raises(CannotStart, match=r"belongs to another installation, .*:.*/home") as refused:
        check_database(other)

    assert "BATON_DATABASE_URL" in str(refused.value)
    check_database(box)


def test_two_machines_of_one_installation_share_the_database(box: Toolbox, tmp_path: Path) -> None:
    check_database(box)
    key = box.settings.seal_key().decode()

    check_database(replace(box, settings=Settings(home=tmp_path / "other", trail_key=key)))


def test_a_database_that_may_only_be_read_is_refused(box: Toolbox) -> None:
    path = box.database.url.removeprefix("sqlite:///")
    readable = Database(f"sqlite:///file:{path}?mode=ro&uri=true")

    with pytest.raises(CannotStart, match="cannot be written to: attempt to write a readonly database"):
        check_database(replace(box, database=readable))
    readable.close()


def test_a_database_that_is_full_is_refused(box: Toolbox) -> None:
    with sqlite3.connect(box.database.url.removeprefix("sqlite:///")) as connection:
        connection.execute("VACUUM")  # no page is free
    connection.close()
    full = Database(box.database.url)

    @event.listens_for(full.engine, "connect")
    def no_room(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # SQLite takes that as: no more than there are

    with pytest.raises(CannotStart, match="database or disk is full"):
        check_database(replace(box, database=full))
    full.close()


def test_a_machine_whose_clock_is_an_hour_off_is_refused() -> None:
    now = datetime.now(UTC)

    compare_clocks(None, "the database server", asked_at=now)
    compare_clocks(now + SKEW / 2, "the database server", asked_at=now)
    for off in (timedelta(hours=1), timedelta(hours=-1)):
        with pytest.raises(CannotStart, match="that of the database server") as refused:
            compare_clocks(now + off, "the database server", asked_at=now)
        assert "NTP" in str(refused.value)


def test_a_server_that_answers_late_has_no_wrong_clock() -> None:
    """One that stood still for a minute read its clock at any time of that."""
    asked_at = datetime.now(UTC) - timedelta(minutes=1)

    compare_clocks(asked_at + timedelta(seconds=1), "the Prefect server", asked_at=asked_at)
    with pytest.raises(CannotStart):
        compare_clocks(asked_at - 2 * SKEW, "the Prefect server", asked_at=asked_at)


@contextmanager
def a_server(*, version: str = prefect.__version__, date: datetime | None = None) -> Iterator[str]:
    """A server that speaks as Prefect's does and knows no deployment; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.endswith("/admin/version")
            body = json.dumps(version if known else {"detail": "Deployment not found"}).encode()
            self.send_response_only(200 if known else 404)
            self.send_header("Date", self.date_time_string((date or datetime.now(UTC)).timestamp()))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def refusal(box: Toolbox, url: str) -> str:
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        async with PrefectClient(url) as client:
            with pytest.raises(CannotStart) as refused:
                await check_prefect(box, client)
    return str(refused.value)


async def test_a_prefect_server_of_another_version_is_refused(box: Toolbox) -> None:
    with a_server(version="2.20.1") as url:
        assert "is of version 2.20.1" in await refusal(box, url)


async def test_a_prefect_server_with_another_database_behind_it_is_refused(box: Toolbox) -> None:
    with a_server() as url:
        said = await refusal(box, url)

    assert "does not know the deployment of b2b-saas@1" in said
    assert "baton agreement deploy b2b-saas@1" in said


async def test_a_prefect_server_whose_clock_is_an_hour_off_is_refused(box: Toolbox) -> None:
    with a_server(date=datetime.now(UTC) + timedelta(hours=1)) as url:
        assert "that of the Prefect server" in await refusal(box, url)


async def test_a_prefect_server_that_does_not_answer_is_named(box: Toolbox) -> None:
    with a_server() as url:
        pass

    assert f"The Prefect server at {url}" in await refusal(box, url)
