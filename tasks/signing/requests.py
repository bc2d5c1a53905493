"""Requests to sign: mail the contract and its differences to the signers of each party that has not signed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from agreements.differences import differences
from agreements.errors import AgreementError, DeliveryError, DeliveryUnknown
from agreements.model import Agreement
from agreements.wording import contract
from agreements.words import Party
from notifications.letter import Letter, Recipient, SigningContext
from notifications.links import ToSign
from notifications.rendering import render
from storage import claims, contracts, signature_requests
from storage.tables import AgreementVersion, DeliveryState, SignatureRequest
from tasks.wiring.toolbox import Toolbox

#: The longest HTML part that mail programs show in full, in bytes.
_SHOWN_BYTES = 95_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The result of asking one person. sent: the message went out, now or earlier (`before`); error: why it did not.

    passing: the error may pass, so another try may succeed.
    """

    party: Party
    address: str
    sent: bool
    before: bool = False
    error: str = ""
    passing: bool = False


def compared(session: Session, row: AgreementVersion, *, now: datetime) -> AgreementVersion | None:
    """Return the version of the same agreement that is in force, None if there is none or it is this one."""
    found = next((one for one in contracts.counting(session, now) if one.name == row.name), None)
    return None if found is None or found.version == row.version else found


async def ask_to_sign(box: Toolbox, name: str, version: int, *, by: str = "somebody", again: bool = False) -> tuple[Asked, ...]:
    """Mails every signer who was not reached yet; returns the result for each, empty if nobody is left to ask.

    again: also mails signers who were reached, in case a message was lost.

    Raises AgreementError for a version that can no longer be signed, Claimed while another process is asking.
    """
    claim = f"signatures:{name}@{version}"

    def prepare(session: Session, now: datetime) -> tuple[str, list[SignatureRequest]]:
        row, agreement = _to_be_signed(session, name, version)
        contracts.require_possible(session, row, now=now)
        token = claims.take(session, claim, by=by, about=f"asking for signatures of {name}@{version}")
        return token, signature_requests.prepare(session, row, agreement, now=now, again=again)

    token, rows = await box.write(prepare)
    try:
        return tuple([await _ask(box, name, version, row) for row in rows])
    finally:
        await box.write(lambda session, now: claims.give_back(session, claim, token))


def _to_be_signed(session: Session, name: str, version: int) -> tuple[AgreementVersion, Agreement]:
    row = contracts.get(session, name, version)
    agreement = contracts.verified(row)
    if newer := contracts.replaced_by(session, row):
        raise AgreementError(f"{agreement.reference} was replaced by {contracts.reference_of(newer)} and can no longer be signed.")
    return row, agreement


async def _ask(box: Toolbox, name: str, version: int, request: SignatureRequest) -> Asked:
    party, address, ident = request.party, request.address, request.id
    if request.state == DeliveryState.CONFIRMED:
        return Asked(party, address, sent=True, before=True)
    try:
        letter = await box.read(lambda session, now: _letter(box, session, name, version, request, now))
        await box.write(lambda session, now: signature_requests.sending(session, ident))
        proof = await box.channels["email"].send(letter)
    except Exception as error:  # one address that cannot be reached must not keep the others from being asked
        said, unknown = str(error), isinstance(error, DeliveryUnknown)
        await box.write(lambda session, now: signature_requests.not_sent(session, ident, error=said, unknown=unknown))
        passing = isinstance(error, DeliveryError) and not error.permanent
        return Asked(party, address, sent=False, error=said, passing=passing)
    await box.write(lambda session, now: signature_requests.sent(session, ident, f"{name}@{version}", proof=proof, now=now))
    return Asked(party, address, sent=True)


def _letter(box: Toolbox, session: Session, name: str, version: int, request: SignatureRequest, now: datetime) -> Letter:
    row = contracts.get(session, name, version)
    agreement, earlier = contracts.read(row), compared(session, row, now=now)
    reference = agreement.reference
    asked = ToSign(request.party, request.address, reference, request.hash)
    context = SigningContext(
        to=Recipient(request.address, "", email=request.address, timezone=agreement.timezone),
        link=box.links.for_signature(asked),
        reference=reference,
        party=request.party,
        begins=f"{agreement.effective.from_:%d %B %Y}".lstrip("0"),
        code=box.links.signing_code(asked),
        contract=contract(agreement),
        differences=differences(contracts.read(earlier), agreement) if earlier else (),
        compared_with=contracts.reference_of(earlier) if earlier else "",
    )
    letter = _written(box, context, request)
    return letter if len(letter.html.encode()) <= _SHOWN_BYTES else _written(box, replace(context, contract=None), request)


def _written(box: Toolbox, context: SigningContext, request: SignatureRequest) -> Letter:
    return render("signature-asked", context, key=request.key, thread=f"signature-{request.hash[:16]}", folder=box.templates)
