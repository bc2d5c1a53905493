"""Likely twins: leads that may be the same person. They are suggestions only; nothing is merged by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agreements.identity import Who, contradict, personal_key, plain, same_name
from agreements.lead import domain_of, kinds_of_mail

#: A phone number with fewer digits identifies nobody.
FEWEST_DIGITS = 6
#: The digits at the end of a number by which two ways of writing it are compared: a country code or a 0 may be before them.
LAST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Likeness:
    """What may tell that two leads are one person. Each part is empty if unknown."""

    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    company: str = ""

    @property
    def who(self) -> Who:
        """Return the address and the name."""
        return Who(self.email, self.first_name, self.last_name)


def groups_of(one: Likeness) -> Iterator[str]:
    """Yield the groups in which a twin of this lead would be too. Two leads without a common group are no likely twins."""
    if number := _number(one.phone):
        yield f"phone {number}"
    name = " ".join(sorted(f"{plain(one.first_name)} {plain(one.last_name)}".split()))
    if plain(one.first_name) and plain(one.last_name):
        yield f"name {name}"
    if key := personal_key(one.email):
        yield f"mailbox {_bare(key.partition('@')[0])}"


def why_twins(one: Likeness, other: Likeness) -> str:
    """Return why these two leads may be the same person, in words; empty where nothing says so."""
    if contradict(one.who, other.who):
        return ""
    (name, _, domain), (other_name, _, other_domain) = (personal_key(each.email).partition("@") for each in (one, other))
    if domain and other_domain and _bare(name) == _bare(other_name):
        if domain == other_domain and name != other_name:
            return "their e-mail addresses differ in dots only"
        if domain != other_domain and _one_slip(domain, other_domain):
            return "their e-mail addresses differ in one letter of the domain"
    if (number := _number(one.phone)) and number == _number(other.phone):
        return "the same phone number"
    if same_name(one.who, other.who):
        if (at := _companys(one.email)) and at == _companys(other.email):
            return "the same name at the same e-mail domain"
        if plain(one.company) and plain(one.company) == plain(other.company):
            return "the same name at the same company"
    return ""


def _number(phone: str) -> str:
    digits = "".join(ch for ch in phone if ch.isdecimal())
    return digits[-LAST_DIGITS:] if len(digits) >= FEWEST_DIGITS else ""


def _companys(email: str) -> str:
    return domain_of(email) if "company" in kinds_of_mail(email) else ""


def _bare(name: str) -> str:
    return "".join(ch for ch in name if ch.isalnum())


def _one_slip(one: str, other: str) -> bool:
    """Whether these differ by one letter: wrong, missing, added, or swapped with its neighbour."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    short, long = sorted((one, other), key=len)
    start = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    swapped = short[start : start + 2] == long[start : start + 2][::-1] and short[start + 2 :] == long[start + 2 :]
    swapped = short[start : start + 2] == long[start : start + 2][::-1] and short[start + 2 :] == long[start + 2 :]
    return swapped or short[start + 1 :] == long[start + 1 :]
