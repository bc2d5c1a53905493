"""A lead as it comes in, and the facts that rules may ask about. Nothing here stores or sends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from types import MappingProxyType
from typing import Annotated, Any

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from agreements.countries import country_code
from agreements.slips import unlikely_request, whole_number

#: NUL and lone surrogates, and the control characters by which a text would move the cursor or change the colours of a terminal.
_NOT_STORABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")


def storable(text: str) -> str:
    """Return the text with a replacement character for what some databases cannot store, and for what a terminal would carry out."""
    return _NOT_STORABLE.sub("\ufffd", text)


#: The maximum length of a short fact and of a text, in characters, and the maximum number of fields of a lead.
MAX_SHORT, MAX_TEXT, MAX_FIELDS = 200, 10_000, 100
#: The maximum number of legal bases that come with one inquiry.
MAX_CONSENTS = 20
#: JSON, databases and floating point represent every whole number up to this one exactly.
MAX_NUMBER = 2**53
#: Any other year is a typing error, and near the ends of the calendar no zone can be calculated.
LIKELY_YEARS = range(1900, 2200)

# Reps may have their mailboxes in the company's own network. The library documents that callers may change this list.
if "local" in SPECIAL_USE_DOMAIN_NAMES:
    SPECIAL_USE_DOMAIN_NAMES.remove("local")

Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_SHORT)]
Short = Annotated[Address, AfterValidator(storable)]
Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_SHORT), AfterValidator(storable)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT), AfterValidator(storable)]


def is_countable(number: int | float) -> bool:
    """Whether every part of Baton calculates alike with this number; false for NaN and infinity."""
    return abs(number) <= MAX_NUMBER


def is_within_bounds(value: Any) -> bool:
    """Whether a field's value is within the limits for incoming leads. Values stored before the limits existed may exceed them."""
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return not isinstance(value, (int, float)) or is_countable(value)


def beyond_bounds(value: Any) -> str:
    """Say what is wrong with a value above the limits, which are the same for every way in; empty if nothing is wrong."""
    if is_within_bounds(value):
        return ""
    return f"is longer than {MAX_TEXT} characters" if isinstance(value, str) else f"is no number from -{MAX_NUMBER} to {MAX_NUMBER}"


def _bounded(value: str | int | float | bool | None) -> str | int | float | bool | None:
    if problem := beyond_bounds(value):
        raise ValueError(problem)
    return storable(value) if isinstance(value, str) else value


def _likely(at: datetime) -> datetime:
    if at.year not in LIKELY_YEARS:
        raise ValueError("is not a likely time")
    return at


FieldValue = Annotated[str | int | float | bool | None, AfterValidator(_bounded)]
#: An id or a telephone number: its digits must all be there.
Id = Annotated[Key, AfterValidator(whole_number)]
Digits = Annotated[Short, AfterValidator(whole_number)]
Instant = Annotated[AwareDatetime, AfterValidator(_likely)]
#: Prefix of the facts that only the CRM gives.
ACCOUNT = "account."

#: Anybody can open a mailbox here, so the address says nothing about a company.
FREE_PROVIDERS = frozenset(
    """
    gmail.com googlemail.com yahoo.com yahoo.co.uk hotmail.com hotmail.co.uk outlook.com live.com icloud.com me.com aol.com
    gmx.net gmx.de gmx.com web.de mail.com proton.me protonmail.com yandex.com zoho.com btinternet.com
    """.split()
)
#: Throw-away mailboxes: nobody reads the mail.
DISPOSABLE_PROVIDERS = frozenset(
    """
    mailinator.com guerrillamail.com 10minutemail.com tempmail.com temp-mail.org yopmail.com trashmail.com sharklasers.com
    throwawaymail.com getnada.com dispostable.com maildrop.cc fakeinbox.com mintemail.com
    """.split()
)


class Consent(BaseModel):
    """What the person was told or agreed to, for one channel and purpose.

    basis: the legal basis, such as consent or legitimate-interest; at: since when it holds, aware; source: where they were told.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Key
    purpose: Key
    basis: Key
    at: Instant | None = None
    source: Short = ""


class IncomingLead(BaseModel):
    """One inquiry as it comes in: a form, a row of a file, a call of the API.

    source, source_id: the sender and its id for the inquiry. The pair identifies the lead permanently.
    conversion_id: what the lead did. A repeated id changes nothing. Without an id, the activity and its time are used.
    phone, source_id, conversion_id: all digits; a number that a spreadsheet has shortened (`1.2E+15`) is refused.
    country: its code of two letters, from any usual way to write it; a text that names no country, or several, stays as it is.
    at, requested_time: aware instants; requested_time is when the lead asked to be contacted, see `unlikely_request`.
    sales_sourced_by: the id of the rep who brought the lead in, empty for none.
    consents: the legal basis by channel and purpose. Earlier consents stay.
    fields: the other facts that the agreement's `fields` declare, without the CRM's facts about the company.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Key = "api"
    source_id: Id
    conversion_id: Digits = ""
    at: Instant | None = None
    email: Address = ""
    first_name: Short = ""
    last_name: Short = ""
    phone: Digits = ""
    company: Short = ""
    job_title: Short = ""
    country: Short = ""
    entry_channel: Short = "web"
    activity: Key = "form_submitted"
    path: Short = ""
    campaign: Short = ""
    message: Text = ""
    requested_time: Instant | None = None
    do_not_contact: bool = False
    sales_sourced_by: Short = ""
    consents: tuple[Consent, ...] = Field(default=(), max_length=MAX_CONSENTS)
    fields: dict[Key, FieldValue] = Field(default_factory=dict, max_length=MAX_FIELDS)

    @field_validator("email")
    @classmethod
    def _one_address(cls, value: str) -> str:
        if value and not is_address(value):
            raise ValueError("is not an e-mail address; write it as name@company.example, or leave it empty")
        return value

    @field_validator("country")
    @classmethod
    def _code_of_country(cls, value: str) -> str:
        return country_code(value)

    @field_validator("requested_time")
    @classmethod
    def _likely_request(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        asked_at = info.data.get("at")
        if asked_at and (problem := unlikely_request(value, asked_at=asked_at)):
            raise ValueError(problem)
        return value

    @field_validator("fields")
    @classmethod
    def _own_facts(cls, value: dict[str, FieldValue]) -> dict[str, FieldValue]:
        if taken := sorted(name for name in value if name.startswith(ACCOUNT)):
            raise ValueError(f"{taken[0]!r} is what the CRM says of the company, not the lead; give the field another name")
        return value

    def key_of_conversion(self) -> str:
        """The key of what the lead did: the given conversion id, else activity and time."""
        return conversion_key(self.conversion_id, self.activity, self.at)


def content_of(incoming: IncomingLead) -> str:
    """Return a short digest of what the lead asks for: two presses of one form have the same."""
    requested = incoming.requested_time.astimezone(UTC).isoformat() if incoming.requested_time else ""
    said = (incoming.activity, incoming.path, incoming.campaign, incoming.message, requested)
    return blake2b(repr(said).encode(), digest_size=8).hexdigest()


def conversion_key(conversion_id: str, activity: str, at: datetime | None) -> str:
    """The key of what a lead did: the given conversion id, else activity and time (aware)."""
    return conversion_id or f"{activity}@{at.astimezone(UTC).isoformat() if at else 'unknown'}"


def is_address(text: str) -> bool:
    """Whether text is one plain mail address with a dot in the domain. No name server is asked.

    Internal addresses (`ana@sales.local`) and trial addresses (`ana@firm.test`) are accepted. Quoted names, IP addresses in
    brackets and the other reserved domains (`.invalid`, `.onion` …) are refused. At most 200 characters.
    """
    if len(text) > MAX_SHORT or "." not in text.rpartition("@")[2] or not text.isprintable():
        return False
    try:
        validate_email(text, check_deliverability=False, globally_deliverable=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def mail_key(email: str) -> str:
    """Return the address that identifies a person: lower case, without a +tag; empty for no address."""
    name, _, domain = email.strip().lower().partition("@")
    return f"{name.split('+', 1)[0] or name}@{domain}" if domain else ""


def domain_of(email: str) -> str:
    """Return the part after the @, in lower case; empty for no address."""
    return email.strip().lower().rpartition("@")[2] if "@" in email else ""


def kinds_of_mail(email: str) -> frozenset[str]:
    """Return the kinds of an address: missing, or present and one of disposable, free and company."""
    domain = domain_of(email)
    if not domain:
        return frozenset({"missing"})
    if domain in DISPOSABLE_PROVIDERS:
        return frozenset({"present", "disposable", "free"})
    if domain in FREE_PROVIDERS:
        return frozenset({"present", "free"})
    return frozenset({"present", "company"})


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that the lead did: the kind of activity, when (aware), and on which page."""

    kind: str
    at: datetime
    path: str = ""


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """Everything that the rules may ask about a lead at one instant.

    values: facts by name, such as `country`, `industry`, `account.status`; missing facts are absent.
    activities: in order of time. last_touch: when a person last tried to reach the lead.
    since: the end of the earlier handoff; only a later request can open the fast lane.
    """

    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    activities: tuple[Done, ...] = ()
    last_touch: datetime | None = None
    entry_channel: str = "web"
    since: datetime | None = None

    def value(self, name: str) -> Any:
        """Return the fact of that name, None if unknown."""
        return self.values.get(name)
