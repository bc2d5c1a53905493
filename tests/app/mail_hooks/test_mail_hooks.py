# ruff: noqa: E501 - one line an event
"""Calls of mail providers over real HTTP: only a signed one counts, each in its provider's documented form, and none counts twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from storage import deliveries
from storage.tables import Delivery, DeliveryState, DoorDay, Event, Handoff, Lead, MailFinding, Wake
from tests.app.mail_hooks import signing
from tests.app.mail_hooks.signing import HOUR, Call
from tests.app.stage import NOW, Stage, stage
from tests.present import the

SIGN: Mapping[str, Callable[[Any, datetime], Call]] = {
    "ses": signing.ses,
    "sendgrid": signing.sendgrid,
    "mailgun": signing.mailgun,
    "postmark": signing.postmark,
}
SIGNED = ("ses", "sendgrid", "mailgun")
#: A bounce, a complaint, a delivery and a delay, as each provider writes it. MARK is what the message carried.
EVENTS: Mapping[str, Mapping[str, Any]] = {
    "ses": {
        "bounce": {
            "notificationType": "Bounce",
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [
                    {
                        "emailAddress": "ana@northgate.example", "action": "failed", "status": "5.1.1",
                        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                    }
                ],
            },
            "mail": {"source": "bounces+MARK@firm.example", "messageId": "x"},
        },
        "complaint": {
            "notificationType": "Complaint",
            "complaint": {"complainedRecipients": [{"emailAddress": "ana@northgate.example"}], "complaintFeedbackType": "abuse"},
            "mail": {"source": "baton@firm.example", "headers": [{"name": "X-Baton-Mark", "value": "MARK"}]},
        },
        "delivered": {"eventType": "Delivery", "delivery": {}, "mail": {"source": "bounces+MARK@firm.example"}},
        "delayed": {"eventType": "DeliveryDelay", "deliveryDelay": {}, "mail": {"source": "bounces+MARK@firm.example"}},
    },
    "sendgrid": {
        "bounce": {
            "email": "ana@northgate.example", "event": "bounce", "type": "bounce", "status": "5.1.1",
            "reason": "550 5.1.1 user unknown", "sg_event_id": "e", "baton_mark": "MARK",
        },
        "complaint": {"email": "ana@northgate.example", "event": "spamreport", "sg_event_id": "e", "baton_mark": "MARK"},
        "delivered": {"email": "ana@northgate.example", "event": "delivered", "response": "250 OK", "baton_mark": "MARK"},
        "delayed": {"email": "ana@northgate.example", "event": "deferred", "response": "451", "baton_mark": "MARK"},
    },
    "mailgun": {
        "bounce": {
            "event": "failed", "severity": "permanent", "recipient": "ana@northgate.example", "reason": "bounce",
            "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": "user unknown"}, "user-variables": {"baton_mark": "MARK"},
        },
        "complaint": {"event": "complained", "recipient": "ana@northgate.example", "user-variables": {"baton_mark": "MARK"}},
        "delivered": {"event": "delivered", "recipient": "ana@northgate.example", "user-variables": {"baton_mark": "MARK"}},
        "delayed": {"event": "failed", "severity": "temporary", "recipient": "ana@northgate.example", "user-variables": {"baton_mark": "MARK"}},
    },
    "postmark": {
        "bounce": {
            "RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "Email": "ana@northgate.example", "Details": "550 5.1.1 user unknown",
            "Description": "The server was unable to deliver your message.", "Metadata": {"baton-mark": "MARK"},
        },
        "complaint": {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": "ana@northgate.example", "Metadata": {"baton-mark": "MARK"}},
        "delivered": {"RecordType": "Delivery", "Recipient": "ana@northgate.example", "Metadata": {"baton-mark": "MARK"}},
        "delayed": {"RecordType": "Bounce", "Type": "Transient", "Email": "ana@northgate.example", "Metadata": {"baton-mark": "MARK"}},
    },
}  # fmt: skip


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    """The company, with all four providers, whose rep was told of her lead by an e-mail."""
    (tmp_path / "sns.pem").write_bytes(signing.certificate())
    settings = {
        "ses_topics": signing.TOPIC,
        "ses_certificate_file": str(tmp_path / "sns.pem"),
        "sendgrid_key": signing.sendgrid_public(),
        "mailgun_key": signing.MAILGUN_KEY,
        "postmark_login": signing.POSTMARK_LOGIN,
    }
    with stage(tmp_path, **settings) as running:

        def tell(session: Session, handoff: Handoff, now: datetime) -> None:
            told = deliveries.Message("assigned", assignment_id=running.assignment_id)
            deliveries.queue(session, handoff, told, deliveries.Copy("told", "email", "ana"), now=now)
            deliveries.claim(session, 1)
            deliveries.succeeded(session, the(session.get(Delivery, 1)), handoff, proof="250 OK", now=now)

        running.do(tell)
        yield running


def rewritten(value: Any, words: Mapping[str, str]) -> Any:
    """The event with these words in place of others."""
    if isinstance(value, dict):
        return {name: rewritten(one, words) for name, one in value.items()}
    if isinstance(value, list):
        return [rewritten(one, words) for one in value]
    for old, new in words.items():
        value = value.replace(old, new) if isinstance(value, str) else value
    return value


def call(company: Stage, source: str, event: str, *, mark: str | None = None, at: datetime = NOW) -> Call:
    own = company.box.links.bounce_marks.of(1) if mark is None else mark
    return SIGN[source](rewritten(EVENTS[source][event], {"MARK": own}), at)


def send(company: Stage, source: str, given: Call) -> httpx.Response:
    return company.browser().post(
        f"/hooks/mail/{source}", content=given.body, headers={"content-type": "application/json", **given.headers}
    )


def state(company: Stage) -> str:
    return str(company.rows(Delivery)[0].state)


def unchanged(company: Stage) -> dict[str, list[Any]]:
    """Everything that is stored except the counts of calls."""
    return {name: rows for name, rows in company.snapshot().items() if name != "door_days"}


def changed(company: Stage, before: Mapping[str, list[Any]]) -> set[str]:
    """The tables that are not as they were, except the memory of calls."""
    return {name for name, rows in unchanged(company).items() if rows != before[name]} - {"seen_deliveries"}


@pytest.mark.parametrize("source", SIGN)
def test_a_bounce_takes_the_proof_back_with_its_cause_and_the_same_call_again_is_refused(company: Stage, source: str) -> None:
    given = call(company, source, "bounce")
    answer, before = send(company, source, given), unchanged(company)
    again = send(company, source, given)

    assert (answer.status_code, answer.json()) == (200, {"results": ["bounced"]})
    assert again.status_code == (401 if source in SIGNED else 200), "Postmark signs nothing, so its repetitions change nothing"
    assert changed(company, before) == set()
    assert state(company) == DeliveryState.BOUNCED
    assert "bounce:1" in [wake.key for wake in company.rows(Wake)]
    [event] = [event for event in company.rows(Event) if event.kind == "bounced"]
    assert {name: event.data[name] for name in ("cause", "code", "about")} == {"cause": "hard", "code": "5.1.1", "about": "address"}


@pytest.mark.parametrize("source", SIGN)
def test_a_complaint_closes_the_mailbox_once(company: Stage, source: str) -> None:
    answers = [send(company, source, call(company, source, "complaint", at=NOW - step * HOUR / 60)).json()["results"] for step in (0, 1)]

    assert answers == [["complained"], ["repeated"]]
    assert [(row.kind, row.person, row.source) for row in company.rows(MailFinding)] == [("complaint", "ana", source)]
    assert [row.person for row in company.rows(Delivery) if row.message == "complaint-told"] == ["oscar"]


def test_events_of_all_providers_in_any_order_end_the_same(company: Stage) -> None:
    order = ("delayed", "bounce", "delivered", "bounce", "delayed")
    calls = [(source, event, step) for step, event in enumerate(order) for source in SIGN]

    assert {
        send(company, source, call(company, source, event, at=NOW - step * HOUR / 60)).status_code for source, event, step in calls
    } == {200}
    assert state(company) == DeliveryState.BOUNCED
    assert [event.kind for event in company.rows(Event)].count("bounced") == 1


def test_what_is_no_news_changes_nothing(company: Stage) -> None:
    """A delivery proves no earlier than agreed; and an event without our mark is about other mail."""
    before, foreign = unchanged(company), f"1-{'a' * 16}"
    ours = {source: send(company, source, call(company, source, "delivered")).json()["results"] for source in SIGN}
    others = [
        send(company, source, call(company, source, event, mark=foreign, at=NOW - HOUR / 60))
        for source in SIGN
        for event in ("bounce", "complaint")
    ]

    assert ours == dict.fromkeys(SIGN, ["delivered"])
    assert {answer.json()["results"][0] for answer in others if answer.status_code == 200} == {"not-ours"}
    assert changed(company, before) == set()


@pytest.mark.parametrize("source", SIGN)
def test_a_delivery_settles_a_message_that_may_have_gone_out(company: Stage, source: str) -> None:
    def forget(session: Session, handoff: Handoff, now: datetime) -> None:
        row = the(session.get(Delivery, 1))
        row.state, row.sent_at, row.confirm_at = DeliveryState.UNKNOWN, None, None
        session.add(row)

    company.do(forget)
    send(company, source, call(company, source, "delivered"))

    row = company.rows(Delivery)[0]
    assert (row.state, row.proof) == (DeliveryState.SENT, f"delivered, says {source}")
    assert row.confirm_at > NOW


@pytest.mark.parametrize("source", SIGN)
def test_a_prospect_who_complains_about_mail_of_the_company_gets_no_more(company: Stage, source: str) -> None:
    sent = SIGN[source](rewritten(EVENTS[source]["complaint"], {"ana@northgate.example": "lee@harbour.example", "MARK": "none"}), NOW)

    assert send(company, source, sent).json() == {"results": ["complained"]}
    assert [lead.not_by for lead in company.rows(Lead)] == ["email"]


OLD, AHEAD = NOW - 30 * HOUR, NOW + HOUR
WRONG: Mapping[str, Callable[[Stage, str], Call]] = {
    "one changed byte": lambda company, source: call(company, source, "bounce").with_body(*((b"ounce", b"ouncf") if source != "mailgun" else (b'"1f"', b'"2f"'))),
    "no signature": lambda company, source: Call(b"{}", {}),
    "a list without a signature": lambda company, source: Call(b"[]", {}),
    "a number": lambda company, source: Call(b"1", {}),
    "an empty signature": lambda company, source: Call(b'{"signature": {}, "Signature": "", "TopicArn": "' + signing.TOPIC.encode() + b'"}', {}),
    "a day too old": lambda company, source: call(company, source, "bounce", at=OLD),
    "an hour ahead": lambda company, source: call(company, source, "bounce", at=AHEAD),
    "half a body": lambda company, source: Call(b"{", {}),
    "a deep body": lambda company, source: Call(b"[" * 5000, {}),
    "no text": lambda company, source: Call(b"\xff\xfe{}", {}),
    "one name twice": lambda company, source: Call(b'{"a": 1, "a": 2}', {}),
}  # fmt: skip


@pytest.mark.parametrize("source", SIGNED)
def test_a_call_that_is_not_signed_right_is_refused_and_only_counted(company: Stage, source: str) -> None:
    before = unchanged(company)
    statuses = {name: send(company, source, wrong(company, source)).status_code for name, wrong in WRONG.items()}

    readable = {
        name: status for name, status in statuses.items() if name not in ("half a body", "a deep body", "no text", "one name twice")
    }
    assert readable == dict.fromkeys(readable, 401)
    assert set(statuses.values()) <= {400, 401}
    assert unchanged(company) == before
    assert {row.door for row in company.rows(DoorDay)} == {f"mail-{source}"}


def test_a_wrong_login_of_postmark_is_refused_and_only_counted(company: Stage) -> None:
    before, given = unchanged(company), call(company, "postmark", "bounce")
    logins: list[bytes] = [b"Basic", b"Basic eA==", b"Basic ###", b"Bearer YmF0b246YS1wYXNzd29yZC1mb3ItdGVzdHM=", b"Basic \xe9"]
    calls: list[dict[bytes, bytes]] = [{}, *({b"authorization": login} for login in logins)]

    statuses = {company.browser().post("/hooks/mail/postmark", content=given.body, headers=headers).status_code for headers in calls}

    assert statuses == {401}
    assert unchanged(company) == before


@pytest.mark.parametrize("source", SIGN)
def test_a_signed_call_of_another_form_or_of_another_size_changes_nothing(company: Stage, source: str) -> None:
    before = unchanged(company)
    forms: list[Any] = [
        {},
        {"event": ["bounce"]},
        {"RecordType": 5, "Metadata": [1]},
        {"mail": 3, "notificationType": "Bounce", "bounce": []},
    ]
    statuses = {send(company, source, SIGN[source](form, NOW - step * HOUR / 60)).status_code for step, form in enumerate(forms)}

    assert statuses <= {200, 422}
    assert send(company, source, Call(b"x" * 1_000_001, call(company, source, "bounce").headers)).status_code == 413
    assert changed(company, before) == set()


def test_a_provider_that_is_not_set_up_has_no_door(tmp_path: Path) -> None:
    with stage(tmp_path) as running:
        assert {running.browser().post(f"/hooks/mail/{source}", content=b"{}").status_code for source in SIGN} == {404}
