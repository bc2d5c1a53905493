"""Which leads are screened out before scoring: spam, customers, open opportunities, people nobody may contact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agreements.fields import stated
from agreements.model import Agreement, ScreenRule


@dataclass(frozen=True, slots=True)
class Screening:
    """The first rule that matched, None if the lead passes. why: one sentence for people."""

    rule: ScreenRule | None
    why: str

    @property
    def passes(self) -> bool:
        """Whether the lead goes on to be qualified."""
        return self.rule is None


def screen(agreement: Agreement, values: Mapping[str, Any]) -> Screening:
    """Return the first screen rule that matches these facts (as they came). A lead who asked for no contact is always suppressed."""
    if values.get("suppressed"):
        return Screening(_NEVER, "is on the suppression list or asked not to be contacted")
    known = stated(agreement, values)
    for rule in agreement.screen:
        if rule.when.holds(known):
            return Screening(rule, rule.why or str(rule.when))
    return Screening(None, "no screen rule matches")


_NEVER = ScreenRule.model_validate({"when": {"suppressed": True}, "then": "suppress", "as": "do-not-contact"})
