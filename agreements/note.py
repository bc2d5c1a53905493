"""The handoff note: why a lead is qualified and ready to buy. Sales gets the lead only when every required item is stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agreements.fields import stated
from agreements.lead import LeadFacts
from agreements.model import Agreement
from agreements.qualification import Qualified, persona_of


@dataclass(frozen=True, slots=True)
class Note:
    """What the note states, by name, and the required names that are still missing."""

    statements: Mapping[str, str]
    missing: tuple[str, ...]
    criteria: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def complete(self) -> bool:
        """Whether sales may get the lead."""
        return not self.missing


#: Requests that take no article.
_UNCOUNTED = ("contact", "help", "information", "pricing", "support")


def write_note(agreement: Agreement, facts: LeadFacts, verdict: Qualified, *, campaign: str, added: Mapping[str, str]) -> Note:
    """Write the note from what is known. added: what marketing completed by hand."""
    known = {
        "why_qualified": _why(verdict),
        "buying_signal": _signal(facts, verdict),
        "next_step": agreement.note.next_step,
        "campaign": campaign,
        "pain_point": _pain(agreement, facts),
    }
    statements = {name: added.get(name) or known[name] for name in known if added.get(name) or known[name]}
    missing = tuple(name for name in agreement.note.must_state if name not in statements)
    return Note(statements, missing, tuple(_criterion(point) for point in verdict.points))


def _criterion(point: Any) -> Mapping[str, Any]:
    at = point.at.isoformat() if point.at else None
    return {"rule": point.rule, "value": point.value, "at": at, "points": point.points, "why": point.why}


def _why(verdict: Qualified) -> str:
    if verdict.fast_lane:
        return f"{_request(verdict.fast_lane)}; score {verdict.total} of 100."
    if not verdict.is_mql:
        return ""
    best = sorted((point for point in verdict.points if point.points > 0), key=lambda point: -point.points)[:3]
    return f"Score {verdict.total} of 100, {verdict.threshold.total} agreed: " + "; ".join(point.rule for point in best) + "."


def _request(activity: str) -> str:
    """Say what the lead asked for by this activity: `demo_requested` gives `They asked for a demo`."""
    words = activity.replace("_", " ")
    what = words.removesuffix(" requested")
    if what == words:
        return f"They asked to talk to sales ({words})"
    article = "" if what in _UNCOUNTED else "an " if what[:1] in "aeiou" else "a "
    return f"They asked for {article}{what}"


def _signal(facts: LeadFacts, verdict: Qualified) -> str:
    if verdict.fast_lane:
        return verdict.fast_lane.replace("_", " ").capitalize() + "."
    if not facts.activities:
        return ""
    last = facts.activities[-1]
    return f"{last.kind.replace('_', ' ').capitalize()}{' ' + last.path if last.path else ''} on {last.at:%d %b %Y}."


def _pain(agreement: Agreement, facts: LeadFacts) -> str:
    persona = persona_of(agreement, stated(agreement, facts.values))
    return "; ".join(persona.pain_points) if persona else ""
