"""Every shipped agreement loads, fits its roster, and leaves no lead stranded."""

from __future__ import annotations

from pathlib import Path

import pytest

from agreements import ladder
from agreements.checks import problems_of, problems_with_roster
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.roster import Roster, read_roster
from agreements.words import CLOCK_NAMES

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "agreements" / "examples").glob("*.yaml"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def agreement(request: pytest.FixtureRequest) -> Agreement:
    """Each shipped agreement in turn."""
    return read_agreement(request.param.read_text(encoding="utf-8"), name=request.param.name)


@pytest.fixture
def roster(agreement: Agreement) -> Roster:
    """The roster for that agreement: its own in examples/, or the example roster."""
    own = ROOT / "examples" / f"roster-{agreement.agreement}.yaml"
    return read_roster((own if own.exists() else ROOT / "examples" / "roster.yaml").read_text(encoding="utf-8"))


def test_there_are_agreements_to_look_at() -> None:
    assert "b2b-saas" in {path.stem for path in FILES}


def test_it_loads_without_a_problem(agreement: Agreement) -> None:
    """Reading raises for any mistake; nothing that must fit together is left over."""
    assert problems_of(agreement) == []


def test_it_fits_its_roster(agreement: Agreement, roster: Roster) -> None:
    assert problems_with_roster(agreement, roster) == []


def test_every_reason_has_words(agreement: Agreement) -> None:
    """People choose reasons by their words, so no two read alike."""
    words = [reason.words for reason in agreement.reasons]

    assert all(word.strip() for word in words)
    assert len(set(words)) == len(words)


def test_every_ladder_ends_in_a_change_of_stage(agreement: Agreement) -> None:
    assert [name for name in CLOCK_NAMES if not ladder.ends(agreement.clocks.named(name).when_missed)] == []


def test_every_calendar_opens_and_every_tier_has_its_time(agreement: Agreement) -> None:
    """Each clock has an agreed time for each tier."""
    clocks = [agreement.clocks.named(name) for name in CLOCK_NAMES]

    assert agreement.calendar_values
    assert all(clock.term(tier.name) for clock in clocks for tier in agreement.tiers)


def test_no_two_files_are_the_same_version() -> None:
    references = [read_agreement(path.read_text(encoding="utf-8")).reference for path in FILES]

    assert len(set(references)) == len(references)
