"""Slack's API over a real HTTP server: what a direct message holds, and what each of its errors means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway
from agreements.words import TemplateName
from notifications.channels.chat import ChatChannel
from notifications.channels.slack import ACCEPT, REJECT, REVIEW, SlackApi, SlackChannel
from notifications.letter import Letter, Recipient
from tests.notifications.receiver import Receiver, receiving
from tests.patience import PATIENCE_SECONDS

TOKEN = "xoxb-topsecret"
LINK = "https://baton.example/l/a_b-c.d_e"
LETTER = Letter(
    key="h7/assigned/ana",
    message="assigned",
    to=Recipient("ana", "Ana Ruiz", chat="slack:U0123ABCD"),
    subject="New lead: <b> & <!channel> Größe",
    text="",
    html="",
    chat=f"Nordlicht (lead 42)\nWrote: <!everyone> *bold* <https://evil.example|Review>\nReview this lead: {LINK}\n",
    link=LINK,
)


@pytest.fixture
def slack() -> Iterator[Receiver]:
    with receiving() as receiver:
        receiver.answer(ok=True, channel="D42", ts="17.0001")
        yield receiver


def channel(slack: Receiver) -> SlackChannel:
    return SlackChannel(SlackApi(TOKEN, url=f"{slack.url}api/", timeout_seconds=PATIENCE_SECONDS))


async def sent(slack: Receiver, letter: Letter = LETTER) -> Any:
    await channel(slack).send(letter)
    return slack.told[-1].said


def buttons(said: Any) -> dict[str, Any]:
    return {one["action_id"]: one for block in said["blocks"] if block["type"] == "actions" for one in block["elements"]}


async def refused(slack: Receiver, letter: Letter = LETTER) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        await channel(slack).send(letter)
    assert "topsecret" not in str(error.value)
    assert error.value.channel == "chat"
    return error.value


async def test_a_person_gets_a_direct_message_and_slacks_answer_is_the_proof(slack: Receiver) -> None:
    assert await channel(slack).send(LETTER) == "slack: D42 17.0001"

    (told,) = slack.told
    assert (told.path, told.headers["authorization"]) == ("/api/chat.postMessage", f"Bearer {TOKEN}")
    assert told.said["channel"] == "U0123ABCD"
    assert told.said["metadata"]["event_payload"] == {"key": LETTER.key}


async def test_what_a_lead_wrote_is_plain_text_and_no_link_unfurls(slack: Receiver) -> None:
    said = await sent(slack)

    assert said["text"] == "New lead: &lt;b&gt; &amp; &lt;!channel&gt; Größe"
    texts = [block["text"] for block in said["blocks"] if block["type"] == "section"]
    assert [text["type"] for text in texts] == ["plain_text"]
    assert "Wrote: <!everyone> *bold*" in texts[0]["text"]
    assert LINK not in texts[0]["text"], "it stands behind the button"
    assert (said["unfurl_links"], said["unfurl_media"], said["link_names"], said["parse"]) == (False, False, False, "none")


async def test_whoever_is_assigned_a_lead_can_answer_with_the_links_own_token(slack: Receiver) -> None:
    found = buttons(await sent(slack))
    assert found[REVIEW]["url"] == LINK
    assert {found[ACCEPT]["value"], found[REJECT]["value"]} == {"a_b-c.d_e"}
    assert "value" not in found[REVIEW]


@pytest.mark.parametrize("message", ["reminder", "taken", "told", "decision-asked", "withdrawn", "test"])
async def test_every_other_message_has_a_link_at_most(slack: Receiver, message: TemplateName) -> None:
    assert set(buttons(await sent(slack, replace(LETTER, message=message)))) == {REVIEW}
    assert buttons(await sent(slack, replace(LETTER, message=message, link=""))) == {}


async def test_a_long_text_fits_into_what_slack_takes(slack: Receiver) -> None:
    said = await sent(slack, replace(LETTER, chat="ö" * 50_000))
    assert len(said["blocks"][0]["text"]["text"]) <= 3000


@pytest.mark.parametrize("chat", ["slack:", "slack:ana", "slack:u0123abcd", "slack:C0123ABCD", "slack:U0123ABCD ", "slack:U1"])
async def test_an_id_that_is_none_is_permanent_and_nobody_is_asked(slack: Receiver, chat: str) -> None:
    assert (await refused(slack, replace(LETTER, to=replace(LETTER.to, chat=chat)))).permanent
    assert slack.told == []


@pytest.mark.parametrize("error", ["channel_not_found", "user_not_found", "is_archived", "invalid_blocks", "messages_tab_disabled"])
async def test_what_never_goes_is_permanent(slack: Receiver, error: str) -> None:
    slack.answer(ok=False, error=error)
    refusal = await refused(slack)
    assert (refusal.permanent, type(refusal)) == (True, DeliveryError)
    assert error in str(refusal)


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "missing_scope", "internal_error", "ratelimited"])
async def test_what_would_befall_any_message_is_the_services_fault_and_may_pass(slack: Receiver, error: str) -> None:
    slack.answer(ok=False, error=error)
    refusal = await refused(slack)
    assert (refusal.permanent, type(refusal)) == (False, ServiceAway)


async def test_an_error_that_nobody_knows_may_pass(slack: Receiver) -> None:
    slack.answer(ok=False, error="new_in_2031")
    refusal = await refused(slack)
    assert (refusal.permanent, type(refusal)) == (False, DeliveryError)


async def test_a_limit_says_how_long_to_wait(slack: Receiver) -> None:
    slack.status, slack.headers = 429, {"Retry-After": "30"}
    assert (await refused(slack)).retry_after_seconds == 30


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'"ok"', b"", b"\xff"])
async def test_an_answer_that_is_not_slacks_may_pass(slack: Receiver, content: bytes) -> None:
    slack.content = content
    assert not (await refused(slack)).permanent


async def test_no_answer_may_have_arrived(slack: Receiver) -> None:
    slack.status = 0
    assert isinstance(await refused(slack), DeliveryUnknown)


async def test_chat_takes_slack_ids_to_the_app_and_the_rest_to_apprise(slack: Receiver) -> None:
    chat = ChatChannel(slack=channel(slack))
    await chat.send(LETTER)
    await chat.send(replace(LETTER, to=replace(LETTER.to, chat=f"json://127.0.0.1:{slack.port}/room")))
    assert [told.path for told in slack.told] == ["/api/chat.postMessage", "/room"]
    assert [chat.lane(one) for one in (LETTER, replace(LETTER, to=replace(LETTER.to, chat="slack://a/b/c")))] == ["slack-app", "slack"]


async def test_without_an_app_a_slack_id_is_permanent() -> None:
    with pytest.raises(DeliveryError, match="BATON_SLACK_TOKEN") as error:
        await ChatChannel().send(LETTER)
    assert error.value.permanent


@pytest.mark.parametrize(
    ("token", "url"),
    [("", "https://slack.com/api/"), ("topsecret", "https://slack.com/api/"), ("xoxb-top\nsecret", "https://slack.com/api/")]
    + [(TOKEN, "http://topsecret.example/"), (TOKEN, "topsecret")],
)
def test_what_cannot_be_used_is_told_at_once_and_not_shown(token: str, url: str) -> None:
    with pytest.raises(ValueError, match="xoxb-|https://slack.com/api/") as error:
        SlackApi(token, url=url)
    assert "topsecret" not in str(error.value)


async def test_what_is_said_to_the_person_who_pressed_is_escaped_and_theirs_alone(slack: Receiver) -> None:
    await SlackApi(TOKEN, url=slack.url).tell(f"{slack.url}response", "Ana <!channel>")
    assert json.loads(slack.told[0].body) == {
        "response_type": "ephemeral", "replace_original": False, "text": "Ana &lt;!channel&gt;",
    }  # fmt: skip
    assert "authorization" not in slack.told[0].headers
