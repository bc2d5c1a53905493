"""The contract in words, as one document of plain values. `contract_page` in notifications/ makes the web page."""

from __future__ import annotations

from agreements.model import Agreement
from agreements.wording import afterwards, clocks, handing_over, opening, readiness
from agreements.wording.document import Contract
from agreements.wording.markdown import markdown

#: The parts of a contract, in reading order.
_SECTIONS = (
    opening.promises,
    opening.way_of_a_lead,
    readiness.definitions,
    readiness.objectives,
    readiness.personas,
    readiness.screen,
    readiness.facts,
    readiness.changes,
    readiness.note,
    handing_over.tiers,
    handing_over.routing,
    handing_over.notification,
    handing_over.attention,
    clocks.clocks,
    handing_over.calendars,
    handing_over.legs,
    afterwards.reasons,
    afterwards.afterwards,
    afterwards.crm,
    afterwards.housekeeping,
)


def contract(agreement: Agreement) -> Contract:
    """Return everything agreed, in words: who owes what to whom by when, and every rule beside the word that it decides."""
    sections = (part(agreement) for part in _SECTIONS)
    title = f"{agreement.agreement}, version {agreement.version}"
    return Contract(title, opening.summary(agreement), tuple(section for section in sections if section.blocks))


def contract_in_words(agreement: Agreement) -> str:
    """Return the contract as Markdown. Markup in people's own texts is escaped."""
    return markdown(contract(agreement))
