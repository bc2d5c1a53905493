"""Announcements: tell every named signer of a version who signed it, and who withdrew a signature."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from sqlmodel import Session

from agreements.words import PARTIES, word
from notifications.letter import Recipient, SignatureContext
from notifications.links import Links, ToSign
from storage import contracts, deliveries
from storage.tables import AgreementVersion, Delivery, Signature
from tasks.messages.drafts import Draft

MESSAGE: Final = "signature-told"


def tell_signers(
    session: Session, row: AgreementVersion, signature: Signature, *, now: datetime, withdrawn_by: str = "", why: str = ""
) -> None:
    """Queues a message to each named signer of both parties, except to the address that signed. A second call queues nothing more.

    withdrawn_by: who withdrew the signature, empty for a new signature. Call inside a write transaction.
    """
    agreement, kind = contracts.read(row), "withdrawn" if withdrawn_by else "signed"
    base = f"{MESSAGE}:{row.hash[:16]}:{signature.party}:{signature.signed_at.isoformat()}:{kind}"
    given = {"agreement": row.name, "version": row.version, "signed_for": signature.party, "name": signature.name, "why": why}
    given |= {"via": signature.via, "withdrawn_by": withdrawn_by}
    for party in contracts.PARTIES:
        for address in contracts.signers(agreement, party):
            if address == signature.address:
                continue
            key = f"{base}:{hashlib.sha256(f'{party}:{address}'.encode()).hexdigest()[:12]}"
            context = {**given, "party": party}
            deliveries.queue(session, None, deliveries.Message(MESSAGE, context=context), deliveries.Copy(key, "email", address), now=now)


def draft_of(session: Session, row: Delivery, links: Links) -> Draft:
    """Return the draft of such a delivery. Reads only. Raises AgreementError for an unknown version."""
    given = row.context
    version = contracts.get(session, str(given["agreement"]), int(given["version"]))
    agreement, party = contracts.read(version), word(str(given["party"]), PARTIES)
    assert party is not None, "only the signers of the parties are told"
    context = SignatureContext(
        to=Recipient(row.person, "", email=row.person, timezone=agreement.timezone),
        link=links.for_signature(ToSign(party, row.person, agreement.reference, version.hash)),
        reference=agreement.reference,
        what=_what(given, agreement.reference),
        why=str(given["why"]),
        deployable=not contracts.unsigned_parties(session, version),
    )
    return Draft(MESSAGE, context, row.key, f"signature-{version.hash[:16]}")


def _what(given: dict[str, object], reference: str) -> str:
    if given["withdrawn_by"]:
        return f"{given['withdrawn_by']} withdrew the signature of {given['name']} for {given['signed_for']} under {reference}."
    how = ", entered on their behalf" if given["via"] == "cli" else ""
    return f"{given['name']} signed {reference} for {given['signed_for']}{how}."
