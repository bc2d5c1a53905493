"""Newcomers: takes in many people whom nobody knows, and looks things up once for all. The rows are those that `intake.capture` stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from agreements.errors import NoAgreementInForce
from agreements.identity import personal_key
from agreements.lead import IncomingLead, mail_key
from agreements.opt_out import refused_by
from storage import activities, contracts, erased, handoffs, history, leads, suppressions, trail, wakes
from storage.facts import facts_of_newcomer
from storage.tables import Activity, AgreementVersion, Event, Handoff, Lead, LeadSource, PersonalText, SharedSource, Wake, WakeKind
from tasks.begin import urgency


def those(session: Session, inquiries: Sequence[IncomingLead]) -> list[bool]:
    """Say of each inquiry whether it comes from somebody whom nobody knows, and asks for nothing that others need to know.

    Of several inquiries of one person, or under one id, only the first can be. Call after `identity.reserve`, in the same transaction.
    """
    taken = _known_ids(session, inquiries) | _known_people(session, inquiries)
    erased_ones = erased.of_many(session, inquiries)
    refused = suppressions.listed(session, [value for one in inquiries for value in _values(one)])
    found = []
    for one, is_erased in zip(inquiries, erased_ones, strict=True):
        names = _names(one)
        plain = not (refused_by(one) or one.consents or one.sales_sourced_by)
        found.append(plain and not is_erased and taken.isdisjoint(names) and refused.isdisjoint(_values(one)))
        taken |= names
    return found


def take_in(session: Session, inquiries: Sequence[IncomingLead], *, now: datetime, actor: str, hold: bool) -> None:
    """Store these newcomers, each with activity, handoff, trail and wake. Call it only for those of whom `those` says so.

    Raises IntegrityError where another transaction stored one of them first.
    """
    made = [leads.row(one, now=now, key=personal_key(one.email)) for one in inquiries]
    session.add_all(made)
    session.flush()
    texts = [trail.text_row(one.message, lead_id=lead.id) for lead, one in zip(made, inquiries, strict=True)]
    for lead, one in zip(made, inquiries, strict=True):
        session.add(LeadSource(source=one.source, source_id=one.source_id, lead_id=lead.id))
        session.add(history.first(lead, now=now))
    session.add_all([text for text in texts if text])
    session.flush()
    in_force = contracts.counting(session, now)
    begun = [_Begun.of(lead, one, text, in_force, now=now, hold=hold) for lead, one, text in zip(made, inquiries, texts, strict=True)]
    session.add_all([one.activity for one in begun])
    session.add_all([one.handoff for one in begun])
    session.flush()
    trail.write(session, [event for one in begun for event in one.events(now=now, actor=actor)])
    wakes.insert_new(session, Wake, [row for one in begun for row in one.wakes(now)])


@dataclass(frozen=True, slots=True)
class _Begun:
    """A lead with what it did, what it wrote, the handoff that begins, and how urgent its first wake is."""

    lead: Lead
    activity: Activity
    text: PersonalText | None
    handoff: Handoff
    kind: WakeKind

    @classmethod
    def of(
        cls,
        lead: Lead,
        one: IncomingLead,
        text: PersonalText | None,
        in_force: Sequence[AgreementVersion],
        *,
        now: datetime,
        hold: bool,
    ) -> _Begun:
        """Return the rows of a lead that is stored: its activity, and a handoff under the agreement that is for it."""
        activity = activities.first(lead, one, text, now=now)
        handoff = Handoff(lead_id=lead.id, created_at=now, previous_id=None, held=hold)
        kind: WakeKind = wakes.CAPTURE
        known = facts_of_newcomer(lead, activity)
        try:
            version = contracts.of_these(in_force, known.values)
            handoff.agreement, handoff.version, handoff.hash = version.name, version.version, version.hash
            kind = urgency(contracts.read(version), known, now)
        except NoAgreementInForce:
            handoff.held, handoff.reason = True, "" if hold else handoffs.NO_AGREEMENT
        return cls(lead, activity, text, handoff, kind)

    def events(self, *, now: datetime, actor: str) -> list[Event]:
        """Return the lines of the trail: what the lead did, and that a handoff began."""
        did = trail.line("activity", now=self.activity.at, lead_id=self.lead.id, actor=actor, text=self.text, activity=self.activity.kind)
        began = trail.line("captured", now=now, handoff=self.handoff, actor="intake", cause="inquiry", held=self.handoff.held)
        return [did, began]

    def wakes(self, now: datetime) -> list[dict[str, object]]:
        """Return the wake of a handoff that is not held."""
        if self.handoff.held:
            return []
        how = wakes.Urgency.HOT if self.kind == wakes.REQUEST else wakes.Urgency.LATER
        return [wakes.row(self.handoff.id, self.kind, key=f"capture:{self.handoff.id}", not_before=now, urgency=how)]


def _names(one: IncomingLead) -> set[str]:
    return {f"id {one.source}\n{one.source_id}", *([f"mail {key}"] if (key := mail_key(one.email)) else [])}


def _values(one: IncomingLead) -> list[str]:
    return suppressions.values_of(one.email, one.phone, one.country)


def _known_ids(session: Session, inquiries: Sequence[IncomingLead]) -> set[str]:
    ids: dict[str, set[str]] = {}
    for one in inquiries:
        ids.setdefault(one.source, set()).add(one.source_id)
    found: set[str] = set()
    for table in (LeadSource, SharedSource):
        # One condition for each source, so that the database searches an index: it reads the whole table for a list of pairs.
        query = select(table.source, table.source_id).where(
            or_(*(and_(col(table.source) == source, col(table.source_id).in_(several)) for source, several in ids.items()))
        )
        found |= {f"id {source}\n{source_id}" for source, source_id in session.exec(query)}
    return found


def _known_people(session: Session, inquiries: Sequence[IncomingLead]) -> set[str]:
    keys = list(dict.fromkeys(key for one in inquiries if (key := mail_key(one.email))))
    return {f"mail {key}" for key in session.exec(select(Lead.mail_key).where(col(Lead.mail_key).in_(keys)))} if keys else set()
