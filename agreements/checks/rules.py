"""Check that each rule asks for a fact that is known at that point, and for values that the fact can have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from agreements.checks.base import Finding, names_of
from agreements.clauses.base import nearest, one_of, shown
from agreements.clauses.facts import BUILT_IN, LATER, DeclaredField, FactType
from agreements.criteria import LIMITS, Operator, Test
from agreements.fields import value_of
from agreements.model import Agreement
from agreements.rules import Rule, rules_of
from agreements.words import NoWord
from agreements.yaml_reader import Path

#: Built-in facts that are true or false, and built-in facts with values of any type. All others are text.
_YES_NO = {"suppressed", "name_has_link", "sales_sourced", "account.open_opportunity", "fast_lane"}
_ANYTHING = {"budget", "authority", "need", "timeline"}
_MAIL_WORDS = ("disposable", "free", "company")


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find rules that could never hold."""
    for rule in rules_of(agreement):
        known = _known(agreement, rule)
        for name in rule.facts:
            where = rule.where if rule.score else (*rule.where, name)
            if name not in known:
                yield Finding(where, _undeclared(name, rule, known), needs=(("fields", name),))
                continue
            declared = agreement.fields.get(name)
            if declared and declared.known == "after_contact" and not rule.after_contact:
                yield Finding(
                    where,
                    f"{name!r} is known only after sales has spoken to the lead, so it cannot decide before; "
                    "leave the rule out, or declare `known: before_contact`",
                    needs=(("fields", name),),
                )
            fact = _Fact(name, declared, _names(agreement, name))
            tests = [test for test in rule.condition.tests if test.field == name]
            for what, place in _unanswerable(rule, fact, tests):
                yield Finding((*where, *place), what, needs=(("fields", name), *_naming(agreement, name)))


def _known(agreement: Agreement, rule: Rule) -> list[str]:
    later = [name for name in LATER if rule.later and (name != "tier" or "segments" in rule.where)]
    by_itself = [name for name in BUILT_IN if rule.where != ("applies_to",) or not name.startswith("account.")]
    return [*agreement.fields, *by_itself, *later]


def _undeclared(name: str, rule: Rule, known: list[str]) -> str:
    if name in LATER:
        where = "a segment" if name == "tier" else "tiers and segments"
        return f"{name!r} is known only once the lead is qualified; ask for it in {where}, or leave it out"
    if name in BUILT_IN:
        return f"{name!r} comes from the CRM only after a lead has its agreement; ask for it under `screen:`, or leave it out"
    near = nearest(name, known)
    return f"there is no fact {name!r}{near}; declare it under `fields:`, such as `{name}: {{type: text}}`"


def _names(agreement: Agreement, name: str) -> tuple[str, ...]:
    """Return the possible names for a fact that names another clause."""
    personas = agreement.personas
    return {
        "asked": agreement.qualification.fast_lane,
        "persona": tuple(one.name for one in personas),
        "product": tuple(one.product for one in personas if one.product),
        "tier": tuple(one.name for one in agreement.tiers),
    }.get(name, ())


def _naming(agreement: Agreement, name: str) -> tuple[Path, ...]:
    """Return the places of those names."""
    if name == "tier":
        return names_of("tiers", len(agreement.tiers))
    if name == "asked":
        return (("qualification", "fast_lane"),)
    return tuple(("personas", index) for index in range(len(agreement.personas))) if name in ("persona", "product") else ()


class _Fact:
    """A fact with its type, and with all of its possible values if they are known."""

    def __init__(self, name: str, declared: DeclaredField | None, names: tuple[str, ...]) -> None:
        self.name = name
        self.type: FactType | NoWord
        self.declared = declared.model_copy(update={"if_missing": "unknown"}) if declared else None
        if declared:
            self.type, self.values = declared.type, declared.values
        else:
            self.type = "yes_no" if name in _YES_NO else "" if name in _ANYTHING else "number" if name == "score" else "text"
            self.values = names
        self.closed = bool(self.values) or name in ("asked", "persona", "product", "tier")

    def is_a(self) -> str:
        """Return the start of a message: `'employees' is a number and`."""
        words = {"yes_no": "true or false", "": "this"}
        return f"{self.name!r} is {words.get(self.type, f'a {self.type}')} and"


#: The operators that a file need not name.
_UNNAMED: tuple[Operator | Literal["word"], ...] = ("word", "is", "in")
#: The types of facts that are no text, and those that are.
_NO_TEXT: tuple[FactType, ...] = ("number", "yes_no", "date")
_TEXTS: tuple[FactType, ...] = ("text", "choice")


def _unanswerable(rule: Rule, fact: _Fact, tests: list[Test]) -> Iterator[tuple[str, Path]]:
    """Yield what cannot be asked about this fact, each with the place of its operator."""
    if rule.score and fact.type != "number":
        yield f"{fact.name!r} is a {fact.type}, and a score is a number; declare it as `{fact.name}: {{type: number}}`", ()
    limits = {test.operator: test.operand for test in tests}
    for test in tests:
        place: Path = () if test.operator in _UNNAMED else (test.operator,)
        yield from ((what, place) for what in _wrong(fact, test) if what)
    if "at_least" in limits and "at_most" in limits and limits["at_least"] > limits["at_most"]:
        yield f"no number is at least {limits['at_least']} and at most {limits['at_most']}; swap the two", ("at_least",)


def _wrong(fact: _Fact, test: Test) -> Iterator[str]:
    """Yield what is wrong with each wanted value; empty for a valid value."""
    name, operand = fact.name, test.operand
    if test.operator == "word":
        if operand in _MAIL_WORDS and name != "email":
            yield f"'{operand}' asks what kind of address it is, which only `email` has; for the value write {{is: {operand}}}"
    elif test.operator in LIMITS:
        if fact.type != "number":
            yield f"{fact.is_a()} has no size; ask `{name}: [value]`, or declare it as a number"
    elif test.operator == "contains" and fact.type in _NO_TEXT:
        yield f"{fact.is_a()} contains no text; ask `{name}: [value]`" + (", or at_least and at_most" if fact.type == "number" else "")
    else:
        judge = _wrong_part if test.operator == "contains" else _wrong_value
        yield from (judge(fact, value) for value in (operand if isinstance(operand, tuple) else (operand,)))


def _wrong_part(fact: _Fact, value: Any) -> str:
    if not isinstance(value, str):
        return f"{shown(value)} is no text; write it in quotes"
    if not value.strip():
        return "every text contains an empty one; write what it must contain, or `present`"
    if fact.closed and not any(value.casefold() in one.casefold() for one in fact.values):
        return f"none of the values of {fact.name!r} contains {value!r}; there are {', '.join(fact.values) or 'none'}"
    return ""


def _wrong_value(fact: _Fact, value: Any) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(value, str) and not value.strip():
        return "an empty text is no value; write `missing` for a fact that is not known"
    if fact.type == "number" and not is_number:
        return f"{shown(value)} is no number, and {fact.name!r} is; write one, or {{at_least: 50, at_most: 199}}"
    if fact.type == "yes_no" and not isinstance(value, bool):
        return f"{shown(value)} is neither true nor false, and {fact.name!r} is; write one of the two"
    if fact.type == "date" and not _is_day(value):
        return f"{shown(value)} is no day, and {fact.name!r} is; write one such as 2026-12-01"
    if fact.type in _TEXTS:
        return (
            _wrong_word(fact, value) if isinstance(value, str) else f"{shown(value)} is no text, and {fact.name!r} is; write it in quotes"
        )
    return ""


def _wrong_word(fact: _Fact, value: str) -> str:
    if fact.declared:
        meant = value_of(fact.declared, value)
        if meant is None:
            return f"{value!r} means that the fact is unknown (`null_values`), so it is never the value; write `missing`, or another value"
        if str(meant).casefold() != value.casefold():
            return f"{value!r} is always read as {str(meant)!r}; write that"
    if fact.closed and value.casefold() not in {one.casefold() for one in fact.values}:
        return f"{fact.name!r} is never {value!r}{nearest(value, fact.values)}; write {one_of(fact.values) or 'another fact'}"
    return ""


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False
