"""Slack through the company's own app: a direct message with the facts, a link, and buttons that answer.

Calls go through httpx, not through slack_sdk's WebClient: the WebClient blocks a thread, and a thread that hangs cannot be stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from agreements.errors import DeliveryError, ServiceAway
from notifications.channels.over_http import TIMEOUT_SECONDS, is_this_machine, post, retry_after
from notifications.channels.slack_address import slack_id
from notifications.letter import Letter
from notifications.plain_text import one_line

API_URL = "https://slack.com/api/"
ACCEPT, REJECT, REVIEW = "baton-accept", "baton-reject", "baton-review"
"""The names of the buttons in the payload that Slack sends when somebody presses one."""

_TEXT_MAX = 2900
_VALUE_MAX = 2000
#: Errors of our app or of Slack itself: no message would go out.
_OF_THE_SERVICE = frozenset(
    "invalid_auth not_authed account_inactive token_revoked token_expired missing_scope no_permission org_login_required"
    " ekm_access_denied not_allowed_token_type access_denied internal_error fatal_error service_unavailable request_timeout"
    " ratelimited team_access_not_granted".split()
)
#: Errors of one person or message that no repeat can cure.
_FOR_GOOD = frozenset(
    "channel_not_found user_not_found user_disabled users_not_found is_archived not_in_channel restricted_action invalid_blocks"
    " invalid_blocks_format msg_too_long no_text messages_tab_disabled cannot_dm_bot invalid_arguments metadata_too_large".split()
)


class SlackApi:
    """Calls Slack's web API with the app's token. Raises: ValueError for an invalid token or address."""

    def __init__(self, token: str, *, name: str = "chat", url: str = API_URL, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        if not token.startswith("xox") or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("write the bot token of the Slack app, which begins with xoxb-")
        if not url.startswith("https://") and not is_this_machine(urlsplit(url).hostname or ""):
            raise ValueError("BATON_SLACK_API_URL is written as https://slack.com/api/")
        self.name, self._token, self.url, self._timeout = name, token, url.rstrip("/") + "/", timeout_seconds

    async def call(self, method: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Make this call and return Slack's answer. Raises DeliveryError, permanent where Slack names a lasting error."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json; charset=utf-8"}
        content = json.dumps(said).encode("ascii")
        answer = await post(self.name, self.url + method, content=content, headers=headers, timeout_seconds=self._timeout)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            raise ServiceAway(self.name, f"Slack answers {answer.status_code}", retry_after_seconds=retry_after(answer))
        try:
            told = answer.json()
        except ValueError:
            told = None
        if not answer.is_success or not isinstance(told, dict):
            raise ServiceAway(self.name, f"what answers {answer.status_code} is not Slack's API")
        if told.get("ok") is not True:
            raise self._error(one_line(str(told.get("error", "")))[:80])
        return told

    async def tell(self, response_url: str, text: str) -> None:
        """Show a text to the person who pressed a button, and to nobody else. Raises DeliveryError."""
        said = {"response_type": "ephemeral", "replace_original": False, "text": escaped(text)}
        headers = {"Content-Type": "application/json; charset=utf-8"}
        content = json.dumps(said).encode("ascii")
        answer = await post(self.name, response_url, content=content, headers=headers, timeout_seconds=self._timeout)
        if not answer.is_success:
            raise DeliveryError(self.name, f"Slack answers {answer.status_code} to what is said to the person who pressed")

    def _error(self, error: str) -> DeliveryError:
        if error in _OF_THE_SERVICE:
            return ServiceAway(self.name, f"Slack refused us: {error}")
        return DeliveryError(self.name, f"Slack did not take it: {error}", permanent=error in _FOR_GOOD)


class SlackChannel:
    """Sends the short form of letters as direct messages. Only the rep of a lead gets buttons that answer."""

    may_bounce = False
    read_by_people = True

    def __init__(self, api: SlackApi, name: str = "chat") -> None:
        self.name, self._api = name, api

    async def send(self, letter: Letter) -> str:
        """Send the letter once and return "slack: <conversation> <timestamp>".

        Raises: DeliveryError, permanent where the Slack id is invalid or Slack names a lasting error; ServiceAway where Slack
        refuses or limits the app, or does not answer; DeliveryUnknown where the message was sent and no answer came.
        """
        ident = slack_id(letter.to.chat)
        if not ident:
            raise DeliveryError(self.name, "the chat address is no Slack id: write slack:U0123ABCD", permanent=True)
        told = await self._api.call("chat.postMessage", message_of(letter, ident))
        return one_line(f"slack: {told.get('channel', ident)} {told.get('ts', '')}")[:80]


def message_of(letter: Letter, ident: str) -> dict[str, Any]:
    """Return the arguments of chat.postMessage. All texts are plain: a lead's words make no link, mention or markup."""
    plain = letter.chat.replace(f"Review this lead: {letter.link}", "").strip() if letter.link else letter.chat
    blocks: list[dict[str, Any]] = [{"type": "section", "text": _plain(plain[:_TEXT_MAX] or letter.subject)}]
    if buttons := _buttons(letter):
        blocks.append({"type": "actions", "block_id": "baton", "elements": buttons})
    return {
        "channel": ident,
        "text": escaped(letter.subject),
        "blocks": blocks,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": "baton_letter", "event_payload": {"key": one_line(letter.key)}},
    }


def _buttons(letter: Letter) -> list[dict[str, Any]]:
    if not letter.link:
        return []
    buttons: list[dict[str, Any]] = [_button(REVIEW, "Review this lead", url=letter.link)]
    token = letter.link.rpartition("/")[2]
    if letter.message == "assigned" and len(token) <= _VALUE_MAX:
        buttons += [_button(ACCEPT, "Accept", value=token, style="primary"), _button(REJECT, "Reject …", value=token)]
    return buttons


def _button(action: str, words: str, **more: str) -> dict[str, Any]:
    return {"type": "button", "action_id": action, "text": _plain(words), **more}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def escaped(text: str) -> str:
    """Return the text escaped for fields where Slack reads markup, so that it holds no link or mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
