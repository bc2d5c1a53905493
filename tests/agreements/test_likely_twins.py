"""Likely twins: what says that two leads may be one person, and what does not."""

from __future__ import annotations

import pytest

from agreements.likely_twins import Likeness, groups_of, why_twins

ANA = Likeness("ana.lind@harbour.example", "Ana", "Lind", "+44 20 7946 0001", "Harbour")

#: Another lead, and a word of the reason; empty where nothing suggests that it is Ana Lind.
CASES = [
    (Likeness("", "", "", "+44 20 7946 0001"), "phone"),
    (Likeness("", "", "", "020 7946 0001"), "phone"),
    (Likeness("", "", "", "0044-20-79460001"), "phone"),
    (Likeness("bo@harbour.example", "Bo", "Berg", "+44 20 7946 0001", "Harbour"), ""),
    (Likeness("", "", "", "0001"), ""),
    (Likeness("a.lind@harbour.example", "Ana", "Lind"), "e-mail domain"),
    (Likeness("lind@gmail.com", "Ana", "Lind", "", "HARBOUR"), "company"),
    (Likeness("lind@gmail.com", "Ana", "Lind"), ""),
    (Likeness("ana@quay.example", "Ana", "Lind", "", "Quay"), ""),
    (Likeness("info@harbour.example", "Ana", "Lind"), "e-mail domain"),
    (Likeness("info@harbour.example", "", "", "", "Harbour"), ""),
    (Likeness("analind@harbour.example"), "dots"),
    (Likeness("ana-lind@harbour.example", "Ana", "Lind"), "dots"),
    (Likeness("analind@harbour.example", "Bo", "Berg"), ""),
    (Likeness("ana.lind@habour.example"), "one letter"),
    (Likeness("ana.lind@harbuor.example"), "one letter"),
    (Likeness("ana.lind@harbour.exampel"), "one letter"),
    (Likeness("ana.lind@hxrbxur.example"), ""),
    (Likeness("bo.lind@harbour.example", "Bo", "Lind"), ""),
]


@pytest.mark.parametrize(("other", "why"), CASES)
def test_what_says_that_two_leads_may_be_one_person(other: Likeness, why: str) -> None:
    found = why_twins(ANA, other)

    assert (why in found) if why else found == ""
    assert why_twins(other, ANA) == found
    assert not found or set(groups_of(ANA)) & set(groups_of(other)), "the list of all leads finds it too"
