"""Facts that people write down only after sales has contacted a lead. They cannot have qualified anybody, so no rule may ask for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from agreements.asked import facts_asked
from agreements.errors import AgreementError
from agreements.model import Agreement
from app.csv_import.lead_map import LeadMap


def refuse_after_contact(agreements: Sequence[Agreement], mapping: LeadMap | None, *, later_columns: Collection[str], file: str) -> None:
    """Raise AgreementError that names each rule which asks for such a fact.

    later_columns: columns that say what became of the leads; file: the file that holds them.
    """
    problems = [
        f"{agreement.reference}: {', '.join(places)} asks for {name}, {why}. That fact cannot have qualified anybody. Take the rule"
        " out, or ask for a fact that is known before."
        for agreement in agreements
        for name, places in facts_asked(agreement).items()
        for why in _reasons(name, agreement, mapping, later_columns, file)
    ]
    if problems:
        raise AgreementError("\n".join(dict.fromkeys(problems)))


def _reasons(name: str, agreement: Agreement, mapping: LeadMap | None, later_columns: Collection[str], file: str) -> Iterator[str]:
    declared = agreement.fields.get(name)
    column = mapping and (mapping.fields.get(name) or mapping.columns.get(name))
    if declared and declared.known == "after_contact":
        yield "which `fields` declares as `known: after_contact`"
    elif mapping and name in mapping.after_contact:
        yield "which the map lists under `after_contact`"
    elif column in later_columns:
        yield f"which is in column {column} of {file}, with the outcomes"
