"""Opt-out: how a person says that nobody may contact them, and what an entry of the do-not-contact list is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agreements.lead import IncomingLead, is_address, mail_key
from agreements.words import NoWord, OptOutChannel

#: The activities by which a person refuses contact, and the channel that they refuse.
BY_ACTIVITY: Mapping[str, OptOutChannel] = {
    "do_not_contact": "all",
    "opted_out": "all",
    "opt_out": "all",
    "unsubscribed": "all",
    "unsubscribe": "all",
    "do_not_email": "email",
    "email_opt_out": "email",
    "do_not_call": "phone",
    "phone_opt_out": "phone",
}
#: A phone number with fewer digits identifies nobody.
FEWEST_DIGITS = 6
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_PHONE = re.compile(r"(?:\+|00)[0-9 ()./-]+")

EntryKind = Literal["address", "domain", "phone"]


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One entry of the do-not-contact list. value: in the form in which Baton compares it."""

    value: str
    kind: EntryKind


def refused_by(incoming: IncomingLead) -> OptOutChannel | NoWord:
    """Return the channel that this inquiry refuses, empty for none. `do_not_contact` refuses all of them."""
    named = re.sub(r"[\s-]+", "_", incoming.activity.casefold())
    return "all" if incoming.do_not_contact else BY_ACTIVITY.get(named, "")


def phone_key(phone: str) -> str:
    """Return the digits of a phone number, the same in every way of writing it; empty for a number that identifies nobody."""
    digits = "".join(ch for ch in phone if ch.isdecimal())
    digits = digits[2:] if digits.startswith("00") else digits
    return digits if len(digits) >= FEWEST_DIGITS else ""


def dialled_key(phone: str, country: str = "") -> str:
    """Return the digits that one dials from abroad: the same for `020 7946 0101` of a lead in GB, `+44 (0)20 7946 0101` and `0044 20 …`.

    country: of the person, two letters, by which a number without a country code is read. Empty where nothing tells the country
    code, and for what is no possible number.
    """
    digits = phone_key(phone)
    written = f"+{digits}" if digits and phone.strip().startswith("00") else phone
    if not digits or not (written.strip().startswith("+") or len(country) == 2):
        return ""
    import phonenumbers  # slow to load, and only needed for a number

    try:
        number = phonenumbers.parse(written, country or None)
    except phonenumbers.NumberParseException:
        return ""
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}" if phonenumbers.is_possible_number(number) else ""


def read_entry(text: str) -> ListEntry:
    """Return the entry that this text names: an address, a domain or a phone number. Raises ValueError that says what to write."""
    given = text.strip()
    name, at, domain = given.rpartition("@")
    if at and name:
        if not is_address(given):
            raise ValueError(f"{given[:80]!r} is no e-mail address; write it as name@company.example")
        return ListEntry(mail_key(given), "address")
    if _DOMAIN.fullmatch(domain.lower()) and len(domain) <= 200:
        return ListEntry(domain.lower(), "domain")
    if given and not at and set(given) <= set("+0123456789 ()./-"):
        key = dialled_key(given) or phone_key(given)
        if not _PHONE.fullmatch(given) or not key or len(key) > 15:
            raise ValueError(f"{given[:80]!r} is no phone number with its country code; write it as +44 20 7946 0101")
        return ListEntry(key, "phone")
    instead = "write name@company.example, company.example or +44 20 7946 0101"
    raise ValueError(f"{given[:80]!r} is no address, domain or phone number; {instead}")


def channel_of(entry: ListEntry, channel: OptOutChannel) -> OptOutChannel:
    """Return the channel, if the entry can refuse it. Raises ValueError: nobody can be phoned at a domain, for example."""
    if channel == "phone" and entry.kind == "domain":
        raise ValueError("a domain says nothing about phone numbers; leave --channel out, or list the person's address")
    if channel == "email" and entry.kind == "phone":
        raise ValueError("a phone number says nothing about mail; list the person's address with --channel email")
    return channel
