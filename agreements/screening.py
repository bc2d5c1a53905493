"""Which leads are sorted out before scoring: spam, customers, open opportunities, people nobody may contact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agreements.fields import stated
from agreements.model import Agreement, ScreenRule


@dataclass(frozen=True, slots=True)
class Screening:
    """The first rule that matched, None where the lead passes; why is one sentence for people."""

    rule: ScreenRule | None
    why: str

    @property
    def passes(self) -> bool:
        """Whether the lead goes on to be qualified."""
        return self.rule is None


def screen(agreement: Agreement, values: Mapping[str, Any]) -> Screening:
    """The first screen rule that these facts, as they came, match. A lead who asked not to be contacted is always suppressed."""
    if values.get("suppressed"):
        return Screening(_NEVER, "is on the suppression list or asked not to be contacted")
    known = stated(agreement, values)
    for rule in agreement.screen:
        if rule.when.holds(known):
            return Screening(rule, rule.why or str(rule.when))
    return Screening(None, "no screen rule matches")


_NEVER = ScreenRule.model_validate({"when": {"suppressed": True}, "then": "suppress", "as": "do-not-contact"})
