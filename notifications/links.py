"""Signed links and the nonces of the forms behind them. There is one link for each rep's tenure of a lead, each duty of
another person, each requested signature, each morning digest and each answer that may be disputed.

A link says whose it is and when it was written. The code that reads a link decides what it allows, and for how long.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from agreements.errors import LinkInvalid
from agreements.words import PARTIES, Party, word
from notifications.bounce_marks import BounceMarks

TOKEN_MAX = 1024
"""Longest token that is read, in characters."""
NONCE_AGE_MAX = timedelta(hours=24)
"""How long after it was shown a form may be sent."""

_SECRET_MIN = 16
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Tenure:
    """The time in which one rep has a lead. at: when the link was written (UTC), None in a link that is older than this field.
    `at` means the same in all these classes."""

    assignment_id: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """A question that one person other than the rep must answer."""

    wait_id: str
    person: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """The personal page of somebody who decides for others, with everything that they can answer."""

    person: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ToSign:
    """A version that one person is asked to sign for a party. reference: name@version. hash: of the text to sign."""

    party: Party
    address: str
    reference: str
    hash: str


@dataclass(frozen=True, slots=True)
class DigestLink:
    """One person's digest of one day, as an ISO date."""

    person: str
    day: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ToDispute:
    """What one person may dispute or decide: the number of an answer, 0 for all answers that may be disputed now."""

    answer_id: int
    person: str
    at: datetime | None = None


class Links:
    """Writes and reads links of one installation.

    secrets: keys from oldest to newest, each at least 16 characters. The newest signs and all are accepted: to rotate, add
    a new key at the end. base_url: where the pages are, http or https.
    Raises: ValueError for no key, a short key or another base_url.
    """

    def __init__(self, secrets: Sequence[str], base_url: str) -> None:
        if isinstance(secrets, str) or not secrets or any(len(secret) < _SECRET_MIN for secret in secrets):
            raise ValueError(f"Links need a list of keys of at least {_SECRET_MIN} characters each.")
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("The base URL is written as https://host or https://host/path.")
        self.bounce_marks = BounceMarks(secrets)
        self._base_url = base_url.rstrip("/")
        self._tenures, self._duties, self._nonces = (_signer(secrets, purpose) for purpose in ("tenure", "duty", "nonce"))
        self._to_sign, self._mornings, self._own, self._to_dispute = (
            _signer(secrets, purpose) for purpose in ("signature", "digest", "person", "dispute")
        )
        self._keys = [key.encode() for key in reversed(secrets)]

    def for_tenure(self, assignment_id: str, *, at: datetime | None = None) -> str:
        """Return the URL for the rep of that assignment. The same instant gives the same URL until the key rotates."""
        return self._url(self._tenures.dumps(_dated(assignment_id, at)))

    def for_duty(self, wait_id: str, person: str, *, at: datetime | None = None) -> str:
        """Return the URL for one person who must answer that wait. The same instant gives the same URL until the key rotates."""
        return self._url(self._duties.dumps(_dated([wait_id, person], at)))

    def for_person(self, person: str, *, at: datetime | None = None) -> str:
        """Return the URL of one person's own page. The same instant gives the same URL until the key rotates."""
        return self._url(self._own.dumps(_dated(person, at)), folder="m")

    def for_signature(self, asked: ToSign) -> str:
        """Return the URL for one person who is asked to sign. The same instant gives the same URL until the key rotates."""
        return self._url(self._to_sign.dumps([asked.party, asked.address, asked.reference, asked.hash]), folder="sign")

    def for_dispute(self, answer_id: int, person: str, *, at: datetime | None = None) -> str:
        """Return the URL for one person's part in the dispute about that answer, 0 for the list. The same instant gives
        the same URL until the key rotates."""
        return self._url(self._to_dispute.dumps(_dated([answer_id, person], at)), folder="q")

    def read_to_dispute(self, token: str) -> ToDispute:
        """Read the last part of such a link's URL. Raises LinkInvalid unless this installation wrote exactly that text."""
        match _loaded(self._to_dispute, token):
            case [int(answer_id), str(person), *at] if answer_id >= 0 and len(at) < 2:
                return ToDispute(answer_id, person, _instant(at))
        raise LinkInvalid()

    def read_to_sign(self, token: str) -> ToSign:
        """Read the last part of such a link's URL. Raises LinkInvalid unless this installation wrote exactly that text."""
        match _loaded(self._to_sign, token):
            case [str(party), str(address), str(reference), str(hash)] if known := word(party, PARTIES):
                return ToSign(known, address, reference, hash)
        raise LinkInvalid()

    def for_digest(self, person: str, day: str, *, at: datetime | None = None) -> str:
        """Return the URL of one person's digest of that day. The same instant gives the same URL until the key
        rotates."""
        return self._url(self._mornings.dumps(_dated([person, day], at)), folder="d")

    def read_digest(self, token: str) -> DigestLink:
        """Read the person and the day from the last part of such a link's URL. Raises LinkInvalid."""
        match _loaded(self._mornings, token):
            case [str(person), str(day), *at] if len(at) < 2:
                return DigestLink(person, day, _instant(at))
        raise LinkInvalid()

    def read(self, token: str) -> Tenure | Duty:
        """Read the last part of a link's URL. Raises LinkInvalid unless this installation wrote exactly that text."""
        match _loaded(self._tenures, token), _loaded(self._duties, token):
            case str(assignment_id), _:
                return Tenure(assignment_id)
            case [str(assignment_id), at], _:
                return Tenure(assignment_id, _instant([at]))
            case _, [str(wait_id), str(person), *at] if len(at) < 2:
                return Duty(wait_id, person, _instant(at))
        raise LinkInvalid()

    def read_person(self, token: str) -> Own:
        """Read the person from the last part of the URL of a personal page. Raises LinkInvalid."""
        match _loaded(self._own, token):
            case str(person):
                return Own(person)
            case [str(person), at]:
                return Own(person, _instant([at]))
        raise LinkInvalid()

    def number(self, token: str) -> str:
        """Return the four-digit code that is next to this link in its message. Raises LinkInvalid.

        The code depends on the meaning of the link. All messages about one tenure have the same code. All other messages to one
        person on one day (UTC) share another.
        """
        return self._numbers(token)[0]

    def is_number(self, token: str, typed: str) -> bool:
        """Return whether this is the code of this link, under any of the keys. Raises LinkInvalid."""
        return _is_one_of(typed, self._numbers(token))

    def signing_code(self, asked: ToSign) -> str:
        """Return the six-digit code in the message that asks for this signature. The signer sends it with the signature."""
        return self.code(_signing(asked))

    def is_signing_code(self, asked: ToSign, typed: str) -> bool:
        """Return whether this is the code for this signature, under any of the keys."""
        return self.is_code(_signing(asked), typed)

    def code(self, subject: str) -> str:
        """Return the six-digit code for that subject. Only this installation can know it."""
        return _digits(self._keys[0], "code", subject, 6)

    def is_code(self, subject: str, typed: str) -> bool:
        """Return whether this is the code for that subject, under any of the keys."""
        return _is_one_of(typed, [_digits(key, "code", subject, 6) for key in self._keys])

    def _numbers(self, token: str) -> list[str]:
        purpose = self._purpose(token)
        if isinstance(purpose, Tenure):
            meant = f"tenure {purpose.assignment_id}"
        else:
            meant = f"person {purpose.person}{f' on {purpose.at:%Y-%m-%d}' if purpose.at else ''}"
        return [_digits(key, "number", meant, 4) for key in self._keys]

    def _purpose(self, token: str) -> Tenure | Duty | Own | DigestLink | ToDispute:
        for read in (self.read, self.read_person, self.read_digest):
            with suppress(LinkInvalid):
                return read(token)
        return self.read_to_dispute(token)

    def nonce(self, token: str, device: str, wait_id: str, *, now: datetime) -> str:
        """Return a mark for one showing of a form. Only this link on this device for this wait can send it back, within 24 hours.

        device: hash of the browser's cookie. now: aware.  Raises: ValueError if now has no zone or there is no device.
        """
        if not device:
            raise ValueError("a nonce needs a device")
        return self._nonces.dumps([round(_seconds(now), 3), randomness.token_urlsafe(6), _bound(token, device, wait_id)])

    def check_nonce(self, nonce: str, token: str, device: str, wait_id: str, *, now: datetime) -> bool:
        """Return whether this link, device and wait got the nonce at most 24 hours before now. now: aware."""
        return self.nonce_age(nonce, token, device, wait_id, now=now) is not None

    def nonce_age(self, nonce: str, token: str, device: str, wait_id: str, *, now: datetime) -> timedelta | None:
        """Return the age of a nonce of this link, device and wait. None for any other nonce, and after 24 hours."""
        match _loaded(self._nonces, nonce):
            case [int(shown) | float(shown), str(_), str(bound)] if device and hmac.compare_digest(bound, _bound(token, device, wait_id)):
                age = timedelta(seconds=round(_seconds(now) - shown, 3))
                return age if -_CLOCKS_DIFFER <= age <= NONCE_AGE_MAX else None
        return None

    def _url(self, token: str, *, folder: str = "l") -> str:
        if len(token) > TOKEN_MAX:
            raise ValueError("an id is too long for a link")
        return f"{self._base_url}/{folder}/{token}"


def _dated(meant: Any, at: datetime | None) -> Any:
    """Return the content of the token with the instant in milliseconds as its last part."""
    if at is None:
        return meant
    return [*(meant if isinstance(meant, list) else [meant]), round(_seconds(at) * 1000)]


def _instant(at: Sequence[Any]) -> datetime | None:
    match at:
        case [int(milliseconds)]:
            return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return None


def _signer(secrets: Sequence[str], purpose: str) -> URLSafeSerializer:
    options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeSerializer(list(secrets), salt=f"baton.link.{purpose}", signer_kwargs=options)


def _loaded(signer: URLSafeSerializer, token: str) -> Any:
    if len(token) > TOKEN_MAX or not token.isascii() or not _is_exact(token):
        return None
    try:
        return signer.loads(token)
    except BadData:
        return None


def _is_exact(token: str) -> bool:
    """Return whether a token is spelt exactly as it was written. Its last character has unused bits, so other spellings would pass."""
    signature = token.rpartition(".")[2]
    try:
        return base64_encode(base64_decode(signature)).decode("ascii") == signature
    except BadData:
        return False


def _bound(token: str, device: str, wait_id: str) -> str:
    digests = (hashlib.sha256(part.encode(errors="replace")).digest() for part in (token, device, wait_id))
    return base64_encode(hashlib.sha256(b"".join(digests)).digest()[:16]).decode("ascii")


def _seconds(instant: datetime) -> float:
    if instant.tzinfo is None:
        raise ValueError("now has no zone")
    return instant.timestamp()


def _signing(asked: ToSign) -> str:
    return f"signature {asked.party} {asked.address} {asked.reference} {asked.hash}"


def _digits(key: bytes, purpose: str, subject: str, count: int) -> str:
    digest = hmac.digest(key, f"baton.{purpose}\0{subject}".encode(errors="replace"), "sha256")
    return f"{int.from_bytes(digest[:8]) % 10**count:0{count}}"


def _is_one_of(typed: str, digits: list[str]) -> bool:
    """Compare with all codes, so that the time of the check reveals nothing."""
    given = "".join(typed.split()).encode(errors="replace")
    return sum(hmac.compare_digest(given, one.encode()) for one in digits) > 0
