"""Requests by e-mail to sign a version: one row for each message, stored before it is sent."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlmodel import Session, col, select

from agreements.model import Agreement
from agreements.words import Party
from storage import contracts, trail
from storage.tables import AgreementVersion, DeliveryState, SignatureRequest

#: Nobody can tell from these states whether the message arrived: it is not sent again under its key.
_UNTOLD = (DeliveryState.SENDING, DeliveryState.UNKNOWN)


def prepare(session: Session, row: AgreementVersion, agreement: Agreement, *, now: datetime, again: bool = False) -> list[SignatureRequest]:
    """A row for every signer of each party that has not signed: the message already sent, else the one to send now.

    again: send a message even where one was sent before. Call while nobody else is sending: then only a process that died can have
    left a row in `sending`.
    """
    asked = [(party, address) for party in contracts.unsigned_parties(session, row) for address in contracts.signers(agreement, party)]
    return [_row(session, row, party, address, now, again) for party, address in dict.fromkeys(asked)]


def _row(session: Session, row: AgreementVersion, party: Party, address: str, now: datetime, again: bool) -> SignatureRequest:
    mine = (SignatureRequest.hash == row.hash, SignatureRequest.party == party, SignatureRequest.address == address)
    earlier = list(session.exec(select(SignatureRequest).where(*mine).order_by(col(SignatureRequest.id))))
    last = earlier[-1] if earlier else None
    if last is not None and last.state not in _UNTOLD and not (again and last.state == DeliveryState.CONFIRMED):
        return last
    if last is not None and last.state in _UNTOLD:
        last.state = DeliveryState.UNKNOWN
        session.add(last)
    who = hashlib.sha256(f"{party}:{address}".encode()).hexdigest()[:12]
    key = f"signature:{row.hash[:16]}:{who}:{len(earlier) + 1}"
    new = SignatureRequest(key=key, hash=row.hash, party=party, address=address, asked_at=now)
    session.add(new)
    session.flush()
    return new


def sending(session: Session, request_id: int) -> None:
    """Records that the message is being sent."""
    _get(session, request_id).state = DeliveryState.SENDING


def sent(session: Session, request_id: int, reference: str, *, proof: str, now: datetime) -> None:
    """Records that the channel took the message, with its proof."""
    found = _get(session, request_id)
    found.state, found.proof, found.error, found.sent_at = DeliveryState.CONFIRMED, proof[:200], "", now
    trail.record(session, "signature-asked", now=now, agreement=reference, party=found.party, address=found.address, hash=found.hash)


def not_sent(session: Session, request_id: int, *, error: str, unknown: bool) -> None:
    """Records why the message was not sent, or that nobody can tell whether it was."""
    found = _get(session, request_id)
    found.state = DeliveryState.UNKNOWN if unknown else DeliveryState.FAILED
    found.error = error[:500]


def _get(session: Session, request_id: int) -> SignatureRequest:
    found = session.get(SignatureRequest, request_id)
    assert found is not None, "a request is never deleted"
    session.add(found)
    return found
