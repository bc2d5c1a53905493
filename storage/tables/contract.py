"""The contract: its versions, and who signed them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from agreements.words import Party, Via
from storage.tables.base import Word, instant, mapping, row_id
from storage.tables.deliveries import DeliveryState


class AgreementVersion(SQLModel, table=True):
    """A published version: the text as it was signed. The deployed truth.

    holidays: the public holidays by calendar, as they were known when the version was published. generation: of the defaults that
    it was published with, see agreements/clauses/generations.py.
    """

    __tablename__ = "agreement_versions"
    name: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    hash: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    effective_at: datetime = instant()
    until: datetime | None = instant(nullable=True)
    published_at: datetime = instant()
    deployed_at: datetime | None = instant(nullable=True)
    closed: bool = False
    deployment_id: str = ""
    holidays: dict[str, Any] = mapping()
    generation: int = 1


class Signature(SQLModel, table=True):
    """One party's signature over the hash of a version. address: where the link was sent that the signer used."""

    __tablename__ = "signatures"
    __table_args__ = (UniqueConstraint("hash", "party"),)
    id: int = row_id()
    hash: str = Field(index=True)
    party: Word[Party]
    name: str
    via: Word[Via]
    address: str = ""
    signed_at: datetime = instant()


class SignatureRequest(SQLModel, table=True):
    """One person asked by e-mail to sign one version for one party. The row exists before the mail, which carries its key."""

    __tablename__ = "signature_requests"
    id: int = row_id()
    key: str = Field(unique=True)
    hash: str = Field(index=True)
    party: Word[Party]
    address: str
    state: Word[DeliveryState] = DeliveryState.QUEUED
    error: str = ""
    proof: str = ""
    asked_at: datetime = instant()
    sent_at: datetime | None = instant(nullable=True)
