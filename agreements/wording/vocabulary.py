"""The phrases that contract, differences and explanations share: conditions, times, points, days, lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from agreements.calendar.durations import Duration, ReleasePlan, Term
from agreements.clauses.clocks import Touches
from agreements.criteria import LIMITS, Condition, Test

#: Yes-or-no facts as phrases: for yes, for no.
_YES_NO: Mapping[str, tuple[str, str]] = {
    "suppressed": ("nobody may contact the person", "the person may be contacted"),
    "sales_sourced": ("a rep brought the lead in", "the lead was not brought in by a rep"),
    "fast_lane": ("the lead asked to talk to sales", "the lead did not ask to talk to sales"),
    "budget": ("the lead has a budget", "the lead has no budget"),
    "authority": ("the lead can decide", "the lead cannot decide"),
    "need": ("the lead has a need we can meet", "the lead has no need we can meet"),
    "timeline": ("the lead knows by when", "the lead does not know by when"),
    "account.open_opportunity": ("an opportunity is open at the account", "no opportunity is open at the account"),
}
_FACTS = {"email": "e-mail address", "email_domain": "e-mail domain", "account.id": "account", "asked": "what the lead asked for"}
_WORDS = {
    "present": "is known",
    "missing": "is unknown",
    "disposable": "is a throw-away one",
    "free": "is from a free provider",
    "company": "is a company's own",
}
_SHORT = {"mql": "MQL", "mqls": "MQLs", "sal": "SAL", "sql": "SQL", "crm": "CRM", "sms": "SMS"}
_PARTIES = {"marketing": "marketing", "sales": "sales", "manager": "the manager"}


def plain(name: str) -> str:
    """Return a name from the file as people say it: `demo_requested` is demo requested."""
    return " ".join(_SHORT.get(word, word) for word in name.replace("_", " ").replace("-", " ").split(" "))


def sentence(words: str) -> str:
    """Return the words with a capital letter and a full stop."""
    words = words.strip()
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?', ':')) else '.'}" if words else ""


def listed(items: Iterable[object], last: str = "and") -> str:
    """Join the words: one, two and three."""
    words = [str(item) for item in items]
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def number(value: float) -> str:
    """Return a number as people write it: 51.0 is 51, and from 10,000 on it has commas."""
    whole = int(value) if float(value).is_integer() else value
    return f"{whole:,}" if abs(value) >= 10_000 else f"{whole}"


def value(one: Any) -> str:
    """Return one value of a fact: yes or no for true or false, numbers as people write them."""
    if isinstance(one, bool):
        return "yes" if one else "no"
    return number(one) if isinstance(one, (int, float)) else str(one)


def times(count: int) -> str:
    """Return once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def count(amount: int, noun: str) -> str:
    """Return a count with its noun: 1 channel, 2 channels."""
    return f"{amount} {noun}{'' if amount == 1 else 's'}"


def touches(asked: Touches) -> str:
    """Return how many attempts are asked for: 6 touches, or 6 touches on 2 channels."""
    on = f" on {asked.channels} channels" if asked.channels > 1 else ""
    return f"{asked.at_least} {'touch' if asked.at_least == 1 else 'touches'}{on}"


def points(amount: int) -> str:
    """Return points with their sign: +20."""
    return f"{amount:+d}" if amount else "0"


def because(why: str) -> str:
    """Return the reason for a rule, empty for none."""
    return f" (why: {why})" if why else ""


def party(name: str) -> str:
    """Return the party that owes something."""
    return _PARTIES.get(name, name)


def other_party(name: str) -> str:
    """Return the party to whom it is owed."""
    return {"marketing": "sales", "sales": "marketing"}.get(name, "marketing and sales")


def fact(name: str) -> str:
    """Return the name that people use for a fact."""
    return _FACTS.get(name) or plain(name.replace("account.", "account ", 1))


def by_when(term: Term) -> str:
    """Return the limit as part of a sentence: within 4 working hours."""
    if isinstance(term, ReleasePlan):
        return "as its release plan says"
    return f"within {term}" if isinstance(term, Duration) else f"by the {_of_the(term)}"


def later(term: Term) -> str:
    """Return a further time as part of a sentence: 4 working hours later."""
    if isinstance(term, ReleasePlan):
        return "as its release plan says"
    return f"{term} later" if isinstance(term, Duration) else f"at the {_of_the(term)}"


def _of_the(term: Term) -> str:
    return str(term).replace("of same", "of the same")


def by_tier(terms: Mapping[str, Term]) -> str:
    """Return the limits by tier: within 12 hours (hot within 1 hour)."""
    named = ", ".join(f"{tier} {by_when(term)}" for tier, term in terms.items() if tier != "normal")
    return f"{by_when(terms['normal'])}{f' ({named})' if named else ''}"


def day(when: date) -> str:
    """Return a day without its weekday: 1 January 2026."""
    return f"{when.day} {when:%B %Y}"


def kept(time: timedelta) -> str:
    """Return how long something is kept, in the agreed unit."""
    for days, unit in ((365, "year"), (30, "month"), (1, "day")):
        if time.days % days == 0:
            count = time.days // days
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return str(time)


def yes(name: str) -> str:
    """Return the phrase for a lead for which this fact is yes."""
    return _YES_NO[name][0] if name in _YES_NO else f"{fact(name)} is yes"


def condition(asked: Condition, *, otherwise: str = "always") -> str:
    """Return a condition as a sales manager says it: employees at least 200, and industry is software or logistics."""
    parts = [_about(name, list(tests)) for name, tests in groupby(asked.tests, key=lambda test: test.field)]
    if not parts:
        return otherwise
    joint = ", and " if len(parts) > 1 and any(" or " in part or " and " in part for part in parts) else " and "
    return joint.join(parts)


def _about(name: str, tests: list[Test]) -> str:
    first, *others = [question(test) for test in tests]
    return " and ".join([first, *(one.removeprefix(f"{fact(name)} ") for one in others)])


def question(test: Test) -> str:
    """Return one test of a condition in words."""
    name, wanted = fact(test.field), test.operand
    if test.operator == "word":
        return f"{name} {_WORDS.get(wanted, f'is {wanted}')}"
    if test.operator == "is" and isinstance(wanted, bool) and test.field in _YES_NO:
        return _YES_NO[test.field][0 if wanted else 1]
    if test.operator in LIMITS:
        return f"{name} {plain(test.operator)} {value(wanted)}"
    many = [value(one) for one in (wanted if isinstance(wanted, tuple) else (wanted,))]
    asks = {"contains": "contains", "not_in": "is none of" if len(many) > 1 else "is not"}.get(test.operator, "is")
    return f"{name} {asks} {listed(many, 'and' if test.operator == 'not_in' else 'or')}"
