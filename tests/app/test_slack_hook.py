"""Slack's door over real HTTP: who pressed what, whether it may count, and what the person is told."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier

from storage import roster
from storage.tables import Answer, PersonalText
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tests.app.stage import NOW, ROSTER, Stage, stage
from tests.notifications.receiver import Receiver, receiving

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
ANA, BEN = "U0000ANA01", "U0000BEN02"


@pytest.fixture
def slack() -> Iterator[Receiver]:
    with receiving() as receiver:
        receiver.answer(ok=True)
        yield receiver


@pytest.fixture
def company(tmp_path: Path, slack: Receiver) -> Iterator[Stage]:
    settings = {"slack_token": "xoxb-test", "slack_signing_secret": SECRET, "slack_api_url": slack.url}
    with stage(tmp_path, **settings) as made:
        people = ROSTER.replace("ana: {", f"ana: {{chat: 'slack:{ANA}', ").replace("ben: {", f"ben: {{chat: 'slack:{BEN}', ")
        made.do(lambda session, handoff, now: roster.load(session, people, now=now))
        yield made


def post(company: Stage, payload: Any, *, secret: str = SECRET, age: float = 0, **headers: str) -> httpx.Response:
    """Sends an interaction as Slack does, signed over the very bytes."""
    body = payload if isinstance(payload, bytes) else urlencode({"payload": json.dumps(payload)}).encode()
    at = seconds(company, -age)
    signed = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": SignatureVerifier(secret).generate_signature(timestamp=at, body=body)}
    sent = {"Content-Type": "application/x-www-form-urlencoded", **signed, **headers}
    return company.browser().post("/hooks/slack", content=body, headers={name: value or "" for name, value in sent.items()})


def seconds(company: Stage, later: float = 0) -> str:
    """The time of a signature, as Slack writes it: the company's, or so many seconds later."""
    return str(int(company.time.at.timestamp() + later))


def token(company: Stage) -> str:
    return company.link.rpartition("/")[2]


def pressed(company: Stage, slack: Receiver, action: str, *, user: str = ANA, once: str = "17.1", value: str = "") -> dict[str, Any]:
    """What Slack sends when somebody presses a button of a message."""
    return {
        "type": "block_actions",
        "user": {"id": user, "name": "somebody"},
        "trigger_id": "13345224609.738474920",
        "response_url": f"{slack.url}response",
        "actions": [{"action_id": action, "value": value or token(company), "type": "button", "action_ts": once}],
    }


def typed(company: Stage, *, user: str = ANA, view: str = "V1", **fields: str) -> dict[str, Any]:
    """What Slack sends when somebody sends the dialog."""
    chosen = {name: {name: {"selected_option": {"value": fields[name]} if fields.get(name) else None}} for name in ("reason", "colleague")}
    values = {**chosen, "text": {"text": {"value": fields.get("text")}}}
    shown = {"id": view, "callback_id": "baton-reason", "private_metadata": token(company), "state": {"values": values}}
    return {"type": "view_submission", "user": {"id": user}, "trigger_id": "1.2", "view": shown}


def told(slack: Receiver) -> str:
    """What was said next to the person who pressed; Slack is told after its request was answered."""
    call = slack.next()
    while call.path != "/response":
        call = slack.next()
    return str(call.said["text"])


def shown(answer: httpx.Response) -> str:
    """What the dialog's last page says."""
    said = answer.json()
    assert said["response_action"] == "update"
    return str(said["view"]["blocks"][0]["text"]["text"])


def test_accepting_is_stored_and_then_the_person_is_thanked(company: Stage, slack: Receiver) -> None:
    answer = post(company, pressed(company, slack, "baton-accept"))

    assert (answer.status_code, answer.content) == (200, b"")
    assert company.answers() == [("accepted", "ana", "counted")]
    assert [row.via for row in company.rows(Answer)] == ["slack"]
    said = told(slack)
    assert said.startswith("Thank you, noted: you accepted lead 1.")
    assert "Until 09:05 on 1 Dec (Europe/Lisbon) you can take it back" in said


def test_an_answer_is_stored_also_when_slack_cannot_be_told(company: Stage, slack: Receiver) -> None:
    slack.status = 500
    assert post(company, pressed(company, slack, "baton-accept")).status_code == 200
    assert company.answers() == [("accepted", "ana", "counted")]


def test_the_same_press_delivered_again_changes_nothing(company: Stage, slack: Receiver) -> None:
    press = pressed(company, slack, "baton-accept")
    post(company, press)
    before = company.snapshot()
    for _ in range(3):
        assert post(company, press).status_code == 200
        assert told(slack).startswith("Thank you")
    assert company.snapshot() == before


def test_the_same_press_delivered_after_the_lead_was_given_away_changes_nothing(company: Stage, slack: Receiver) -> None:
    press = pressed(company, slack, "baton-accept")
    post(company, press)
    company.give_to("ben", because="decided")
    before = company.snapshot()
    post(company, press)
    assert company.snapshot() == before


def test_a_second_press_is_told_of_the_first(company: Stage, slack: Receiver) -> None:
    company.answer("rejected", by="ana", via="link", reason="not-now")
    post(company, pressed(company, slack, "baton-accept"))
    assert company.answers()[0] == ("rejected", "ana", "counted")
    assert told(slack).startswith("Your answer changed nothing. You rejected at 09:00 on 1 Dec")


def test_a_press_after_the_lead_is_somebody_elses_is_told_so(company: Stage, slack: Receiver) -> None:
    old = pressed(company, slack, "baton-accept")
    company.give_to("ben", because="missed")
    for press in (old, pressed(company, slack, "baton-reject", once="17.2")):
        post(company, press)
        assert "no longer yours" in told(slack)
    assert not [state for _, _, state in company.answers() if state == "counted"]


def test_a_person_who_is_not_the_addressee_is_refused_kindly(company: Stage, slack: Receiver) -> None:
    before = company.snapshot()
    for action in ("baton-accept", "baton-reject"):
        for user in (BEN, "U0STRANGER", ""):
            post(company, pressed(company, slack, action, user=user))
            assert told(slack).startswith("Only Ana Silva can answer for this lead")
    assert "Ana Silva" in shown(post(company, typed(company, user=BEN, reason="not-now")))
    assert company.snapshot() == before


def test_a_button_of_another_installation_is_refused(company: Stage, slack: Receiver) -> None:
    before = company.snapshot()
    for action in ("baton-accept", "baton-reject"):
        post(company, pressed(company, slack, action, value="forged.token"))
        assert "This link is incomplete" in told(slack)
    assert company.snapshot() == before


def test_rejecting_asks_for_one_of_the_agreed_reasons_without_a_default(company: Stage, slack: Receiver) -> None:
    before = company.snapshot()
    post(company, pressed(company, slack, "baton-reject"))

    call = slack.next()
    assert call.path == "/views.open"
    view = call.said["view"]
    assert (call.said["trigger_id"], view["private_metadata"]) == ("13345224609.738474920", token(company))
    fields = {block["block_id"]: block for block in view["blocks"]}
    assert [one["value"] for one in fields["reason"]["element"]["options"]] == [
        "not-now", "no-response", "uses-competitor", "wrong-rep", "other",
    ]  # fmt: skip
    assert "initial_option" not in json.dumps(view)
    assert not fields["reason"]["optional"]
    assert {"text", "colleague", "renewal_date"} <= set(fields)
    assert company.snapshot() == before, "a press on Reject alone changes nothing"


def test_a_dialog_that_slack_does_not_open_is_told(company: Stage, slack: Receiver) -> None:
    slack.answer(ok=False, error="expired_trigger_id")
    post(company, pressed(company, slack, "baton-reject"))
    assert "open the lead with its link" in told(slack)


def test_a_rejection_with_a_reason_is_stored(company: Stage, slack: Receiver) -> None:
    said = shown(post(company, typed(company, reason="other", text="Is a student.\x07\u202e")))

    assert said.startswith("Thank you, noted: you rejected lead 1.")
    (answer,) = company.rows(Answer)
    assert (answer.kind, answer.by, answer.via, answer.data) == ("rejected", "ana", "slack", {"reason": "other"})
    assert "Is a student.\ufffd" in [row.text for row in company.rows(PersonalText)]


@pytest.mark.parametrize(
    ("fields", "block", "said"),
    [
        ({}, "reason", "choose one of the agreed reasons"),
        ({"reason": "made-up"}, "reason", "choose one of the agreed reasons"),
        ({"text": "no"}, "reason", "choose one of the agreed reasons"),
        ({"reason": "other"}, "text", "in a few words why"),
        ({"reason": "other", "text": "  "}, "text", "in a few words why"),
        ({"reason": "wrong-rep"}, "colleague", "which colleague takes it"),
        ({"reason": "wrong-rep", "colleague": "maria"}, "colleague", "which colleague takes it"),
        ({"reason": "no-response"}, "reason", "needs 2 attempts"),
    ],
)
def test_what_is_missing_is_said_beside_its_field_and_nothing_is_stored(
    company: Stage, slack: Receiver, fields: dict[str, str], block: str, said: str
) -> None:
    before = company.snapshot()
    answer = post(company, typed(company, **fields)).json()

    assert (answer["response_action"], list(answer["errors"])) == ("errors", [block])
    assert said in answer["errors"][block]
    assert company.snapshot() == before


def test_the_same_dialog_sent_again_changes_nothing(company: Stage, slack: Receiver) -> None:
    sent = typed(company, reason="wrong-rep", colleague="ben")
    first = shown(post(company, sent))
    before = company.snapshot()
    assert shown(post(company, sent)).split(".")[0] == first.split(".")[0]
    assert company.snapshot() == before


def test_a_dialog_that_comes_too_late_is_told_who_was_first(company: Stage, slack: Receiver) -> None:
    post(company, pressed(company, slack, "baton-accept"))
    said = shown(post(company, typed(company, reason="not-now")))
    assert said.startswith("Your answer changed nothing. You accepted at 09:00 on 1 Dec")


@pytest.mark.parametrize("action", ["baton-review", "somebody-elses"])
def test_other_buttons_are_taken_note_of_and_change_nothing(company: Stage, slack: Receiver, action: str) -> None:
    before = company.snapshot()
    assert post(company, pressed(company, slack, action)).status_code == 200
    assert (company.snapshot(), slack.told) == (before, [])


def test_nothing_is_ever_said_to_an_address_that_is_not_slacks(company: Stage, slack: Receiver) -> None:
    with receiving() as elsewhere:
        press = pressed(company, slack, "baton-accept") | {"response_url": f"{elsewhere.url}response"}
        assert post(company, press).status_code == 200
        post(company, pressed(company, slack, "baton-accept", once="17.2"))
        assert told(slack)
        assert elsewhere.told == []
    assert company.answers() == [("accepted", "ana", "counted")]


FORGED: list[tuple[str, dict[str, Any]]] = [
    ("another secret", {"secret": "not-the-secret"}),
    ("too old", {"age": 301}),
    ("from the future", {"age": -301}),
    ("no signature", {"X-Slack-Signature": ""}),
    ("no time", {"X-Slack-Request-Timestamp": ""}),
    ("a time that is none", {"X-Slack-Request-Timestamp": "soon"}),
    ("a time in other figures", {"X-Slack-Request-Timestamp": "1e9"}),
    ("another time than was signed", {"X-Slack-Request-Timestamp": str(int(NOW.timestamp()) - 1)}),
    ("a signature that is none", {"X-Slack-Signature": "v0=%ff"}),
]


@pytest.mark.parametrize("how", [how for _, how in FORGED], ids=[name for name, _ in FORGED])
def test_what_slack_did_not_sign_within_five_minutes_is_refused(
    company: Stage, slack: Receiver, how: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    before = company.snapshot()
    with caplog.at_level(logging.INFO):
        answer = post(company, pressed(company, slack, "baton-accept"), **how)

    assert answer.status_code == 401
    assert (company.snapshot(), slack.told) == (before, [])
    logged = "".join(record.getMessage() for record in caplog.records)
    assert "signature or its time is wrong" in logged
    assert SECRET not in logged
    assert token(company) not in logged


@pytest.mark.parametrize("age", [300, -300])
def test_what_was_signed_five_minutes_before_or_after_by_our_clock_is_taken(company: Stage, slack: Receiver, age: float) -> None:
    assert post(company, pressed(company, slack, "baton-accept"), age=age).status_code == 200
    assert company.answers() == [("accepted", "ana", "counted")]


def test_a_changed_body_is_refused(company: Stage, slack: Receiver) -> None:
    body = urlencode({"payload": json.dumps(pressed(company, slack, "baton-accept"))}).encode()
    at = seconds(company)
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=at, body=body) or ""
    headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature}
    assert company.browser().post("/hooks/slack", content=body.replace(b"accept", b"reject"), headers=headers).status_code == 401


@pytest.mark.parametrize(
    "payload",
    [b"", b"payload=", b"payload={", b"payload=%5B%5D", b"\xff\xfe", b"payload=%7B%22type%22%3A%22block_actions%22%7D", {}, [], "x", 7]
    + [{"type": "block_actions", "user": {"id": "U1"}, "actions": []}, {"type": "view_submission", "user": None, "view": {}}],
)
def test_a_signed_request_that_is_no_interaction_is_refused(company: Stage, payload: Any) -> None:
    before = company.snapshot()
    if payload == b"\xff\xfe":
        answer = company.browser().post("/hooks/slack", content=payload, headers={"X-Slack-Request-Timestamp": seconds(company)})
        assert answer.status_code == 401
    else:
        assert post(company, payload).status_code == 400
    assert company.snapshot() == before


def test_interactions_that_are_not_ours_are_taken_note_of(company: Stage) -> None:
    assert post(company, {"type": "shortcut", "user": {"id": ANA}}).status_code == 200


def test_looking_at_the_door_changes_nothing(company: Stage) -> None:
    assert company.browser().get("/hooks/slack").status_code == 405


def test_without_a_signing_secret_there_is_no_door(tmp_path: Path, slack: Receiver) -> None:
    with stage(tmp_path) as closed:
        assert post(closed, {"type": "shortcut", "user": {"id": ANA}}).status_code == 404


def test_the_page_says_that_it_was_answered_in_slack(company: Stage, slack: Receiver) -> None:
    post(company, pressed(company, slack, "baton-accept"))
    assert "(in Slack)" in company.browser().get(company.link).text


def test_an_answer_taken_back_on_the_page_can_be_given_anew_and_the_old_press_does_not_do_it(company: Stage, slack: Receiver) -> None:
    old = pressed(company, slack, "baton-accept")
    post(company, old)
    (first,) = company.rows(Answer)
    company.box.write_now(
        lambda session, now: answering.undo(session, OpenedLink(company.box, token(company)), first.id, now=now, device="")
    )

    post(company, old)
    assert company.answers() == [("accepted", "ana", "undone")]

    post(company, pressed(company, slack, "baton-accept", once="18.1"))
    assert company.answers() == [("accepted", "ana", "undone"), ("accepted", "ana", "counted")]
