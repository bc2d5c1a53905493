"""List every rule of an agreement that asks for facts, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agreements.criteria import Condition
from agreements.model import Agreement
from agreements.yaml_reader import Path


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: where its condition is in the file, how people name it, and what it asks.

    score: the field of an external score, for a rule that asks nothing else. later: whether it is asked only after the lead
    has qualified. after_contact: whether it is asked only after sales has spoken to the lead.
    """

    where: Path
    name: str
    condition: Condition = Condition()
    score: str = ""
    later: bool = False
    after_contact: bool = False

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that the rule asks for, each once."""
        return (self.score,) if self.score else tuple(dict.fromkeys(test.field for test in self.condition.tests))


def rules_of(agreement: Agreement) -> Iterator[Rule]:
    """Yield every rule: applies_to, personas, screen, criteria, tiers, segments and legs."""
    yield Rule(("applies_to",), "applies to", agreement.applies_to)
    for index, persona in enumerate(agreement.personas):
        yield Rule(("personas", index, "match"), f"persona {persona.name}", persona.match)
    for index, screened in enumerate(agreement.screen):
        yield Rule(("screen", index, "when"), f"screen {screened.as_ or screened.then}", screened.when)
    yield from _criteria(agreement)
    for index, tier in enumerate(agreement.tiers):
        yield Rule(("tiers", index, "when"), f"tier {tier.name}", tier.when, later=True)
    for index, segment in enumerate(agreement.routing.segments):
        yield Rule(("routing", "segments", index, "when"), f"segment {segment.team}", segment.when, later=True)
    for number, leg in enumerate(agreement.legs):
        for index, part in enumerate(leg.segments):
            where = ("legs", number, "segments", index, "when")
            yield Rule(where, f"leg {leg.name}, segment {part.team}", part.when, later=True, after_contact=True)


def _criteria(agreement: Agreement) -> Iterator[Rule]:
    for index, fit in enumerate(agreement.qualification.fit):
        where: Path = ("qualification", "fit", index)
        if fit.when is not None:
            yield Rule((*where, "when"), f"fit: {fit.when}", fit.when)
        if fit.external_score:
            yield Rule((*where, "external_score"), f"fit: {fit.external_score}", score=fit.external_score)
    for index, engagement in enumerate(agreement.qualification.engagement):
        if engagement.external_score:
            where = ("qualification", "engagement", index, "external_score")
            yield Rule(where, f"engagement: {engagement.external_score}", score=engagement.external_score)
