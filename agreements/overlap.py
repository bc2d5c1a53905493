"""Whether two conditions can both hold for one lead, with such a lead as the proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from agreements.clauses.facts import DeclaredField
from agreements.criteria import Condition, Operator, Test
from agreements.fields import value_of
from agreements.lead import DISPOSABLE_PROVIDERS, FREE_PROVIDERS, domain_of

Fields = Mapping[str, DeclaredField]
_MAIL = ("email", "email_domain")
_MAIL_WORDS = ("disposable", "free", "company")
_DOMAINS = ("company.example", *sorted(FREE_PROVIDERS), *sorted(DISPOSABLE_PROVIDERS))


def can_both_hold(one: Condition, other: Condition) -> bool:
    """Whether some lead can meet both conditions."""
    return lead_for_both(one, other) is not None


def lead_for_both(one: Condition, other: Condition, *, readings: tuple[Fields, Fields] = ({}, {})) -> dict[str, Any] | None:
    """Return facts of a lead that meets both conditions, None if there can be no such lead.

    readings: the `fields` with which each side reads incoming values. A fact that both sides leave open, or want missing, is
    left out. The address and its domain are tried together; every other fact counts as independent.
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
    """Whether these facts pass each side's tests, as that side reads them."""
    return all(
        test.answers(value_of(fields[test.field], facts.get(test.field)) if test.field in fields else facts.get(test.field))
        for tests, fields in zip(asked, readings, strict=True)
        for test in tests
    )


def _possible(fact: str, asked: Sequence[Sequence[Test]], readings: Sequence[Fields]) -> Iterator[dict[str, Any]]:
    """Yield values of this fact. If any value passes all tests, one of these does."""
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


def _operands(tests: Iterable[Test], *operators: Operator) -> list[Any]:
    """The values that the tests with these operators name."""
    many = [test.operand if isinstance(test.operand, tuple) else (test.operand,) for test in tests if test.operator in operators]
    return [value for values in many for value in values]


def _numbers(tests: Sequence[Test]) -> Iterator[int | float]:
    """Numbers within the bounds, more of them than the tests exclude one by one."""
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
    """Every choice of one text from each `contains` list."""
    return product(*([str(text) for text in test.operand] for test in tests if test.operator == "contains"))


def _texts(tests: Sequence[Test]) -> Iterator[str]:
    """Texts that contain what they must, more of them than the tests exclude one by one."""
    ruled_out = len(_operands(tests, "not_in"))
    for chosen in _choices(tests):
        text = " ".join(chosen) or "something else"
        yield from (f"{text}{' again' * more}" for more in range(ruled_out + 1))


def _addresses(tests: Sequence[Test]) -> Iterator[str]:
    """Addresses that contain what they must, at every domain that can make a difference."""
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
