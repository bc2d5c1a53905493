"""The dictionary of fields: what a cell means to the rules."""

from __future__ import annotations

from typing import Any

import pytest

from agreements.clauses.facts import DeclaredField
from agreements.fields import stated, value_of
from agreements.loading import read_agreement
from tests.agreements.tables import cases
from tests.conftest import AGREEMENT


@pytest.mark.parametrize("case", cases("field_cases.yaml"))
def test_a_cell_means_what_the_table_says(case: dict[str, Any]) -> None:
    declared = DeclaredField.model_validate(case["declared"])

    seen = [[raw, value_of(declared, raw)] for raw, _ in case["cells"]]

    assert [[type(value), value] for _, value in seen] == [[type(wanted), wanted] for _, wanted in case["cells"]]


def test_what_is_not_declared_comes_through_as_it_is_and_blanks_are_unknown() -> None:
    known = stated(read_agreement(AGREEMENT), {"country": "GB", "industry": "SaaS", "employees": "Select", "phone": "", "notes": None})

    assert known == {"country": "GB", "industry": "software"}


def test_the_domain_follows_from_the_address() -> None:
    agreement = read_agreement(AGREEMENT)

    assert stated(agreement, {"email": "Lee@Harbour.Example"})["email_domain"] == "harbour.example"
    assert stated(agreement, {"email": "lee@x.example", "email_domain": "y.example"})["email_domain"] == "y.example"
    assert "email_domain" not in stated(agreement, {"email": "nobody"})
