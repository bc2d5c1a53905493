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
        f"{agreement.reference}: {', '.join(places)} asks for {name}, {why}: it can have qualified nobody. Take the rule out, or ask"
        " for something that is known before."
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
        yield "which its `fields` declare to be `known: after_contact`"
    elif mapping and name in mapping.after_contact:
        yield "which the map says is written down after contact"
    elif column in later_columns:
        yield f"which stands in the column {column} of {file}, where the outcomes stand"
