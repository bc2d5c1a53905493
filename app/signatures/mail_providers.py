"""Signatures of mail providers. Nothing here reads a clock, a setting or a database. Secrets are compared in constant time."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.signatures.wrong import SignatureWrong, is_same

WINDOWS: Final[Mapping[str, timedelta]] = {"ses": timedelta(hours=7), "sendgrid": timedelta(hours=23), "mailgun": timedelta(hours=9)}
"""How old a signed time may be: as long as the provider tries again. Shorter than calls are remembered."""
_AHEAD = timedelta(minutes=5)
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SNS_HASHES: Mapping[str, HashAlgorithm] = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - version 1 of SNS signs with SHA-1


def check_sendgrid(body: bytes, headers: Mapping[str, str], public_key: str, *, now: float) -> str:
    """Check SendGrid's signature (ECDSA over time and body); return the signature. Raises SignatureWrong."""
    given = headers.get("x-twilio-email-event-webhook-signature", "")
    signed_at = headers.get("x-twilio-email-event-webhook-timestamp", "")
    try:
        key = load_der_public_key(b64decode(public_key))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(b64decode(given, validate=True), signed_at.encode() + body, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError, AssertionError) as error:
        raise SignatureWrong("the signature does not match") from error
    _in_time(signed_at, now, WINDOWS["sendgrid"])
    return given


def check_mailgun(sent: Mapping[str, Any], secret: str, *, now: float) -> str:
    """Check Mailgun's signature (HMAC over time and token, inside the body); return the token's signature. Raises SignatureWrong."""
    signature = sent.get("signature")
    given = {name: str(signature.get(name, "")) for name in ("timestamp", "token", "signature")} if isinstance(signature, dict) else {}
    text = f"{given.get('timestamp', '')}{given.get('token', '')}"
    right = hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    if not given.get("token") or not is_same(given.get("signature", ""), right):
        raise SignatureWrong("the signature does not match")
    _in_time(given["timestamp"], now, WINDOWS["mailgun"])
    return right


def check_postmark(headers: Mapping[str, str], secret: str) -> None:
    """Check name and password of a call from Postmark, which signs nothing. secret: as `name:password`. Raises SignatureWrong."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    try:
        said = b64decode(given.strip(), validate=True)
    except (binascii.Error, ValueError):
        said = b""
    if scheme.lower() != "basic" or not hmac.compare_digest(said, secret.encode()):
        raise SignatureWrong("name or password is wrong")


def check_sns(sent: Mapping[str, Any], certificate: bytes, *, now: float) -> str:
    """Check the signature of a message from Amazon SNS with this certificate (PEM); return the signature. Raises SignatureWrong."""
    names = _NOTIFICATION if sent.get("Type") == "Notification" else _CONFIRMATION
    text = "".join(f"{name}\n{sent[name]}\n" for name in names if isinstance(sent.get(name), str))
    given, algorithm = str(sent.get("Signature", "")), _SNS_HASHES.get(str(sent.get("SignatureVersion", "")))
    if algorithm is None:
        raise SignatureWrong("the version of the signature is unknown")
    try:
        signer = x509.load_pem_x509_certificate(certificate)
        key = signer.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        key.verify(b64decode(given, validate=True), text.encode("utf-8", "surrogatepass"), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, ValueError, AssertionError) as error:
        raise SignatureWrong("the signature does not match") from error
    if not signer.not_valid_before_utc.timestamp() <= now <= signer.not_valid_after_utc.timestamp():
        raise SignatureWrong("the certificate has expired")
    _in_time(_seconds(str(sent.get("Timestamp", ""))), now, WINDOWS["ses"])
    return given


def _seconds(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp():.0f}"
    except (ValueError, OverflowError) as error:
        raise SignatureWrong("there is no time") from error


def _in_time(signed_at: str, now: float, window: timedelta) -> None:
    if not (signed_at.isascii() and signed_at.isdecimal() and len(signed_at) <= 12):
        raise SignatureWrong("there is no time")
    if not -_AHEAD.total_seconds() <= now - int(signed_at) <= window.total_seconds():
        raise SignatureWrong("the call was signed too long ago, or ahead of time")
