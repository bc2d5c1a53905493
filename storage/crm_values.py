"""The values of a lead's fields in the CRM, as far as they mean something: what people set, and what Baton wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlmodel import Session, select

from agreements.crm_words import Known
from storage.tables import CrmValue


def known(session: Session, lead_id: int) -> dict[str, Known]:
    """What Baton knows of the lead's fields in the CRM, by field."""
    rows = session.exec(select(CrmValue).where(CrmValue.lead_id == lead_id))
    return {row.field: Known(row.value, row.at, row.by_baton, row.person_at) for row in rows}


def set_by_person(session: Session, lead_id: int, values: Mapping[str, str], *, at: datetime) -> None:
    """Keeps the values that a person set at that time."""
    for name, value in values.items():
        session.merge(CrmValue(lead_id=lead_id, field=name, value=value, at=at, by_baton=False, person_at=at))
    session.flush()


def set_again(session: Session, lead_id: int, names: Iterable[str], *, at: datetime) -> None:
    """Notes that a person set these fields at that time to the values that they had already."""
    for name in names:
        row = session.get(CrmValue, (lead_id, name))
        if row is not None:
            row.person_at = max(at, row.person_at or at)
            session.add(row)


def set_by_baton(session: Session, lead_id: int, values: Mapping[str, str], *, at: datetime) -> None:
    """Keeps the values that Baton wrote at that time."""
    for name, value in values.items():
        row = session.get(CrmValue, (lead_id, name)) or CrmValue(lead_id=lead_id, field=name, value=value)
        row.value, row.at, row.by_baton = value, at, True
        session.add(row)
