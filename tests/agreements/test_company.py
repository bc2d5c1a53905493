"""Colleagues are told by the domain of their company, and people without one have no colleagues."""

from __future__ import annotations

import pytest

from agreements.company import company_key


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("ana@acme.com", "acme.com"),
        ("Ana.Silva+demo@ACME.com", "acme.com"),
        ("ana@mail.acme.com", "acme.com"),
        ("ana@uk.sales.acme.com", "acme.com"),
        ("ana@acme.co.uk", "acme.co.uk"),
        ("ana@mail.acme.co.uk", "acme.co.uk"),
        ("ana@acme.com.au", "acme.com.au"),
        ("ana@firma.gv.at", "firma.gv.at"),
        ("info@acme.com", "acme.com"),
        ("ana@bücher.de", "xn--bcher-kva.de"),
        ("ana@xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("ana@firm.example", "firm.example"),
        ("ana@firm.test", "firm.test"),
        ("ana@sales.local", "sales.local"),
        ("ana@acme.github.io", "acme.github.io"),
        ("ana@acme.onmicrosoft.com", "acme.onmicrosoft.com"),
        ("ana@mail.acme.onmicrosoft.com", "acme.onmicrosoft.com"),
        ("ana@deliver.example", "deliver.example"),
        ("ana@liveworks.com", "liveworks.com"),
    ],
)
def test_the_domain_that_a_company_has_registered(email: str, expected: str) -> None:
    assert company_key(email) == expected


@pytest.mark.parametrize(
    "domain",
    "gmail.com googlemail.com web.de gmx.net gmx.at yahoo.fr yahoo.co.jp hotmail.it live.nl outlook.fr icloud.com privaterelay.appleid.com"
    " mailinator.com yopmail.com t-online.de comcast.net wanadoo.fr btinternet.com bluewin.ch qq.com mail.ru proton.me users.gmail.com"
    " co.uk github.io onmicrosoft.com com a..b".split(),
)
def test_no_company_by_a_provider_or_a_public_suffix(domain: str) -> None:
    assert company_key(f"ana@{domain}") == company_key(f"info@{domain}") == ""


@pytest.mark.parametrize("email", ["", "ana", "@", "ana@", " "])
def test_no_address_is_of_no_company(email: str) -> None:
    assert company_key(email) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("acme.co.uk", "other.co.uk"), ("a.github.io", "b.github.io"), ("a.com.au", "b.com.au"), ("a.onmicrosoft.com", "b.onmicrosoft.com"),
     ("acme.com", "acme.de"), ("a.blogspot.com", "b.blogspot.com"), ("notacme.com", "acme.com")],
)  # fmt: skip
def test_two_companies_stay_two(one: str, other: str) -> None:
    assert company_key(f"ana@{one}") != company_key(f"ben@{other}")
