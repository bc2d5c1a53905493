"""What a run tells: figures under fixed names, and everything that did not end as it must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.meter import Spent
from benchmarks.parts import PARTS, summary, wrong_in
from benchmarks.statements import kind_of

#: What other programs read from the file of a quick run.
PROMISED = (
    "leads_per_s one_wait_leads_per_s stock_one_wait_leads_per_s ratio cpu_s_per_lead transactions_per_lead statements_per_lead"
    " prefect_calls_per_lead deadline_stored_p99_s click_stored_p99_ms click_resumed_p95_s hot_in_burst_p99_s idle_core_percent waiting"
).split()


def parts() -> dict[str, Any]:
    per_lead = {"cpu_s": 1.5, "transactions": 40.0, "statements": 300.0, "prefect_calls": 13.0}
    return {
        "throughput": {"to_opportunity": {"leads_per_s": 2.0, "per_lead": per_lead}, "one_wait": {"leads_per_s": 3.0}},
        "stock": {"one_wait": {"leads_per_s": 0.5}},
        "clicks": {"waiting": 10_000, "stored_seconds": {"p99": 0.05}, "resumed_seconds": {"p95": 1.0}},
        "deadlines": {"stored_seconds": {"p99": 2.0}},
        "burst": {"hot_seconds": {"p99": 9.0}},
        "idle": {"core_percent": 6.0, "waiting": 10_000},
    }


def test_the_compared_figures_have_fixed_names() -> None:
    found = summary(parts())

    assert [name for name in PROMISED if found[name] is None] == []
    assert found["ratio"] == 6.0
    assert found["click_stored_p99_ms"] == 50.0


def test_what_was_not_measured_is_not_zero() -> None:
    assert {summary({})[name] for name in PROMISED} == {None}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"one_wait": {"wrong_ends": ["handoff 3 ended in stage stuck"]}}, ["handoff 3 ended in stage stuck"]),
        ({"never_told": 2, "never_stored": 0}, ["never_told: 2"]),
        ([{"error": "no server"}, {"leads": 3}], ["no server"]),
        ({"seconds": {"p50": 1.0}}, []),
    ],
)
def test_whatever_did_not_end_as_it_must_is_told(found: Any, told: list[str]) -> None:
    assert wrong_in(found) == told


@pytest.mark.parametrize(
    ("statement", "kind"),
    [("BEGIN", "BEGIN"), ("COMMIT;", "COMMIT"), ("  rollback ", "ROLLBACK"), ("SELECT $1", ""), ("UPDATE waits SET x = $1", ""), ("", "")],
)
def test_beginning_and_ending_a_transaction_is_no_statement(statement: str, kind: str) -> None:
    assert kind_of(statement) == kind


def test_a_part_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "a,z"])

    assert f"there is no part z; there are {', '.join(PARTS)}" in capsys.readouterr().err


def test_a_database_that_counts_nothing_has_not_been_asked_nothing() -> None:
    spent = Spent(seconds=2.0, cpu={"server": 4.0, "benchmark": 8.0}, asked={})

    each = spent.per_lead(4)

    assert (each["cpu_s"], each["transactions"], each["statements"]) == (1.0, None, None)


@pytest.mark.parametrize(("text", "told"), [(None, "cannot be read"), ("{", "cannot be read"), ('{"parts": {}}', "measure parts a and b")])
def test_a_file_without_costs_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, told: str) -> None:
    file = tmp_path / "figures.json"
    if text is not None:
        file.write_text(text)

    assert main(["--sizing", str(file)]) == 2
    assert told in " ".join(capsys.readouterr().out.split())
