"""Published agreement versions and their signatures: the deployed truth."""

from __future__ import annotations

from datetime import datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from agreements.errors import AgreementError, NoAgreementInForce
from agreements.loading import content_hash, read_agreement
from agreements.model import Agreement
from storage import trail
from storage.tables import AgreementVersion, Signature


@lru_cache(maxsize=64)
def parsed(hash: str, text: str) -> Agreement:
    """The agreement of a stored text, read once per process; hash keeps two texts apart."""
    return read_agreement(text, name=hash[:12])


def publish(session: Session, text: str, *, now: datetime) -> AgreementVersion:
    """Keeps this version for ever. The same text again is the same row; another text under its name and number is refused."""
    agreement, hash = read_agreement(text), content_hash(text)
    row = session.get(AgreementVersion, (agreement.agreement, agreement.version))
    if row is not None:
        if row.hash != hash:
            raise AgreementError(f"{agreement.reference} is published with another text. Give the changed text a new version number.")
        return row
    zone = ZoneInfo(agreement.timezone)
    until = agreement.effective.until
    row = AgreementVersion(
        name=agreement.agreement,
        version=agreement.version,
        hash=hash,
        text=text,
        effective_at=datetime.combine(agreement.effective.from_, time(0), tzinfo=zone),
        until=datetime.combine(until, time(0), tzinfo=zone) if until else None,
        published_at=now,
    )
    session.add(row)
    session.flush()
    return row


def sign(session: Session, row: AgreementVersion, *, party: str, name: str, via: str, now: datetime) -> None:
    """One party's signature over this hash. Signing again changes nothing."""
    found = session.exec(select(Signature).where(Signature.hash == row.hash, Signature.party == party)).first()
    if found is None:
        session.add(Signature(hash=row.hash, party=party, name=name, via=via, signed_at=now))
        trail.record(session, "signed", now=now, actor=name, agreement=f"{row.name}@{row.version}", hash=row.hash, party=party, via=via)
        session.flush()


def unsigned_parties(session: Session, row: AgreementVersion) -> list[str]:
    """Who has not signed this hash yet: of marketing and sales."""
    signed = set(session.exec(select(Signature.party).where(Signature.hash == row.hash)))
    return [party for party in ("marketing", "sales") if party not in signed]


def require_signed(session: Session, row: AgreementVersion) -> None:
    """Raises AgreementError unless both parties have signed this hash."""
    if missing := unsigned_parties(session, row):
        raise AgreementError(f"{row.name}@{row.version} is not signed by {' and '.join(missing)}: no signed agreement, no handoff.")


def mark_deployed(session: Session, row: AgreementVersion, *, deployment_id: str, now: datetime) -> None:
    """Puts a version that both parties have signed in force. Raises AgreementError otherwise."""
    require_signed(session, row)
    row.deployment_id, row.deployed_at = deployment_id, row.deployed_at or now
    session.add(row)


def in_force(session: Session, at: datetime) -> AgreementVersion:
    """The deployed version under which a handoff is born at that instant. Raises NoAgreementInForce."""
    rows = session.exec(
        select(AgreementVersion)
        .where(
            col(AgreementVersion.deployed_at).is_not(None),
            col(AgreementVersion.closed).is_(False),
            col(AgreementVersion.effective_at) <= at,
        )
        .order_by(col(AgreementVersion.effective_at).desc(), col(AgreementVersion.version).desc())
    )
    row = next((one for one in rows if one.until is None or at < one.until), None)
    if row is None:
        raise NoAgreementInForce()
    return row


def agreement_of(session: Session, name: str, version: int) -> Agreement:
    """The parsed agreement of a published version. Raises AgreementError for one that is not published."""
    row = session.get(AgreementVersion, (name, version))
    if row is None:
        raise AgreementError(f"{name}@{version} is not published here.")
    return parsed(row.hash, row.text)


def get(session: Session, name: str, version: int) -> AgreementVersion:
    """The stored row of a version. Raises AgreementError for one that is not published."""
    row = session.get(AgreementVersion, (name, version))
    if row is None:
        raise AgreementError(f"{name}@{version} is not published here.")
    return row


def deployed(session: Session) -> list[AgreementVersion]:
    """Every version that was ever put in force, by name and number."""
    query = select(AgreementVersion).where(col(AgreementVersion.deployed_at).is_not(None))
    return list(session.exec(query.order_by(AgreementVersion.name, col(AgreementVersion.version))))


def all_of(session: Session) -> list[AgreementVersion]:
    """Every published version, by name and number."""
    return list(session.exec(select(AgreementVersion).order_by(AgreementVersion.name, col(AgreementVersion.version))))
