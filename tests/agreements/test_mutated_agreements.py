"""Agreements with places taken out, put twice or written otherwise: each is refused in plain words, or can be carried out."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.checks import notes_of, problems_of, problems_with_roster
from agreements.clocks import schedule
from agreements.disposition import consequence
from agreements.errors import InvalidAgreement
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.roster import read_roster
from agreements.words import CLOCK_NAMES
from agreements.yaml_reader import read
from tests.agreements.test_loading import EXAMPLES, JARGON
from tests.conftest import ROSTER
from tests.examples import examples

TEXTS = [path.read_text(encoding="utf-8") for path in EXAMPLES]
TREES = [read(text).value for text in TEXTS]
NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
TOLD = re.compile(r"deal\.yaml:\d+: \S.*", re.DOTALL)
#: What somebody may write anywhere.
VALUES: list[Any] = [
    None, "", " ", "normal", "hot", "4 hours", "4 working hours", "0 days", "70%", "rep", "london", "nurture", "2026-02-30", "yes",
    0, 1, -1, 101, 2.5, 10**12, True, False, [], [[]], ["x"], [None], {}, {"x": "y"}, {"": {}}, {"normal": "1 hour"}, {"at_least": 5},
]  # fmt: skip
KEYS = ["", "x", "when", "normal", "do", "points", "name", "then", "within", "from", "country", "employees", "50%", "mql", "<<", "a b"]


@settings(max_examples=examples(300), deadline=None, database=None)
@given(st.integers(min_value=0, max_value=2**32), st.integers(min_value=1, max_value=6))
def test_an_agreement_with_changed_places_is_refused_in_words_or_works(seed: int, changes: int) -> None:
    random = Random(seed)
    tree = copy.deepcopy(random.choice(TREES))
    for _ in range(changes):
        change(tree, random)

    judge(json.dumps(tree, indent=1, default=str))


@settings(max_examples=examples(150), deadline=None, database=None)
@given(st.integers(min_value=0, max_value=2**32), st.integers(min_value=1, max_value=4))
def test_a_file_with_changed_lines_is_refused_in_words_or_works(seed: int, changes: int) -> None:
    random = Random(seed)
    lines = random.choice(TEXTS).split("\n")
    for _ in range(changes):
        change_line(lines, random)

    judge("\n".join(lines))


@settings(max_examples=examples(150), deadline=None, database=None)
@given(st.text(st.characters(codec=None), max_size=200))
def test_any_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidAgreement) as refused:
        read_agreement(text, name="deal.yaml")

    assert refused.value.problems


def judge(text: str) -> None:
    """Reads the file; what is accepted must be usable."""
    told: list[str] = []
    try:
        agreement = read_agreement(text, name="deal.yaml")
    except InvalidAgreement as error:
        told = error.problems
    else:
        assert problems_of(agreement) == []
        use(agreement)
    assert [one for one in told if not TOLD.fullmatch(one) or JARGON.search(one)] == []


def use(agreement: Agreement) -> None:
    """Every clock gives a due time in every tier, every reason a consequence; notes and roster can be looked at."""
    assert isinstance(notes_of(agreement), list)
    assert isinstance(problems_with_roster(agreement, read_roster(ROSTER)), list)
    for name in CLOCK_NAMES:
        clock = agreement.clocks.named(name)
        for tier in agreement.tiers:
            if str(clock.term(tier.name)) != "per release plan":
                assert schedule(clock, tier=tier.name, start=NOW, calendar=agreement.calendar()).due_at > NOW
    for reason in agreement.reasons:
        assert consequence(agreement, reason.code, now=NOW).event


def change(tree: Any, random: Random) -> None:
    """Takes something out of the tree, puts it twice, or writes something else."""
    places = list(containers(tree))
    where = random.choice(places)
    keys = list(where) if isinstance(where, dict) else list(range(len(where)))
    if not keys:
        return
    key = random.choice(keys)
    what = random.randrange(6)
    if what == 0:
        del where[key]
    elif what == 1 and isinstance(where, list):
        where.insert(key, copy.deepcopy(where[key]))
    elif what == 2 and isinstance(where, dict):
        where[random.choice(KEYS)] = where.pop(key)
    elif what == 3:
        other = random.choice(places)
        where[key] = copy.deepcopy(other if random.random() < 0.5 or not isinstance(other, list) or not other else random.choice(other))
    elif what == 4 and isinstance(where, dict):
        where[random.choice(KEYS)] = copy.deepcopy(random.choice(VALUES))
    else:
        where[key] = copy.deepcopy(random.choice(VALUES))


def containers(tree: Any) -> Any:
    """Every mapping and list of the tree."""
    yield tree
    for value in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(value, (dict, list)):
            yield from containers(value)


def change_line(lines: list[str], random: Random) -> None:
    """Takes a line out, puts it twice, elsewhere or indented, or writes a sign into it."""
    index = random.randrange(len(lines))
    line = lines[index]
    what = random.randrange(5)
    if what == 0:
        lines[index] = ""
    elif what == 1:
        lines.insert(index, line)
    elif what == 2:
        lines.insert(random.randrange(len(lines)), line)
    elif what == 3:
        lines[index] = random.choice(["  ", "\t", "- "]) + line
    else:
        at = random.randrange(len(line) + 1)
        lines[index] = line[:at] + random.choice("{}[]:,-#&*!|>'\"%@`\\ \t\x00é") + line[at:]
