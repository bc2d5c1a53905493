"""Signing by link: what a signer is shown, and giving the signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements.differences import differences
from agreements.errors import AgreementError, InvalidAgreement, LinkInvalid
from agreements.model import Agreement
from notifications.links import ToSign
from storage import contracts
from storage.tables import AgreementVersion
from tasks import toolbox
from tasks.ask_to_sign import compared


@dataclass(frozen=True, slots=True)
class Signed:
    """One party's signature: for whom, by whom and when (aware); on_behalf: somebody else wrote it down."""

    party: str
    name: str
    at: datetime
    on_behalf: bool = False


@dataclass(frozen=True, slots=True)
class ToBeSigned:
    """What a signer is shown. agreement: None where its text cannot be trusted; closed: why it cannot be signed, in words.

    differences: from the version `compared_with`, which is in force, empty where there is none.
    """

    asked: ToSign
    agreement: Agreement | None
    signed: tuple[Signed, ...]
    unsigned: tuple[str, ...]
    differences: tuple[str, ...]
    compared_with: str
    closed: str
    now: datetime

    @property
    def own(self) -> Signed | None:
        """The signature of the party that is asked, None while there is none."""
        return next((one for one in self.signed if one.party == self.asked.party), None)


def visit(session: Session, token: str, *, now: datetime) -> ToBeSigned:
    """What this link shows now. Reads only. Raises LinkInvalid."""
    asked, row = _asked(session, token)
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
    )


def sign(session: Session, token: str, name: str, *, now: datetime) -> None:
    """Signs for the party that this link was sent to. Call inside a write transaction. Raises LinkInvalid, AgreementError."""
    asked, row = _asked(session, token)
    _, closed = _whole(row, asked)
    if closed:
        raise AgreementError(closed)
    contracts.sign(session, row, party=asked.party, name=name, via="link", address=asked.address, now=now)


def _asked(session: Session, token: str) -> tuple[ToSign, AgreementVersion]:
    asked = toolbox.current().links.read_to_sign(token)
    name, _, version = asked.reference.rpartition("@")
    row = session.get(AgreementVersion, (name, int(version))) if version.isdecimal() else None
    if row is None:
        raise LinkInvalid()
    return asked, row


def _whole(row: AgreementVersion, asked: ToSign) -> tuple[Agreement | None, str]:
    """The agreement, and why it cannot be signed as it is; None where what is stored is not what was sent."""
    try:
        agreement = contracts.verified(row)
    except InvalidAgreement:
        return None, f"{asked.reference} does not pass its check any more, so it cannot be signed. Whoever sent you this link can say why."
    except AgreementError:
        return None, f"The text of {asked.reference} is not the one that was published, so it cannot be signed. Tell whoever runs Baton."
    if row.hash != asked.hash:
        return None, f"This link was sent for another text of {asked.reference}, so it cannot be signed. Ask for a new message."
    return agreement, ""
