"""A country counts however people write it; what names no country, or several, stays as it was told and is named."""

from __future__ import annotations

from typing import Any

import pycountry
import pytest

from agreements.clauses.facts import DeclaredField, with_country_codes
from agreements.countries import CODES, country_code, country_name, unclear_country
from agreements.criteria import condition
from agreements.fields import value_of
from agreements.lead import IncomingLead
from agreements.overlap import can_both_hold

#: Code -> how people write the country.
WRITTEN = {
    "GB": "GB|gb|UK|U.K.|GBR|United Kingdom|Great Britain|great  britain|England|Vereinigtes Königreich|Royaume-Uni|Reino Unido",
    "US": "us|USA|U.S.|U.S.A.|United States|United States of America|the United States|Vereinigte Staaten|Etats-Unis|EE.UU.",
    "DE": "de|DEU|Germany| germany |Deutschland|Allemagne|Alemania|Duitsland|ドイツ",
    "AT": "AUT|Österreich|Osterreich|Autriche",
    "KR": "KOR|South Korea|Korea, South|Korea, Republic of|Republic of Korea|대한민국",
    "KP": "PRK|North Korea",
    "NL": "Netherlands|The Netherlands|Holland|Nederland|Pays-Bas",
    "CZ": "Czechia|Czech Republic|Česko",
    "CI": "Côte d'Ivoire|Cote d’Ivoire|Ivory Coast",
    "TR": "Turkey|Türkiye|Turkiye",
    "RU": "Russia|Россия|Russian Federation",
    "GR": "EL|Greece|Ελλάδα|Griechenland",
    "IE": "Ireland|Republic of Ireland|Éire",
    "BA": "Bosnia & Herzegovina|Bosnia and Herzegovina",
    "SK": "Slovakia|Slovenská republika|Slowakei",
    "VN": "Vietnam|Viet Nam",
    "XK": "Kosovo|XKX",
    "CD": "DRC|Congo, The Democratic Republic of the",
}
CASES = [(code, text) for code, texts in WRITTEN.items() for text in texts.split("|")]


@pytest.mark.parametrize(("code", "text"), CASES)
def test_a_country_has_one_code_however_it_is_written(code: str, text: str) -> None:
    assert country_code(text) == code
    assert IncomingLead(source_id="1", country=text).country == code
    assert unclear_country(text) == ""


@pytest.mark.parametrize(
    ("text", "kept", "problem"),
    [
        ("Korea", "Korea", "'Korea' can be KP (North Korea) or KR (South Korea); write the code"),
        ("congo", "congo", "'congo' can be CD (Congo, The Democratic Republic of the) or CG (Congo); write the code"),
        ("Virgin Islands", "Virgin Islands", "can be VG"),
        ("Atlantis", "Atlantis", "'Atlantis' is no country that Baton knows; write its English name or its code of two letters"),
        ("zz", "ZZ", "'zz' is no country"),
        ("EMEA", "EMEA", "is no country"),
        ("Deutchland", "Deutchland", "is no country"),
        ("...", "...", "is no country"),
        ("", "", ""),
    ],
)
def test_what_names_no_country_or_several_stays_and_is_named(text: str, kept: str, problem: str) -> None:
    assert IncomingLead(source_id="1", country=text).country == kept
    assert unclear_country(text).startswith(problem) or problem in unclear_country(text)
    assert bool(unclear_country(text)) is bool(problem)


def test_every_code_of_the_library_is_known_without_loading_it() -> None:
    assert {one.alpha_2 for one in pycountry.countries} | {"XK"} == CODES
    assert all(country_code(code) == code and country_name(code) for code in CODES)


def test_no_english_name_means_another_country() -> None:
    for one in pycountry.countries:
        for text in filter(None, (one.alpha_3, one.name, getattr(one, "common_name", ""), getattr(one, "official_name", ""))):
            assert country_code(text) in (one.alpha_2, text), text


@pytest.mark.parametrize(
    ("clause", "value", "holds"),
    [
        ({"country": ["GB", "IE"]}, "United Kingdom", True),
        ({"country": ["GB", "IE"]}, "UK", True),
        ({"country": ["GB", "IE"]}, "Deutschland", False),
        ({"country": "United Kingdom"}, "GB", True),
        ({"country": {"is": "usa"}}, "United States", True),
        ({"country": {"not_in": ["North Korea", "Iran"]}}, "KP", False),
        ({"country": {"not_in": ["North Korea", "Iran"]}}, "KR", True),
        ({"country": {"not_in": ["KP"]}}, None, True),
        ({"country": ["KP", "KR"]}, "Korea", False),
        ({"country": "Korea"}, "korea", True),
        ({"country": {"contains": ["Kingdom"]}}, "GB", True),
        ({"country": {"contains": ["us"]}}, "AU", False),
        ({"country": {"contains": ["usa"]}}, "US", True),
        ({"country": "present"}, "Atlantis", True),
        ({"country": "missing"}, None, True),
        ({"country": ["DACH"]}, "dach", True),
        ({"region": ["GB"]}, "United Kingdom", False),
    ],
)
def test_a_rule_holds_however_both_sides_write_the_country(clause: dict[str, Any], value: str | None, holds: bool) -> None:
    assert condition(clause).holds({next(iter(clause)): value}) is holds


def test_rules_that_write_one_country_in_two_ways_overlap() -> None:
    assert can_both_hold(condition({"country": "United Kingdom"}), condition({"country": ["GB"]}))
    assert not can_both_hold(condition({"country": "Germany"}), condition({"country": ["AT", "CH"]}))


@pytest.mark.parametrize("text", ["DE", "Germany", "germany"])
def test_a_synonym_for_a_country_counts_for_its_code(text: str) -> None:
    declared = with_country_codes({"country": DeclaredField(type="choice", synonyms={"Germany": "DACH", "UK": "GB"})})["country"]

    assert value_of(declared, text) == "DACH"
    assert value_of(declared, "GB") == "GB"
    assert "GB" not in declared.synonyms
