"""The door for returned mail over real HTTP: a bounce is noted once, everything else is taken with a plain word, nothing breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from notifications import bounces
from storage import deliveries, page_requests
from storage.keys import Scope
from storage.page_requests import PageRequest
from storage.tables import Delivery, DeliveryState, Event, Handoff, MailFinding, Wake
from storage.tables.access import SeenAs
from tests.app.stage import Stage, stage
from tests.present import the
from tests.returned import HARD_BOUNCE, from_sns, returned, ses_notice


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    """The company, whose rep was told of her lead by an e-mail that has arrived, as it seems."""
    with stage(tmp_path) as running:

        def tell(session: Session, handoff: Handoff, now: datetime) -> None:
            told = deliveries.Message("assigned", assignment_id=running.assignment_id)
            deliveries.queue(session, handoff, told, deliveries.Copy("told", "email", "ana"), now=now)
            deliveries.claim(session, 1)
            deliveries.succeeded(session, the(session.get(Delivery, 1)), handoff, proof="250 OK", now=now)

        running.do(tell)
        yield running


@pytest.fixture
def door(company: Stage) -> httpx.Client:
    return company.browser(headers={"authorization": f"Bearer {company.key(scope=Scope.DSN)}", "content-type": "message/rfc822"})


def bounce_of(company: Stage, name: str = "failed") -> bytes:
    return returned(name, mark=company.box.links.bounce_marks.of(1))


def state(company: Stage) -> str:
    return str(company.rows(Delivery)[0].state)


def test_a_bounce_is_noted_and_wakes_the_run(company: Stage, door: httpx.Client) -> None:
    answer = door.post("/hooks/dsn", content=bounce_of(company))

    assert (answer.status_code, answer.json()) == (202, {"result": "bounced"})
    assert state(company) == DeliveryState.BOUNCED
    assert "bounce:1" in [wake.key for wake in company.rows(Wake)]


def test_a_mailed_notice_of_amazon_ses_counts_by_its_mark_and_proves_nothing(company: Stage, door: httpx.Client) -> None:
    mark, forged = company.box.links.bounce_marks.of(1), f"1-{'a' * 16}"
    mails = [
        ses_notice("Bounce", mark=forged, bounce=HARD_BOUNCE),
        ses_notice("Delivery", mark=mark),
        ses_notice("Bounce", mark=mark, bounce=HARD_BOUNCE),
    ]

    answers = [door.post("/hooks/dsn", content=from_sns(text)).json()["result"] for text in mails]

    assert answers == ["not-ours", "other", "bounced"]
    assert state(company) == DeliveryState.BOUNCED


def test_a_mailed_complaint_about_other_mail_closes_no_mailbox(company: Stage, door: httpx.Client) -> None:
    """A signed call may say that about a prospect. Anybody can write a mail."""
    complaint = ses_notice("Complaint", complaint={"complainedRecipients": [{"emailAddress": "ana@firm.example"}]})

    answer = door.post("/hooks/dsn", content=from_sns(complaint))

    assert (answer.status_code, answer.json()) == (200, {"result": "complaint"})
    assert company.rows(MailFinding) == []


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (b"5.1.1", {"cause": "hard", "code": "5.1.1", "about": "address", "elsewhere": True}),
        (b"4.2.2", {"cause": "soft", "code": "4.2.2", "about": "mailbox", "elsewhere": True}),
    ],
)
def test_the_trail_keeps_the_cause_of_a_bounce_as_codes(company: Stage, door: httpx.Client, status: bytes, told: dict[str, Any]) -> None:
    door.post("/hooks/dsn", content=bounce_of(company).replace(b"Status: 5.1.1", b"Status: " + status))

    [event] = [event for event in company.rows(Event) if event.kind == "bounced"]
    assert {name: event.data.get(name) for name in told} == told
    assert company.rows(Delivery)[0].permanent == (told["cause"] == "hard")


def test_the_same_bounce_twice_is_one(company: Stage, door: httpx.Client) -> None:
    door.post("/hooks/dsn", content=bounce_of(company))
    answer = door.post("/hooks/dsn", content=bounce_of(company))

    assert (answer.status_code, answer.json()) == (202, {"result": "repeated"})
    assert [event.kind for event in company.rows(Event)].count("bounced") == 1


def test_an_automatic_reply_is_noted_once(company: Stage, door: httpx.Client) -> None:
    answers = [door.post("/hooks/dsn", content=bounce_of(company, "away")) for _ in range(2)]

    assert [(answer.status_code, answer.json()["result"]) for answer in answers] == [(202, "away"), (200, "reply")]
    assert state(company) != DeliveryState.BOUNCED
    assert [event.data["to"] for event in company.rows(Event) if event.kind == "auto-replied"] == ["ana"]


@pytest.mark.parametrize(("name", "result"), [("delayed", "delayed"), ("read-receipt", "other"), ("delivered", "other")])
def test_what_is_no_bounce_is_taken_with_a_plain_word(company: Stage, door: httpx.Client, name: str, result: str) -> None:
    answer = door.post("/hooks/dsn", content=bounce_of(company, name))

    assert (answer.status_code, answer.json()) == (200, {"result": result})
    assert state(company) == DeliveryState.CONFIRMED


COMPLAINT = (
    "From: fbl@elsewhere.example\r\nTo: abuse@firm.example\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=feedback-report; boundary="edge"\r\n\r\n'
    "--edge\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n"
    "--edge\r\nContent-Type: message/rfc822\r\n\r\nX-Baton-Mark: MARK\r\nSubject: A lead for you\r\n\r\nHello\r\n--edge--\r\n"
)
ANSWER = (
    "From: ana@northgate.example\r\nTo: bounces+MARK@firm.example\r\nIn-Reply-To: <x@y.example>\r\nMessage-ID: <NAME>\r\n\r\nI am on it!"
)


def about(company: Stage, text: str, **more: str) -> bytes:
    for name, value in {"MARK": company.box.links.bounce_marks.of(1), **more}.items():
        text = text.replace(name, value)
    return text.encode()


def findings(company: Stage) -> list[tuple[str, str, str]]:
    return [(row.kind, row.person, row.source) for row in company.rows(MailFinding)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ANSWER, "answered"),
        (ANSWER.replace("In-Reply-To", "X-Other"), "doubtful"),
        (ANSWER.replace("I am", "It bounced, I am"), "answered"),
    ],
)
def test_mail_to_a_return_path_that_nothing_explains_is_shown_once(company: Stage, door: httpx.Client, text: str, kind: str) -> None:
    results = [door.post("/hooks/dsn", content=about(company, text)).json()["result"] for _ in range(2)]

    assert results == ["doubtful", "repeated"]
    assert findings(company) == [(kind, "ana", "mail")]
    assert state(company) == DeliveryState.CONFIRMED


def test_a_newsletter_to_a_return_path_is_shown(company: Stage, door: httpx.Client) -> None:
    assert door.post("/hooks/dsn", content=bounce_of(company, "newsletter")).json() == {"result": "doubtful"}


def test_mail_without_a_valid_mark_is_not_kept(company: Stage, door: httpx.Client) -> None:
    marks = ("1-aaaaaaaaaaaaaaaa", "99-bbbbbbbbbbbbbbbb", "1")

    assert {
        door.post("/hooks/dsn", content=about(company, text, MARK=mark)).status_code for text in (ANSWER, COMPLAINT) for mark in marks
    } == {200}
    assert findings(company) == []


def test_one_message_cannot_fill_the_list(company: Stage, door: httpx.Client) -> None:
    for number in range(25):
        door.post("/hooks/dsn", content=about(company, ANSWER, NAME=f"{number}@x.example"))

    assert len(findings(company)) == 20


def test_a_complaint_takes_the_proof_back_and_tells_operations_once(company: Stage, door: httpx.Client) -> None:
    results = [door.post("/hooks/dsn", content=about(company, COMPLAINT)).json()["result"] for _ in range(2)]

    assert results == ["complained", "repeated"]
    assert findings(company) == [("complaint", "ana", "mail")]
    assert state(company) == DeliveryState.BOUNCED
    assert "bounce:1" in [wake.key for wake in company.rows(Wake)]
    assert [row.person for row in company.rows(Delivery) if row.message == "complaint-told"] == ["oscar"]
    assert [event.data["cause"] for event in company.rows(Event) if event.kind == "bounced"] == ["hard"]
    assert [event.data["to"] for event in company.rows(Event) if event.kind == "complained"] == ["ana"]


def test_a_complaint_about_a_message_that_came_back_is_still_one(company: Stage, door: httpx.Client) -> None:
    door.post("/hooks/dsn", content=bounce_of(company))

    assert door.post("/hooks/dsn", content=about(company, COMPLAINT)).json() == {"result": "complained"}


def test_a_bounce_of_somebody_elses_mail_is_not_ours(company: Stage, door: httpx.Client) -> None:
    answer = door.post("/hooks/dsn", content=returned(mark=f"1-{'b' * 16}"))

    assert (answer.status_code, answer.json()) == (200, {"result": "not-ours"})
    assert state(company) == DeliveryState.CONFIRMED


@pytest.mark.parametrize("name", ["failed", "exchange", "qmail"])
def test_whoever_knows_only_the_key_of_a_message_cannot_return_it(company: Stage, door: httpx.Client, name: str) -> None:
    answer = door.post("/hooks/dsn", content=returned(name, key="told"))

    assert (answer.status_code, answer.json()) == (200, {"result": "not-ours"})
    assert state(company) == DeliveryState.CONFIRMED


def test_the_key_of_the_website_reports_no_bounce_and_is_told_why(company: Stage, door: httpx.Client) -> None:
    answer = door.post("/hooks/dsn", content=bounce_of(company), headers={"authorization": f"Bearer {company.key('website')}"})

    assert answer.status_code == 403
    assert "baton keys create NAME --scope dsn" in answer.json()["error"]
    assert state(company) == DeliveryState.CONFIRMED


def test_the_key_of_the_mail_server_takes_no_leads(company: Stage, door: httpx.Client) -> None:
    before = company.snapshot()
    answer = door.post("/api/leads", json={"email": "eve@x.example"}, headers={"content-type": "application/json"})

    assert answer.status_code == 403
    assert "--scope intake" in answer.json()["error"]
    assert company.snapshot() == before


def look(company: Stage, *, device: SeenAs, person: str = "ana", method: str = "GET", minutes: int = 1) -> None:
    """A browser asks for the page of the lead, so many minutes after the message was sent."""
    sent = company.rows(Delivery)[0].sent_at

    def work(session: Session, handoff: Handoff, now: datetime) -> None:
        at = sent + timedelta(minutes=minutes)
        tenure = company.assignment_id
        page_requests.record(session, PageRequest(at, handoff.id, "looked", method, device, assignment_id=tenure, person=person))

    company.do(work)


@pytest.mark.parametrize("device", ["known", "enrolled"])
def test_a_bounce_of_a_message_that_was_read_is_written_down_once_and_changes_nothing(
    company: Stage, door: httpx.Client, device: SeenAs
) -> None:
    look(company, device=device)
    first, second = (door.post("/hooks/dsn", content=bounce_of(company)) for _ in range(2))

    assert [answer.json() for answer in (first, second)] == [{"result": "was-read"}] * 2
    assert state(company) == DeliveryState.CONFIRMED
    assert [event.kind for event in company.rows(Event)].count("bounced-after-reading") == 1
    assert "bounce:1" not in [wake.key for wake in company.rows(Wake)]
    assert company.rows(Delivery)[0].error.startswith("came back after it was read: 5.1.1")


@pytest.mark.parametrize(
    "look_of",
    [{"device": "new"}, {"device": "back"}, {"device": "known", "person": "bea"}, {"device": "known", "method": "HEAD"},
     {"device": "known", "minutes": -5}],
)  # fmt: skip
def test_a_look_that_proves_no_reader_keeps_no_bounce_from_counting(company: Stage, door: httpx.Client, look_of: dict[str, Any]) -> None:
    look(company, **look_of)

    assert door.post("/hooks/dsn", content=bounce_of(company)).json() == {"result": "bounced"}
    assert state(company) == DeliveryState.BOUNCED


@pytest.mark.parametrize("headers", [{"authorization": ""}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eDp5"}])
def test_without_a_key_nothing_is_taken(company: Stage, door: httpx.Client, headers: dict[str, str]) -> None:
    answer = door.post("/hooks/dsn", content=bounce_of(company), headers=headers)

    assert answer.status_code == 401
    assert state(company) == DeliveryState.CONFIRMED


def test_it_says_what_to_send_and_how_much(company: Stage, door: httpx.Client) -> None:
    as_json = door.post("/hooks/dsn", content=b"{}", headers={"content-type": "application/json"})
    too_long = door.post("/hooks/dsn", content=b"x" * (bounces.MAX_BYTES + 1))

    assert (as_json.status_code, too_long.status_code) == (415, 413)
    assert "message/rfc822" in as_json.json()["error"]
    assert "At most" in too_long.json()["error"]


def test_looking_at_the_door_does_nothing(company: Stage, door: httpx.Client) -> None:
    before = company.snapshot()

    assert door.get("/hooks/dsn").status_code == 405
    assert company.snapshot() == before


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"no headers at all",
        b"From: mailer-daemon@x.example\r\nContent-Type: multipart/report; boundary=\"\"\r\n\r\n--\r\n",
        b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        b"To: bounces+" + b"9" * 100_000 + b"-" + b"a" * 16 + b"@x.example\r\n\r\n",
        b"Return-Path: <>\r\nX-Original-To: b+99999999999999-" + b"a" * 16 + b"@x\r\nFrom: postmaster@x\r\n\r\nfailure",
    ],
)  # fmt: skip
def test_hostile_mail_is_refused_in_peace(company: Stage, door: httpx.Client, raw: bytes) -> None:
    answer = door.post("/hooks/dsn", content=raw)

    assert answer.status_code == 200
    assert answer.json()["result"] in ("unreadable", "other", "not-ours")
