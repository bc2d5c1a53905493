"""Pieces of JSON Schema for values that a file writes as text or as a condition."""

from __future__ import annotations

from typing import Any

from agreements.criteria import OPERATORS

Look = dict[str, Any]

_AMOUNT = r"[0-9]{1,9}(\.[0-9]{1,9})?"
_SCALAR = {"type": ["string", "number", "boolean"]}
_ANY = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}
TERM: Look = {
    "type": "string",
    "pattern": rf"^({_AMOUNT} (working )?(minute|hour|day)s?|end of same working day|per release plan)$",
    "examples": ["30 working minutes", "4 working hours", "12 hours", "end of same working day"],
}
DURATION: Look = {
    "type": "string",
    "pattern": rf"^{_AMOUNT} (working )?(minute|hour|day)s?$",
    "examples": ["60 days", "10 minutes", "2 working days"],
}
ELAPSED: Look = {
    "type": "string",
    "pattern": rf"^{_AMOUNT} (minute|hour|day)s?$",
    "examples": ["7 days", "30 days"],
}
CONDITION: Look = {
    "type": "object",
    "description": "Each fact with its question; every question must hold. An empty condition always holds.",
    "additionalProperties": {
        "anyOf": [
            *_ANY["anyOf"],
            {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {
                    **{name: {**_ANY, "description": OPERATORS[name]} for name in ("in", "not_in", "contains")},
                    **{name: {"type": "number", "description": OPERATORS[name]} for name in ("at_least", "at_most")},
                    "is": {**_SCALAR, "description": OPERATORS["is"]},
                },
            },
        ]
    },
    "examples": [{"country": ["GB", "IE"]}, {"employees": {"at_least": 50}}, {"email": "free"}],
}
PERCENTAGE: Look = {"type": "string", "pattern": "^([1-9][0-9]?|100)%$", "examples": ["10%"]}
#: A percentage -> what to do at that share of a clock's time.
SHARES: Look = {
    "type": "object",
    "patternProperties": {"^[1-9][0-9]?%$": {"enum": ["remind", "tell-manager", "tell-marketing-ops"]}},
    "additionalProperties": False,
    "examples": [{"50%": "remind", "80%": "tell-manager"}],
}
RELEASE: Look = {
    "type": "string",
    "pattern": "^[1-9][0-9]{0,3} (per|a) rep (per|a) working day$",
    "examples": ["10 per rep per working day"],
}
AIM: Look = {
    "type": "string",
    "pattern": "^([0-9]+(\\.[0-9]+)?%|[0-9][0-9_ ,]*(\\.[0-9]+)?( ?[A-Z]{3})? (per|a) (week|month|quarter|year))$",
    "examples": ["70%", "120 per month", "400000 EUR per quarter"],
}
KEPT: Look = {
    "type": "string",
    "pattern": "^[0-9]{1,3} (day|month|year)s?( after last activity)?$",
    "examples": ["3 years", "2 years after last activity"],
}
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
WEEKLY: Look = {
    "type": "string",
    "pattern": f"^(monday|tuesday|wednesday|thursday|friday|saturday|sunday) {_TIME}$",
    "examples": ["monday 09:00"],
}
MONTHLY: Look = {"type": "string", "pattern": f"^first working day {_TIME}$", "examples": ["first working day 09:00"]}
_AT = "[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"
_HOURS = f"{_AT} ?[-\u2010-\u2015\u2212] ?{_AT}"
_TEXT = {"type": "string", "pattern": f"^({_HOURS}( ?, ?{_HOURS})*|[Cc]losed)$"}
INTERVALS: Look = {
    "anyOf": [_TEXT, {"type": "array", "items": {"type": "string", "pattern": f"^{_HOURS}$"}}],
    "examples": ["09:00-12:30, 13:30-17:30", "closed"],
}
CALENDAR: Look = {
    "type": "object",
    "description": "Working hours, in one time zone.",
    "required": ["timezone"],
    "additionalProperties": False,
    "properties": {
        "timezone": {"type": "string", "description": "an IANA name", "examples": ["Europe/London"]},
        "hours": {
            "type": "object",
            "description": "days (mon, mon-fri, mon,wed) and the hours that begin on them",
            "additionalProperties": INTERVALS,
            "examples": [{"mon-fri": "09:00-12:30, 13:30-17:30"}],
        },
        "holidays": {
            "description": "the public holidays of a country or of a part of it, or a list of days; *-12-24 is every year",
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["country"],
                    "properties": {"country": {"type": "string"}, "subdivision": {"type": "string"}},
                },
                {"type": "array", "items": {"type": "string", "pattern": "^([0-9]{4}|[*])-[0-9]{2}-[0-9]{2}$"}},
            ],
            "examples": [{"country": "GB", "subdivision": "ENG"}, ["2026-12-25", "*-12-24"]],
        },
        "special_days": {
            "type": "object",
            "description": "single days with their own hours; they replace holidays and weekly hours",
            "patternProperties": {"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": INTERVALS},
            "additionalProperties": False,
            "examples": [{"2026-12-24": "09:00-12:00", "2026-12-31": "closed"}],
        },
    },
}
