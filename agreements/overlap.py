"""Whether two conditions can hold for one and the same lead, shown by such a lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from agreements.clauses.facts import DeclaredField
from agreements.criteria import Condition, Test
from agreements.fields import value_of
from agreements.lead import DISPOSABLE_PROVIDERS, FREE_PROVIDERS, domain_of

Fields = Mapping[str, DeclaredField]
_MAIL = ("email", "email_domain")
_MAIL_WORDS = ("disposable", "free", "company")
_DOMAINS = ("company.example", *sorted(FREE_PROVIDERS), *sorted(DISPOSABLE_PROVIDERS))


def can_both_hold(one: Condition, other: Condition) -> bool:
    """Whether there can be a lead for which both conditions hold."""
    return lead_for_both(one, other) is not None


def lead_for_both(one: Condition, other: Condition, *, readings: tuple[Fields, Fields] = ({}, {})) -> dict[str, Any] | None:
    """Facts of a lead for which both conditions hold, None where there can be none.

    readings: the dictionary of fields by which each of them reads what was written. A fact that both leave open, or ask to
    be missing, is not named. The address and its domain are looked at together; every other fact is taken to be independent
    of the rest.
    """
    sides = [_by_fact(one), _by_fact(other)]
    lead: dict[str, Any] = {}
    for fact in {**sides[0], **sides[1]}:
        asked = [side.get(fact, []) for side in sides]
        found = next((facts for facts in _possible(fact, asked, readings) if _fits(facts, asked, readings)), None)
        if found is None:
            return None
        lead |= found
    return lead


def _by_fact(condition: Condition) -> dict[str, list[Test]]:
    found: dict[str, list[Test]] = {}
    for test in condition.tests:
        found.setdefault("email" if test.field in _MAIL else test.field, []).append(test)
    return found


def _fits(facts: Mapping[str, Any], asked: Sequence[Sequence[Test]], readings: Sequence[Fields]) -> bool:
    """Whether these facts answer yes to each side's tests, as that side reads them."""
    return all(
        test.answers(value_of(fields[test.field], facts.get(test.field)) if test.field in fields else facts.get(test.field))
        for tests, fields in zip(asked, readings, strict=True)
        for test in tests
    )


def _possible(fact: str, asked: Sequence[Sequence[Test]], readings: Sequence[Fields]) -> Iterator[dict[str, Any]]:
    """Values of this fact such that one of them fits all tests, if any value does."""
    tests = [test for side in asked for test in side]
    is_mail = fact == "email" or any(test.operator == "word" and test.operand in _MAIL_WORDS for test in tests)
    named = _operands([test for test in tests if test.field == fact], "is", "in")
    declared = [fields[fact] for fields in readings if fact in fields]
    written = [word for field in declared for word in (*field.values, *field.synonyms, *field.bands)]
    for value in (*named, *written, *(_addresses(tests) if is_mail else ()), *_numbers(tests), *_texts(tests)):
        if value not in (None, ""):
            domain = domain_of(str(value)) if fact == "email" else ""
            yield {fact: value, "email_domain": domain} if domain else {fact: value}
    yield {}


def _operands(tests: Iterable[Test], *operators: str) -> list[Any]:
    """What tests with these operators name, one value after another."""
    many = [test.operand if isinstance(test.operand, tuple) else (test.operand,) for test in tests if test.operator in operators]
    return [value for values in many for value in values]


def _numbers(tests: Sequence[Test]) -> Iterator[int | float]:
    """Numbers within the bounds, more of them than are ruled out one by one."""
    lows, highs = _operands(tests, "at_least"), _operands(tests, "at_most")
    if not lows and not highs:
        return
    low, high = max(lows, default=None), min(highs, default=None)
    steps = range(len(_operands(tests, "not_in")) + 2)
    if low is not None:
        yield from (low + step for step in steps)
    if high is not None:
        yield from (high - step for step in steps)
    if low is not None and high is not None:
        yield from (low + (high - low) * step / len(steps) for step in steps)


def _choices(tests: Sequence[Test]) -> Iterator[tuple[str, ...]]:
    """One text out of each list of which a text must contain one."""
    return product(*([str(text) for text in test.operand] for test in tests if test.operator == "contains"))


def _texts(tests: Sequence[Test]) -> Iterator[str]:
    """Texts that contain what they must, more of them than are ruled out one by one."""
    ruled_out = len(_operands(tests, "not_in"))
    for chosen in _choices(tests):
        text = " ".join(chosen) or "something else"
        yield from (f"{text}{' again' * more}" for more in range(ruled_out + 1))


def _addresses(tests: Sequence[Test]) -> Iterator[str]:
    """Addresses that contain what they must, at each domain that can matter."""
    of_domain = [test for test in tests if test.field == "email_domain"]
    of_address = [test for test in tests if test.field != "email_domain"]
    ruled_out = len(_operands(tests, "not_in"))
    domains = [*map(str, _operands(of_domain, "is", "in")), *_DOMAINS, *(f"{'-'.join(chosen)}.example" for chosen in _choices(of_domain))]
    for chosen in _choices(of_address):
        local = "".join(text for text in chosen if "@" not in text)
        across = [text.partition("@") for text in chosen if "@" in text]
        before = max((part for part, _, _ in across), key=len, default="")
        after = max((part for _, _, part in across), key=len, default="")
        whole = [after, f"{after}.example", *domains] if after else domains
        names = [f"{local or ('' if before else 'someone')}{'x' * more}{before}" for more in range(ruled_out + 1)]
        yield from (f"{name or 'someone'}@{domain}" for domain in whole for name in names)
