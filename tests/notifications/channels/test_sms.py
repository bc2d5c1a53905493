"""Text messages over Apprise: the number in its place, a short text, and everything that is no number."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from agreements.errors import DeliveryError
from notifications.channels.sms import SmsChannel
from notifications.letter import Letter, Recipient
from tests.notifications.receiver import Receiver, receiving


@pytest.fixture
def service() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def to(phone: str) -> Letter:
    ana = Recipient("ana", "Ana Ruiz", "ana@sales.example", phone)
    return Letter("k", "assigned", ana, "New hot lead: Größe 40", "long", "<p>long", "longer", "https://baton.example/l/a_b-c.d")


def channel(service: Receiver) -> SmsChannel:
    return SmsChannel(f"json://127.0.0.1:{service.port}/send/{{phone}}")


@pytest.mark.parametrize("phone", ["+44 (0)20 7946 0101", "+442079460101", "+44-20-7946.0101"])
async def test_the_number_stands_where_the_url_says(service: Receiver, phone: str) -> None:
    assert await channel(service).send(to(phone)) == "apprise: json accepted"

    (told,) = service.told
    assert unquote(told.path) == "/send/+442079460101"
    assert told.said["message"] == "New hot lead: Größe 40\nhttps://baton.example/l/a_b-c.d"


@pytest.mark.parametrize(("phone", "said"), [("", "is missing from the roster"), ("ask Ben", "cannot be read"), ("12", "cannot be read")])
async def test_without_a_number_it_is_permanent_and_nobody_is_asked(service: Receiver, phone: str, said: str) -> None:
    with pytest.raises(DeliveryError, match=said) as error:
        await channel(service).send(to(phone))
    assert error.value.permanent
    assert service.told == []


async def test_a_refusal_may_pass(service: Receiver) -> None:
    service.status = 500
    with pytest.raises(DeliveryError) as error:
        await channel(service).send(to("+442079460101"))
    assert (error.value.permanent, error.value.channel) == (False, "sms")


@pytest.mark.parametrize(
    ("url", "said"),
    [("json://topsecret/", "phone"), ("nosuch://topsecret/{phone}", "Apprise"), ("mailto://topsecret@x/{phone}", "e-mail"), ("", "phone")],
)
def test_a_url_that_cannot_be_used_is_told_at_once_and_not_shown(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        SmsChannel(url)
    assert "topsecret" not in str(error.value)
