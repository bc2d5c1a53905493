"""Folds handoffs into passes: a handoff that continues another one is the same pass, so no lead counts twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements.lifecycle import Stage
from agreements.review.passes import Pass, earliest
from agreements.review.promises import UNPROMISED
from agreements.words import GIVEN_BACK, AnswerKind
from storage import review_rows
from storage.review_rows import HandoffRow, Span


@dataclass(frozen=True, slots=True)
class Folded:
    """The passes in order, the pass of each handoff by id, the rows by id, and when each lead was first stored."""

    passes: Sequence[Pass]
    pass_of: Mapping[int, int]
    rows: Mapping[int, HandoffRow]
    lead_began: Mapping[int, datetime]

    def go_on_as(self) -> dict[int, int]:
        """Return the lead that goes on for each merged one, by their numbers."""
        return {row.lead_id: row.merged_into for row in self.rows.values() if row.merged_into is not None}

    def by_lead(self) -> dict[int, list[Pass]]:
        """Return the passes of each lead in order."""
        found: dict[int, list[Pass]] = {}
        for one in self.passes:
            found.setdefault(one.lead_id, []).append(one)
        return found


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of each handoff beside its row."""

    as_of: datetime
    steps: Mapping[tuple[int, AnswerKind], datetime]
    touches: Mapping[int, tuple[datetime, int]]
    tenures: Mapping[int, tuple[datetime | None, int]]
    held: set[int]
    not_answered: Mapping[int, datetime]
    not_attempted: Mapping[int, datetime]

    def known(self, at: datetime | None) -> datetime | None:
        """Return the instant, None where it had not come."""
        return at if at is not None and at < self.as_of else None

    def step(self, chain: Sequence[HandoffRow], *kinds: AnswerKind) -> datetime | None:
        """Return when any of these handoffs was first answered in one of these ways."""
        return earliest(*(self.steps.get((row.id, kind)) for row in chain for kind in kinds))


def fold(session: Session, span: Span) -> Folded:
    """Read the handoffs of the span and fold them into passes."""
    rows = {row.id: row for row in review_rows.handoffs(session, span)}
    facts = _Facts(
        as_of=span.as_of,
        steps=review_rows.steps(session, span),
        touches=review_rows.touches(session, span),
        tenures=review_rows.tenures(session, span),
        held=review_rows.waited_as_agreed(session, span, UNPROMISED),
        not_answered=review_rows.missed(session, span, clock="acceptance"),
        not_attempted=review_rows.missed(session, span, clock="first_attempt"),
    )
    pass_of = _chains(rows, review_rows.continued_by_rulings(session))
    chains: dict[int, list[HandoffRow]] = {}
    for ident, first in pass_of.items():
        chains.setdefault(first, []).append(rows[ident])
    passes = [_pass(chain, facts) for chain in chains.values()]
    return Folded(passes, pass_of, rows, {row.lead_id: row.lead_created_at for row in rows.values()})


def _chains(rows: Mapping[int, HandoffRow], by_ruling: set[int]) -> dict[int, int]:
    """Return the first handoff of each handoff's pass. Rows are in the order of their ids, so an earlier one is known already."""
    found: dict[int, int] = {}
    for ident, row in rows.items():
        before = rows.get(row.previous_id) if row.previous_id else None
        continues = before is not None and (before.stage == Stage.WITHDRAWN or ident in by_ruling)
        found[ident] = found[before.id] if continues and before else ident
    return found


def _pass(chain: Sequence[HandoffRow], facts: _Facts) -> Pass:
    first, last = chain[0], chain[-1]
    ids = [row.id for row in chain]
    ended = facts.known(last.ended_at)
    opportunity = facts.step(chain, "opportunity") or (ended if last.stage == Stage.OPPORTUNITY else None)
    touched = [facts.touches[ident] for ident in ids if ident in facts.touches]
    given = [facts.tenures[ident] for ident in ids if ident in facts.tenures]
    return Pass(
        id=first.id,
        lead_id=first.lead_id,
        began_at=first.created_at,
        lead_began_at=first.lead_created_at,
        version=last.version,
        tier=last.tier,
        source=last.source,
        company=last.company,
        rep=last.rep,
        stage=Stage(last.stage),
        by_sales=bool(first.brought_by),
        came_back=first.previous_id is not None,
        merged=last.stage == Stage.MERGED and ended is not None,
        held=any(ident in facts.held for ident in ids),
        missed_at=earliest(*(facts.not_answered.get(ident) for ident in ids)),
        not_attempted_at=earliest(*(facts.not_attempted.get(ident) for ident in ids)),
        mql_at=facts.known(earliest(*(row.mql_at for row in chain))),
        assigned_at=facts.known(earliest(*(row.first_assigned_at for row in chain))),
        proven_at=facts.known(earliest(*(at for at, _ in given))),
        accepted_at=facts.step(chain, "accepted"),
        given_back_at=facts.step(chain, *GIVEN_BACK),
        sql_at=earliest(facts.step(chain, "sql"), opportunity),
        opportunity_at=opportunity,
        ended_at=ended,
        first_touch_at=earliest(*(at for at, _ in touched)),
        touches=sum(count for _, count in touched),
        reps=sum(count for _, count in given),
    )
