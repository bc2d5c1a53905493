"""By which doors the demo's leads came in and its people answered, counted from the leads and the trail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.roster import Roster
from agreements.words import ANSWERED
from storage.tables import Event, Lead


@dataclass(frozen=True, slots=True)
class InTime:
    """How many leads a rep answered first by one door: within the agreed time, and late."""

    kept: int = 0
    missed: int = 0

    @property
    def whole(self) -> int:
        """All of them."""
        return self.kept + self.missed


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors of a demo.

    leads: source -> leads.
    answers: door -> the first answers of reps about their leads.
    crm_alone: rep -> the leads about which the rep said everything in the CRM.
    """

    leads: Mapping[str, int]
    answers: Mapping[str, InTime]
    crm_alone: Mapping[str, InTime]

    def as_report(self) -> dict[str, Any]:
        """Return the doors as JSON-ready values."""
        return asdict(self)


def doors(session: Session) -> Doors:
    """Count the doors. The clock's answers, and answers that came after another one, are not in it."""
    sources = select(Lead.source, func.count()).group_by(col(Lead.source)).order_by(col(Lead.source))
    told = session.exec(select(Event).where(col(Event.kind).in_(ANSWERED.values())).order_by(col(Event.id)))
    said: dict[tuple[int | None, str], list[Mapping[str, Any]]] = defaultdict(list)
    for event in told:
        if event.data.get("via") != "clock":
            said[event.handoff_id, event.actor].append(event.data)
    answers: dict[str, list[bool]] = defaultdict(list)
    alone: dict[str, list[bool]] = defaultdict(list)
    for (_, rep), lines in said.items():
        first = next((one for one in lines if one.get("wait") == "acceptance"), None)
        if first is None:
            continue
        answers[str(first["via"])].append(bool(first["on_time"]))
        if all(one["via"] == "crm" for one in lines):
            alone[rep].append(bool(first["on_time"]))
    return Doors(dict(session.exec(sources).all()), _counted(answers), _counted(alone))


def crm_sentences(found: Doors, people: Roster) -> Iterator[str]:
    """Yield a sentence for each rep who answered leads in the CRM alone, beside what came by link."""
    link = found.answers.get("link", InTime())
    for rep, one in found.crm_alone.items():
        leads = "1 lead" if one.whole == 1 else f"{one.whole} leads"
        beside = f" (answers by link: {link.kept} of {link.whole})" if link.whole else ""
        yield f"{people.name_of(rep)} answered {leads} in the CRM alone: {one.kept} of {one.whole} in time{beside}."


def _counted(found: Mapping[str, list[bool]]) -> dict[str, InTime]:
    """Return the counts, the largest first."""
    counted = {name: InTime(sum(in_time), len(in_time) - sum(in_time)) for name, in_time in found.items()}
    return dict(sorted(counted.items(), key=lambda one: (-one[1].whole, one[0])))
