"""The marketing automation behind a signed webhook, over a real HTTP server: what it is told, and what its answers mean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from agreements.errors import DeliveryError, DeliveryUnknown, ServiceAway
from notifications.channels.webhook import SignedDoor
from tasks.automation.port import Ask, Heard
from tasks.automation.webhook import WebhookAutomation
from tests.notifications.receiver import Receiver, receiving
from tests.patience import PATIENCE_SECONDS

SECRET = "a-secret-for-tests-only"
ASK = Ask("webhook", "enrol", "enrolment:7:1", "find-authority", 42, {"email": "jo@größe.example", "first_name": "Jo"})


@pytest.fixture
def system() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


async def told(system: Receiver, ask: Ask = ASK) -> Heard:
    return await WebhookAutomation(SignedDoor(system.url, SECRET, "nurture", timeout_seconds=PATIENCE_SECONDS)).tell(ask)


async def test_it_is_told_who_belongs_where_under_a_key_and_a_signature(system: Receiver) -> None:
    await told(system)

    (one,) = system.told
    assert one.said == {
        "version": 1, "do": "enrol", "key": "enrolment:7:1", "track": "find-authority", "lead_number": 42,
        "person": {"email": "jo@größe.example", "first_name": "Jo"},
    }  # fmt: skip
    assert one.headers["webhook-id"] == "enrolment:7:1"
    Webhook(SECRET.encode()).verify(one.body, one.headers)


@pytest.mark.parametrize(
    ("content", "confirmed"),
    [
        (b'{"confirmed": true}', True),
        (b'{"confirmed": false}', False),
        (b'{"confirmed": "true"}', False),
        (b'{"confirmed": 1}', False),
        (b"[true]", False),
        (b"confirmed", False),
        (b"", False),
        (b"\xff\xfe", False),
        (b'{"confirmed": true' + b" " * 20_000 + b"}", False),
        (b"[" * 9_000, False),
    ],
)
async def test_only_a_plain_true_confirms_it(system: Receiver, content: bytes, confirmed: bool) -> None:
    system.content = content

    assert (await told(system)).confirmed is confirmed


@pytest.mark.parametrize(
    ("status", "error", "permanent"),
    [
        (404, DeliveryError, True),
        (422, DeliveryError, True),
        (429, ServiceAway, False),
        (503, ServiceAway, False),
        (0, DeliveryUnknown, False),
    ],
)
async def test_a_refusal_is_for_a_person_and_everything_else_for_another_try(
    system: Receiver, status: int, error: type[DeliveryError], permanent: bool
) -> None:
    system.status = status
    with pytest.raises(error) as raised:
        await told(system)

    assert raised.value.permanent is permanent


async def test_a_redirect_names_the_setting(system: Receiver) -> None:
    system.status = 302
    with pytest.raises(DeliveryError, match="BATON_NURTURE_URL"):
        await told(system)
