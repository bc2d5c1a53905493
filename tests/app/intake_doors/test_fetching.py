"""Leads that a notification only names: stored first, fetched by the worker, tried again, and never lost or taken twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from app.intake_doors import doors, replaying
from app.intake_doors.delivering import Delivered, Delivery, deliver
from app.intake_doors.fetch_queue import MOST_TRIES, fetch_leads
from storage import kept_payloads
from storage.tables import Activity, DoorDay, KeptPayload, Lead
from tasks.wiring.toolbox import SteppedTime, Toolbox

MAPS, PAYLOADS = Path("examples/maps/intake"), Path(__file__).parent / "payloads"
TOKEN = "a-token-of-the-company"
SETTING = {"facebook-lead": "FACEBOOK_TOKEN", "linkedin-lead": "LINKEDIN_TOKEN", "hubspot-webhook": "HUBSPOT_TOKEN"}
ASKED = {
    "facebook-lead": "/44444444444444401?fields=",
    "linkedin-lead": "/rest/leadFormResponses/a9a29e52-c0a3-42e3-8af1-2fc83b697003-4?fields=",
    "hubspot-webhook": "/crm/v3/objects/contacts/1246965?properties=email%2C",
}


@dataclass
class Vendor:
    """A vendor's API. It gives these answers in turn, and the last one from then on: status, content, headers."""

    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def says(self, status: int, content: Any = b"", **headers: str) -> None:
        """Gives this answer next, after those that were set before."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answers.append((status, body, {name.replace("_", "-"): value for name, value in headers.items()}))


@contextmanager
def serving() -> Iterator[Vendor]:
    vendor = Vendor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            vendor.asked.append((self.path, self.headers.get("Authorization", "")))
            status, content, headers = vendor.answers.pop(0) if len(vendor.answers) > 1 else vendor.answers[0]
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield vendor
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with serving() as made:
        yield made


@pytest.fixture
def send(box: Toolbox, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the door of a ready map, whose vendor is ours, and brings its recorded notification in."""
    folder = doors.folder_of(box.settings.folder)
    folder.mkdir()

    def sent(name: str, change: Any = None) -> Delivered:
        monkeypatch.setenv(f"BATON_INTAKE_{SETTING[name]}", TOKEN)
        text = (MAPS / f"{name}.yaml").read_text().replace("-token}", f"-token, url: '{vendor.url}/'}}")
        (folder / f"{name}.yaml").write_text(text)
        value = json.loads((PAYLOADS / f"{name}.json").read_text())
        door = doors.door(box.settings.folder, name)
        assert door is not None
        return deliver(box, Delivery(name, door, json.dumps(change(value) if change else value).encode(), "application/json"))

    return sent


def fetched(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.fetched").read_text())


def kept(box: Toolbox) -> list[KeptPayload]:
    return box.read_now(lambda session, now: list(session.exec(select(KeptPayload))))


def leads(box: Toolbox) -> list[str]:
    return box.read_now(lambda session, now: [row.email for row in session.exec(select(Lead))])


@pytest.mark.parametrize("name", SETTING)
async def test_a_notification_is_stored_and_its_lead_is_fetched_once(box: Toolbox, vendor: Vendor, send: Any, name: str) -> None:
    vendor.says(200, fetched(name))

    done = send(name)

    assert (done.status, [one["result"] for one in done.results]) == (202, ["queued"])
    assert leads(box) == []
    assert vendor.asked == [], "the sender must not wait for the vendor"

    assert await fetch_leads(box) == 1
    assert await fetch_leads(box) == 0

    assert leads(box) == ["nora.lind@pier.example"]
    assert kept(box) == []
    [(path, authorization)] = vendor.asked
    assert path.startswith(ASKED[name])
    assert authorization == f"Bearer {TOKEN}"
    [day] = box.read_now(lambda session, now: list(session.exec(select(DoorDay))))
    assert (day.queued, day.taken, day.kept) == (1, 1, 0)


async def test_a_notification_that_comes_again_adds_nothing(box: Toolbox, vendor: Vendor, send: Any) -> None:
    vendor.says(200, fetched("hubspot-webhook"))

    def again(value: Any) -> Any:
        return [{**value[0], "attemptNumber": 3}]

    send("hubspot-webhook")
    send("hubspot-webhook", again)
    assert await fetch_leads(box) == 1
    send("hubspot-webhook", again)
    assert await fetch_leads(box) == 1

    assert leads(box) == ["nora.lind@pier.example"]
    assert len(box.read_now(lambda session, now: list(session.exec(select(Activity))))) == 1
    assert kept(box) == []


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (0, b"", "could not be asked"),
        (500, b"", "It answers 500"),
        (302, b"", "It answers 302"),
        (403, b"", "The token is refused (403)"),
        (200, b"<html>", "cannot be read"),
    ],
)
async def test_what_may_pass_is_tried_again_later_and_later(
    box: Toolbox, time: SteppedTime, vendor: Vendor, send: Any, status: int, content: bytes, said: str
) -> None:
    vendor.says(status, content)
    vendor.says(status, content)
    vendor.says(200, fetched("facebook-lead"))
    send("facebook-lead")

    waits = []
    for _ in range(2):
        await fetch_leads(box)
        [row] = kept(box)
        assert said in row.reason
        assert TOKEN not in row.reason
        assert row.next_at is not None
        waits.append(row.next_at - time.at)
        assert await fetch_leads(box) == 0, "not before its time"
        time.at = row.next_at
    assert waits == [timedelta(minutes=1), timedelta(minutes=2)]

    assert await fetch_leads(box) == 1
    assert leads(box) == ["nora.lind@pier.example"]
    assert kept(box) == []


async def test_a_vendor_that_asks_to_wait_is_heard(box: Toolbox, time: SteppedTime, vendor: Vendor, send: Any) -> None:
    vendor.says(429, Retry_After="600")
    send("facebook-lead")

    await fetch_leads(box)

    assert [row.next_at for row in kept(box)] == [time.at + timedelta(seconds=600)]


async def test_after_a_day_of_tries_a_person_has_to_look_and_can_begin_anew(
    box: Toolbox, time: SteppedTime, vendor: Vendor, send: Any
) -> None:
    vendor.says(500)
    send("facebook-lead")
    began = time.at
    for _ in range(MOST_TRIES):
        assert await fetch_leads(box) == 1
        [row] = kept(box)
        time.at = row.next_at or time.at
    assert row.next_at is None
    assert time.at - began > timedelta(days=1)
    assert box.read_now(lambda session, now: [one.id for one in kept_payloads.failed(session)]) == [row.id]

    vendor.answers.clear()
    vendor.says(200, fetched("facebook-lead"))
    assert replaying.replay(box, row) == ("queued", "")
    assert await fetch_leads(box) == 1
    assert leads(box) == ["nora.lind@pier.example"]


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (404, b"", "There is no such lead"),
        (200, b"x" * 1_100_000, "longer than 1,000,000 bytes"),
        (200, b'{"id": "1", "field_data": [{"name": "email", "values": ["no address"]}]}', "email is not an e-mail address"),
        (200, b"[]", "source_id is required"),
    ],
)
async def test_what_another_try_would_not_change_is_shown_at_once(
    box: Toolbox, vendor: Vendor, send: Any, status: int, content: bytes, said: str
) -> None:
    vendor.says(status, content)
    send("facebook-lead")

    await fetch_leads(box)

    [row] = box.read_now(lambda session, now: kept_payloads.failed(session))
    assert said in row.reason
    assert leads(box) == []


async def test_without_its_token_or_map_a_lead_waits(
    box: Toolbox, time: SteppedTime, vendor: Vendor, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.says(200, fetched("facebook-lead"))
    send("facebook-lead")
    monkeypatch.delenv("BATON_INTAKE_FACEBOOK_TOKEN")
    await fetch_leads(box)
    assert ["BATON_INTAKE_FACEBOOK_TOKEN is not set" in row.reason for row in kept(box)] == [True]
    assert vendor.asked == []

    monkeypatch.setenv("BATON_INTAKE_FACEBOOK_TOKEN", TOKEN)
    file = doors.folder_of(box.settings.folder) / "facebook-lead.yaml"
    text = file.read_text()
    file.unlink()
    time.at += timedelta(minutes=1)
    await fetch_leads(box)
    assert ["is gone" in row.reason for row in kept(box)] == [True]

    file.write_text(text)
    time.at += timedelta(minutes=2)
    await fetch_leads(box)
    assert leads(box) == ["nora.lind@pier.example"]


async def test_of_two_workers_one_fetches(box: Toolbox, vendor: Vendor, send: Any) -> None:
    vendor.says(200, fetched("facebook-lead"))
    send("facebook-lead")

    assert box.write_now(lambda session, now: [row.door for row in kept_payloads.claim_due(session, now=now, limit=4)]) == ["facebook-lead"]
    assert await fetch_leads(box) == 0


@pytest.mark.parametrize("ident", ["../../me", "1/../2", "1?x=2", "1#", "\u00e9"])
async def test_no_id_leads_to_another_path(box: Toolbox, vendor: Vendor, send: Any, ident: str) -> None:
    vendor.says(404)

    def change(value: Any) -> Any:
        value["entry"][0]["changes"][0]["value"]["leadgen_id"] = ident
        return value

    send("facebook-lead", change)
    await fetch_leads(box)

    [(path, _)] = vendor.asked
    assert path.count("/") == 1
    assert path.partition("?")[2].startswith("fields=")
    assert "#" not in path
