"""Signatures of mail providers: a published vector, both versions of Amazon's, and whose certificate and whose address counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from agreements.words import MailSource
from app.signatures import mail_providers
from app.signatures.wrong import SignatureWrong
from app.web.mail_hooks import sns
from notifications.channels.mail_message import POLICY, message_of
from notifications.letter import Letter, Recipient
from tasks.wiring.mail_secrets import mail_secrets
from tasks.wiring.settings import Settings
from tasks.wiring.wrong_setting import WrongSetting
from tests.app.mail_hooks import signing
from tests.app.mail_hooks.signing import HOUR
from tests.app.stage import NOW

#: The vector that SendGrid publishes with its libraries.
PUBLIC = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
OTHERS = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/R1NGe1OPzpA=="
SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
SIGNED_AT = "1600112502"
BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)


def sendgrid(body: bytes = BODY, signature: str = SIGNATURE, signed_at: str = SIGNED_AT, key: str = PUBLIC, now: float = 1600112510) -> str:
    headers = {"x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": signed_at}
    return mail_providers.check_sendgrid(body, headers, key, now=now)


def test_the_published_vector_of_sendgrid_passes() -> None:
    assert sendgrid() == SIGNATURE


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": BODY.strip()},
        {"body": BODY.replace(b"dropped", b"droppfd")},
        {"body": b""},
        {"signature": "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH3j/0="},
        {"signature": ""},
        {"signature": "no base64"},
        {"signed_at": "1600112503"},
        {"signed_at": "timestamp"},
        {"signed_at": ""},
        {"key": OTHERS},
        {"now": 1600112502.0 + 24 * 3600},
        {"now": 1600112502.0 - 3600},
    ],
)
def test_the_vector_with_one_thing_changed_fails(wrong: Mapping[str, Any]) -> None:
    with pytest.raises(SignatureWrong):
        sendgrid(**wrong)


def check_sns(given: signing.Call, certificate: bytes | None = None) -> str:
    return mail_providers.check_sns(json.loads(given.body), certificate or signing.certificate(), now=NOW.timestamp())


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_amazons_signature_pass(version: str) -> None:
    assert check_sns(signing.ses({"a": 1}, NOW, version=version, Subject="Amazon SES"))
    assert check_sns(signing.confirmation(NOW, version=version))


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "TopicArn", "Subject"])
def test_every_signed_field_of_amazons_counts(name: str) -> None:
    sent = json.loads(signing.ses({"a": 1}, NOW, Subject="Amazon SES").body)

    with pytest.raises(SignatureWrong):
        mail_providers.check_sns(sent | {name: f"{sent[name]}0"}, signing.certificate(), now=NOW.timestamp())


@pytest.mark.parametrize(
    ("given", "certificate"),
    [
        (signing.ses({}, NOW, SignatureVersion="3"), signing.certificate()),
        (signing.ses({}, NOW - 8 * HOUR), signing.certificate()),
        (signing.ses({}, NOW + HOUR), signing.certificate()),
        (signing.ses({}, NOW), signing.certificate(2024)),
        (signing.ses({}, NOW), b"no certificate"),
        (signing.ses({}, NOW, Timestamp="yesterday"), signing.certificate()),
    ],
)
def test_an_old_call_and_a_wrong_certificate_fail(given: signing.Call, certificate: bytes) -> None:
    with pytest.raises(SignatureWrong):
        check_sns(given, certificate)


URLS = [
    "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem",
    "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-a.pem",
    "https://sns.eu-west-1.evil.example/SimpleNotificationService-a.pem",
    "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem",
    "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-a.pem",
    "https://sns.eu-west-1.amazonaws.com:444/SimpleNotificationService-a.pem",
    "https://bucket.s3.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem",
    "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-a.pem",
    "https://sns.eu-west-1.amazonaws.com/other/SimpleNotificationService-a.pem",
    "https://sns.eu-west-1.amazonaws.com/?Action=Subscribe",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem?x=1",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem#x",
    "https://[::1/SimpleNotificationService-a.pem",
    "",
]


class Amazon:
    """Amazon's side: it answers each address with the certificate, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, url: str) -> bytes:
        self.asked.append(url)
        return signing.certificate()


@pytest.mark.parametrize("url", URLS)
def test_a_certificate_from_elsewhere_is_never_fetched(url: str) -> None:
    amazon = Amazon()

    with pytest.raises(SignatureWrong):
        asyncio.run(sns.Certificates("", amazon.get).of({"SigningCertURL": url, "TopicArn": signing.TOPIC}))
    assert amazon.asked == []


def test_amazons_certificate_is_fetched_once() -> None:
    amazon, sent = Amazon(), {"SigningCertURL": signing.CERTIFICATE_URL, "TopicArn": signing.TOPIC}
    certificates = sns.Certificates("", amazon.get)

    async def both() -> set[bytes]:
        return {await certificates.of(sent) for _ in range(2)}

    assert asyncio.run(both()) == {signing.certificate()}
    assert amazon.asked == [signing.CERTIFICATE_URL]


@pytest.mark.parametrize(
    ("url", "good"),
    [
        (f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={signing.TOPIC}&Token=t", True),
        (f"https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&TopicArn={signing.TOPIC}", False),
        ("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:1:other", False),
        (f"https://evil.example/?Action=ConfirmSubscription&TopicArn={signing.TOPIC}", False),
        (f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={signing.TOPIC}", False),
        (f"http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={signing.TOPIC}", False),
    ],
)
def test_only_a_confirmation_for_its_topic_at_amazon_is_visited(url: str, good: bool) -> None:
    sent = {"SubscribeURL": url, "TopicArn": signing.TOPIC}

    if good:
        assert sns.confirmation_url(sent) == url
    else:
        with pytest.raises(SignatureWrong):
            sns.confirmation_url(sent)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"ses_topics": "mail"}, "BATON_SES_TOPICS"),
        ({"ses_topics": signing.TOPIC, "ses_certificate_file": "/nowhere.pem"}, "BATON_SES_CERTIFICATE_FILE"),
        ({"sendgrid_key": "a-secret-that-is-no-key"}, "BATON_SENDGRID_KEY"),
        ({"mailgun_key": "a-secret"}, "BATON_MAILGUN_KEY"),
        ({"mailgun_key_file": "/nowhere"}, "BATON_MAILGUN_KEY_FILE"),
        ({"mailgun_key": "a-secret-of-some-length", "mailgun_key_file": "/nowhere"}, "BATON_MAILGUN_KEY"),
        ({"postmark_login": "a-secret-without-a-name"}, "BATON_POSTMARK_LOGIN"),
        ({"postmark_login": "name:a-secret"}, "BATON_POSTMARK_LOGIN"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(tmp_path: Path, given: Mapping[str, str], named: str) -> None:
    with pytest.raises(WrongSetting) as refused:
        mail_secrets(Settings(home=tmp_path, **given))  # type: ignore[arg-type]

    assert str(refused.value).startswith(named)
    assert "a-secret" not in str(refused.value)


def test_a_secret_can_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a-signing-key-in-a-file\n", encoding="utf-8")
    found = mail_secrets(Settings(home=tmp_path, mailgun_key_file=str(tmp_path / "key")))

    assert (found.providers, found.mailgun) == (("mailgun",), "a-signing-key-in-a-file")


MARK = "17-abcdefghijklmnop"
LETTER = Letter("k", "assigned", Recipient("ana", "Ana", "ana@firm.example"), "Hello", "Hello.", "", "Hello.", bounce_mark=MARK)


def sent_with(*providers: MailSource, mark: str = MARK) -> dict[str, str]:
    message = message_of(
        replace(LETTER, bounce_mark=mark), "ana@firm.example", sender="b@firm.example", sender_name="Baton", echoes=providers
    )
    return dict(message_from_bytes(message.as_bytes(policy=POLICY)).items())


def test_each_message_carries_what_the_providers_give_back() -> None:
    plain, all_four = sent_with(), sent_with("ses", "sendgrid", "mailgun", "postmark")

    assert plain["X-Baton-Mark"] == MARK
    assert set(all_four) - set(plain) == {"X-SMTPAPI", "X-Mailgun-Variables", "X-PM-Metadata-baton-mark"}
    assert json.loads(all_four["X-SMTPAPI"]) == {"unique_args": {"baton_mark": MARK}}
    assert json.loads(all_four["X-Mailgun-Variables"]) == {"baton_mark": MARK}
    assert all_four["X-PM-Metadata-baton-mark"] == MARK


def test_a_message_without_a_mark_carries_nothing_of_it() -> None:
    assert not {
        name for name in sent_with("sendgrid", "mailgun", "postmark", mark="") if "mark" in name.lower() or "smtpapi" in name.lower()
    }
