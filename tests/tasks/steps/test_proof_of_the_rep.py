"""Proof is about the person: only a message to the rep, on a channel that people read, proves that the rep was told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from agreements.model import Proves
from notifications.channels.crm import CrmChannel
from storage import contracts, proof
from storage.crm.local import LocalCrm
from storage.tables import AgreementVersion, Assignment, Delivery, DeliveryState
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import BY_POINTS, agree_on, deliveries_of, letters, tenures, wait_of
from tests.driver import Driver
from tests.rows import a_handoff
from tests.stage import capture, events_of, kept_by, newest, token_of

ANYTHING: tuple[Proves, ...] = ("rep", "manager", "unread")


@pytest.mark.parametrize(
    ("sent", "counting", "expected"),
    [
        ([("email", "ana"), ("chat", "ana")], ("rep",), ["chat", "email"]),
        ([("email", "ana"), ("manager-email", "maria")], ("rep",), ["email"]),
        ([("email", "ana"), ("manager-email", "maria")], ("rep", "manager"), ["email", "manager-email"]),
        ([("email", "ana"), ("manager-email", "ana")], ("rep",), ["email"]),
        ([("manager-email", "ana")], ("rep",), ["manager-email"]),
        ([("email", "ben"), ("chat", "ben")], ("rep",), []),
        ([("email", "ana"), ("crm!", "ana")], ("rep",), ["email"]),
        ([("email", "ana"), ("crm!", "ana")], ("rep", "manager"), ["email"]),
        ([("email", "ana"), ("crm!", "ana")], ANYTHING, ["crm", "email"]),
        ([("crm!", "ana"), ("manager-email", "maria")], ("rep",), []),
    ],
)
def test_what_counts(box: Toolbox, sent: list[tuple[str, str]], counting: tuple[Proves, ...], expected: list[str]) -> None:
    """A channel with ! is one that nobody reads."""

    def work(session: Session, now: Any) -> proof.Proof:
        handoff = a_handoff(session, now)
        session.add(Assignment(id="one", handoff_id=handoff.id, lead_id=handoff.lead_id, rep="ana", assigned_at=MONDAY))
        for number, (channel, person) in enumerate(sent):
            read: dict[str, Any] = {"channel": channel.removesuffix("!"), "unread": channel.endswith("!")}
            told: dict[str, Any] = {"key": f"{number}", "assignment_id": "one", "message": "assigned", "person": person, "send_at": MONDAY}
            session.add(Delivery(**told, **read, state=DeliveryState.CONFIRMED, sent_at=MONDAY))
        session.flush()
        found = proof.proof_of(session, "one", counting, now=now)
        session.rollback()
        return found

    assert sorted(box.write_now(work).arrived) == expected


async def test_the_managers_mail_proves_nothing_about_the_rep(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    kept_by(box, "email").broken = kept_by(box, "chat").broken = True
    taken = capture(box, **BY_POINTS)

    await driver.settle()

    assert letters(box, "assigned", "manager-email") == ["maria"]
    assert (wait_of(box, taken).about, newest(box, taken).owner) == ("proof", "system")
    assert tenures(box, taken)[0].proven_at is None


async def test_a_rep_who_was_never_told_is_not_charged_and_the_ladder_goes_on(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    kept_by(box, "email").refuses.add("ana")
    kept_by(box, "chat").refuses.add("ana")
    taken = capture(box, **BY_POINTS)

    await driver.run(until=time.at + timedelta(days=2))

    first, *others = tenures(box, taken)
    assert (first.rep, first.ended_because, first.proven_at) == ("ana", "not delivered in time", None)
    assert others[0].rep != "ana"
    assert others[0].proven_at
    assert next(event.data["owed_by"] for event in events_of(box, taken) if event.kind == "missed") == "system"


async def test_the_proof_of_an_earlier_rep_does_not_count_for_the_next(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    kept_by(box, "email").broken = kept_by(box, "chat").broken = True

    await driver.run(until=wait_of(box, taken).due_at + timedelta(seconds=1))

    first, second = tenures(box, taken)
    assert first.proven_at is not None
    assert second.proven_at is None
    assert wait_of(box, taken).about == "proof"


@pytest.mark.parametrize(("counts", "proven"), [(["rep"], False), (["rep", "unread"], True)])
async def test_a_crm_without_people_proves_nothing_unless_agreed(
    driver: Driver, box: Toolbox, time: SteppedTime, counts: list[str], proven: bool
) -> None:
    assert isinstance(box.crm, LocalCrm)
    box.channels["crm"] = CrmChannel(LocalCrm(box.crm.path))  # type: ignore[index]
    agree_on(box, lambda tree: tree["notify"].update(proof={"counts": counts}, fallback=["manager-email"]))
    taken = capture(box, **BY_POINTS)

    await driver.settle()

    assert deliveries_of(box, taken)[("assigned", "crm")] == "confirmed"
    assert (tenures(box, taken)[0].proven_at is not None) is proven


async def test_a_version_of_the_first_generation_counts_the_manager_as_it_was_signed(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    def signed_before(session: Session, now: Any) -> None:
        for row in session.exec(select(AgreementVersion)):
            row.generation = 1
            session.add(row)

    box.write_now(signed_before)
    contracts._parsed.cache_clear()
    kept_by(box, "email").broken = kept_by(box, "chat").broken = True
    taken = capture(box, **BY_POINTS)

    await driver.settle()

    assert wait_of(box, taken).kind == "acceptance"
    assert token_of(box, taken)
