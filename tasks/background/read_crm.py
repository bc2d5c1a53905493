"""Read the CRM: a change that sales makes there counts as an answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from agreements.clauses.clocks import CRM_STAGES, CrmStage
from agreements.lead import MAX_FIELDS, MAX_SHORT, storable
from agreements.lifecycle import Stage
from agreements.model import Agreement
from agreements.words import GivenAnswer, NoWord, word
from storage import handoffs, offers, roster, trail, waits
from storage.crm.port import Change
from storage.database import ROWS_AT_ONCE
from storage.suppressions import Told
from storage.tables import Bookmark, Handoff, Wait
from tasks import opting_out
from tasks.choices import next_leg, rep_choices
from tasks.replies.answered_for import tell_rep
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.crm")
BOOKMARK = "crm"
#: A second bookmark: how many changes after the first were taken before the reading was interrupted.
TAKEN = "crm-taken"
#: The most changes in one transaction: an answer changes about seven rows.
AT_ONCE = ROWS_AT_ONCE // 8
#: The answer for each stage of the agreement's CRM values.
MEANING: Mapping[CrmStage, GivenAnswer | Literal["suppressed"]] = {
    "accepted": "accepted",
    "attempted": "attempted",
    "sql": "sql",
    "opportunity": "opportunity",
    "suppressed": "suppressed",
}

#: The answers of somebody who works on the lead, and so has accepted it.
_AT_WORK: tuple[GivenAnswer, ...] = ("attempted", "connected", "sql", "opportunity")


async def read_crm(box: Toolbox) -> int:
    """Takes the CRM's changes since the last read as answers; returns how many changes.

    Each transaction takes a few changes and stores how far it came. If another process is reading them meanwhile, this one stops
    and leaves the rest to the other. A change that cannot be taken is logged and skipped, so it does not block the others.
    """
    reached = first = await box.read(_reached)
    changes, bookmark = await box.crm.changes_since(reached.bookmark)
    while reached.bookmark != bookmark:
        few = changes[reached.taken : reached.taken + AT_ONCE]
        behind = _Reached(reached.bookmark, reached.taken + len(few))
        if behind.taken >= len(changes):
            behind = _Reached(bookmark)
        if not await box.write(lambda session, now, few=few, at=reached, to=behind: _take_few(session, few, now, at=at, to=to)):  # type: ignore[misc]
            return reached.taken - first.taken
        reached = behind
    return len(changes) - first.taken if first.bookmark != bookmark else 0


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far the CRM was read: the bookmark, and how many of the changes after it were taken already."""

    bookmark: str
    taken: int = 0


def _reached(session: Session, now: datetime) -> _Reached:
    rows = [session.get(Bookmark, name, with_for_update=True) for name in (BOOKMARK, TAKEN)]
    bookmark, taken = (row.value if row else "" for row in rows)
    return _Reached(bookmark, int(taken or 0))


def _take_few(session: Session, changes: Sequence[Change], now: datetime, *, at: _Reached, to: _Reached) -> bool:
    """Takes these changes; False, with nothing taken, if another process has already read past this point."""
    if _reached(session, now) != at:
        return False
    for change in changes:
        try:
            with session.begin_nested():
                _take(session, _within_bounds(change), now)
        except Exception:
            log.exception("change %s in the CRM could not be taken", change.number)
    session.merge(Bookmark(name=BOOKMARK, value=to.bookmark))
    session.merge(Bookmark(name=TAKEN, value=str(to.taken)))
    return True


def _within_bounds(change: Change) -> Change:
    """The change with its texts cut to the allowed length. A longer text is no owner and no status; the rest of the change counts."""
    values = dict(list(change.values.items())[:MAX_FIELDS])
    cut = {storable(name[:MAX_SHORT]): storable(value[:MAX_SHORT]) for name, value in values.items()}
    return replace(change, by=storable(change.by[:MAX_SHORT]), values=cut)


def _take(session: Session, change: Change, now: datetime) -> None:
    handoff = handoffs.latest_of(session, change.lead_number)
    if handoff is None:
        return
    if handoff.agreement and _meaning(handoffs.agreement_of(session, handoff), change) == "suppressed":
        told = Told(source=f"CRM, {change.by}"[:200], by=change.by, since=min(change.at, now))
        opting_out.opt_out(session, handoffs.lead_of(session, handoff), told, now=now)
        return
    if not handoffs.is_open(handoff):
        return
    wait = waits.open_of(session, handoff.id, lock=True)
    at = min(change.at, now)
    trail.record(session, "crm-changed", now=at, handoff=handoff, actor=change.by, fields=sorted(change.values))
    if wait is None:
        return
    agreement = handoffs.agreement_of(session, handoff)
    allowed = rep_choices(agreement, handoff, wait)
    owner = change.values.get("owner", "")
    if owner and owner != handoff.rep and roster.current(session).person(owner) and "handed" in allowed:
        _answer(session, wait, "handed", change, at, now, colleague=owner)
        return
    kind = _meaning(agreement, change)
    if kind == "suppressed":
        return
    if kind == "sql" and not next_leg(agreement, handoff):
        kind = "connected"  # no leg follows, and a qualified lead was spoken to
    if kind in allowed:
        _answer(session, wait, kind, change, at, now)
    elif kind:
        _catch_up(session, handoff, wait, kind, change, at, now)


def _catch_up(session: Session, handoff: Handoff, wait: Wait, kind: GivenAnswer, change: Change, at: datetime, now: datetime) -> None:
    """Accepts the lead if sales is further in the CRM than the open wait: a rep who works on a lead has accepted it."""
    if kind in _AT_WORK and handoff.stage == Stage.ASSIGNED and offers.may_accept(session, handoff, change.by):
        _answer(session, wait, "accepted", change, at, now, implied_by=kind)


def _answer(session: Session, wait: Wait, kind: GivenAnswer, change: Change, at: datetime, now: datetime, **data: Any) -> None:
    verdict = waits.answer(session, wait.id, waits.NewAnswer(kind, by=change.by, via="crm", data=data), now=now, answered_at=at)
    if verdict.won:
        tell_rep(session, verdict.answer, now=now)


def _meaning(agreement: Agreement, change: Change) -> GivenAnswer | Literal["suppressed"] | NoWord:
    for stage, words in agreement.crm.items():
        if words and all(change.values.get(name) == value for name, value in words.items()):
            known = word(stage, CRM_STAGES)
            return MEANING[known] if known else ""
    return ""
