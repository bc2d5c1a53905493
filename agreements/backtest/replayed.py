"""What a replay of routing takes and returns: leads, and where each of them went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agreements.backtest.answer_times import Answers
from agreements.model import Agreement
from agreements.roster import Roster


@dataclass(frozen=True, slots=True)
class ReplayedLead:
    """A lead to route. number: names it, and decides how long its rep takes. at: when it was ready for sales, aware.

    facts: those that segments ask for, with the results of the scoring. company: the key of its company, empty for none. owner: the
    rep who owns its account, empty for none.
    """

    number: int
    at: datetime
    facts: Mapping[str, Any]
    tier: str
    company: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """What is replayed: one agreement with one roster over these leads. stands_for: how many leads each of them stands for.

    answers: how reps answered. Where they are not known, a lead is open until its first attempt is due, and no promise is judged.
    """

    agreement: Agreement
    people: Roster
    leads: tuple[ReplayedLead, ...]
    answers: Answers = field(default_factory=Answers)
    stands_for: float = 1.0


@dataclass(frozen=True, slots=True)
class Expected:
    """A promise that a rep would have had. due_at: aware UTC. missed: None where nobody knows how long reps take. off: whether the rep
    was not at work when the time ended."""

    due_at: datetime
    missed: bool | None
    off: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a lead went. rep: empty for nobody. why: routing's reason, without the number of another lead. at: when, aware UTC; for
    nobody when that was certain. open_leads: what the rep had open with this lead.

    first_attempt: None for a lead that the rep would not have accepted in time.
    """

    lead: ReplayedLead
    team: str
    rep: str
    why: str
    at: datetime
    open_leads: int = 0
    acceptance: Expected | None = None
    first_attempt: Expected | None = None
