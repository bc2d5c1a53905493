"""Identity: who a conversion is about. A personal e-mail address decides; an id of the source decides only while nothing contradicts it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agreements.lead import mail_key
from agreements.role_mailboxes import is_role_address

#: What a conversion under a known id shows. same: the known person. moved: the known person at another personal address.
#: another: somebody else, who gets a lead of their own.
Shows = Literal["same", "moved", "another"]


@dataclass(frozen=True, slots=True)
class Who:
    """What identifies a person, as a source tells it. Each part is empty if unknown."""

    email: str = ""
    first_name: str = ""
    last_name: str = ""

    @property
    def address(self) -> str:
        """Return the mail key of a mailbox that one person reads; empty for no address and for a role address."""
        return personal_key(self.email)

    @property
    def is_named(self) -> bool:
        """Whether any part of the name is known."""
        return bool(_parts(self.first_name) or _parts(self.last_name))


def personal_key(email: str) -> str:
    """Return the mail key that identifies one person; empty for no address, and for a mailbox that several people read."""
    return "" if is_role_address(email) else mail_key(email)


def shows(known: Who, told: Who) -> Shows:
    """Return what a conversion under a known id of the source shows about the person who came under this id before.

    1. The same personal address is the same person, whatever the name.
    2. Names that contradict each other are two people.
    3. Without a personal address in the conversion, the id decides: the same person.
    4. A first personal address joins the known person if the names are the same, or if no name was known.
    5. Another personal address is the known person only under the same full name. Otherwise it is another person.
    """
    if told.address and told.address == known.address:
        return "same"
    if contradict(known, told):
        return "another"
    if not told.address:
        return "same"
    if not known.address:
        return "same" if not known.is_named or same_name(known, told) else "another"
    return "moved" if same_name(known, told) else "another"


def place(known: Sequence[Who], told: Who) -> int | None:
    """Return which of the leads under one id a conversion is about, as an index; None for somebody new.

    Of several people whom nothing contradicts, the one of this name counts if there is only one, else the first. Of several leads
    of one person the newest counts.
    """
    by_address = [number for number, one in enumerate(known) if told.address and one.address == told.address]
    if by_address:
        return by_address[0]
    people: list[list[int]] = []
    for number in (number for number, one in enumerate(known) if shows(one, told) == "same"):
        theirs = next((one for one in people if same_name(known[one[0]], known[number])), None)
        if theirs is None:
            people.append([number])
        else:
            theirs.append(number)
    named = [one for one in people if told.last_name and known[one[0]].last_name]
    return (named if len(named) == 1 else people)[0][-1] if people else None


def learned(known: Who, told: Who) -> Who:
    """Return what is known of a person after a conversion of theirs: gaps are filled, and a first personal address counts."""
    email = told.email if told.address and not known.address else known.email or told.email
    if contradict(known, told):
        return Who(email, known.first_name, known.last_name)
    return Who(email, known.first_name or told.first_name, known.last_name or told.last_name)


def same_name(one: Who, other: Who) -> bool:
    """Whether both have the same first and last name, both known; compared without case, accents and order."""
    full = all((one.first_name.strip(), one.last_name.strip(), other.first_name.strip(), other.last_name.strip()))
    return full and sorted(_all(one)) == sorted(_all(other))


def contradict(one: Who, other: Who) -> bool:
    """Whether these cannot be the names of one person: the last names differ, or the first names do.

    A part that is unknown contradicts nothing. An initial fits each name that begins with it, and "Ana Maria" fits "Ana".
    """
    if sorted(_all(one)) == sorted(_all(other)):
        return False
    firsts, lasts = (_parts(one.first_name), _parts(other.first_name)), (_parts(one.last_name), _parts(other.last_name))
    if all(firsts) and all(lasts):
        return not (_fit(*firsts) and _fit(*lasts))
    if all(firsts) or all(lasts):
        return not (_fit(*firsts) if all(firsts) else _fit(*lasts))
    # One says only the first name, and the other only the last name, or one says nothing: nothing to compare.
    return False


def plain(name: str) -> str:
    """Return a name as it is compared: without case, accents and punctuation, one space between its parts."""
    return " ".join(_parts(name))


def _all(who: Who) -> list[str]:
    return [*_parts(who.first_name), *_parts(who.last_name)]


def _parts(name: str) -> list[str]:
    bare = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(ch if ch.isalnum() else " " for ch in bare if not unicodedata.combining(ch))
    return kept.split()


def _fit(one: list[str], other: list[str]) -> bool:
    few, many = sorted((one, other), key=len)
    return all(any(_fits(part, each) for each in many) for part in few)


def _fits(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) == 1 and long.startswith(short))
