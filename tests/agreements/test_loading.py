"""Reading an agreement: a good file is read, a broken one is refused with every mistake, its line, and what to write instead."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agreements.calendar.durations import parse_term
from agreements.errors import InvalidAgreement
from agreements.loading import MAX_BYTES, MOST_TOLD, agreement_text, content_hash, read_agreement
from tests.agreements.tables import cases
from tests.conftest import AGREEMENT, ROOT
from tests.present import the

EXAMPLES = sorted((ROOT / "agreements/examples").glob("*.yaml"))
MANY = Path(__file__).with_name("many_mistakes.yaml")
#: What the validator says by itself, and nobody but a programmer understands.
JARGON = re.compile(
    r"Value error|Input should|should be a valid|should have|pydantic|[Ff]ield required|Extra inputs|instance of|\bstr\b|\bint\b"
)


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
        read_agreement(AGREEMENT).version = 2  # type: ignore[misc]  # mypy refuses it too


def problems(text: str, name: str = "deal.yaml") -> list[str]:
    with pytest.raises(InvalidAgreement) as refused:
        read_agreement(text, name=name)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


def broken(case: dict[str, Any]) -> str:
    """The example agreement with the changes of a row of the table."""
    text = AGREEMENT
    for change in (case, case.get("also")):
        if change:
            assert change["for"] in text
            text = text.replace(change["for"], change["write"], 1)
    return text


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("case", cases("broken_agreements.yaml"))
def test_a_broken_agreement_is_refused_with_the_line_and_what_to_write(case: dict[str, Any]) -> None:
    text = broken(case)

    found = problems(text)

    place = f"deal.yaml:{line_of(text, case['at'])}: {case['path']}: "
    assert any(one.startswith(place) and case["said"] in one for one in found), f"{place}: {found}"
    assert [one for one in found if JARGON.search(one)] == []


def test_mistakes_all_over_the_file_are_told_together_in_its_order() -> None:
    """One line of `many_mistakes.yaml` after the other, and nothing that only follows from another mistake."""
    found = problems(MANY.read_text(encoding="utf-8"))

    places = [one.split(": ")[:2] for one in found]
    assert [f"{where.rpartition(':')[2]} {path}" for where, path in places] == EXPECTED
    assert [one for one in found if JARGON.search(one)] == []


EXPECTED = """
1 agreement
2 version
3 effective.until
4 timezone
5 signers.marketing.0
5 signers.selling
6 objectivs
8 fields.industry.null_values
8 fields.industry.synonims
8 fields.industry.type
9 fields.employees.bands.51-200
11 personas.0.match.job_titel
11 personas.0.name
12 personas.1
14 screen.0.then
14 screen.0.when.country.inn
14 screen.0.when.emial
15 screen.1.when
17 qualification.fast_lane
18 qualification.mql.fit_at_leest
18 qualification.mql.total
20 qualification.fit.0.field
20 qualification.fit.0.in
21 qualification.fit.1.points
22 qualification.fit.2
22 qualification.fit.2.points
24 qualification.engagement.0.half_life
25 qualification.engagement.1.half_life
27 tiers.0.channels.1
27 tiers.0.when.fast_lane
29 tiers.2
33 calendars.london.hours.mon-fri
34 calendars.rep
34 calendars.rep.hours
34 calendars.rep.timezone
36 routing.segments
37 routing.default_acceptor
39 clocks.delivery.owed_by
40 clocks.delivery.within
41 clocks.delivery.when_missed.0.do
41 clocks.delivery.when_missed.1.after
44 clocks.acceptance.calendar
45 clocks.acceptance.within
46 clocks.acceptance.at.20%
46 clocks.acceptance.at.half
47 clocks.acceptance.when_missed.0
48 clocks.clock
49 legs
51 reasons.0.then
52 reasons.1.code
52 reasons.1.revisit
53 reasons.2.code
54 recycling.at_most
54 recycling.needs.any.0
55 retention.personal
""".strip().splitlines()


@pytest.mark.parametrize(
    ("write", "instead_of", "not_told"),
    [
        ("{persona: ops-leader, points: no}", "{persona: ops-leader, points: 25}", "can never be reached"),
        ("  employees:\n    type: size\n", "  employees:\n    type: number\n", "has no size"),
        ("    calendar: [rep]\n    within: 10", "    calendar: rep\n    within: 10", "has none"),
        ("{do: nuture, track: unworked}]\n  first", "{do: nurture, track: unworked}]\n  first", "ends with"),
        ("  - name: 7 of 9\n    product", "  - name: ops-leader\n    product", "there is no persona"),
    ],
)
def test_nothing_is_told_that_hangs_on_a_value_which_cannot_be_read(write: str, instead_of: str, not_told: str) -> None:
    assert instead_of in AGREEMENT

    found = problems(AGREEMENT.replace(instead_of, write, 1))

    assert [one for one in found if not_told in one] == []


def test_a_missing_clause_is_named_with_an_example() -> None:
    start, end = AGREEMENT.index("routing:"), AGREEMENT.index("notify:")

    assert problems(AGREEMENT[:start] + AGREEMENT[end:]) == [
        "deal.yaml:1: routing: is missing; write `routing: {segments: [{team: emea}], default_acceptor: dora}`"
    ]


def test_what_is_not_written_is_as_usual() -> None:
    """Clocks, reasons and a calendar in the agreement's own zone; all of it fits together."""
    short = "qualification: {fast_lane: [demo_requested], mql: {total: 60}}\nrouting: {segments: [{team: emea}], default_acceptor: dora}\n"
    head = AGREEMENT[: AGREEMENT.index("definitions:")].replace("Europe/London", "America/New_York")

    agreement = read_agreement(head + short)

    assert str(agreement.clocks.acceptance.term("normal")) == "4 working hours"
    assert agreement.calendar().timezone.key == "America/New_York"
    assert {reason.then for reason in agreement.reasons} >= {"nurture", "disqualify", "fix-note", "hand-to"}
    assert the(agreement.reason("wrong-rep")).ask == ("colleague",)


def test_what_is_signed_does_not_depend_on_line_ends() -> None:
    windows, old_mac = AGREEMENT.replace("\n", "\r\n"), AGREEMENT.replace("\n", "\r")

    assert content_hash(AGREEMENT) == content_hash(windows) == content_hash(old_mac)
    assert read_agreement(AGREEMENT) == read_agreement(windows) == read_agreement(old_mac)


def test_what_is_signed_depends_on_every_other_byte() -> None:
    texts = (AGREEMENT, AGREEMENT + "\n", AGREEMENT.replace("60", "61", 1), "", "\u00e9", "e\u0301")

    assert len({content_hash(text) for text in texts}) == len(texts)


def test_numbers_and_times_stay_what_they_are() -> None:
    """YAML 1.2: `no` is a word, 17:00 is not 1020, and a day in a condition is the text that facts hold."""
    text = AGREEMENT.replace('label: "No budget"', "label: no", 1).replace("definitions:\n", "definitions:\n  closing: 17:00\n", 1)
    text = text.replace("fields:\n", "fields:\n  founded: {type: date}\n", 1).replace("{email: free}", "{founded: 2020-01-01}", 1)

    agreement = read_agreement(text)

    assert the(agreement.reason("no-budget")).label == "no"
    assert agreement.definitions["closing"] == "17:00"
    assert the(agreement.qualification.fit[5].when).holds({"founded": "2020-01-01"})


def test_a_mark_at_the_beginning_that_some_editors_write_does_no_harm() -> None:
    assert read_agreement("\ufeff" + AGREEMENT) == read_agreement(AGREEMENT)


def test_keys_that_stand_twice_are_all_told() -> None:
    twice = AGREEMENT.replace("version: 1\n", "version: 1\nversion: 2\n", 1) + "legs: [ae]\nlegs: [sdr]\n"
    last = twice.count("\n")

    found = problems(twice)

    assert [one.split(": ")[:2] for one in found] == [
        ["deal.yaml:5", "version"],
        [f"deal.yaml:{last - 1}", "legs"],
        [f"deal.yaml:{last}", "legs"],
    ]
    assert all("occurs twice, first on line" in one for one in found)


def test_every_line_that_a_tab_indents_is_told() -> None:
    found = problems("agreement: x\nsigners:\n\tmarketing: [a]\n  \tsales: [b]\n")

    assert found == ["deal.yaml:3: a tab is here; indent with blanks", "deal.yaml:4: a tab is here; indent with blanks"]


BOMB = "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20))
LONG = "# " + "x" * 70 + "\n"


@pytest.mark.timeout(120)  # it would fill the memory
def test_an_alias_bomb_is_refused_before_it_goes_off() -> None:
    found = problems(BOMB)

    assert found[0] == "deal.yaml:1: a: anchors and aliases (&name, *name) are not used in agreements; write the clause out"
    assert len([one for one in found if "anchors and aliases" in one]) == 21


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (AGREEMENT + LONG * 20_000, 1, f"the file is larger than {MAX_BYTES:,} bytes; an agreement is a few pages"),
        ("x" * 10_000_000, 1, f"the file is larger than {MAX_BYTES:,} bytes"),
        ("a: " + "[" * 1000 + "]" * 1000, 1, "is nested more than 20 deep; no clause is"),
        ("- " * 1000, 1, "is nested more than 20 deep"),
        ("a: [" + "x, " * 300_000 + "]", 1, "the line is longer than 100,000 characters; break it"),
        ("a: " + "!" * 99_000, 1, "a tag"),
        ("\n".join(f"key{number}: 1" for number in range(40_000)), 30_000, "more than 30,000 entries are in this file"),
        ("a: [\n" + "x,\n" * 300_000 + "]", 30_000, "more than 30,000 entries"),
        (LONG * 13_000, 1, "an agreement is a mapping"),
    ],
    ids=["large", "ten megabytes", "brackets", "dashes", "a long line", "tags", "keys", "items", "remarks"],
)
def test_what_would_take_long_is_given_up_in_time(text: str, line: int, said: str) -> None:
    found = problems(text)

    assert said in found[0]
    assert int(found[0].split(":")[1]) == line


def test_a_file_of_mistakes_tells_the_first_of_them() -> None:
    found = problems("".join(f"key{number}: 1\n" for number in range(2_000)))

    assert len(found) == MOST_TOLD + 1
    assert "more mistakes; mend these first" in found[-1]


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("a bracket that is never closed", "agreement: x\nsigners: {marketing: [a\n", 2, "the list that opens on line 2 is not closed"),
        (
            "a brace that is never closed",
            "agreement: x\nsigners: {marketing: a\nversion: 1\n",
            2,
            "the mapping that opens on line 2 is not",
        ),
        ("a quote that is never closed", 'agreement: "x\nversion: 1\n', 1, "a quote that opens on line 1 is not closed; close it"),
        ("two colons in a line", "agreement: x: y\n", 1, "a colon is not allowed here; put a text with a colon in quotes"),
        ("a key without a colon", "agreement: x\nversion\nsigners: {}\n", 2, "is a key without a colon; write `key: value`"),
        ("lines that are not in line", "clocks:\n  delivery: x\n note: y\n", 3, "indent the keys of one clause alike"),
        ("a text that begins with a sign", "agreement: @x\n", 1, "a text cannot begin with @; put it in quotes"),
        ("a backslash in quotes", 'agreement: "\\q"\n', 1, "a backslash is in double quotes; write it twice"),
        ("two agreements in a file", AGREEMENT + "---\nagreement: other\n", AGREEMENT.count("\n") + 1, "a second document begins here"),
        ("merged keys", "agreement: x\nsigners: {<<: {sales: [a]}}\n", 2, "merge keys (<<) are not used in agreements"),
        ("a list as a key", "agreement: x\n? [a, b]\n: c\n", 2, "a key is one word; write `key: value`"),
        ("an old version of YAML", "%YAML 1.1\n---\nagreement: x\n", 2, "leave the line %YAML out"),
        ("a number without end", "agreement: x\nversion: .inf\n", 2, ".inf is no number from -9007199254740992 to 9007199254740992"),
        ("a list", "- agreement: x\n", 1, "an agreement is a mapping; begin with `agreement: name`"),
        ("nothing", "", 1, "an agreement is a mapping"),
        ("only a remark", "# later\n", 1, "an agreement is a mapping"),
        ("a word", "agreement", 1, "an agreement is a mapping"),
        ("a tag that would build something", "!!python/object/apply:os.system [ls]", 1, "a tag (tag:yaml.org,2002:python/object/apply:os)"),
        ("a control character", "agreement: x\nversion: \x07\n", 2, "an invisible character is here (U+0007); take it out"),
        ("a NUL byte", "agreement: x\nversion: 1\0\n", 2, "(U+0000); take it out"),
        ("half a character", "agreement: \udc80\n", 1, "(U+DC80); take it out"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 and "\n" not in value else "",
)
def test_what_is_no_agreement_is_refused_and_never_a_crash(name: str, text: str, line: int, said: str) -> None:
    found = problems(text)

    assert any(one.startswith(f"deal.yaml:{line}: ") and said in one for one in found), found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"agreement: x\nversion: \xff1\n", "deal.yaml:2: is not UTF-8, its first bad byte is 0xff on this line; save it as UTF-8"),
        (AGREEMENT.encode("utf-16"), "deal.yaml:1: is not UTF-8, its first bad byte is 0xff on this line; save it as UTF-8"),
        (b"x" * (MAX_BYTES + 1), f"deal.yaml:1: the file is larger than {MAX_BYTES:,} bytes; an agreement is a few pages"),
    ],
    ids=["a byte", "UTF-16", "large"],
)
def test_bytes_that_are_no_text_are_refused_with_their_line(content: bytes, said: str) -> None:
    with pytest.raises(InvalidAgreement) as refused:
        agreement_text(content, name="deal.yaml")

    assert refused.value.problems[0].startswith(said)


def test_bytes_that_are_text_are_read() -> None:
    assert agreement_text(AGREEMENT.encode()) == AGREEMENT
