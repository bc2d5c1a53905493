"""The signed webhook over a real HTTP server: what it says, how it proves itself, and what each answer means."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate

import pytest

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway
from notifications.channels.webhook import WebhookChannel
from notifications.letter import Letter, Recipient
from tests.notifications.receiver import Receiver, receiving
from tests.patience import PATIENCE_SECONDS

SECRET = "a-secret-for-tests-only"
ANSWERED_AT = 1_800_000_000
FACTS = {"lead_number": "42", "company": "Größe & Söhne", "due": "2026-12-01T13:00:00+00:00", "score": "72"}
LETTER = Letter(
    "h7/assigned/ana", "assigned", Recipient("ana", "Ana Ruiz"), "New lead", "", "", "", "https://baton.example/l/token", facts=FACTS
)


@pytest.fixture
def system() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def patient(url: str, secret: str = SECRET) -> WebhookChannel:
    """A channel to that address that gives up on nobody."""
    return WebhookChannel(url, secret, timeout_seconds=PATIENCE_SECONDS)


async def refused(system: Receiver, status: int, **headers: str) -> DeliveryError:
    system.status, system.headers = status, headers
    with pytest.raises(DeliveryError) as error:
        await patient(f"{system.url}hook?topsecret").send(LETTER)
    assert "topsecret" not in str(error.value)
    return error.value


async def test_everything_a_system_needs_is_in_the_body(system: Receiver) -> None:
    assert await patient(f"{system.url}hook?team=sales").send(LETTER) == "webhook: 200 OK"

    (told,) = system.told
    assert told.path == "/hook?team=sales"
    assert told.headers["content-type"] == "application/json"
    assert told.said == {
        "version": 1, "message": "assigned", "key": "h7/assigned/ana", "recipient": "ana", "lead_number": "42",
        "company": "Größe & Söhne", "facts": FACTS, "link": "https://baton.example/l/token", "due": "2026-12-01T13:00:00+00:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("secret", "key"),
    [(SECRET, SECRET.encode()), ("whsec_" + base64.b64encode(b"\x00" * 24).decode(), b"\x00" * 24)],
    ids=["words", "whsec"],
)
async def test_whoever_has_the_secret_can_check_id_time_and_body(system: Receiver, secret: str, key: bytes) -> None:
    before = int(time.time())
    await patient(system.url, secret).send(LETTER)

    (told,) = system.told
    ident, at = told.headers["webhook-id"], told.headers["webhook-timestamp"]
    mac = hmac.new(key, f"{ident}.{at}.".encode() + told.body, hashlib.sha256).digest()
    assert told.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    assert ident == LETTER.key
    assert before <= int(at) <= int(time.time())


@pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "ключ", "k" * 500])
async def test_any_key_goes_in_one_header(system: Receiver, key: str) -> None:
    await patient(system.url).send(replace(LETTER, key=key))
    assert "x-evil" not in system.told[0].headers
    assert system.told[0].said["key"] == key


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_the_proof(system: Receiver, status: int) -> None:
    system.status, system.content = status, b""
    assert (await patient(system.url).send(LETTER)).startswith(f"webhook: {status}")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
async def test_a_refusal_is_permanent(system: Receiver, status: int) -> None:
    error = await refused(system, status)
    assert (error.permanent, type(error)) == (True, DeliveryError)
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_not_and_is_the_services_fault(system: Receiver, status: int) -> None:
    error = await refused(system, status)
    assert (error.permanent, type(error), error.retry_after_seconds) == (False, ServiceAway, None)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_and_is_permanent(system: Receiver, status: int) -> None:
    error = await refused(system, status, Location=f"{system.url}elsewhere")
    assert error.permanent
    assert "BATON_WEBHOOK_URL" in str(error)
    assert len(system.told) == 1


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("120", 120), ("0", 0), (formatdate(ANSWERED_AT + 90, usegmt=True), 90), ("soon", None), ("-5", None), ("", None)],
)
async def test_how_long_to_wait_is_passed_on(system: Receiver, told: str, seconds: float | None) -> None:
    """A date is reckoned from the answer's own."""
    system.answered_at = ANSWERED_AT
    assert (await refused(system, 429, **{"Retry-After": told})).retry_after_seconds == seconds


async def test_no_answer_after_the_message_was_sent_may_have_arrived(system: Receiver) -> None:
    assert isinstance(await refused(system, 0), DeliveryUnknown)


async def test_nobody_there_may_pass() -> None:
    with receiving() as gone:
        url = gone.url
    with pytest.raises(ServiceAway) as error:
        await WebhookChannel(url, SECRET).send(LETTER)
    assert not error.value.permanent


@pytest.mark.parametrize(
    ("url", "secret", "said"),
    [
        ("http://topsecret.example/hook", SECRET, "https"),
        ("ftp://topsecret.example/hook", SECRET, "https://host/path"),
        ("https://", SECRET, "https://host/path"),
        ("topsecret", SECRET, "https://host/path"),
        ("https://topsecret.example:x/", SECRET, "https://host/path"),
        ("https://hooks.example/", "", "at least 16"),
        ("https://hooks.example/", "topsecret", "at least 16"),
        ("https://hooks.example/", "whsec_topsecret!", "at least 16"),
    ],
)
def test_what_cannot_be_used_is_told_at_once_and_not_shown(url: str, secret: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        WebhookChannel(url, secret)
    assert "topsecret" not in str(error.value)


@pytest.mark.parametrize("url", ["http://localhost:1/x", "http://127.0.0.1/", "http://[::1]:8/", "https://hooks.example/x"])
def test_https_is_not_asked_for_on_this_machine(url: str) -> None:
    assert WebhookChannel(url, SECRET).name == "webhook"
