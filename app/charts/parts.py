"""A part of a number of leads, in figures and in words. A share never goes without its whole."""

from __future__ import annotations

from dataclasses import dataclass

from agreements.review.chance import interval

#: A share of fewer leads than this is greyed, and its row is not ranked.
FEW = 20


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a number of leads."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """Return the part, 0 to 1; None where there is nothing to count."""
        return self.count / self.of if self.of else None

    @property
    def few(self) -> bool:
        """Return whether the share is of so few leads that it says little."""
        return self.of < FEW

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the range of the share that chance leaves, with 95 % certainty; None where there is nothing to count."""
        return interval(self.count, of=self.of)

    @property
    def words(self) -> str:
        """31 of 40 (77.5 %); 0 of 0 where there is nothing to count."""
        return f"{self.count:,} of {self.of:,}" + (f" ({percent(self.count / self.of)})" if self.of else "")


def percent(share: float) -> str:
    """12.3 %"""
    return f"{100 * share:.1f} %"


def lasting(seconds: float) -> str:
    """4 min, 3 h 20 min, 2 d 5 h: days of 24 hours, to the minute below a day and to the hour above."""
    minutes = round(seconds / 60)
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    if days:
        return f"{days:,} d {hours} h" if hours else f"{days:,} d"
    if hours:
        return f"{hours} h {left} min" if left else f"{hours} h"
    return f"{minutes} min" if minutes or not seconds else f"{round(seconds)} s"
