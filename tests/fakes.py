"""Hand-written parts at the edge: a channel that keeps letters, and leads to take in."""

from __future__ import annotations

import itertools

from agreements.errors import DeliveryError
from agreements.lead import IncomingLead
from notifications.letter import Letter

_numbers = itertools.count(1)


class KeepingChannel:
    """A channel that keeps every letter; it refuses those for addresses named in `refuses`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.letters: list[Letter] = []
        self.refuses: set[str] = set()
        self.broken = False

    async def send(self, letter: Letter) -> str:
        if self.broken or letter.to.id in self.refuses:
            raise DeliveryError(self.name, "refused by the test", permanent=not self.broken)
        self.letters.append(letter)
        return f"kept as {len(self.letters)}"


def make_lead(**changes: object) -> IncomingLead:
    """A demo request by an operations leader, which qualifies by itself."""
    number = next(_numbers)
    base = {
        "source": "test",
        "source_id": f"t{number}",
        "email": f"person{number}@company{number}.example",
        "first_name": "Pat",
        "last_name": f"Person{number}",
        "company": f"Company {number}",
        "job_title": "Head of Operations",
        "country": "GB",
        "activity": "demo_requested",
        "campaign": "spring",
        "fields": {"industry": "logistics", "employees": 300},
    }
    return IncomingLead.model_validate({**base, **changes})
