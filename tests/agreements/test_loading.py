"""Reading an agreement: a good file is read, a broken one is refused with every mistake, its line, and what to write instead."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agreements.durations import parse_term
from agreements.errors import InvalidAgreement
from agreements.loading import MAX_BYTES, content_hash, read_agreement
from tests.agreements.tables import cases
from tests.conftest import AGREEMENT, ROOT

EXAMPLES = sorted((ROOT / "agreements/examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_published_example_is_read(path: Path) -> None:
    agreement = read_agreement(path.read_text(encoding="utf-8"), name=path.name)

    assert agreement.agreement == path.stem
    assert agreement.reference == f"{path.stem}@{agreement.version}"


def test_the_example_says_what_its_file_says() -> None:
    agreement = read_agreement(AGREEMENT)

    assert (agreement.version, agreement.effective.from_, agreement.timezone) == (1, date(2026, 1, 1), "Europe/London")
    assert agreement.clocks.acceptance.term("hot") == parse_term("30 working minutes")
    assert agreement.clocks.acceptance.at == {50: "remind", 80: "tell-manager"}
    assert [rung.do for rung in agreement.clocks.first_attempt.when_missed] == ["tell-manager", "reassign", "manager-decides"]
    assert agreement.calendar("london") is agreement.calendar("no such one")
    assert [segment.team for segment in agreement.routing.segments] == ["americas", "emea"]


def test_an_agreement_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_agreement(AGREEMENT).version = 2  # type: ignore[misc]


def problems(text: str, name: str = "deal.yaml") -> list[str]:
    with pytest.raises(InvalidAgreement) as refused:
        read_agreement(text, name=name)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("case", cases("broken_agreements.yaml"))
def test_a_broken_agreement_is_refused_with_the_line_and_what_to_write(case: dict[str, str]) -> None:
    assert case["for"] in AGREEMENT
    text = AGREEMENT.replace(case["for"], case["write"], 1)

    found = problems(text)

    line = line_of(text, case["at"])
    assert any(one.startswith(f"deal.yaml:{line}: ") and case["said"] in one for one in found), f"line {line}: {found}"


def test_channels_that_can_never_prove_enough_are_refused() -> None:
    text = AGREEMENT.replace("fallback: [chat, manager-email]", "fallback: [email]")
    text = text.replace("normal, channels: [email, crm]", "normal, channels: [email]")

    [problem] = [one for one in problems(text) if "confirm" in one]
    line = line_of(text, "name: normal, channels")
    assert problem == f"deal.yaml:{line}: tiers.1.channels: 2 channels must confirm, but only 1 are named"


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = AGREEMENT
    for old, new in (("version: 1\n", "version: 0\n"), ("hot: 30 working minutes", "hot: 30 parsecs"), ("legs: [sdr]", "lags: [sdr]")):
        text = text.replace(old, new, 1)

    lines = [int(one.split(":")[1]) for one in problems(text)]

    assert len(lines) == 3
    assert lines == sorted(lines)


def test_a_missing_clause_is_named() -> None:
    start, end = AGREEMENT.index("routing:"), AGREEMENT.index("notify:")

    assert problems(AGREEMENT[:start] + AGREEMENT[end:]) == ["deal.yaml:1: routing: Field required"]


def test_what_is_signed_does_not_depend_on_line_ends() -> None:
    windows, old_mac = AGREEMENT.replace("\n", "\r\n"), AGREEMENT.replace("\n", "\r")

    assert content_hash(AGREEMENT) == content_hash(windows) == content_hash(old_mac)
    assert read_agreement(AGREEMENT) == read_agreement(windows)


def test_what_is_signed_depends_on_every_other_byte() -> None:
    texts = (AGREEMENT, AGREEMENT + "\n", AGREEMENT.replace("60", "61", 1), "", "\u00e9", "e\u0301")

    assert len({content_hash(text) for text in texts}) == len(texts)


BOMB = "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20))


@pytest.mark.timeout(10)
def test_an_alias_bomb_is_refused_before_it_goes_off() -> None:
    assert problems(BOMB) == ["deal.yaml:1: aliases (*name) are not used in agreements; write the clause out"]


@pytest.mark.timeout(10)
def test_a_file_of_two_megabytes_is_refused() -> None:
    [problem] = problems(AGREEMENT + "# " + "x" * 2_000_000)

    assert problem == f"deal.yaml:1: the file is larger than {MAX_BYTES:,} bytes; an agreement is a few pages"


@pytest.mark.timeout(10)
def test_a_file_nested_a_thousand_deep_is_refused() -> None:
    [problem] = problems("a: " + "[" * 1000 + "]" * 1000)

    assert problem.startswith("deal.yaml:1: ")


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("a key that stands twice", AGREEMENT + "version: 2\n", AGREEMENT.count("\n") + 1, "found duplicate key"),
        ("a tab", "agreement: x\nsigners:\n\tmarketing: [a]\n", 3, "found character '\\t' that cannot start any token"),
        ("a bracket that is never closed", "agreement: x\nsigners: {marketing: [a\n", 3, "expected"),
        ("two agreements in a file", AGREEMENT + "---\nagreement: other\n", 1, ""),
        ("a list", "- agreement: x\n", 1, "an agreement is a mapping that begins with `agreement: name`"),
        ("nothing", "", 1, "an agreement is a mapping"),
        ("only a remark", "# later\n", 1, "an agreement is a mapping"),
        ("a word", "agreement", 1, "an agreement is a mapping"),
        ("a tag that would build something", "!!python/object/apply:os.system [ls]", 1, ""),
        ("a control character", "agreement: x\nversion: \x07\n", 1, "special characters are not allowed"),
    ],
)
def test_what_is_no_agreement_is_refused_and_never_a_crash(name: str, text: str, line: int, said: str) -> None:
    found = problems(text)

    assert all(one.startswith("deal.yaml:") for one in found)
    assert any(said in one for one in found), found
    if said:
        assert int(found[0].split(":")[1]) == line, found


def test_numbers_and_times_stay_what_they_are() -> None:
    """YAML 1.2: `no` is a word, 17:00 is not 1020, and 0o10 is not what anybody means by 10."""
    text = AGREEMENT.replace("label: \"No budget\"", "label: no", 1).replace("definitions:\n", "definitions:\n  closing: 17:00\n", 1)

    agreement = read_agreement(text)

    assert agreement.reason("no-budget").label == "no"
    assert agreement.definitions["closing"] == "17:00"
