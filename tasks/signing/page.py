"""Signing by link: the page for a signer, giving the signature, and withdrawing it.

Each time, the signer types the six-digit code from the message. Nobody can sign with the link alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements.differences import differences
from agreements.errors import AgreementError, InvalidAgreement, LinkInvalid
from agreements.model import Agreement
from agreements.words import Party
from notifications.links import ToSign
from storage import contracts, devices, locks
from storage.tables import AgreementVersion, Signature
from tasks.replies.number_check import HOUR, too_many
from tasks.replies.opened_link import OpenedLink
from tasks.signing.announcements import tell_signers
from tasks.signing.requests import compared

#: The most wrong codes for one signer in an hour, in all browsers together: 2,400 of a million a day.
WRONG_CODES = 100


@dataclass(frozen=True, slots=True)
class Signed:
    """One party's signature. name: of the signer; at: aware; on_behalf: somebody else entered it."""

    party: Party
    name: str
    at: datetime
    on_behalf: bool = False


@dataclass(frozen=True, slots=True)
class ToBeSigned:
    """The page for a signer. agreement: None if its text cannot be trusted; closed: why it cannot be signed, in words, empty if
    it can; may_withdraw: the signature was given by this link and can be withdrawn.

    differences: from the version `compared_with`, which is in force; both are empty if there is none.
    """

    asked: ToSign
    agreement: Agreement | None
    signed: tuple[Signed, ...]
    unsigned: tuple[str, ...]
    differences: tuple[str, ...]
    compared_with: str
    closed: str
    now: datetime
    may_withdraw: bool = False

    @property
    def own(self) -> Signed | None:
        """The signature of the party that got this link, None while there is none."""
        return next((one for one in self.signed if one.party == self.asked.party), None)


def visit(session: Session, link: OpenedLink, *, now: datetime) -> ToBeSigned:
    """Return the content of this link's page now. Reads only. Raises LinkInvalid."""
    asked, row = _asked(session, link)
    agreement, closed = _whole(row, asked)
    earlier = compared(session, row, now=now) if agreement else None
    signed = tuple(Signed(one.party, one.name, one.signed_at, one.via == "cli") for one in contracts.signatures(session, row))
    newer = contracts.replaced_by(session, row)
    if not closed and newer:
        closed = f"{asked.reference} was replaced by {contracts.reference_of(newer)} and can no longer be signed."
    return ToBeSigned(
        asked=asked,
        agreement=agreement,
        signed=signed,
        unsigned=tuple(contracts.unsigned_parties(session, row)),
        differences=differences(contracts.read(earlier), agreement) if agreement and earlier else (),
        compared_with=contracts.reference_of(earlier) if earlier else "",
        closed=closed,
        now=now,
        may_withdraw=may_withdraw(session, row, asked),
    )


def sign(session: Session, link: OpenedLink, name: str, *, code: str, device: str, now: datetime) -> str:
    """Signs for the party that got this link; returns why the code was not taken, empty if it was.

    device: hash of the browser. Call inside a write transaction and commit it in any case: a wrong code is counted. Raises
    LinkInvalid, AgreementError.
    """
    asked, row = _asked(session, link)
    _, closed = _whole(row, asked)
    if closed:
        raise AgreementError(closed)
    if refused := _check(session, link, asked, code, device=device, now=now):
        return refused
    contracts.sign(session, row, contracts.NewSignature(asked.party, name, "link", address=asked.address), now=now)
    tell_signers(session, row, _signature(session, row, asked.party), now=now)
    return ""


def sign_on_behalf(session: Session, row: AgreementVersion, *, party: Party, name: str, now: datetime) -> None:
    """Stores a signature that somebody gave elsewhere, and tells the signers. Raises AgreementError."""
    contracts.sign(session, row, contracts.NewSignature(party, name, "cli", on_behalf=True), now=now)
    tell_signers(session, row, _signature(session, row, party), now=now)


def withdraw(session: Session, link: OpenedLink, *, code: str, device: str, now: datetime) -> str:
    """Withdraws the signature that was given by this link; returns why the code was not taken, empty if it was.

    Call inside a write transaction and commit it in any case: a wrong code is counted. Raises LinkInvalid; AgreementError for a
    deployed version, and for a signature that came by another link.
    """
    asked, row = _asked(session, link)
    if not may_withdraw(session, row, asked):
        raise AgreementError(f"There is no signature under {asked.reference} that you can withdraw.")
    if refused := _check(session, link, asked, code, device=device, now=now):
        return refused
    name = _signature(session, row, asked.party).name
    taken = contracts.withdraw(session, row, party=asked.party, by=name, why="", now=now)
    tell_signers(session, row, taken, now=now, withdrawn_by=name)
    return ""


def withdraw_on_behalf(session: Session, row: AgreementVersion, *, party: Party, by: str, why: str, now: datetime) -> None:
    """Withdraws a signature at the command line, and tells the signers. Raises AgreementError."""
    taken = contracts.withdraw(session, row, party=party, by=by, why=why, now=now)
    tell_signers(session, row, taken, now=now, withdrawn_by=by, why=why)


def may_withdraw(session: Session, row: AgreementVersion, asked: ToSign) -> bool:
    """Whether this link gave the signature of its party, and the version is not deployed."""
    given = (one for one in contracts.signatures(session, row) if one.party == asked.party)
    return row.hash == asked.hash and not row.deployed_at and any(one.address == asked.address for one in given)


def _signature(session: Session, row: AgreementVersion, party: Party) -> Signature:
    return next(one for one in contracts.signatures(session, row) if one.party == party)


def _check(session: Session, link: OpenedLink, asked: ToSign, code: str, *, device: str, now: datetime) -> str:
    who = f"signer {asked.address}"
    locks.take(session, [who])  # two wrong codes at once are both counted: the second waits here
    wrong = devices.mistyped(session, who, since=now - HOUR)
    if len(wrong) >= WRONG_CODES:
        return "Somebody typed too many wrong codes behind your link. Please try again in an hour, or ask RevOps to enter your signature."
    if refused := too_many([at for hash, at in wrong if hash == device], now):
        return f"{refused}."
    if not code.strip():
        return "Please type the code from the message. It has six digits and is below the link in the message."
    if link.links.is_signing_code(asked, code):
        return ""
    devices.mistype(session, device, who, now=now, kept=HOUR)
    return "That is not the code from the message. It has six digits and is below the link in the message."


def _asked(session: Session, link: OpenedLink) -> tuple[ToSign, AgreementVersion]:
    asked = link.links.read_to_sign(link.token)
    name, _, version = asked.reference.rpartition("@")
    row = session.get(AgreementVersion, (name, int(version))) if version.isdecimal() else None
    if row is None:
        raise LinkInvalid()
    return asked, row


def _whole(row: AgreementVersion, asked: ToSign) -> tuple[Agreement | None, str]:
    """The agreement, and why it cannot be signed, in words; None for the agreement if the stored text is not the one sent."""
    try:
        agreement = contracts.verified(row)
    except InvalidAgreement:
        return None, f"{asked.reference} no longer passes its check, so nobody can sign it. Ask the person who sent you this link."
    except AgreementError:
        return None, f"The text of {asked.reference} is not the published text, so nobody can sign it. Please tell your operator."
    if row.hash != asked.hash:
        return None, f"This link belongs to another text of {asked.reference}, so you cannot sign here. Please ask for a new message."
    return agreement, ""
