"""Draw the plan of a chaos run from a seed: what goes wrong, when and for how long."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Kinds of blows.
KILL, FREEZE, RESTART = "kill", "freeze", "restart"
CRASH = "crash"
SHUT, BUSY, LOSE_ANSWERS = "shut", "busy", "lose answers"
LOCK, LEAP = "lock", "leap"
#: Targets that are not processes of the stack.
POSTGRESQL, SMTP, CHAT, CRM, CLOCK = "postgresql", "smtp", "chat", "crm", "time"

#: The shortest and the longest duration of each kind, in seconds.
LASTS: dict[str, tuple[float, float]] = {
    KILL: (0.5, 10),
    FREEZE: (3, 40),
    RESTART: (0, 0),
    CRASH: (1, 8),
    SHUT: (3, 20),
    BUSY: (3, 20),
    LOSE_ANSWERS: (3, 15),
    LOCK: (4, 25),
    LEAP: (0, 0),
}
#: The shortest and the longest leap of the clock, in minutes.
LEAP_MINUTES = (5, 360)


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that goes wrong. at, lasts: real seconds, `at` from the start of the run. ahead_minutes: the length of a leap."""

    at: float
    kind: str
    target: str
    lasts: float = 0.0
    ahead_minutes: int = 0


def blows(seed: int, parts: Sequence[str], *, gap_seconds: tuple[float, float], with_postgresql: bool) -> Iterator[Blow]:
    """Yield the endless plan for these parts. The same seed and parts give the same plan.

    Blows come from a shuffled deck, so that every kind comes before any kind comes too often.
    """
    dice = random.Random(seed)
    at = 0.0
    while True:
        deck = cards(parts, with_postgresql=with_postgresql)
        dice.shuffle(deck)
        for kind, target in deck:
            at += dice.uniform(*gap_seconds)
            ahead = dice.randint(*LEAP_MINUTES) if kind == LEAP else 0
            yield Blow(at, kind, target, dice.uniform(*LASTS[kind]), ahead)


def cards(parts: Sequence[str], *, with_postgresql: bool) -> list[tuple[str, str]]:
    """Return one deck of blows: each part is killed, frozen and restarted, each receiver and the clock get theirs."""
    deck = [(kind, part) for part in parts for kind in (KILL, FREEZE, RESTART)]
    if with_postgresql:
        deck += [(CRASH, POSTGRESQL), (RESTART, POSTGRESQL)]
    deck += [(kind, target) for target in (SMTP, CHAT) for kind in (SHUT, BUSY, LOSE_ANSWERS)]
    return [*deck, (LOCK, CRM), (LEAP, CLOCK), (LEAP, CLOCK)]
