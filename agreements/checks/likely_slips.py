"""Find what is allowed and probably a mistake: an activity or a country that nobody sends, an exact title, a leg without teams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from agreements.checks.base import Problem
from agreements.clauses.base import nearest, shown
from agreements.clauses.facts import ACTIVITIES
from agreements.countries import unclear_country
from agreements.criteria import COUNTRY, Operator
from agreements.model import Agreement
from agreements.rules import rules_of
from agreements.yaml_reader import Path

#: The fact that people write in many ways.
_TITLE = "job_title"
_EQUAL: tuple[Operator, ...] = ("is", "in")
_NAMES_COUNTRIES: tuple[Operator, ...] = ("is", "in", "not_in")


def likely_slips(agreement: Agreement) -> Iterator[Problem]:
    """Yield a note for each of them. A note never prevents a deploy."""
    yield from _unknown_activities(agreement)
    yield from _unknown_countries(agreement)
    yield from _exact_titles(agreement)
    yield from _legs_without_teams(agreement)


def _unknown_activities(agreement: Agreement) -> Iterator[Problem]:
    """Find activity names that only one rule uses and that are not among the usual ones."""
    rules = agreement.qualification
    named: list[tuple[Path, str]] = [(("qualification", "fast_lane", index), name) for index, name in enumerate(rules.fast_lane)]
    named += [(("qualification", "engagement", index, "activity"), rule.activity) for index, rule in enumerate(rules.engagement)]
    times = Counter(name for _, name in named)
    known = {*ACTIVITIES, *(name for name, count in times.items() if count > 1)}
    for where, name in named:
        if name and name not in known:
            what = f"{name!r} is no usual activity and no other rule names it{nearest(name, known)}"
            yield Problem(where, f"{what}; it counts only where leads come in with exactly this name")


def _unknown_countries(agreement: Agreement) -> Iterator[Problem]:
    """Find countries that no lead comes in with: a lead has the code, or what somebody wrote that names no country."""
    declared = agreement.fields.get(COUNTRY)
    meant = {str(one).casefold() for one in (*declared.values, *declared.synonyms.values())} if declared else set()
    for rule in rules_of(agreement):
        tests = [test for test in rule.condition.tests if test.field == COUNTRY and test.operator in _NAMES_COUNTRIES]
        values = [str(value) for test in tests for value in (test.operand if isinstance(test.operand, tuple) else (test.operand,))]
        for value in values:
            if value.casefold() not in meant and (problem := unclear_country(value.strip())):
                what = f"{problem}. Until then the rule counts only for leads with exactly this text"
                yield Problem((*rule.where, COUNTRY), what)


def _exact_titles(agreement: Agreement) -> Iterator[Problem]:
    declared = agreement.fields.get(_TITLE)
    if declared and (declared.values or declared.synonyms):
        return
    for rule in rules_of(agreement):
        for test in rule.condition.tests:
            if test.field == _TITLE and test.operator in _EQUAL:
                titles = test.operand if isinstance(test.operand, tuple) else (test.operand,)
                wanted = ", ".join(shown(one) for one in titles)
                yield Problem(
                    (*rule.where, _TITLE),
                    f"holds only for exactly {wanted}; a longer title such as {f'{titles[0]} EMEA'!r} does not match."
                    f" To include such titles, write {{contains: [{wanted}]}}",
                )


def _legs_without_teams(agreement: Agreement) -> Iterator[Problem]:
    for index, leg in enumerate(agreement.legs):
        if index and not leg.segments:
            what = f"names no `segments`, so `routing.segments` decide again and the leg {leg.name!r} goes to the team of the first one"
            yield Problem(("legs", index), what)
