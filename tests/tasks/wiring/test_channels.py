"""Which channels an installation has, and what of its settings is named before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agreements.roster import read_roster
from notifications.circuit_breaker import CircuitBreaker
from tasks.wiring import toolbox
from tasks.wiring.channels import problems_of
from tasks.wiring.roster_addresses import unusable_addresses
from tasks.wiring.settings import Settings
from tasks.wiring.wrong_setting import WrongSetting
from tests.conftest import ROSTER

SECRET = "topsecret-topsecret"
WRONG: list[tuple[dict[str, str], str]] = [
    ({"smtp_url": "http://mail.example"}, "BATON_SMTP_URL: A mail server is written as"),
    ({"smtp_url": f"smtp://ana:{SECRET}/x@mail.example"}, "BATON_SMTP_URL: A mail server is written as"),
    ({"smtp_token_file": "/run/token"}, "BATON_SMTP_URL: A token needs a user without a password"),
    ({"smtp_ca_file": "/nowhere/ca.pem"}, "BATON_SMTP_CA_FILE: No certificates can be read from /nowhere/ca.pem"),
    ({"mail_from": "Baton"}, "BATON_MAIL_FROM: there is no e-mail address|BATON_MAIL_FROM: 'Baton' is not"),
    ({"bounce_address": "bounces"}, "BATON_BOUNCE_ADDRESS: 'bounces' is not an e-mail address"),
    ({"chat_url": f"nosuch://{SECRET}"}, "BATON_CHAT_URL: is not an address that Apprise can use"),
    ({"chat_url": f"mailto://ana:{SECRET}@mail.example"}, "BATON_CHAT_URL: mailto is not a chat address"),
    ({"sms_url": f"json://{SECRET}/"}, "BATON_SMS_URL: write {phone} where the number goes"),
    ({"sms_url": f"nosuch://{SECRET}/{{phone}}"}, "BATON_SMS_URL: it is not an address that Apprise can use"),
    ({"webhook_url": f"http://hooks.example/{SECRET}", "webhook_secret": SECRET}, "BATON_WEBHOOK_SECRET: write https"),
    ({"webhook_url": f"https://hooks.example/{SECRET}"}, "BATON_WEBHOOK_SECRET: it needs a secret"),
    ({"slack_token": f"xoxb-{SECRET}"}, "BATON_SLACK_TOKEN: set BATON_SLACK_SIGNING_SECRET too"),
    ({"slack_token": SECRET, "slack_signing_secret": SECRET}, "BATON_SLACK_TOKEN: write the bot token"),
    ({"slack_token": f"xoxb-{SECRET}", "slack_signing_secret": SECRET, "slack_api_url": "http://slack.example/"}, "BATON_SLACK_API_URL"),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=[" ".join(given) for given, _ in WRONG])
def test_a_setting_that_cannot_be_used_is_named_and_no_secret_shown(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(WrongSetting) as error:
        toolbox.wire(Settings(home=tmp_path, **given))
    assert len(error.value.problems) == 1
    assert any(one in str(error.value) for one in said.split("|"))
    assert "topsecret" not in str(error.value)


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    given: dict[str, Any] = {"smtp_url": "x", "chat_url": "x", "sms_url": "x", "webhook_url": "x", "slack_token": "x"}
    named = [problem.split(":")[0].split(" ")[0] for problem in problems_of(Settings(home=tmp_path, **given))]
    assert named == ["BATON_SMTP_URL", "BATON_SLACK_TOKEN", "BATON_CHAT_URL", "BATON_SMS_URL", "BATON_WEBHOOK_URL"]


def test_without_settings_there_are_the_channels_that_need_none(tmp_path: Path) -> None:
    channels = toolbox.wire(Settings(home=tmp_path)).channels
    assert set(channels) == {"email", "manager-email", "crm", "chat"}
    assert all(isinstance(channel, CircuitBreaker) for channel in channels.values())
    assert channels["email"] is channels["manager-email"], "they share one server, and its connections"


def test_what_is_set_up_is_there_under_the_name_that_agreements_use(tmp_path: Path) -> None:
    given: dict[str, Any] = {"sms_url": "json://127.0.0.1/{phone}", "webhook_url": "https://hooks.example/", "webhook_secret": SECRET}
    slack: dict[str, Any] = {"slack_token": f"xoxb-{SECRET}", "slack_signing_secret": SECRET}
    channels = toolbox.wire(Settings(home=tmp_path, chat_url="json://127.0.0.1/", **given, **slack)).channels
    assert {name: channel.name for name, channel in channels.items() if name != "manager-email"} == {
        name: name for name in ("email", "crm", "chat", "sms", "webhook")
    }
    assert [name for name, channel in channels.items() if channel.may_bounce] == ["email", "manager-email"]


@pytest.mark.parametrize(
    ("chat", "said"),
    [
        ("slack:ana", "is no id of a Slack member; write slack:U0123ABCD"),
        ("slack:u0123abcd", "is no id of a Slack member"),
        ("slack:C0123ABCD", "is no id of a Slack member"),
        ("topsecret", "is not an address that Apprise can use"),
        ("nosuch://topsecret", "is not an address that Apprise can use"),
        ("slack://", "is not an address that Apprise can use"),
        ("mailto://ana:topsecret@northgate.example", "e-mail has its own channel"),
        ("mailto:ana@northgate.example", "e-mail has its own channel"),
    ],
)
def test_a_chat_address_that_cannot_be_used_is_named_by_its_place_and_not_shown(chat: str, said: str) -> None:
    people = read_roster(ROSTER.replace("ana: {", f"ana: {{chat: '{chat}', ", 1))
    (problem,) = unusable_addresses(people)
    assert problem.startswith("people.ana.chat: ")
    assert said in problem
    assert "topsecret" not in problem


def test_a_number_that_nobody_can_call_is_named() -> None:
    assert unusable_addresses(read_roster(ROSTER.replace('"+44 20 7946 0101"', '"ask Ben"', 1))) == [
        "people.ana.phone: no number can be read; write one such as +44 20 7946 0101"
    ]


@pytest.mark.parametrize(
    "chat", ["slack:U0123ABCD", "slack:W0123ABCDEF", "json://127.0.0.1/x", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"]
)
def test_good_addresses_are_not_named(chat: str) -> None:
    assert unusable_addresses(read_roster(ROSTER.replace("ana: {", f"ana: {{chat: '{chat}', ", 1))) == []
