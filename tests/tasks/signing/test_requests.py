"""Asking for signatures: each signer is mailed contract and differences once, and who could not be reached is named."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from agreements.errors import AgreementError, DeliveryUnknown
from agreements.words import Party
from notifications.letter import Letter
from storage import contracts
from storage.claims import Claimed
from storage.tables import AgreementVersion, DeliveryState, Event, SignatureRequest
from tasks.replies.opened_link import OpenedLink
from tasks.signing import page as signing_page
from tasks.signing.requests import Asked, ask_to_sign
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.in_flight import published, text_of
from tests.stage import kept_by

SIGNERS = ("signers: {marketing: [cmo@northgate.example]", "signers: {marketing: [cmo@northgate.example, ceo@northgate.example]")


@pytest.fixture
def second(box: Toolbox) -> AgreementVersion:
    """The second version, published and not signed; two may sign for marketing."""
    text = text_of(2, "2027-03-01", ("total: 60", "total: 70"), SIGNERS)
    return box.write_now(lambda session, now: contracts.publish(session, text, now=now))


def ask(box: Toolbox) -> dict[str, Asked]:
    return {one.address: one for one in asyncio.run(ask_to_sign(box, "b2b-saas", 2, by="mina"))}


def letters(box: Toolbox) -> list[Letter]:
    return [one for one in kept_by(box, "email").letters if one.message == "signature-asked"]


def requests(box: Toolbox) -> list[SignatureRequest]:
    return box.read_now(lambda session, now: list(session.exec(select(SignatureRequest).order_by(col(SignatureRequest.id)))))


def sign(box: Toolbox, party: Party) -> None:
    box.write_now(
        lambda session, now: contracts.sign(
            session, contracts.get(session, "b2b-saas", 2), contracts.NewSignature(party, "Lea", "cli"), now=now
        )
    )


def test_every_named_signer_gets_the_contract_what_changes_and_a_link_of_their_own(box: Toolbox, second: AgreementVersion) -> None:
    asked = ask(box)

    assert {address: (one.party, one.sent, one.before) for address, one in asked.items()} == {
        "cmo@northgate.example": ("marketing", True, False),
        "ceo@northgate.example": ("marketing", True, False),
        "cro@northgate.example": ("sales", True, False),
    }
    assert [letter.to.email for letter in letters(box)] == list(asked)
    assert len({letter.link for letter in letters(box)}) == len({letter.key for letter in letters(box)}) == 3
    [letter] = [one for one in letters(box) if one.to.email == "cro@northgate.example"]
    assert letter.subject == "Please sign for sales: b2b-saas@2"
    for part in (letter.text, letter.html):
        assert "What changes from b2b-saas@1" in part
        assert "Points needed to qualify: 60 -&gt; 70" in part or "Points needed to qualify: 60 -> 70" in part
        assert "Who owes whom what by when" in part or "WHO OWES WHOM WHAT BY WHEN" in part
        assert letter.link in part
    seen = box.read_now(lambda session, now: signing_page.visit(session, OpenedLink(box, letter.link.rpartition("/")[2]), now=now))
    assert (seen.asked.party, seen.asked.address, seen.asked.reference, seen.asked.hash) == (
        "sales",
        "cro@northgate.example",
        "b2b-saas@2",
        second.hash,
    )


def test_the_row_says_what_was_sent_under_which_key_and_the_trail_to_whom(
    box: Toolbox, second: AgreementVersion, time: SteppedTime
) -> None:
    ask(box)

    rows = requests(box)
    assert [(one.state, one.sent_at, one.error) for one in rows] == [("confirmed", time.at, "")] * 3
    assert [one.key for one in rows] == [letter.key for letter in letters(box)]
    told = box.read_now(lambda session, now: list(session.exec(select(Event).where(Event.kind == "signature-asked"))))
    assert [(one.data["party"], one.data["address"]) for one in told] == [(one.party, one.address) for one in rows]


def test_asking_again_reaches_only_those_who_were_not_reached(box: Toolbox, second: AgreementVersion, time: SteppedTime) -> None:
    kept_by(box, "email").refuses.add("ceo@northgate.example")
    first = ask(box)
    kept_by(box, "email").refuses.clear()
    time.at += timedelta(hours=1)

    again = ask(box)

    assert (first["ceo@northgate.example"].sent, first["ceo@northgate.example"].error) == (False, "email: refused by the test")
    assert {address: one.before for address, one in again.items()} == {
        "cmo@northgate.example": True,
        "ceo@northgate.example": False,
        "cro@northgate.example": True,
    }
    assert sorted(letter.to.email for letter in letters(box)) == sorted(again)
    assert len(requests(box)) == 3


def test_a_party_that_has_signed_is_not_asked(box: Toolbox, second: AgreementVersion) -> None:
    sign(box, "marketing")
    assert list(ask(box)) == ["cro@northgate.example"]

    sign(box, "sales")
    assert ask(box) == {}


def test_a_refusal_for_good_is_told_apart_from_a_server_that_is_away(box: Toolbox, second: AgreementVersion) -> None:
    kept_by(box, "email").refuses.add("ceo@northgate.example")
    assert [one.passing for one in ask(box).values() if not one.sent] == [False]

    kept_by(box, "email").broken = True
    assert [(one.address, one.passing) for one in ask(box).values() if not one.sent] == [("ceo@northgate.example", True)]


def test_what_may_have_arrived_is_not_sent_again_under_its_key(box: Toolbox, second: AgreementVersion) -> None:
    """The connection broke after it was handed over; whoever asks again asks under a new key."""

    async def lost(letter: Letter) -> str:
        raise DeliveryUnknown("email", "no answer to the message, it may have arrived")

    kept_by(box, "email").instead = lost
    first = ask(box)
    kept_by(box, "email").instead = None

    again = ask(box)

    assert [(one.sent, one.passing) for one in first.values()] == [(False, True)] * 3
    assert all(one.sent and not one.before for one in again.values())
    assert [one.state for one in requests(box)] == ["unknown"] * 3 + ["confirmed"] * 3
    assert len({one.key for one in requests(box)}) == 6


def test_what_a_process_that_died_was_sending_is_unknown(box: Toolbox, second: AgreementVersion) -> None:
    ask(box)

    def died(session: Session, now: datetime) -> None:
        row = session.exec(select(SignatureRequest).where(SignatureRequest.address == "cro@northgate.example")).one()
        row.state = DeliveryState.SENDING
        session.add(row)

    box.write_now(died)

    ask(box)

    assert [one.state for one in requests(box) if one.address == "cro@northgate.example"] == ["unknown", "confirmed"]


def test_two_who_ask_at_once_mail_everybody_once(box: Toolbox, second: AgreementVersion) -> None:
    """The second asks while the first one's letters are on their way."""
    email, began, refused = kept_by(box, "email"), asyncio.Event(), asyncio.Event()

    async def slow(letter: Letter) -> str:
        began.set()
        await refused.wait()
        return email.keep(letter)

    async def together() -> tuple[Asked, ...]:
        email.instead = slow
        first = asyncio.create_task(ask_to_sign(box, "b2b-saas", 2, by="mina"))
        await began.wait()
        with pytest.raises(Claimed, match="mina has been asking for signatures of b2b-saas@2"):
            await ask_to_sign(box, "b2b-saas", 2, by="maria")
        refused.set()
        return await first

    assert len(asyncio.run(together())) == 3
    assert len(letters(box)) == 3


def test_a_version_that_was_replaced_is_not_sent_out(box: Toolbox, second: AgreementVersion) -> None:
    box.write_now(lambda session, now: published(session, text_of(3, "2027-04-01"), now))
    with pytest.raises(AgreementError, match="b2b-saas@2 was replaced by b2b-saas@3 and can no longer be signed"):
        ask(box)


def test_a_contract_too_long_for_a_message_stands_behind_the_link(box: Toolbox) -> None:
    rules = "".join(f'    - {{when: {{country: X{number}}}, points: 1, why: "{"long " * 60}"}}\n' for number in range(300))
    text = text_of(
        2, "2027-03-01", ("    - {persona: sales-leader, points: 20}\n", f"    - {{persona: sales-leader, points: 20}}\n{rules}")
    )
    box.write_now(lambda session, now: contracts.publish(session, text, now=now))

    asked = ask(box)

    assert all(one.sent for one in asked.values())
    assert all(len(letter.html) < 95_000 for letter in letters(box))
    assert "The whole contract is too long for a message. You can read it behind the link." in letters(box)[0].text
