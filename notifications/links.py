"""Signed links: one per rep's tenure of a lead, one per duty of anybody else, one per signature that is asked for, one per
answer that may be disputed, and the nonces of the forms behind them.

A link says whose it is and never expires by itself; what may be done with it is decided where it is read.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from agreements.errors import LinkInvalid

TOKEN_MAX = 1024
"""Longest token that is looked at, in characters."""
NONCE_AGE_MAX = timedelta(hours=24)
"""How long a form that was shown may be sent."""

_SECRET_MIN = 16
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Tenure:
    """The time in which a lead is one rep's."""

    assignment_id: str


@dataclass(frozen=True, slots=True)
class Duty:
    """Something one person, who is not the rep, must answer."""

    wait_id: str
    person: str


@dataclass(frozen=True, slots=True)
class ToSign:
    """A version that one person is asked to sign for a party. reference: name@version; hash: of the text that is meant."""

    party: str
    address: str
    reference: str
    hash: str


@dataclass(frozen=True, slots=True)
class ToDispute:
    """What one person may dispute or decide: the answer of that number; 0 for all that may be disputed just now."""

    answer_id: int
    person: str


class Links:
    """Writes and reads links of one installation.

    secrets: keys from oldest to newest, each at least 16 characters; the newest signs and all are accepted, so a key rotates
    by being followed by a new one. base_url: where the pages are, http or https.
    Raises: ValueError for no key, a short key or another base_url.
    """

    def __init__(self, secrets: Sequence[str], base_url: str) -> None:
        if isinstance(secrets, str) or not secrets or any(len(secret) < _SECRET_MIN for secret in secrets):
            raise ValueError(f"Links need a list of keys of at least {_SECRET_MIN} characters each.")
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("The base URL is written as https://host or https://host/path.")
        self._base_url = base_url.rstrip("/")
        self._tenures, self._duties, self._nonces = (_signer(secrets, purpose) for purpose in ("tenure", "duty", "nonce"))
        self._to_sign, self._to_dispute = _signer(secrets, "signature"), _signer(secrets, "dispute")

    def for_tenure(self, assignment_id: str) -> str:
        """The URL for the rep who holds that assignment; the same each time until the key rotates."""
        return self._url(self._tenures.dumps(assignment_id))

    def for_duty(self, wait_id: str, person: str) -> str:
        """The URL for one person who must answer that wait; the same each time until the key rotates."""
        return self._url(self._duties.dumps([wait_id, person]))

    def for_signature(self, asked: ToSign) -> str:
        """The URL for one person who is asked to sign that; the same each time until the key rotates."""
        return self._url(self._to_sign.dumps([asked.party, asked.address, asked.reference, asked.hash]), folder="sign")

    def for_dispute(self, answer_id: int, person: str) -> str:
        """The URL for one person's part in the dispute about that answer, 0 for the list; the same until the key rotates."""
        return self._url(self._to_dispute.dumps([answer_id, person]), folder="q")

    def read_to_dispute(self, token: str) -> ToDispute:
        """What the last part of such a link's URL stands for. Raises LinkInvalid for whatever was not written here exactly so."""
        match _loaded(self._to_dispute, token):
            case [int(answer_id), str(person)] if answer_id >= 0:
                return ToDispute(answer_id, person)
        raise LinkInvalid()

    def read_to_sign(self, token: str) -> ToSign:
        """What the last part of such a link's URL asks for. Raises LinkInvalid for whatever was not written here exactly so."""
        match _loaded(self._to_sign, token):
            case [str(party), str(address), str(reference), str(hash)]:
                return ToSign(party, address, reference, hash)
        raise LinkInvalid()

    def read(self, token: str) -> Tenure | Duty:
        """What the last part of a link's URL stands for. Raises LinkInvalid for whatever was not written here exactly so."""
        match _loaded(self._tenures, token), _loaded(self._duties, token):
            case str(assignment_id), _:
                return Tenure(assignment_id)
            case _, [str(wait_id), str(person)]:
                return Duty(wait_id, person)
        raise LinkInvalid()

    def nonce(self, token: str, device: str, wait_id: str, *, now: datetime) -> str:
        """A mark for one showing of a form, that only this link on this device for this wait can send back within 24 hours.

        device: the browser's stable cookie. now: aware.  Raises: ValueError if now has no zone or there is no device.
        """
        if not device:
            raise ValueError("a nonce needs a device")
        return self._nonces.dumps([_seconds(now), randomness.token_urlsafe(6), _bound(token, device, wait_id)])

    def check_nonce(self, nonce: str, token: str, device: str, wait_id: str, *, now: datetime) -> bool:
        """Whether the nonce was given to this link, device and wait at most 24 hours before now, which must be aware."""
        match _loaded(self._nonces, nonce):
            case [int(shown), str(_), str(bound)] if device and hmac.compare_digest(bound, _bound(token, device, wait_id)):
                age = timedelta(seconds=_seconds(now) - shown)
                return -_CLOCKS_DIFFER <= age <= NONCE_AGE_MAX
        return False

    def _url(self, token: str, *, folder: str = "l") -> str:
        if len(token) > TOKEN_MAX:
            raise ValueError("an id is too long for a link")
        return f"{self._base_url}/{folder}/{token}"


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
    """The last character of a signature has bits that nobody checks: several tokens would pass for one."""
    signature = token.rpartition(".")[2]
    try:
        return base64_encode(base64_decode(signature)).decode("ascii") == signature
    except BadData:
        return False


def _bound(token: str, device: str, wait_id: str) -> str:
    digests = (hashlib.sha256(part.encode(errors="replace")).digest() for part in (token, device, wait_id))
    return base64_encode(hashlib.sha256(b"".join(digests)).digest()[:16]).decode("ascii")


def _seconds(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise ValueError("now has no zone")
    return int(instant.timestamp())
