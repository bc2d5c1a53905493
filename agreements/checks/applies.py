"""Check that `applies_to` asks only for facts that are known when a lead comes in."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.checks.base import Finding
from agreements.clauses.facts import LATER
from agreements.lead import ACCOUNT
from agreements.model import Agreement


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find facts that nobody knows yet when a lead comes in."""
    declared = agreement.fields
    for name in dict.fromkeys(test.field for test in agreement.applies_to.tests):
        if name.startswith(ACCOUNT):
            what = "comes from the CRM after a lead has come in; ask for a fact that the lead brings along, such as `source`"
        elif name in LATER and name not in declared:
            what = "is known only after a lead has come in; ask for a fact that the lead brings along, such as `source`"
        elif name in declared and declared[name].known == "after_contact":
            what = "is known only after sales has spoken to the lead; ask for a fact that the lead brings along, such as `source`"
        else:
            continue
        yield Finding(("applies_to", name), what)
