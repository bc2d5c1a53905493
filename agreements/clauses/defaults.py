"""The defaults for what an agreement leaves out: the clocks, the reasons and the calendar, written as in a file.

Defaults of single values (channels, minutes, how often) are at their key in the clauses. A changed default needs a new
generation: add what it was before to generations.py, so that a signed file keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Written = Mapping[str, Any]

CLOCKS: Mapping[str, Written] = {
    "delivery": {
        "owed_by": "marketing",
        "calendar": "holder",
        "within": "12 working hours",
        "when_missed": [{"do": "tell-marketing-ops"}, {"after": "1 working day", "do": "default-acceptor"}],
    },
    "acceptance": {
        "owed_by": "sales",
        "calendar": "rep",
        "within": "4 working hours",
        "total": "12 working hours",
        "at": {"50%": "remind", "80%": "tell-manager"},
        "when_missed": [{"do": "reassign", "at_most": 2}, {"do": "default-acceptor"}, {"do": "nurture", "track": "unworked"}],
    },
    "first_attempt": {
        "owed_by": "sales",
        "calendar": "rep",
        "within": "end of same working day",
        "at_least": "1 working hour",
        "respect_requested_time": "30 minutes",
        "when_missed": [{"do": "tell-manager"}, {"after": "4 working hours", "do": "reassign"}, {"do": "manager-decides"}],
    },
    "outcome": {
        "owed_by": "sales",
        "calendar": "rep",
        "within": "10 working days",
        "at": {"50%": "remind"},
        "touches": 6,
        "when_missed": [{"do": "manager-decides"}],
    },
    "note": {
        "owed_by": "marketing",
        "calendar": "holder",
        "within": "12 working hours",
        "when_missed": [{"do": "tell-marketing-ops"}, {"after": "2 working days", "do": "nurture"}],
    },
    "decision": {
        "owed_by": "manager",
        "calendar": "rep",
        "within": "2 working days",
        "when_missed": [{"do": "nurture", "track": "unworked"}],
    },
}

REASONS: tuple[Written, ...] = (
    {"code": "not-now", "label": "Interested, but not now", "then": "nurture", "revisit": "60 days", "back_to": "same-rep"},
    {"code": "no-response", "label": "Could not be reached", "then": "nurture", "track": "reactivation", "needs": "touches"},
    {"code": "no-authority", "label": "Cannot decide", "then": "nurture", "track": "find-authority", "counts_against": "marketing"},
    {"code": "not-a-fit", "label": "Not a company we sell to", "then": "disqualify", "counts_against": "marketing"},
    {"code": "customer-or-open-deal", "label": "Customer or open deal", "then": "attach", "counts_against": "routing"},
    {"code": "wrong-rep", "label": "Belongs to a colleague", "then": "hand-to", "counts_against": "routing"},
    {"code": "bad-data", "label": "The note is wrong or lacks something", "then": "fix-note", "counts_against": "marketing"},
    {"code": "duplicate", "label": "Duplicate", "then": "merge", "counts_against": "routing"},
    {"code": "do-not-contact", "label": "Asked not to be contacted", "then": "suppress"},
    {"code": "other", "label": "Something else", "then": "marketing-triage", "text": "required"},
)


def reasons(touches: int) -> tuple[Written, ...]:
    """Return the usual reasons. touches: the attempts that the agreement asks for; where it asks for none, no reason needs any."""
    return REASONS if touches else tuple({key: value for key, value in one.items() if key != "needs"} for one in REASONS)


def calendars(timezone: str) -> dict[str, Written]:
    """Return the one calendar of an agreement that names none: Monday to Friday in its own zone, without holidays."""
    return {"office": {"timezone": timezone, "hours": {"mon-fri": "09:00-17:30"}}}
