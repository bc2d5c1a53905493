"""Tests use a time that they move themselves. This file lists each test that reads the real clock or sleeps, and why.

On a slow enough machine, a test fails if it compares with real time or gives up soon. Tests marked long are not checked.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from functools import cache

import pytest

from tests.test_architecture import ROOT, outermost_functions

#: Files that only tests marked long use.
ONLY_FOR_LONG = {"tests/browser/conftest.py", "tests/faulty.py", "tests/live.py", "tests/postgres.py", "tests/racing.py"}
#: The functions that read the real clock or sleep, and why they can never be too late.
REAL_TIME = {
    "tests/patience.py until": "it asks until it is so; its bound only keeps a test from hanging",
    "tests/app/shaky.py delivered_earlier": "the age of a wake is that of processes: so old that it only gets older, or of tomorrow",
    "tests/app/test_clock_repair.py fail": "a back-off that is over stays over",
    "tests/app/test_clock_repair.py test_an_attempt_that_fails_is_made_again_later_and_later": "two seconds later or more; then tomorrow",
    "tests/app/test_clock_repair.py test_an_attempt_under_way_is_left_alone": "its lease runs until tomorrow",
    "tests/app/test_clock_repair.py test_an_attempt_that_died_with_its_lease_is_followed_by_another": "a lease that is over stays over",
    "tests/app/test_deploying.py claimed": "a claim until tomorrow, or one that is over and stays so",
    "tests/notifications/certificates.py _certificate": "TLS goes by the real clock; they are good for a day",
    "tests/notifications/channels/test_email.py certificate": "TLS goes by the real clock; it is good for a day",
    "tests/notifications/channels/test_email.py test_a_letter_arrives_whole_and_its_answer_is_the_proof": "between sending and coming",
    "tests/notifications/channels/test_webhook.py test_whoever_has_the_secret_can_check_id_time_and_body": "between sending and coming",
    "tests/tasks/messages/test_digest.py test_a_crash_between_making_and_sending_loses_nothing_and_repeats_nothing": "it was sent before",
    (
        "tests/tasks/messages/test_marketing_digest.py"
        " test_a_storm_of_answers_with_a_kill_between_storing_and_sending_loses_and_repeats_nothing"
    ): "it was sent before",
    "tests/tasks/background/test_personal_outbox.py put_in": "a claim of just now holds for minutes, and one that is too old gets older",
    "tests/tasks/test_short_transactions.py test_post_that_died_while_it_was_sent_is_given_up_in_slices": "what is too old gets older",
    "tests/tasks/test_short_transactions.py test_many_attempts_that_died_are_woken_in_slices": "a lease that is over stays over",
    "tests/storage/budgets/test_attempts.py test_claiming_does_not_look_at_other_leads": "no lease is held there, whatever the time",
    "tests/dying.py leases_end": "a lease that is over stays over",
    "tests/app/test_starting.py test_a_prefect_server_whose_clock_is_an_hour_off_is_refused": "an hour is more than any machine is slow",
    "tests/app/test_starting.py test_a_machine_whose_clock_is_an_hour_off_is_refused": "an hour is more than any machine is slow",
    "tests/app/test_starting.py test_a_server_that_answers_late_has_no_wrong_clock": "what lies in the past stays there on a slow machine",
    "tests/app/test_starting.py a_server": "its clock is the real one",
    "tests/tasks/background/test_migrate_version.py test_an_attempt_that_is_under_way_writes_nothing_any_more": "also after its lease",
}
#: The functions that give up within a minute, and why nothing can be too slow for them.
IMPATIENT = {
    "tests/contracts/local_world.py LocalWorld.storm": "the file stays locked until Baton has given up once, and then Baton tries again",
    "tests/processes.py side_by_side": "both have said already what they had to say",
    "tests/storage/test_hubspot.py test_no_answer_at_all_is_said": "nobody answers there",
}
CLOCKS = {
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep")),
    "datetime.date.today",
    "asyncio.sleep",
}
#: Where a call says when to give up: in an argument of one of these names, or at this position of a call of that name.
BOUNDS = {"timeout", "timeout_seconds", "patience_seconds"}
PLACES = {"wait_for": 1, "join": 0, "wait": 0, "poll": 0, "timeout": 0}
#: These give up after five seconds by default.
HASTY = {f"httpx.{name}" for name in ("get", "head", "post", "put", "delete", "request", "stream", "Client", "AsyncClient")}


@cache
def functions() -> tuple[tuple[str, ast.AST, dict[str, str]], ...]:
    """Yield every function of short tests and of their helpers: its place, its node, and the meaning of names in its module."""
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        tree, place = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(ROOT).as_posix()
        if place not in ONLY_FOR_LONG and not any(isinstance(one, ast.Assign) and is_long(one) for one in tree.body):
            meant = meanings(tree)
            found += [(f"{place} {name}", one, meant) for name, one in outermost_functions(tree) if not is_long_function(one)]
    gc.freeze()
    return tuple(found)


def is_long(node: ast.AST) -> bool:
    """Whether this node is the mark `long`."""
    return any(isinstance(one, ast.Attribute) and one.attr == "long" for one in ast.walk(node))


def is_long_function(node: ast.AST) -> bool:
    """Whether the whole test has the mark, not only some of its cases."""
    marks = [one for one in getattr(node, "decorator_list", []) if isinstance(one, ast.Attribute)]
    return any(is_long(one) for one in marks)


def meanings(tree: ast.Module) -> dict[str, str]:
    """Return the full name of each imported name."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.asname or one.name: one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return found


def full_name(node: ast.expr, meant: dict[str, str]) -> str:
    """Return the name of the called function, in full if it was imported."""
    if isinstance(node, ast.Attribute):
        return f"{full_name(node.value, meant)}.{node.attr}"
    return meant.get(node.id, node.id) if isinstance(node, ast.Name) else "?"


def calls(node: ast.AST, meant: dict[str, str]) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call in a function, with the name of the called function."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            yield full_name(one.func, meant), one


def number(node: ast.expr | None) -> float:
    """Return the literal number, infinity for anything else. Infinity also for 0: a call that gives up at once does not wait."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int | float) and value else float("inf")


def reads_clock(name: str, call: ast.Call) -> bool:
    """Whether this call reads the real clock or sleeps. `sleep(0)`, which only yields to other tasks, is no sleep."""
    gives_way = name == "asyncio.sleep" and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
    return name in CLOCKS and not gives_way


def is_impatient(name: str, call: ast.Call) -> bool:
    """Whether this call gives up within a minute."""
    told = [one.value for one in call.keywords if one.arg in BOUNDS]
    place = PLACES.get(name.rpartition(".")[2])
    told += call.args[place : place + 1] if place is not None else []
    return any(number(one) < 60 for one in told) or (name in HASTY and not told)


def test_there_are_tests_to_look_at() -> None:
    """A test that reads nothing proves nothing."""
    assert len(functions()) > 2000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import time\ntime.time()", True),
        ("import time as real\nreal.monotonic()", True),
        ("from time import sleep\nsleep(1)", True),
        ("from datetime import UTC, datetime\ndatetime.now(UTC)", True),
        ("import asyncio\nasyncio.sleep(0)", False),
        ("import asyncio\nasyncio.sleep(0.1)", True),
        ("def test(time):\n    time.at()", False),
    ],
)
def test_the_real_clock_is_known_by_whatever_name(text: str, found: bool) -> None:
    tree = ast.parse(text)
    assert any(reads_clock(name, call) for name, call in calls(tree, meanings(tree))) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import httpx\nhttpx.get(url)", True),
        ("import httpx\nhttpx.get(url, timeout=PATIENCE_SECONDS)", False),
        ("run(words, timeout=30)", True),
        ("run(words, timeout=60)", False),
        ("sqlite3.connect(file, timeout=0)", False),
        ("asyncio.wait_for(done, 10)", True),
        ("thread.join(20)", True),
        ("thread.join()\n', '.join(names)", False),
        ("pytest.mark.timeout(10)", True),
    ],
)
def test_who_gives_up_soon_is_known(text: str, found: bool) -> None:
    tree = ast.parse(text)
    assert any(is_impatient(name, call) for name, call in calls(tree, meanings(tree))) is found


def test_only_few_tests_read_the_real_clock_and_each_has_its_reason() -> None:
    found = {where for where, node, meant in functions() if any(reads_clock(*one) for one in calls(node, meant))}

    assert found == set(REAL_TIME)


def test_nobody_gives_up_within_a_minute_but_for_a_reason() -> None:
    """A bound keeps a test from hanging; it says nothing about how fast anything is."""
    found = {where for where, node, meant in functions() if any(is_impatient(*one) for one in calls(node, meant))}

    assert found == set(IMPATIENT)
