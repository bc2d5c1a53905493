"""Payloads that were kept at an intake door end with the retention time, and with the erasure of a person whom they name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from storage import clearing, kept_payloads
from storage.kept_payloads import NewPayload
from storage.tables import KeptAddress, KeptPayload
from tasks.erasure import retention
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.stage import capture


def keep(box: Toolbox, key: str, *addresses: str, content: bytes = b"{}") -> None:
    new = NewPayload(key, "typeform", content, "application/json", "no id", addresses)
    box.write_now(lambda session, now: kept_payloads.keep(session, new, now=now))


def left(box: Toolbox) -> list[str]:
    """The keys of what is kept; every address must belong to one of them."""

    def work(session: Session, _: object) -> list[str]:
        rows = list(session.exec(select(KeptPayload).order_by(col(KeptPayload.id))))
        assert {one.payload_id for one in session.exec(select(KeptAddress))} <= {row.id for row in rows}
        return [row.key for row in rows]

    return box.read_now(work)


@pytest.mark.parametrize(("days", "stays"), [(0, True), (729, True), (731, False)])
async def test_a_payload_is_kept_as_long_as_personal_data_and_no_longer(box: Toolbox, time: SteppedTime, days: int, stays: bool) -> None:
    for number in range(3):
        keep(box, f"old{number}", "kim@quay.example")
    time.at = MONDAY + timedelta(days=days)
    keep(box, "new")

    kept = await retention.carry_out(box)

    assert left(box) == (["old0", "old1", "old2", "new"] if stays else ["new"])
    assert kept.deleted["payloads that were never taken in"] == (0 if stays else 3)


def test_an_erasure_finds_payloads_by_the_address(box: Toolbox) -> None:
    taken = capture(box, email="Kim.Lee@quay.example")
    keep(box, "hers", "kim.lee@quay.example")
    keep(box, "hers and others", "a@quay.example", "kim.lee@quay.example")
    keep(box, "another's", "a@quay.example")

    def work(session: Session, now: object) -> dict[str, int]:
        person = clearing.person_of(session, taken.lead_id)
        return {name: clear(session, person, 50, MONDAY) for name, clear in clearing._PARTS.items() if name == "kept payloads"}

    assert box.write_now(work) == {"kept payloads": 2}
    assert left(box) == ["another's"]


def test_the_same_payload_is_kept_once_with_its_newest_reason(box: Toolbox) -> None:
    for reason in ("first", "second"):
        new = NewPayload("k", "typeform", b"\xff\x00", "text/plain", reason)
        box.write_now(lambda session, now, new=new: kept_payloads.keep(session, new, now=now))  # type: ignore[misc]

    [row] = box.read_now(lambda session, now: kept_payloads.failed(session))
    assert (row.reason, kept_payloads.content_of(row)) == ("second", b"\xff\x00")


def test_marks_of_deliveries_are_forgotten_after_a_day(box: Toolbox, time: SteppedTime) -> None:
    for number in range(30):
        box.write_now(lambda session, now, number=number: kept_payloads.remember(session, f"m{number}", now=now))  # type: ignore[misc]
    time.at += timedelta(days=1, seconds=1)
    for name in ("a", "b"):
        box.write_now(lambda session, now, name=name: kept_payloads.remember(session, name, now=now))  # type: ignore[misc]

    assert box.read_now(lambda session, now: [kept_payloads.was_seen(session, f"m{one}") for one in range(30)]) == [False] * 30
    assert box.read_now(lambda session, now: kept_payloads.was_seen(session, "a")) is True
