"""Which facts the rules may ask for, and how their values are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from agreements.clauses.base import ACondition, Clause, Name
from agreements.lead import IncomingLead

#: Facts that every lead has by itself, and what they are; `fields:` declares the others.
BUILT_IN: Mapping[str, str] = {
    "source": "where the lead was taken in: web, webinar, the name of an API client …",
    "email": "the address",
    "email_domain": "what stands behind the @",
    "phone": "the number",
    "company": "the company's name",
    "job_title": "what the person does there",
    "country": "two letters, as in GB",
    "entry_channel": "web, trade_show, email …",
    "campaign": "what brought the lead",
    "suppressed": "yes when nobody may contact the person",
    "sales_sourced": "yes when a rep brought the lead in",
    "budget": "yes when the lead has a budget",
    "authority": "yes when the lead can decide",
    "need": "yes when the lead has a need we can meet",
    "timeline": "yes when the lead knows by when",
    "account.id": "the company's id in the CRM",
    "account.status": "what the CRM says of the company: customer …",
    "account.owner": "who owns the company in the CRM",
    "account.open_opportunity": "yes when an opportunity is under way there",
}
#: What each inquiry says of itself and no rule asks for: a field of such a name would be taken for the column of every lead.
INQUIRY: frozenset[str] = frozenset(IncomingLead.model_fields.keys() - BUILT_IN.keys())
#: The usual names of what leads do, and what they mean. Any other name may come in as well.
ACTIVITIES: Mapping[str, str] = {
    "form_submitted": "a form was sent; what a lead did that tells nothing else",
    "page_viewed": "a page was looked at",
    "content_downloaded": "a paper, a guide or the like was taken",
    "webinar_attended": "a webinar was watched",
    "trade_show_visit": "a talk at a stand",
    "demo_requested": "a demo was asked for",
    "quote_requested": "a price was asked for",
    "contact_sales": "a call by sales was asked for",
}
#: Facts that are known once a lead is qualified: tiers and segments may ask for them as well.
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


class DeclaredField(Clause):
    """One fact that leads bring along: its type and how its values are written.

    synonyms: what is written -> what it means. bands: a range as it is written -> the number that stands for it.
    null_values: what stands there when nothing is known. if_missing: what is taken then; `unknown` answers no to every
    question but `missing` and `not_in`. values: of a choice, all that there are; empty leaves them open.
    known: whether it is there before sales contacts the lead; what is written later cannot qualify anybody.
    """

    type: Literal["choice", "text", "number", "yes_no", "date"] = "text"
    values: tuple[str, ...] = ()
    synonyms: Mapping[str, Plain] = Field(default_factory=dict)
    bands: Mapping[str, float] = Field(default_factory=dict)
    null_values: Annotated[_Words, BeforeValidator(_listed, json_schema_input_type=str | _Words)] = ()
    if_missing: Plain = "unknown"
    known: Literal["before_contact", "after_contact"] = "before_contact"
    why: str = ""


class Persona(Clause):
    """Who buys which product, and what hurts them."""

    name: Name
    product: str = ""
    pain_points: tuple[str, ...] = ()
    match: ACondition


class ScreenRule(Clause):
    """Which leads are sorted out before scoring; the first rule that matches counts."""

    when: ACondition
    then: Literal["disqualify", "suppress", "attach", "route"]
    as_: str = Field(default="", alias="as")
    to: Literal["account-owner"] = "account-owner"
    tell: Literal["", "opportunity-owner", "account-owner", "marketing"] = ""
    tier: str = ""
    why: str = ""
