"""Likely twins among all leads, by the rule in agreements/likely_twins.py."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

from sqlmodel import Session, col, select

from agreements.likely_twins import Likeness, groups_of, why_twins
from storage.tables import Lead

#: A group of more leads than this says nothing: it is a switchboard, or a test.
MOST_ALIKE = 12
_READ_AT_ONCE = 1000
_COLUMNS = (Lead.id, Lead.email, Lead.first_name, Lead.last_name, Lead.phone, Lead.company)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two leads that may be the same person: the later lead first, with their names and the reason in words."""

    lead: int
    other: int
    name: str
    other_name: str
    why: str


def suggestions(session: Session, *, limit: int) -> list[Suggestion]:
    """Pairs of leads that may be the same person, the newest first. Reads all leads that are neither merged nor erased, in slices."""
    alike: dict[int, list[int]] = defaultdict(list)
    last = 0
    query = select(*_COLUMNS).where(col(Lead.merged_into).is_(None), col(Lead.erased_at).is_(None))  # type: ignore[call-overload]
    while rows := session.exec(query.where(col(Lead.id) > last).order_by(col(Lead.id)).limit(_READ_AT_ONCE)).all():
        last = rows[-1][0]
        for lead_id, *facts in rows:
            for group in groups_of(Likeness(*facts)):
                alike[hash(group)].append(lead_id)
    pairs = {pair for ids in alike.values() if 1 < len(ids) <= MOST_ALIKE for pair in combinations(sorted(set(ids)), 2)}
    return _judged(session, sorted(pairs, key=lambda pair: (-pair[1], pair[0])), limit)


def of_lead(session: Session, lead: Lead, *, limit: int = 5) -> list[Suggestion]:
    """The leads that may be the same person as this one, among those with its company or its mailbox."""
    query = select(*_COLUMNS).where(col(Lead.merged_into).is_(None), col(Lead.erased_at).is_(None), Lead.id != lead.id)  # type: ignore[call-overload]
    found = []
    for of in ((Lead.company, lead.company), (Lead.mail_key, lead.mail_key)):
        if of[1]:
            found += session.exec(query.where(of[0] == of[1]).order_by(col(Lead.id).desc()).limit(100)).all()
    mine = Likeness(lead.email, lead.first_name, lead.last_name, lead.phone, lead.company)
    others = {row[0]: Likeness(*row[1:]) for row in found}
    judged = [(ident, other, why_twins(mine, other)) for ident, other in sorted(others.items(), key=lambda one: -one[0])]
    return [Suggestion(lead.id, ident, _name(mine), _name(other), why) for ident, other, why in judged if why][:limit]


def _judged(session: Session, pairs: list[tuple[int, int]], limit: int) -> list[Suggestion]:
    found: list[Suggestion] = []
    for start in range(0, len(pairs), _READ_AT_ONCE):
        some = pairs[start : start + _READ_AT_ONCE]
        ids = {ident for pair in some for ident in pair}
        known = {row[0]: Likeness(*row[1:]) for row in session.exec(select(*_COLUMNS).where(col(Lead.id).in_(ids)))}  # type: ignore[call-overload]
        for other, lead in some:
            if why := why_twins(known[lead], known[other]):
                found.append(Suggestion(lead, other, _name(known[lead]), _name(known[other]), why))
            if len(found) == limit:
                return found
    return found


def _name(one: Likeness) -> str:
    return " ".join(filter(None, (one.first_name, one.last_name))) or one.company
