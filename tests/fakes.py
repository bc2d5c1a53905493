"""Hand-written fakes at the edge: a channel that keeps letters, and leads to take in."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable

from agreements.errors import DeliveryError
from agreements.lead import IncomingLead
from benchmarks.inquiry import demo_request
from notifications.letter import Letter

_numbers = itertools.count(1)
_number_of: dict[object, int] = {}


class KeepingChannel:
    """A channel that keeps every letter, and refuses letters to the addresses in `refuses`."""

    def __init__(self, name: str, *, may_bounce: bool = False) -> None:
        self.name, self.may_bounce, self.read_by_people = name, may_bounce, True
        self.letters: list[Letter] = []
        self.refuses: set[str] = set()
        self.broken = False
        #: What happens instead of keeping the letter, None for nothing else.
        self.instead: Callable[[Letter], Awaitable[str]] | None = None

    async def send(self, letter: Letter) -> str:
        return await self.instead(letter) if self.instead else self.keep(letter)

    def keep(self, letter: Letter) -> str:
        """Keep the letter and return its proof. Raises DeliveryError if the channel refuses it."""
        if self.broken or letter.to.id in self.refuses:
            raise DeliveryError(self.name, "refused by the test", permanent=not self.broken)
        self.letters.append(letter)
        return f"kept as {len(self.letters)}"


def make_lead(**changes: object) -> IncomingLead:
    """Return a demo request by an operations leader, which qualifies as it is. The same source id means the same person."""
    number = next(_numbers)
    if "source_id" in changes:
        number = _number_of.setdefault((changes.get("source", "test"), changes["source_id"]), number)
    else:
        _number_of["test", f"t{number}"] = number
    return demo_request(number, **{"source": "test", "source_id": f"t{number}", **changes})
