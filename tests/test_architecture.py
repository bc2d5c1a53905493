"""The architecture of the code: imports go one way, rules have no side effects, and few places read the real clock."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: Each package, and the other packages that it may import.
MAY_IMPORT = {
    "agreements": set(),
    "storage": {"agreements"},
    "notifications": {"agreements"},
    "tasks": {"agreements", "storage", "notifications"},
    "flows": {"agreements", "storage", "notifications", "tasks"},
    "app": {"agreements", "storage", "notifications", "tasks", "flows"},
}
#: The folders of tasks/, from the bottom up: each may import the folders before it. Modules outside them are named one by one.
ROOMS = (
    "automation",
    "wiring",
    "work",
    "clock_inputs",
    "dispute_window",
    "choices",
    "begin",
    "newcomers",
    "opting_out",
    "refusals",
    "recognition",
    "messages",
    "in_hand",
    "intake",
    "steps",
    "list_preview",
    "replies",
    "crm",
    "disputes",
    "signing",
    "erasure",
    "trail",
    "feeds",
    "background",
)
#: What agreements/ must not import.
NOT_FOR_RULES = {"prefect", "sqlmodel", "sqlalchemy", "alembic", "httpx", "fastapi", "starlette", "uvicorn", "apprise", "socket"}
#: The rules that decide about a lead. Storage keeps and finds rows, so it imports none of them.
DECIDES = {
    f"agreements.{name}"
    for name in "asked changes clocks criteria disposition ladder note qualification release routing rules scoring screening".split()
}
#: The places that may read the real clock, and why they need real time. All other code gets the present from the toolbox.
REAL_TIME = {
    "tasks/wiring/toolbox.py LeapingTime.now": "the one door for the clock",
    "notifications/channels/webhook.py SignedDoor.post": "receivers refuse what was not signed just now, by their own clocks",
    "storage/time_offset.py leap_to": "a leap is reckoned from real time",
    "storage/wakes.py row": "the age of a wake, by which lost ones are found, is that of processes",
    "storage/claims.py take": "a claim keeps other processes out, and gives way when its process has died",
    "storage/trail.py line": "recorded_at says when a line was really written, also where time leaps",
    "tasks/background/personal_outbox.py send_personal_messages": "the age of what was being sent when a process died",
    "flows/attempt.py": "leases have to do with processes, and so does the back-off of failed attempts",
    "flows/going.py": "how long a step took is real time, as Prefect shows it",
    "storage/due.py missed": "leases",
    "tasks/background/lost_run.py _locked": "leases",
    "app/commands/intake.py _shown": "a map is tried out without an installation, so there is no other time",
    "app/repair.py": "leases",
    "app/starting.py": "whether the clocks of several machines agree",
    "app/prefect_check.py check_prefect": "whether the clocks of several machines agree",
    "app/clock_parts.py look": "leases",
    "app/clock_parts.py ClockParts._look_for_alarms": "whether a worker lives is a matter of real time, also where Baton's time leaps",
    "app/web/alarm_watch.py _once": "whether a worker lives is a matter of real time",
    "app/heartbeat.py _beat": "a sign of life is real",
    "app/web/rates.py Rates._seconds": "requests are counted by the minutes of the real clock",
    "app/attempts.py": "leases",
    "app/hand_over.py": "leases, and wakes that were handed over and not read",
    "storage/migrations/versions/0006_one_lead_a_person.py _end_second_handoffs": "a database is upgraded before anything leaps",
    "app/prefect_runs.py PrefectEngine._look": "Prefect's own timestamps are real",
    "app/commands/agreement/trying.py _now": "where nothing is installed there is no other time",
    "app/commands/auditing.py present": "an audit needs no installation, and without one there is no other time",
    "app/demo/director.py Director": "leases, and how long something stands still",
    "app/demo/lead_rows.py timed_rows": "the years that are likely in a file are those around today",
}


@cache
def sources() -> tuple[tuple[str, ast.Module], ...]:
    """Return every module of every package, by its path. They are parsed once a process, and nobody collects them as garbage."""
    paths = [path for package in MAY_IMPORT for path in sorted((ROOT / package).rglob("*.py"))]
    parsed = tuple((path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths)
    gc.freeze()
    return parsed


def imports(tree: ast.AST) -> Iterator[str]:
    """Return the full names of all imported modules, including imports inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield node.module or ""


def full_imports(tree: ast.AST) -> Iterator[str]:
    """Return the imports with the names taken from each: `from tasks import work` is `tasks.work`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def clock_readers(tree: ast.Module, path: str) -> Iterator[str]:
    """Return the functions and methods that read the real clock."""
    for name, node in outermost_functions(tree):
        if any(_reads_clock(one) for one in ast.walk(node)):
            yield f"{path} {name}"


def outermost_functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield each function, class member and other statement of a module with its name. Nested code belongs to its function."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{getattr(one, 'name', 'body')}", one) for one in node.body)
        else:
            yield getattr(node, "name", "module"), node


def takers_of_the_process_toolbox(tree: ast.Module, path: str) -> Iterator[str]:
    """Return the places that take the toolbox of the process: every use of `current` of tasks.wiring.toolbox, under any name."""
    own, modules = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "tasks.wiring.toolbox":
            own |= {alias.asname or alias.name for alias in node.names if alias.name == "current"}
        elif isinstance(node, ast.ImportFrom) and node.module == "tasks.wiring":
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "toolbox"}
        elif isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "tasks.wiring.toolbox"}
    for node in ast.walk(tree):
        called = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
        if called in own or called in {f"{module}.current" for module in modules}:
            yield f"{path}:{getattr(node, 'lineno', 0)} {called}"


def _reads_clock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    called = f"{owner.id if isinstance(owner, ast.Name) else getattr(owner, 'attr', '')}.{node.func.attr}"
    return called in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")


def test_there_are_sources_to_look_at() -> None:
    """A test that reads nothing proves nothing."""
    assert len(sources()) > 80


def test_imports_go_one_way() -> None:
    """agreements <- storage, notifications <- tasks <- flows <- app."""
    wrong = [
        f"{path} imports {name}"
        for path, tree in sources()
        for name in imports(tree)
        if (top := name.partition(".")[0]) in MAY_IMPORT and top != path.partition("/")[0] and top not in MAY_IMPORT[path.partition("/")[0]]
    ]

    assert wrong == []


def test_the_rooms_of_tasks_stand_on_each_other() -> None:
    """Whoever knows the rooms below a room knows all that it builds on."""
    wrong = [
        f"{path} imports {name}"
        for path, tree in sources()
        if path.startswith("tasks/") and path != "tasks/__init__.py"
        for name in full_imports(tree)
        if name.startswith("tasks.") and ROOMS.index(name.split(".")[1]) > ROOMS.index(path.split("/")[1].removesuffix(".py"))
    ]

    assert wrong == []


def test_rules_know_no_engine_no_database_and_no_network() -> None:
    """What was agreed can be judged anywhere, by the thousand."""
    wrong = [
        f"{path} imports {name}"
        for path, tree in sources()
        if path.startswith("agreements/")
        for name in imports(tree)
        if name.partition(".")[0] in NOT_FOR_RULES
    ]

    assert wrong == []


def test_storage_decides_nothing_about_a_lead() -> None:
    """tasks/ decides which handoff begins, and what is merged or linked."""
    wrong = [
        f"{path} imports {name}"
        for path, tree in sources()
        if path.startswith("storage/")
        for name in {*imports(tree), *full_imports(tree)}
        if name in DECIDES
    ]

    assert wrong == []


def test_the_rules_that_decide_are_there() -> None:
    """A name that no file has forbids nothing."""
    assert [name for name in sorted(DECIDES) if not (ROOT / f"{name.replace('.', '/')}.py").exists()] == []


def test_nothing_takes_more_than_seven_parameters() -> None:
    """Beyond that a value is missing. Commands are left out: each of their options is a parameter."""
    wrong = [
        f"{path} {node.name}: {count}"
        for path, tree in sources()
        if not path.startswith("app/commands/")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (count := sum(one.arg not in ("self", "cls") for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))) > 7
    ]

    assert wrong == []


def test_the_work_on_a_lead_gets_what_it_uses() -> None:
    """Only a flow, the worker and a command take the toolbox of the process. They pass on what each function uses."""
    wrong = [
        taker
        for path, tree in sources()
        if path.startswith(("tasks/", "app/web/")) and not path.startswith("tasks/wiring/")
        for taker in takers_of_the_process_toolbox(tree, path)
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from tasks.wiring import toolbox\nlinks = toolbox.current().links", ["x.py:2 toolbox.current"]),
        ("from tasks.wiring import toolbox as tools\ndef f():\n    return tools.current()", ["x.py:3 tools.current"]),
        ("from tasks.wiring.toolbox import current\nbox = current()", ["x.py:2 current"]),
        ("from tasks.wiring.toolbox import current as box_of\nlater = box_of", ["x.py:2 box_of"]),
        ("import tasks.wiring.toolbox\nbox = tasks.wiring.toolbox.current()", ["x.py:2 tasks.wiring.toolbox.current"]),
        ("from storage import roster\npeople = roster.current(session)", []),
        ("from tasks.wiring.toolbox import Toolbox\ndef f(box: Toolbox, current: int):\n    return current", []),
    ],
)
def test_the_toolbox_of_the_process_is_found_under_any_name(source: str, found: list[str]) -> None:
    """A look that misses a spelling would hold nothing."""
    assert list(takers_of_the_process_toolbox(ast.parse(source), "x.py")) == found


@pytest.mark.parametrize("module", ["smtplib"])
def test_nobody_imports(module: str) -> None:
    """E-mail is asynchronous and has one file."""
    assert [path for path, tree in sources() if module in {name.partition(".")[0] for name in imports(tree)}] == []


def test_only_few_places_read_the_real_clock_and_each_has_its_reason() -> None:
    """A step that asked the clock by itself could not be stepped or made to leap."""
    found = {reader for path, tree in sources() for reader in clock_readers(tree, path)}
    listed = {
        reader: [place for place in REAL_TIME if reader == place or reader.startswith((f"{place}.", f"{place} "))] for reader in found
    }

    assert [reader for reader, places in listed.items() if not places] == []
    assert {place for places in listed.values() for place in places} == set(REAL_TIME), "a place that no longer reads it leaves the list"


def test_no_flow_hides_another_module() -> None:
    """A flow that is loaded by path puts its folder first on the import path."""
    stems = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}

    assert stems & {*MAY_IMPORT, "prefect", "types", "queue", "calendar", "email", "logging", "signal", "time"} == set()
