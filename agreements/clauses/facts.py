"""The facts that rules may ask for, and how their values are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from agreements.clauses.base import ACondition, Clause, Name
from agreements.countries import country_code
from agreements.lead import IncomingLead

#: Facts that every lead has without a declaration, and their meaning. `fields:` declares the others.
BUILT_IN: Mapping[str, str] = {
    "source": "the system that sent the lead: web, webinar, the name of an API client …",
    "email": "the address",
    "email_domain": "the part of the address after the @",
    "phone": "the number",
    "name_has_link": "yes when the person's name holds a web address",
    "company": "the company's name",
    "job_title": "the person's job there",
    "country": "the code of two letters, as in GB; a rule may write it in any usual way",
    "timezone": "the person's time zone, as in Europe/London",
    "entry_channel": "web, trade_show, email …",
    "campaign": "what brought the lead",
    "suppressed": "yes when nobody may contact the person",
    "sales_sourced": "yes when a rep brought the lead in",
    "budget": "yes when the lead has a budget",
    "authority": "yes when the lead can decide",
    "need": "yes when the lead has a need we can meet",
    "timeline": "yes when the lead knows by when",
    "account.id": "the company's id in the CRM",
    "account.status": "the company's status in the CRM: customer …",
    "account.owner": "who owns the company in the CRM",
    "account.open_opportunity": "yes when an opportunity is under way there",
}
#: Names of inquiry data that no rule asks for. A declared field with such a name would be mistaken for that data.
INQUIRY: frozenset[str] = frozenset(IncomingLead.model_fields.keys() - BUILT_IN.keys())
#: The usual names of activities, and their meaning. Any other name may come in as well.
ACTIVITIES: Mapping[str, str] = {
    "form_submitted": "a form was sent; also the activity of a lead that names none",
    "page_viewed": "a page was looked at",
    "content_downloaded": "a paper or a guide was downloaded",
    "webinar_attended": "a webinar was watched",
    "trade_show_visit": "a talk at a stand",
    "demo_requested": "a demo was asked for",
    "quote_requested": "a price was asked for",
    "contact_sales": "the lead asked for a call from sales",
}
#: Facts that are known only after a lead has qualified. Tiers and segments may ask for them too.
LATER: Mapping[str, str] = {
    "fast_lane": "yes when the lead asked to talk to sales",
    "asked": "what the lead asked for: its newest activity of the fast lane, unknown for none",
    "persona": "the first persona that matches",
    "product": "the product of that persona",
    "score": "points in all, 0 to 100",
    "tier": "the tier of the lead; segments only",
}

Plain = str | int | float | bool
_Words = tuple[str, ...]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


#: How the values of a fact are written.
FactType = Literal["choice", "text", "number", "yes_no", "date"]


class DeclaredField(Clause):
    """One fact that leads bring along: its type and how its values are written.

    synonyms: written text -> its meaning. bands: a range as written -> the number to use for it.
    null_values: texts that mean "unknown". if_missing: the value to use when the fact is unknown; `unknown` fails every test
    except `missing` and `not_in`. values: all values of a choice; empty allows any.
    known: whether the fact is known before sales contacts the lead; a later fact cannot qualify anybody.
    """

    type: FactType = "text"
    values: tuple[str, ...] = ()
    synonyms: Mapping[str, Plain] = Field(default_factory=dict)
    bands: Mapping[str, float] = Field(default_factory=dict)
    null_values: Annotated[_Words, BeforeValidator(_listed, json_schema_input_type=str | _Words)] = ()
    if_missing: Plain = "unknown"
    known: Literal["before_contact", "after_contact"] = "before_contact"
    why: str = ""


class Persona(Clause):
    """A kind of buyer: which product they buy, and their pain points."""

    name: Name
    product: str = ""
    pain_points: tuple[str, ...] = ()
    match: ACondition


def with_country_codes(fields: Mapping[str, DeclaredField]) -> Mapping[str, DeclaredField]:
    """Return the fields with the codes of the countries that the synonyms of `country` name: a lead comes in with the code."""
    declared = fields.get("country")
    if declared is None:
        return fields
    known = {text.casefold() for text in declared.synonyms}
    codes = {country_code(text): meant for text, meant in declared.synonyms.items()}
    more = {code: meant for code, meant in codes.items() if code.casefold() not in {*known, str(meant).casefold()}}
    synonyms = {**declared.synonyms, **more}
    return {**fields, "country": declared.model_copy(update={"synonyms": synonyms})} if more else fields


#: What becomes of a lead that is screened out.
Screened = Literal["disqualify", "suppress", "attach", "route"]


class ScreenRule(Clause):
    """Which leads are screened out or routed before scoring. The first rule that matches counts."""

    when: ACondition
    then: Screened
    as_: str = Field(default="", alias="as")
    to: Literal["account-owner"] = "account-owner"
    tell: Literal["", "opportunity-owner", "account-owner", "marketing"] = ""
    tier: str = ""
    why: str = ""
