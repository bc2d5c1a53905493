"""Made-up quarters: those with one planted cause, those without any, and unfriendly ones that only look like one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlmodel import Session

from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.backtest.ground import example
from tests.app.review.made_lives import DAY, HOUR, NOW, QUARTER, REASONS, Law, Life, lives, nobody_there
from tests.app.review.made_quarter import IDLE, the_text
from tests.app.review.written_home import agree, write

#: From when the first version is in force: before all leads.
LONG_AGO = date(2026, 2, 1)
MID, MARCH = date(2027, 2, 15), date(2027, 3, 1)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the agreement: from which day, and how its text differs."""

    first: date
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quarter:
    """A law of leads, the versions under which they come, by number, and when the quarter is reviewed."""

    law: Law = field(default_factory=Law)
    versions: Mapping[int, Version] = field(default_factory=lambda: {2: Version(LONG_AGO)})
    at: datetime = NOW


def live_through(quarter: Quarter, box: Toolbox, time: SteppedTime, *, seed: int) -> list[Life]:
    """Put the quarter into the home, and move to its review. Returns its lives."""
    time.at = quarter.at
    lived = list(lives(seed, quarter.law))

    def work(session: Session, now: datetime) -> None:
        versions = {
            number: agree(session, the_text(number, effective={"from": one.first}, **one.changes), now=now)
            for number, one in quarter.versions.items()
        }
        write(session, lived, versions)

    box.write_now(work)
    return lived


def doubled(day: date) -> Mapping[str, float]:
    """Return how often reasons are given, where one is given more than twice as often since the quarter began."""
    return {**REASONS, "not-icp": 30} if day >= QUARTER else REASONS


def _new_reason(day: date) -> Mapping[str, float]:
    return {**REASONS, "too-small": 25} if day >= MID else REASONS


def _of_worth_for_partners(source: str) -> Mapping[str, int]:
    """Return what the criterion is worth: what it claims for leads of one source, and nothing for the others."""
    return {IDLE: 25} if source == "partner" else {}


def _twice_instead_of_once(life: Life) -> Life:
    days = (date(2026, 11, 16), date(2027, 2, 1), date(2027, 2, 2))
    return replace(life, reason="not-icp" if life.at.date() in days and life.at.minute < 6 else "not-now")


def _wins_take_longer(life: Life) -> Life:
    return replace(life, ended=12 * DAY if life.fate == "opportunity" else DAY)


def _accepted_late(life: Life) -> Life:
    return replace(life, answered=HOUR)


def _late_until_march(life: Life) -> Life:
    return _accepted_late(life) if life.version == 2 else life


def _late_in_one_week(life: Life) -> Life:
    return nobody_there(date(2027, 3, 8))(life)


def _longer() -> Any:
    clocks = example("clocks")
    clocks["acceptance"]["within"] = {"hot": "60 working minutes", "normal": "8 working hours"}
    return clocks


def _with_too_small() -> Any:
    return [*example("reasons"), {"code": "too-small", "label": "Too small", "then": "disqualify"}]


def _two(day: date, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[int, Version]:
    return {2: Version(LONG_AGO, before), 3: Version(day, after)}


_WITH_IDLE = {2: Version(LONG_AGO, {"idle": 25})}

#: One planted cause each: the kind of the proposal and its subject.
PLANTED: Mapping[str, tuple[Quarter, tuple[str, str]]] = {
    "a criterion that says nothing": (Quarter(Law(leads=1_800, idle=25, highest=0.6), _WITH_IDLE), ("criterion", f"{IDLE} is yes")),
    "a threshold ten points too low": (Quarter(Law(leads=2_000, middle=60, steep=3, highest=0.6)), ("threshold", "total")),
    "a reason that doubled": (Quarter(Law(reasons=doubled)), ("reason", "not-icp")),
    "a clock that nobody keeps": (Quarter(Law(leads=400, change=_accepted_late)), ("clock", "acceptance")),
}
_ALL_AT_ONCE = Law(leads=19, idle=25, middle=60, steep=3, late=1, reasons=doubled)
_ALIKE = {"software": 10, "large": 10, "leader": 10, "partner": 0, "budget": 10, "student": 0, IDLE: 10}

#: None of these has a cause that somebody could act on by changing the agreement.
WITHOUT: Mapping[str, Quarter] = {
    "nothing planted": Quarter(),
    "every cause at once, but 19 leads": Quarter(_ALL_AT_ONCE, _WITH_IDLE),
    "no leads": Quarter(Law(leads=0)),
    "all leads alike": Quarter(Law(leads=700, chances=_ALIKE, idle=25), _WITH_IDLE),
    "nobody there for one week": Quarter(Law(late=0.4, change=_late_in_one_week)),
    "a reason that came twice instead of once": Quarter(Law(leads=600, change=_twice_instead_of_once)),
    "a criterion that matters for one source only": Quarter(Law(leads=4_000, idle=25, worth=_of_worth_for_partners), _WITH_IDLE),
    "a reason that is new": Quarter(
        Law(version=lambda day: 3 if day >= MID else 2, reasons=_new_reason), _two(MID, {}, {"reasons": _with_too_small()})
    ),
    "a clock that was made longer already": Quarter(
        Law(version=lambda day: 3 if day >= MARCH else 2, change=_late_until_march), _two(MARCH, {}, {"clocks": _longer()})
    ),
    "a threshold that was lowered": Quarter(
        Law(version=lambda day: 3 if day >= MID else 2, threshold=lambda day: 50 if day >= MID else 60),
        _two(MID, {"total": 60}, {"total": 50}),
    ),
    "a threshold that was raised": Quarter(
        Law(version=lambda day: 3 if day >= MID else 2, threshold=lambda day: 50 if day >= MID else 40),
        _two(MID, {"total": 40}, {"total": 50}),
    ),
    "leads that are too young to be won": Quarter(
        Law(
            leads=4_000, middle=45, version=lambda day: 3 if day >= MARCH else 2, threshold=lambda day: 50 if day >= MARCH else 60,
            change=_wins_take_longer,
        ),
        _two(MARCH, {"total": 60}, {"total": 50}),
        at=datetime(2027, 4, 1, 9, tzinfo=UTC),
    ),
}  # fmt: skip
