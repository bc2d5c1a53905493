"""The agreed consequence of the reason for a rejection, a return or a nurture track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from agreements.clauses.after import BackTo, CountsAgainst, Then
from agreements.errors import RuleError
from agreements.model import Agreement, Reason, Touches
from agreements.words import Move, NoWord, OptOutChannel

#: Consequence -> event of the lifecycle.
EVENTS: Mapping[Then, Move] = {
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
    """What follows: the event, the nurture track and the revisit date (aware, nurture only), the side it counts against, and
    the person to whom the lead may come back."""

    event: Move
    reason: str
    track: str = ""
    revisit_at: datetime | None = None
    counts_against: CountsAgainst = "nobody"
    back_to: BackTo = "anyone"


class UnknownReason(RuleError):
    """This reason is not in the agreement."""


def consequence(
    agreement: Agreement, code: str, *, now: datetime, asked: date | None = None, refused: OptOutChannel | NoWord = ""
) -> Consequence:
    """Return the consequence that the agreement gives this reason.

    asked: the day on which the lead wants to hear from us again. refused: the way of contact that the person refuses, where the
    reason asks for it. Somebody who refuses one way only goes to nurture, and is not contacted in that way.
    """
    reason = agreement.reason(code)
    if reason is None:
        raise UnknownReason(f"{agreement.reference} has no reason {code!r}; it has {', '.join(one.code for one in agreement.reasons)}")
    if reason.then == "suppress" and refused in ("email", "phone"):
        again = revisit_at(agreement, reason, now=now)
        return Consequence("recycled", code, reason.code, again, reason.counts_against, reason.back_to)
    revisit = revisit_at(agreement, reason, now=now, asked=asked) if reason.then == "nurture" else None
    return Consequence(EVENTS[reason.then], code, reason.track, revisit, reason.counts_against, reason.back_to)


def touches_lacking(agreed: Touches, made: Sequence[str]) -> tuple[int, int]:
    """Return how many attempts and how many further channels are missing before a lead may be returned as unreachable.

    made: the channel of each attempt so far, empty if nobody named one. The first channel comes with the attempts.
    """
    further = max(0, agreed.channels - max(1, len(set(made) - {""})))
    return max(0, agreed.at_least - len(made)), further if agreed.at_least else 0


def revisit_at(agreement: Agreement, reason: Reason | None, *, now: datetime, asked: date | None = None) -> datetime:
    """Return when to revisit a nurtured lead: at 9:00 on the asked day in the agreement's zone, else after the agreed time."""
    if asked is not None:
        morning = datetime.combine(asked, time(9), tzinfo=ZoneInfo(agreement.timezone))
        if morning > now:
            return morning
    duration = reason.revisit.asked_date_or if reason and reason.revisit else agreement.recycling.revisit
    return duration.after(now, None)
