"""Whose turn it is: each rep's share of the leads that came while the rep could take one, and nothing to catch up on.

At each lead, every rep who can take it earns a part of a turn, in proportion to the weights. The rep with the most parts gets
the lead, and pays a whole turn. Whoever is away, closed or full earns nothing meanwhile, and is level when they come back. So is
a newcomer, and so is everybody when a weight changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

#: One turn, in the parts that are counted: a whole number, so that nothing is lost by rounding.
TURN = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one pool of reps.

    balance: by rep, the parts of a turn that the rep is ahead of (negative) or behind (positive); the sum is 0, and a rep who is
    not named has 0. last: by rep, the number of the lead that the rep got last; number: that of the newest lead of the pool.
    """

    balance: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    last: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    number: int = 0

    def next_of(self, weights: Mapping[str, int]) -> str:
        """Return whose turn it is among these reps, by weight.

        Of equals the one whose last lead is the longest ago counts, then the order of the mapping. weights: at least one rep,
        each weight above 0.
        """
        earned = _earned(weights)
        return max(weights, key=lambda rep: (self.balance.get(rep, 0) + earned[rep], -self.last.get(rep, 0)))

    def after(self, rep: str, weights: Mapping[str, int]) -> Turns:
        """Return the turns after this rep, one of those who could take it, got a lead."""
        balance = dict(self.balance)
        for one, parts in _earned(weights).items():
            balance[one] = balance.get(one, 0) + parts
        balance[rep] -= TURN
        number = self.number + 1
        return Turns(balance, {**self.last, rep: number}, number)

    def credited(self, rep: str, weights: Mapping[str, int]) -> Turns:
        """Return the turns as if this rep had not got a lead that these reps could take: nobody earned or paid anything for it.

        The number stays, since the lead was there.
        """
        balance = dict(self.balance)
        for one, parts in _earned(weights).items():
            balance[one] = balance.get(one, 0) - parts
        balance[rep] += TURN
        return Turns(balance, self.last, self.number)


def _earned(weights: Mapping[str, int]) -> dict[str, int]:
    """Share one turn out by weight. What division leaves over goes to the first ones, one part each."""
    whole = sum(weights.values())
    parts = {rep: TURN * weight // whole for rep, weight in weights.items()}
    left = TURN - sum(parts.values())
    for rep in list(parts)[:left]:
        parts[rep] += 1
    return parts
