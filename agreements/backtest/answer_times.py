"""How long reps took to answer: the past times from which a replay draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from types import MappingProxyType

#: A rep with fewer past answers than this is taken to answer as all reps together.
ENOUGH = 20
Times = tuple[timedelta | None, ...]


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """Past times of one promise by rep, in the rep's working time; None for a lead that the rep never answered.

    everybody: those of all reps together, also of reps who have left.
    """

    by_rep: Mapping[str, Times] = field(default_factory=lambda: MappingProxyType({}))
    everybody: Times = ()

    @classmethod
    def of(cls, by_rep: Mapping[str, Times]) -> AnswerTimes:
        """Return these times by rep, with those of all reps together."""
        return cls(by_rep, tuple(time for times in by_rep.values() for time in times))

    def draw(self, rep: str, dice: Random) -> timedelta | None:
        """Return one of the rep's past times, or of everybody's where the rep has too few. At least one time must be known."""
        own = self.by_rep.get(rep, ())
        return dice.choice(own if len(own) >= ENOUGH else self.everybody)


@dataclass(frozen=True, slots=True)
class Answers:
    """How reps answered. acceptance: from when a rep was told of a lead to the answer; first_attempt: from the acceptance to the first
    attempt."""

    acceptance: AnswerTimes = AnswerTimes()
    first_attempt: AnswerTimes = AnswerTimes()

    @property
    def known(self) -> bool:
        """Whether there is a past time of both promises."""
        return bool(self.acceptance.everybody and self.first_attempt.everybody)
