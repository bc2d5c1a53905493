"""What a new conversion shows to have changed: the role, the company."""

from __future__ import annotations

import pytest

from agreements.changes import another_company, another_role

#: What it was, what it is now, whether that is another role.
ROLES = [
    ("Head of Operations", "Chief Operating Officer", True),
    ("Head of Operations", "head of  operations ", False),
    ("Head of Operations", "", False),
    ("", "Head of Operations", False),
]
#: Name and address as they were, as they are now, whether that is another company.
COMPANIES = [
    (("Harbour", "lee@harbour.example"), ("Quay", "lee@quay.example"), True),
    (("Harbour", "lee@harbour.example"), ("Harbour", "lee@quay.example"), True),
    (("Harbour", "lee@harbour.example"), ("Harbour & Sons Ltd", "lee@harbour.example"), False),
    (("Harbour", "lee@harbour.example"), ("Harbour", "lee@uk.harbour.example"), False),
    (("Harbour", "lee@gmail.com"), ("Quay", "lee@gmail.com"), True),
    (("Harbour", "lee@gmail.com"), (" HARBOUR", "lee@gmail.com"), False),
    (("Acme Corp", ""), ("ACMECORP", ""), False),
    (("Harbour", "lee@harbour.example"), ("Harbour", "lee@gmail.com"), False),
    (("Harbour", "lee@harbour.example"), ("Quay", "lee@gmail.com"), True),
    (("Harbour", "lee@harbour.example"), ("Quay", ""), True),
    (("Harbour", "lee@harbour.example"), ("", ""), False),
    (("", ""), ("Quay", "lee@quay.example"), False),
    (("", "lee@harbour.example"), ("", "lee@quay.example"), True),
]


@pytest.mark.parametrize(("was", "now", "changed"), ROLES)
def test_another_role_is_another_title(was: str, now: str, changed: bool) -> None:
    assert another_role(was, now) is changed


@pytest.mark.parametrize(("was", "now", "changed"), COMPANIES)
def test_another_company_is_another_domain_or_name(was: tuple[str, str], now: tuple[str, str], changed: bool) -> None:
    assert another_company(was, now) is changed
