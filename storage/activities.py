"""Activities: what a lead did, each conversion once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from agreements.lead import IncomingLead, content_of
from storage import consents, trail
from storage.tables import Activity, Lead, PersonalText

#: The same request without an id and a time, so soon after the last one, is one request that was sent twice.
SENT_TWICE = timedelta(minutes=10)
#: The conversion id of a row of a file that has neither an id nor a time begins like this.
_ROW = "row-"


def as_row(incoming: IncomingLead) -> IncomingLead:
    """The lead of a file's row. Without a conversion id and a time, the row's content is the id: the same file again is a repetition."""
    if incoming.conversion_id or incoming.at:
        return incoming
    return incoming.model_copy(update={"conversion_id": f"{_ROW}{content_of(incoming)}"})


def known(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime) -> Activity | None:
    """The activity that this conversion repeats, None for a new one.

    A conversion with an id or a time is the same whenever it comes. Without both, the time of arrival counts: the same request within
    ten minutes of the last one was sent twice, and a later one is a new request.
    """
    theirs = select(Activity).where(Activity.lead_id == lead.id).order_by(col(Activity.id).desc()).limit(1)
    if incoming.conversion_id or incoming.at:
        keys = [_key_of(incoming)]
        if incoming.conversion_id.startswith(_ROW):  # a row that was stored before rows had their content as id
            keys.append(_begin_of(incoming))
        return session.exec(theirs.where(col(Activity.key).in_(keys))).first()
    last = session.exec(theirs.where(col(Activity.key).startswith(_begin_with_content(incoming), autoescape=True))).first()
    return last if last and now - max(last.received_at, last.repeated_at or last.received_at) < SENT_TWICE else None


def _key_of(incoming: IncomingLead) -> str:
    return f"{incoming.source}:{incoming.source_id}:{incoming.key_of_conversion()}"[:500]


def _begin_of(incoming: IncomingLead) -> str:
    return f"{incoming.source}:{incoming.source_id}:{incoming.activity}@unknown"[:440]


def _begin_with_content(incoming: IncomingLead) -> str:
    return f"{_begin_of(incoming)}:{content_of(incoming)}:"


def add(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime, actor: str, named: Lead | None = None) -> int | None:
    """The new activity's id; None where it repeats a stored one, which then counts it. One that claims a later time was done now.

    named: the merged lead under whose id or address it came, where that is not the lead itself.
    """
    lead_id = lead.id
    of_lead = named.id if named is not None and named.id != lead_id else None
    if again := known(session, lead, incoming, now=now):
        again.repeated, again.repeated_at = again.repeated + 1, now
        session.add(again)
        return None
    text = trail.keep_text(session, incoming.message, lead_id=lead_id)
    row = first(lead, incoming, text, now=now)
    row.of_lead, at = of_lead, row.at
    session.add(row)
    consents.keep(session, of_lead or lead_id, incoming.consents, now=now)
    said: dict[str, Any] = {"activity": incoming.activity}
    if incoming.sales_sourced_by:
        said["brought_by"] = incoming.sales_sourced_by
    trail.record(session, "activity", now=at, lead_id=lead_id, actor=actor, text=text, **said)
    session.flush()
    return row.id


def first(lead: Lead, incoming: IncomingLead, text: PersonalText | None, *, now: datetime) -> Activity:
    """The row of an activity that nothing repeats, not stored yet. text: what the person wrote, stored."""
    has_key = incoming.conversion_id or incoming.at
    return Activity(
        lead_id=lead.id,
        key=_key_of(incoming) if has_key else f"{_begin_with_content(incoming)}{now.isoformat()}",
        source=incoming.source,
        kind=incoming.activity,
        at=min(incoming.at or now, now),
        path=incoming.path,
        campaign=incoming.campaign,
        text_id=text.id if text else None,
        brought_by=incoming.sales_sourced_by,
        received_at=now,
    )


def said_otherwise(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime) -> bool:
    """Whether a repeated conversion came with another text than the one that is kept."""
    if not incoming.message or (stored := known(session, lead, incoming, now=now)) is None:
        return False
    text = session.get(PersonalText, stored.text_id) if stored.text_id else None
    return text is None or text.text != incoming.message


def of(session: Session, lead_id: int, *, of_leads: Sequence[int] | None = None) -> list[Activity]:
    """The activities of a lead in their order. of_leads: only those that came for these merged leads."""
    query = select(Activity).where(Activity.lead_id == lead_id).order_by(col(Activity.id))
    return list(session.exec(query if of_leads is None else query.where(col(Activity.of_lead).in_(of_leads))))


def move(session: Session, rows: Sequence[Activity], *, to: int) -> None:
    """Gives these activities to another lead. Each remembers whose it was, and its text goes along."""
    taken = {one.key for one in of(session, to)}
    for row in rows:
        if row.of_lead == to:
            row.of_lead, row.key = None, row.key.removesuffix(f"#{to}")
        elif row.of_lead is None:
            row.of_lead = row.lead_id
            row.key = f"{row.key}#{row.lead_id}" if row.key in taken else row.key
        row.lead_id = to
        session.add(row)
        if row.text_id and (text := session.get(PersonalText, row.text_id)):
            text.lead_id = to
            session.add(text)
    session.flush()
