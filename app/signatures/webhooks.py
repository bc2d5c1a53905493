"""Signatures of webhooks, each as its vendor documents it. Nothing here reads a clock, a setting or a database."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from app.signatures.wrong import SignatureWrong, is_same

#: Who signs. hmac-sha256: any sender that signs the body with a shared secret.
Scheme = Literal["hubspot-v1", "hubspot-v2", "hubspot-v3", "typeform", "facebook", "linkedin", "calendly", "hmac-sha256"]
Encoding = Literal["hex", "base64"]

#: How old a signed time may be, and how far ahead.
HUBSPOT_WINDOW = timedelta(minutes=5)
CALENDLY_WINDOW = timedelta(minutes=3)
#: HubSpot signs the address with these characters as they are, although they are sent encoded.
_DECODED_BY_HUBSPOT = {f"%{ord(one):02X}": one for one in ":/?@!$'()*,;"}
_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
#: Schemes that sign the time.
_TIMED: tuple[Scheme, ...] = ("hubspot-v3", "calendly")
_DIGITS = re.compile(r"[0-9]{1,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as it came. headers: by their names in lower case; url: the public address with its query, as the sender has it."""

    body: bytes
    headers: Mapping[str, str]
    url: str = ""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Plain:
    """How a sender signs that is none of the known vendors.

    header: holds the signature; prefix: before it; timestamp_header: holds the time in seconds, and then `TIME.BODY` is signed
    instead of the body; window: how old that time may be.
    """

    header: str = "x-signature"
    encoding: Encoding = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    window: timedelta = timedelta(minutes=5)


def check(scheme: Scheme, sent: SentRequest, secret: str, *, now: float, plain: Plain | None = None) -> str:
    """Return a mark by which this very delivery is recognised; the same signature gives the same mark.

    now: the real time, in seconds since 1970. plain: for hmac-sha256. Raises SignatureWrong. Compares in constant time.
    """
    if not secret:
        raise SignatureWrong("there is no secret to check it with")
    given = _SCHEMES[scheme](_Case(sent, secret.encode(), now, plain or Plain()))
    return hashlib.sha256(f"{scheme} {given}".encode()).hexdigest()


def signs_each_try(scheme: Scheme, plain: Plain | None = None) -> bool:
    """Whether the sender signs the time too, and so signs each of its tries anew.

    The same signature twice is then a replay by somebody else. From other senders it is a repetition of their own.
    """
    return scheme in _TIMED or bool(plain and plain.timestamp_header)


@dataclass(frozen=True, slots=True)
class _Case:
    sent: SentRequest
    secret: bytes
    now: float
    plain: Plain = field(default_factory=Plain)

    def header(self, name: str) -> str:
        value = self.sent.headers.get(name, "").strip()
        if not value:
            raise SignatureWrong(f"the header {name} is missing")
        return value

    def hmac(self, text: bytes) -> bytes:
        return hmac.new(self.secret, text, hashlib.sha256).digest()

    def fresh(self, written: str, *, unit: float, window: timedelta) -> None:
        """Raises SignatureWrong for a time outside the window. unit: of the written time, in seconds."""
        if not _DIGITS.fullmatch(written):
            raise SignatureWrong("its time is no number")
        if abs(self.now - int(written) * unit) > window.total_seconds():
            raise SignatureWrong("its time is too old, or ahead of the clock here")


def _same(given: str, expected: str) -> str:
    if not is_same(given, expected):
        raise SignatureWrong("it does not fit the request and the secret")
    return given


def _hubspot_v1(case: _Case) -> str:
    return _same(case.header("x-hubspot-signature").lower(), hashlib.sha256(case.secret + case.sent.body).hexdigest())


def _hubspot_v2(case: _Case) -> str:
    text = case.secret + f"{case.sent.method}{case.sent.url}".encode() + case.sent.body
    return _same(case.header("x-hubspot-signature").lower(), hashlib.sha256(text).hexdigest())


def _hubspot_v3(case: _Case) -> str:
    given, written = case.header("x-hubspot-signature-v3"), case.header("x-hubspot-request-timestamp")
    case.fresh(written, unit=0.001, window=HUBSPOT_WINDOW)
    text = f"{case.sent.method}{as_hubspot_signs(case.sent.url)}".encode() + case.sent.body + written.encode()
    return _same(given, b64encode(case.hmac(text)).decode())


def as_hubspot_signs(url: str) -> str:
    """Return the address as version 3 of HubSpot's signature has it: some characters decoded, all others as they were sent."""
    return _ENCODED.sub(lambda found: _DECODED_BY_HUBSPOT.get(found[0].upper(), found[0]), url)


def _typeform(case: _Case) -> str:
    return _same(case.header("typeform-signature"), "sha256=" + b64encode(case.hmac(case.sent.body)).decode())


def _facebook(case: _Case) -> str:
    return _same(case.header("x-hub-signature-256").lower(), "sha256=" + case.hmac(case.sent.body).hex())


def _linkedin(case: _Case) -> str:
    given = case.header("x-li-signature").lower().removeprefix("hmacsha256=")
    return _same(given, case.hmac(b"hmacsha256=" + case.sent.body).hex())


def _calendly(case: _Case) -> str:
    parts = [part.strip().partition("=") for part in case.header("calendly-webhook-signature").split(",")]
    written = next((value for name, _, value in parts if name == "t"), "")
    given = [value.lower() for name, _, value in parts if name == "v1"]
    case.fresh(written, unit=1, window=CALENDLY_WINDOW)
    expected = case.hmac(written.encode() + b"." + case.sent.body).hex()
    for one in given[:5]:
        if is_same(one, expected):
            return f"{written} {one}"
    raise SignatureWrong("it does not fit the request and the secret")


def _hmac(case: _Case) -> str:
    how, text, written = case.plain, case.sent.body, ""
    given = case.header(how.header.lower())
    if how.timestamp_header:
        written = case.header(how.timestamp_header.lower())
        case.fresh(written, unit=1, window=how.window)
        text = written.encode() + b"." + text
    digest = case.hmac(text)
    if how.encoding == "base64":
        return _same(given, how.prefix + b64encode(digest).decode())
    return _same(given.lower(), how.prefix.lower() + digest.hex())


_SCHEMES: Mapping[Scheme, Callable[[_Case], str]] = {
    "hubspot-v1": _hubspot_v1,
    "hubspot-v2": _hubspot_v2,
    "hubspot-v3": _hubspot_v3,
    "typeform": _typeform,
    "facebook": _facebook,
    "linkedin": _linkedin,
    "calendly": _calendly,
    "hmac-sha256": _hmac,
}


def linkedin_response(code: str, secret: str) -> str:
    """Return what LinkedIn wants to hear to its challenge code, in hexadecimal digits."""
    return hmac.new(secret.encode(), code.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
