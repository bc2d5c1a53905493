"""The contract in words says everything that was agreed, in words that people know, and lets nobody write markup into it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.markdown import Markdown

from agreements import model
from agreements.calendar.durations import parse_term
from agreements.clauses.clocks import RUNS
from agreements.criteria import condition
from agreements.loading import read_agreement
from agreements.model import Agreement, Clause, Needs
from agreements.wording import contract, contract_in_words, vocabulary
from agreements.wording.document import Table
from agreements.wording.markdown import escaped
from agreements.wording.opening import OWED
from tests.agreements.changing import changes, clauses_in, everything
from tests.agreements.tables import cases

EXAMPLES = sorted((Path(model.__file__).parent / "examples").glob("*.yaml"))
WHOLE = everything()
B2B = read_agreement(EXAMPLES[0].read_text(encoding="utf-8"))


def shown(agreement: Agreement) -> str:
    """The contract as a terminal shows it, without the spaces at the ends of lines."""
    page = io.StringIO()
    console = Console(width=300, file=page)
    console.print(Markdown(contract_in_words(agreement)))
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


def test_nothing_that_was_agreed_is_invisible() -> None:
    """Whatever value of whatever clause is changed, left out or added: the contract reads otherwise."""
    told = contract_in_words(WHOLE)

    assert [place for place, other in changes(WHOLE) if contract_in_words(other) == told] == []


def test_every_field_of_every_clause_was_changed_for_that() -> None:
    """A clause that is new joins everything.yaml."""
    changed = {(type(clause).__name__, place.split(".")[0].split(" ")[0]) for clause in clauses_in(WHOLE) for place, _ in changes(clause)}
    kinds = {kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, Clause) and kind is not Clause}
    either_or = {("Evidence", "new_activity"), ("Needs", "all")}
    of_one_value = {("Dispute", "decided_by"), ("ScreenRule", "to")}

    assert {(kind.__name__, name) for kind in kinds for name in kind.model_fields} - changed == either_or | of_one_value


@pytest.mark.parametrize("row", cases("wording_cases.yaml"))
def test_a_condition_reads_as_a_sales_manager_says_it(row: dict[str, Any]) -> None:
    assert vocabulary.condition(condition(row["when"])) == row["expected"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_row_has_as_many_cells_as_its_head(path: Path) -> None:
    document = contract(read_agreement(path.read_text(encoding="utf-8")))

    tables = [block for section in document.sections for block in section.blocks if isinstance(block, Table)]

    assert len(tables) > 4
    assert [table.head for table in tables if any(len(row) != len(table.head) for row in table.rows)] == []


def test_the_prose_of_mql_stands_above_the_rules_that_decide_it() -> None:
    text = contract_in_words(B2B)
    mql = text.partition("### MQL")[2].partition("### SAL")[0]

    assert B2B.definitions["mql"] in mql
    assert "At least 60 of 100 points, fit at least 30, engagement at least 15." in mql
    assert "demo requested, quote requested or contact sales" in mql
    assert "**+20** industry is software, logistics or manufacturing (why: two thirds of last year's wins)" in mql


def test_a_word_without_prose_still_has_its_rules() -> None:
    text = contract_in_words(B2B.model_copy(update={"definitions": {}}))

    assert "No words are agreed for this. The rules decide.\n\n**By points**" in text


def test_every_clock_is_promised_by_somebody() -> None:
    assert set(OWED) == set(RUNS) == set(model.Clocks.model_fields)


def test_a_ladder_is_a_sentence() -> None:
    text = contract_in_words(B2B)

    assert "The manager is told; then 4 working hours later the lead goes to another rep; then the manager decides." in text


def test_all_of_the_evidence_reads_otherwise_than_any_of_it() -> None:
    both = WHOLE.recycling.needs.any
    agreement = WHOLE.model_copy(update={"recycling": WHOLE.recycling.model_copy(update={"needs": Needs(all=both)})})

    assert "With 10 points more or something new that the lead did" in contract_in_words(WHOLE)
    assert "With 10 points more and something new that the lead did" in contract_in_words(agreement)


def test_tiers_that_differ_stand_beside_the_usual_time() -> None:
    terms = {"hot": parse_term("5 working minutes"), "normal": parse_term("end of same working day")}

    assert vocabulary.by_tier(terms) == "by the end of the same working day (hot within 5 working minutes)"


def test_what_people_wrote_opens_no_markup() -> None:
    """Neither a tag, nor a heading, a table cell, emphasis or a link."""
    evil = "# <b>x</b> | *y* _z_ [a](b) `c` &amp; ~~d~~\n## heading"
    agreement = B2B.model_copy(update={"definitions": {"mql": evil, evil: "1. one"}})

    text = shown(agreement)

    assert text.count("# <b>x</b> | *y* _z_ [a](b) `c` &amp; ~~d~~ ## heading") == 2
    assert "1. one" in text


@pytest.mark.parametrize("text", ["- no list", "+ no list", "# no heading", "1. no list", "12) no list", "= no rule", "a | b", "plain"])
def test_text_shows_as_it_was_written(text: str) -> None:
    agreement = B2B.model_copy(update={"definitions": {"mql": text}})

    assert f"\n{text}\n" in shown(agreement)


def test_line_breaks_do_not_break_a_line() -> None:
    assert escaped("one\n\n two\tthree") == "one two three"


def test_a_contract_of_the_small_agreement_leaves_out_what_it_does_not_have() -> None:
    small = Agreement.model_validate(
        {**B2B.model_dump(include={"agreement", "version", "timezone"}), **_parts("effective signers calendars routing clocks reasons")}
        | {"qualification": {"mql": {"total": 50}}}
    )

    titles = [section.title for section in contract(small).sections]

    assert "Personas and their pain points" not in titles
    assert "The clocks" in titles


def _parts(names: str) -> dict[str, Any]:
    return {name: getattr(B2B, name) for name in names.split()}
