"""What an agreement leaves out keeps meaning what it meant when it was signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agreements.clauses.generations import NEWEST
from agreements.differences import differences
from agreements.loading import as_published, read_agreement
from agreements.words import DISPUTABLE
from tests.conftest import AGREEMENT

STARTER = """\
agreement: short
version: 1
effective: {from: 2026-01-01}
timezone: Europe/London
signers: {marketing: [mina@a.example], sales: [maria@a.example]}
qualification: {mql: {total: 10}, fit: [{when: {email: company}, points: 40}]}
routing: {segments: [{team: emea}], default_acceptor: dora}
"""


@pytest.mark.parametrize(("text", "tiers"), [(STARTER, ["normal"]), (AGREEMENT, ["hot", "normal"])], ids=["left out", "written"])
def test_a_version_of_the_first_generation_goes_by_turn_alone(text: str, tiers: list[str]) -> None:
    old, new = as_published(text, generation=1), as_published(text, generation=NEWEST)

    assert [(tier.name, tier.prefer) for tier in old.tiers] == [(name, "turn") for name in tiers]
    assert [(tier.name, tier.prefer) for tier in new.tiers] == [(name, "open") for name in tiers]
    assert read_agreement(text).tiers == new.tiers


def test_what_is_written_counts_in_every_generation() -> None:
    text = STARTER + "tiers: [{name: hot, when: {fast_lane: true}, prefer: open}, {name: normal, prefer: turn}]\n"

    assert [tier.prefer for tier in as_published(text, generation=1).tiers] == ["open", "turn"]
    assert [tier.prefer for tier in as_published(text).tiers] == ["open", "turn"]


def test_a_version_of_the_first_generation_counts_what_it_counted_when_it_was_signed() -> None:
    some = STARTER + "notify: {confirmed_on: 1}\n"

    assert [as_published(text, generation=1).notify.proof.counts for text in (STARTER, some)] == [("rep", "manager", "unread")] * 2
    assert [as_published(text).notify.proof.counts for text in (STARTER, some)] == [("rep",)] * 2


@pytest.mark.parametrize("generation", [1, NEWEST])
def test_a_version_of_any_generation_that_does_not_say_what_marketing_is_told_at_once_has_the_default(generation: int) -> None:
    some = STARTER + "attention: {interrupt: []}\n"
    named = STARTER + "attention: {tell_marketing: [rejected]}\n"

    told = [as_published(text, generation=generation).attention.tell_marketing for text in (STARTER, some, named)]

    assert told == [DISPUTABLE, DISPUTABLE, ("rejected",)]


MARKETING = ("delivery", "note")


@pytest.mark.parametrize("clock", MARKETING)
def test_the_usual_clocks_of_marketing_do_not_run_while_marketing_is_closed(clock: Any) -> None:
    old, new = as_published(STARTER, generation=1).clock(clock), as_published(STARTER).clock(clock)

    assert (str(old.term("normal")), old.calendar) == ("12 hours", "")
    assert (str(new.term("normal")), new.calendar) == ("12 working hours", "holder")
    assert all(rung.after is None or "working" in str(rung.after) for rung in new.when_missed)


@pytest.mark.parametrize("generation", [1, NEWEST])
def test_a_clock_that_is_written_counts_in_every_generation_and_the_other_is_as_usual_then(generation: int) -> None:
    written = STARTER + "clocks: {note: {owed_by: marketing, within: 3 hours, when_missed: [{do: nurture}]}}\n"

    clocks = as_published(written, generation=generation).clocks

    assert (str(clocks.note.term("normal")), clocks.note.calendar) == ("3 hours", "")
    assert clocks.delivery.calendar == ("" if generation == 1 else "holder")


@pytest.mark.parametrize(
    ("more", "needs"),
    [
        ("", "touches"),
        ("clocks: {outcome: {owed_by: sales, within: 9 days, touches: 3, when_missed: [{do: nurture}]}}\n", "touches"),
        ("clocks: {outcome: {owed_by: sales, within: 9 days, when_missed: [{do: nurture}]}}\n", ""),
    ],
    ids=["usual touches", "own touches", "no touches agreed"],
)
def test_nobody_is_out_of_reach_before_the_agreed_touches(more: str, needs: str) -> None:
    old, new = as_published(STARTER + more, generation=1).reason("no-response"), read_agreement(STARTER + more).reason("no-response")

    assert old
    assert new
    assert (old.needs, new.needs) == ("", needs)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value of an agreement, by its path."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, (tuple, list)) else ()
    found = [leaf for key, one in inside for leaf in leaves(one, f"{path}.{key}" if path else str(key))]
    yield from found or [(path, str(value))]


@pytest.mark.parametrize("pinned", sorted(Path(__file__).parent.glob("defaults_of_generation_*.txt")), ids=lambda path: path.stem)
def test_no_default_of_a_released_generation_changes(pinned: Path) -> None:
    """If it fails, a default has changed: say in agreements/clauses/generations.py what it was before."""
    generation = int(pinned.stem.rpartition("_")[2])
    now = dict(leaves(as_published(STARTER, generation=generation)))
    then = dict(line.split(": ", 1) for line in pinned.read_text(encoding="utf-8").splitlines())

    assert {path: now.get(path, "gone") for path in then} == then


def test_the_differences_between_two_generations_of_one_text_are_said() -> None:
    said = "\n".join(map(str, differences(as_published(STARTER, generation=1), read_agreement(STARTER))))

    for piece in ("12 hours", "12 working hours", "touches", "proof"):
        assert piece in said
