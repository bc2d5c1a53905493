"""Signs calls as the mail providers do, with keys made for the tests."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
MAILGUN_KEY, POSTMARK_LOGIN = "a-signing-key-for-tests", "baton:a-password-for-tests"


@dataclass(frozen=True, slots=True)
class Call:
    """A call to a hook."""

    body: bytes
    headers: Mapping[str, str]

    def with_body(self, old: bytes, new: bytes) -> Call:
        assert old in self.body
        return replace(self, body=self.body.replace(old, new, 1))


@cache
def sendgrid_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def sendgrid_public() -> str:
    return b64encode(sendgrid_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@cache
def sns_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate(year: int = 2026) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(sns_key().public_key()).serial_number(1)
    made = made.not_valid_before(datetime(year, 1, 1, tzinfo=UTC)).not_valid_after(datetime(year, 12, 31, tzinfo=UTC))
    return made.sign(sns_key(), SHA256()).public_bytes(Encoding.PEM)


def sendgrid(event: Mapping[str, Any], at: datetime) -> Call:
    body, signed_at = json.dumps([event]).encode() + b"\r\n", f"{at.timestamp():.0f}"
    signature = b64encode(sendgrid_key().sign(signed_at.encode() + body, ec.ECDSA(SHA256()))).decode()
    return Call(body, {"X-Twilio-Email-Event-Webhook-Signature": signature, "X-Twilio-Email-Event-Webhook-Timestamp": signed_at})


def mailgun(event: Mapping[str, Any], at: datetime, token: str = "1f") -> Call:
    signed_at = f"{at.timestamp():.0f}"
    signature = hmac.new(MAILGUN_KEY.encode(), f"{signed_at}{token}".encode(), hashlib.sha256).hexdigest()
    sent = {"signature": {"timestamp": signed_at, "token": token, "signature": signature}, "event-data": event}
    return Call(json.dumps(sent).encode(), {})


def postmark(event: Mapping[str, Any], at: datetime) -> Call:
    return Call(json.dumps(event).encode(), {"Authorization": f"Basic {b64encode(POSTMARK_LOGIN.encode()).decode()}"})


def ses(event: Mapping[str, Any], at: datetime, *, version: str = "2", **changed: str) -> Call:
    """A message of Amazon SNS about an event of Amazon SES. changed: fields of the message, before it is signed."""
    sent = {"Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC, "Message": json.dumps(event)}
    sent |= {"Timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"), "SignatureVersion": version}
    sent |= {"SigningCertURL": CERTIFICATE_URL, "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe"} | changed
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if sent["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{sent[name]}\n" for name in names if name in sent)
    signature = sns_key().sign(text.encode(), padding.PKCS1v15(), SHA1() if version == "1" else SHA256())  # noqa: S303
    return Call(json.dumps(sent | {"Signature": b64encode(signature).decode()}).encode(), {"x-amz-sns-message-type": sent["Type"]})


def confirmation(at: datetime, url: str = "", **changed: str) -> Call:
    asked = url or f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t"
    return ses({}, at, Type="SubscriptionConfirmation", Token="t", SubscribeURL=asked, **changed)


HOUR = timedelta(hours=1)
