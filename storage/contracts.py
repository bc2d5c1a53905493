"""Published agreement versions and their signatures: the deployed truth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from agreements import side_by_side
from agreements.calendar.kept_holidays import resolved_holidays
from agreements.clauses.generations import NEWEST
from agreements.errors import AgreementError, InvalidAgreement, NoAgreementInForce
from agreements.loading import as_published, content_hash, read_agreement
from agreements.model import Agreement
from agreements.side_by_side import Window
from agreements.words import PARTIES as PARTIES
from agreements.words import Party, Via
from storage import trail, wakes
from storage.tables import AgreementVersion, Signature

#: Parsed agreements, by database, name, version and hash.
_KEPT: dict[tuple[str, str, int, str], Agreement] = {}


def read(row: AgreementVersion) -> Agreement:
    """The agreement of a published version, with the public holidays that were stored with it."""
    return _parsed(row.hash, row.text, json.dumps(row.holidays), row.generation)


@lru_cache(maxsize=64)
def _parsed(hash: str, text: str, holidays: str, generation: int) -> Agreement:
    """Parses once per process; hash keeps two texts apart."""
    agreement, kept = as_published(text, name=hash[:12], generation=generation), json.loads(holidays)
    return agreement.with_holidays(kept) if kept else agreement


def reference_of(row: AgreementVersion) -> str:
    """The name that people use for a version: name@version."""
    return f"{row.name}@{row.version}"


def publish(session: Session, text: str, *, now: datetime) -> AgreementVersion:
    """Keeps this version for ever. The same text again is the same row; a different text with its name and number is refused."""
    agreement, hash = _checked(text), content_hash(text)
    row = session.get(AgreementVersion, (agreement.agreement, agreement.version))
    if row is not None:
        if row.hash != hash:
            raise AgreementError(f"{agreement.reference} is published with another text. Give the changed text a new version number.")
        return row
    window = Window.of(agreement)
    row = AgreementVersion(
        name=agreement.agreement,
        version=agreement.version,
        hash=hash,
        text=text,
        effective_at=window.begins,
        until=window.ends,
        published_at=now,
        holidays=resolved_holidays(agreement.calendars, agreement.holiday_years),
        generation=NEWEST,
    )
    session.add(row)
    session.flush()
    return row


def verified(row: AgreementVersion) -> Agreement:
    """The agreement of a version, after checking that the stored text is the published one and passes its check.

    Raises AgreementError where the text was changed, InvalidAgreement where it no longer passes.
    """
    if content_hash(row.text) != row.hash:
        raise AgreementError(
            f"The stored text of {reference_of(row)} is not the one that was published: its hash is {content_hash(row.text)[:12]},"
            f" not {row.hash[:12]}. Restore it from a backup, or publish the text you want as a new version."
        )
    try:
        _checked(row.text)
    except InvalidAgreement:
        read_agreement(row.text, name=reference_of(row))  # says the same, with the version's name
        raise
    return read(row)


@lru_cache(maxsize=64)
def _checked(text: str) -> Agreement:
    """The agreement of this text, which is checked once per process. Raises InvalidAgreement."""
    return read_agreement(text)


@dataclass(frozen=True, slots=True)
class NewSignature:
    """One party's signature, before it is stored.

    via: the way it came, such as "link". address: where its link was sent. on_behalf: somebody else recorded it for the signer.
    """

    party: Party
    name: str
    via: Via
    address: str = ""
    on_behalf: bool = False


def sign(session: Session, row: AgreementVersion, new: NewSignature, *, now: datetime) -> None:
    """Stores one party's signature over this hash, once and for all.

    Raises AgreementError for a version that cannot be signed any more, was signed already, or does not pass its check.
    """
    verified(row)
    signer, reference, party = " ".join(new.name.split()), reference_of(row), new.party
    if party not in PARTIES:
        raise AgreementError(f"{party!r} is no party; {' and '.join(PARTIES)} sign.")
    if not signer:
        raise AgreementError(f"A signature needs a name: who signs {reference} for {party}?")
    if newer := replaced_by(session, row):
        raise AgreementError(f"{reference} was replaced by {reference_of(newer)} and can no longer be signed.")
    given = {"hash": row.hash, "party": party, "via": new.via, "address": new.address}
    if not wakes.insert_once(session, Signature, name=signer, signed_at=now, **given):
        first = next(one for one in signatures(session, row) if one.party == party)
        raise AgreementError(f"{reference} is signed for {party} already, by {first.name} on {first.signed_at:%Y-%m-%d at %H:%M} UTC.")
    facts: dict[str, Any] = {"agreement": reference, "on_behalf": new.on_behalf, **given}
    trail.record(session, "signed", now=now, actor=signer, **facts)
    session.flush()


def withdraw(session: Session, row: AgreementVersion, *, party: Party, by: str, why: str, now: datetime) -> Signature:
    """Takes one party's signature back and returns it; the trail keeps both the signature and its withdrawal.

    by: who takes it back. Raises AgreementError where there is none, or the version was deployed already.
    """
    _lock(session, row)  # waits for a deploy that is being written; that deploy keeps its signatures
    session.refresh(row)
    reference = reference_of(row)
    if row.deployed_at:
        raise AgreementError(f"{reference} was deployed on {row.deployed_at:%Y-%m-%d at %H:%M} UTC: its signatures stand.")
    found = next((one for one in signatures(session, row) if one.party == party), None)
    if found is None:
        raise AgreementError(f"{reference} is not signed for {party}: there is nothing to withdraw.")
    session.delete(found)
    facts = {"agreement": reference, "hash": row.hash, "party": party, "name": found.name, "address": found.address, "why": why}
    trail.record(session, "signature-withdrawn", now=now, actor=by, **facts)  # type: ignore[arg-type]
    session.flush()
    return found


def _lock(session: Session, row: AgreementVersion) -> None:
    """Keeps others from deploying this version, or withdrawing its signatures, until this transaction ends."""
    of = (AgreementVersion.name == row.name, AgreementVersion.version == row.version)
    session.exec(select(AgreementVersion.hash).where(*of).with_for_update()).first()


def signatures(session: Session, row: AgreementVersion) -> list[Signature]:
    """Who has signed this hash, in order."""
    return list(session.exec(select(Signature).where(Signature.hash == row.hash).order_by(col(Signature.signed_at), col(Signature.id))))


def unsigned_parties(session: Session, row: AgreementVersion) -> list[Party]:
    """The parties, marketing and sales, that have not signed this hash yet."""
    signed = {one.party for one in signatures(session, row)}
    return [party for party in PARTIES if party not in signed]


def signers(agreement: Agreement, party: Party) -> tuple[str, ...]:
    """The addresses of the people named to sign for that party."""
    return next((addresses for name, addresses in agreement.signers.items() if name == party), ())


def all_signers(agreement: Agreement) -> tuple[str, ...]:
    """The addresses of the signers of both parties, each once, also where it is written in capitals elsewhere."""
    return tuple({one.lower(): one for party in PARTIES for one in signers(agreement, party)}.values())


def require_signed(session: Session, row: AgreementVersion) -> None:
    """Raises AgreementError unless both parties have signed this hash."""
    if missing := unsigned_parties(session, row):
        raise AgreementError(f"{reference_of(row)} is not signed by {' and '.join(missing)}: no signed agreement, no handoff.")


def replaced_by(session: Session, row: AgreementVersion) -> AgreementVersion | None:
    """The newest deployed version of this agreement, where it is newer than this one; else None."""
    return max((one for one in deployed(session, row.name) if one.version > row.version), key=lambda one: one.version, default=None)


def require_deployable(session: Session, row: AgreementVersion, *, now: datetime) -> None:
    """Raises AgreementError for a version that must not be put in force; the message says why and what to do instead."""
    require_signed(session, row)
    if row.deployed_at:
        raise AgreementError(f"{reference_of(row)} was deployed on {row.deployed_at:%Y-%m-%d at %H:%M} UTC already.")
    require_possible(session, row, now=now)


def require_possible(session: Session, row: AgreementVersion, *, now: datetime) -> None:
    """Raises AgreementError for a version that no signature can bring in force, beside those deployed; a deployed one passes.

    So nobody signs a text that would then be refused at its deployment.
    """
    agreement, reference = verified(row), reference_of(row)
    if row.deployed_at:
        return
    if newer := replaced_by(session, row):
        raise AgreementError(
            f"{reference} is older than {reference_of(newer)}, which is deployed. To go back to what it says, publish its text as"
            f" version {newer.version + 1}."
        )
    if row.until and row.until <= now:
        raise AgreementError(f"{reference} ended on {agreement.effective.until}: it would never be in force.")
    _require_room(session, row, agreement, now)


def _require_room(session: Session, row: AgreementVersion, agreement: Agreement, now: datetime) -> None:
    by_name: dict[str, list[AgreementVersion]] = {}
    for one in deployed(session):
        if not one.closed:
            by_name.setdefault(one.name, []).append(one)
    own = by_name.pop(row.name, [])
    for earlier in own:
        if problem := side_by_side.clash(_window(row), _window(earlier), name=row.name, zone=agreement.timezone):
            raise AgreementError(problem)
    mine = side_by_side.stretches([_window(one) for one in (*own, row)], row.version)
    for others in by_name.values():
        windows = [_window(one) for one in others]
        for other in others:
            at = side_by_side.meet(mine, side_by_side.stretches(windows, other.version), since=now)
            if at is not None and (problem := side_by_side.rivalry(agreement, read(other))):
                first = at.astimezone(ZoneInfo(agreement.timezone))
                raise AgreementError(f"From {first:%Y-%m-%d} on two agreements would be for one lead. {problem}")


def _window(row: AgreementVersion) -> Window:
    return Window(row.version, row.effective_at, row.until)


def mark_deployed(session: Session, row: AgreementVersion, *, deployment_id: str, now: datetime) -> None:
    """Puts a version in force. Raises AgreementError for one that must not be; checks everything again."""
    _lock(session, row)  # waits for a signature that is being withdrawn
    require_deployable(session, row, now=now)
    row.deployment_id, row.deployed_at = deployment_id, now
    session.add(row)
    trail.record(session, "deployed", now=now, agreement=reference_of(row), hash=row.hash)
    session.flush()


def renew_deployment(session: Session, row: AgreementVersion, *, deployment_id: str) -> None:
    """Records the Prefect deployment that makes the runs of a deployed version from now on."""
    row.deployment_id = deployment_id
    session.add(row)


def counting(session: Session, at: datetime, *, also: AgreementVersion | None = None) -> list[AgreementVersion]:
    """The versions in force at that instant, one per agreement, by name. also: a version that counts as if it were deployed."""
    query = select(AgreementVersion.name, AgreementVersion.version, AgreementVersion.effective_at, AgreementVersion.until)
    query = query.where(col(AgreementVersion.deployed_at).is_not(None), col(AgreementVersion.closed).is_(False))
    found = session.exec(query.where(col(AgreementVersion.effective_at) <= at))
    by_name: dict[str, list[Window]] = {}
    for name, version, begins, ends in found:
        by_name.setdefault(name, []).append(Window(version, begins, ends))
    if also is not None:
        by_name.setdefault(also.name, []).append(_window(also))
    now = [(name, side_by_side.counting(windows, at)) for name, windows in sorted(by_name.items())]
    return [get(session, name, one.version) for name, one in now if one is not None]


def in_force(session: Session, at: datetime, values: Mapping[str, Any]) -> AgreementVersion:
    """The version for a handoff that begins at that instant, for a lead with these facts. Raises NoAgreementInForce."""
    return of_these(counting(session, at), values)


def of_these(rows: Iterable[AgreementVersion], values: Mapping[str, Any]) -> AgreementVersion:
    """Chooses, among versions in force, the one for a lead with these facts. Raises NoAgreementInForce."""
    by_name = {row.name: row for row in rows}
    if not by_name:
        raise NoAgreementInForce()
    found = side_by_side.chosen([read(row) for row in by_name.values()], values)
    if found is None:
        names = ", ".join(reference_of(row) for row in by_name.values())
        raise NoAgreementInForce(f"None of the agreements in force ({names}) is for this lead, and none of them is the default.")
    return by_name[found.agreement]


def agreement_of(session: Session, name: str, version: int, *, hash: str = "") -> Agreement:
    """The parsed agreement of a published version. Raises AgreementError for one that is not published.

    hash: of its text, where the caller knows it. A published text never changes, so each process then reads it once.
    """
    key = (str(session.get_bind().engine.url), name, version, hash)
    if hash and key in _KEPT:
        return _KEPT[key]
    row = get(session, name, version)
    found = read(row)
    if hash == row.hash:
        _KEPT[key] = found
    return found


def get(session: Session, name: str, version: int) -> AgreementVersion:
    """The stored row of a version. Raises AgreementError for one that is not published."""
    row = session.get(AgreementVersion, (name, version))
    if row is None:
        raise AgreementError(f"{name}@{version} is not published here.")
    return row


def deployed(session: Session, name: str = "") -> list[AgreementVersion]:
    """Every version that was ever put in force, by name and number; with a name only that agreement's versions."""
    query = select(AgreementVersion).where(col(AgreementVersion.deployed_at).is_not(None))
    if name:
        query = query.where(AgreementVersion.name == name)
    return list(session.exec(query.order_by(AgreementVersion.name, col(AgreementVersion.version))))


def all_of(session: Session) -> list[AgreementVersion]:
    """Every published version, by name and number."""
    return list(session.exec(select(AgreementVersion).order_by(AgreementVersion.name, col(AgreementVersion.version))))
