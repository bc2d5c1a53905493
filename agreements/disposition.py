"""What a rejection, a return or a nurture track leads to: the consequence agreed for its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from agreements.errors import RuleError
from agreements.model import Agreement, Reason, Touches

#: Which event of the lifecycle a consequence is.
EVENTS = {
    "nurture": "recycled",
    "disqualify": "disqualified",
    "attach": "attached",
    "merge": "merged",
    "suppress": "suppressed",
    "hand-to": "reassigned",
    "fix-note": "note-returned",
    "marketing-triage": "decision-asked",
}


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows: the event, the nurture track and the revisit date (aware, nurture only), against whom it counts, and to
    whom the lead may come back."""

    event: str
    reason: str
    track: str = ""
    revisit_at: datetime | None = None
    counts_against: str = "nobody"
    back_to: str = "anyone"


class UnknownReason(RuleError):
    """This reason is not in the agreement."""


def consequence(agreement: Agreement, code: str, *, now: datetime, asked: date | None = None) -> Consequence:
    """What the agreement says follows from this reason. asked: the day on which the lead wants to be spoken to again."""
    reason = agreement.reason(code)
    if reason is None:
        raise UnknownReason(f"{agreement.reference} has no reason {code!r}; it has {', '.join(one.code for one in agreement.reasons)}")
    revisit = revisit_at(agreement, reason, now=now, asked=asked) if reason.then == "nurture" else None
    return Consequence(EVENTS[reason.then], code, reason.track, revisit, reason.counts_against, reason.back_to)


def touches_lacking(agreed: Touches, made: Sequence[str]) -> tuple[int, int]:
    """How many attempts, and how many further channels, are lacking until a lead may be returned as unreachable.

    made: the channel of each attempt so far, empty where nobody said by what. The first channel comes with the attempts.
    """
    further = max(0, agreed.channels - max(1, len(set(made) - {""})))
    return max(0, agreed.at_least - len(made)), further if agreed.at_least else 0


def revisit_at(agreement: Agreement, reason: Reason | None, *, now: datetime, asked: date | None = None) -> datetime:
    """When a nurtured lead is looked at again: 9 o'clock of the asked day in the agreement's zone, else after the agreed time."""
    if asked is not None:
        morning = datetime.combine(asked, time(9), tzinfo=ZoneInfo(agreement.timezone))
        if morning > now:
            return morning
    duration = reason.revisit.asked_date_or if reason and reason.revisit else agreement.recycling.revisit
    return duration.after(now, None)
