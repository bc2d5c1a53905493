"""A start: a command imports what it needs, and what needs a Prefect server says so where none is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from app.cli import COMMANDS, app
from app.lazy_commands import Group, docstring
from tests.conftest import ROOT, ROSTER
from tests.examples import spread
from tests.patience import PATIENCE_SECONDS

EXAMPLE, OTHER = "agreements/examples/b2b-saas.yaml", "agreements/examples/starter.yaml"
SERVERS = {"prefect", "fastapi", "starlette", "uvicorn"}
SENDING = {"apprise", "requests", "aiosmtplib", "httpx"}
HEAVY = SERVERS | SENDING | {"polars", "vl_convert", "aiosmtpd", "playwright", "slack_sdk", "flufl"}
DATABASE = {"sqlmodel", "sqlalchemy", "alembic", "psycopg"}
#: Runs the command line on the words behind it, and prints as its last line which modules it has imported.
TELL = """
import sys
from app.cli import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("\\n" + " ".join({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def started(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in an environment that names no Prefect server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "BATON_", "_BATON"))}
    environment = {**kept, "BATON_HOME": str(home), "PREFECT_HOME": str(home / "prefect"), "HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", TELL, *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    assert done.returncode in (0, 1), done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with people, whose database is in shape."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "roster.yaml").write_text(ROSTER)
    assert started(folder, "roster", "load", str(folder / "roster.yaml")).returncode == 0
    return folder


@pytest.mark.parametrize(
    "words",
    spread(
        [
            "--help",
            "--version",
            "agreement --help",
            "leads --help",
            f"agreement check {EXAMPLE}",
            f"agreement diff {EXAMPLE} {OTHER}",
            f"agreement show {EXAMPLE}",
            f"agreement due {EXAMPLE} --clock acceptance --from 2026-05-01T16:30",
            "agreement schema",
            "roster check examples/roster.yaml",
            "messages list",
            "messages preview assigned",
        ],
        one_in=3,
    ),
)
def test_what_needs_no_database_imports_none(home: Path, words: str) -> None:
    found = imported(started(home, *words.split()))

    assert found & (HEAVY | DATABASE) == set()
    assert "typer" in found


def test_a_chat_address_of_apprise_is_checked_by_apprise_and_without_a_database(home: Path, tmp_path: Path) -> None:
    (tmp_path / "roster.yaml").write_text(ROSTER.replace("ana: {", "ana: {chat: 'slack://A/B/C', ", 1))

    found = imported(started(home, "roster", "check", str(tmp_path / "roster.yaml")))

    assert "apprise" in found
    assert found & (SERVERS | DATABASE) == set()


@pytest.mark.parametrize("words", ["leads show 1", "roster show", "verify"])
def test_what_writes_no_letter_imports_no_templates(home: Path, words: str) -> None:
    assert "jinja2" not in imported(started(home, *words.split()))


@pytest.mark.parametrize(
    "words",
    ["leads list", "verify", "messages count"]
    + [pytest.param(words, marks=pytest.mark.long) for words in ["leads show 1", "agreement list", "roster show", "keys list"]]
    + [pytest.param(words, marks=pytest.mark.long) for words in ["retention show", "leads erase 1 --dry-run", "disputes list"]]
    + [pytest.param(words, marks=pytest.mark.long) for words in ["devices list", "trail show 1", "web --help"]],
)
def test_what_needs_no_server_imports_none_and_nothing_that_sends(home: Path, words: str) -> None:
    found = imported(started(home, *words.split()))

    assert found & (HEAVY | {"alembic", "psycopg"}) == set()
    assert "sqlmodel" in found


def test_garbage_collection_goes_on_after_an_import_and_does_not_look_at_the_modules() -> None:
    code = "from app.quick_import import quick_import; import gc; lead = quick_import('storage.tables').Lead; "
    code += "print(gc.isenabled(), any(one is lead for one in gc.get_objects()))"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)

    assert done.stdout.split() == ["True", "False"]


@pytest.mark.parametrize("words", ["agreement deploy b2b-saas@1", "worker"])
def test_where_no_prefect_server_is_named_none_is_started(home: Path, words: str) -> None:
    done = started(home, *words.split())

    assert done.returncode == 4
    assert "export PREFECT_API_URL=http://127.0.0.1:4200/api" in done.stderr
    assert list(home.rglob("prefect.db*")) == [], "Prefect's own server keeps one"


def test_every_command_is_listed_with_its_own_help_in_the_order_of_the_tree() -> None:
    """The help page reads docstrings from the sources; the commands have them as they are imported."""
    root: Any = typer.main.get_command(app)

    def compare(group: Any, tree: Mapping[str, str | Group]) -> int:
        context = typer.Context(group)
        assert group.list_commands(context) == list(tree) == list(group.commands)
        for name, real in group.commands.items():
            assert group.get_command(context, name).help == real.help, name
            assert real.help, name
        return len(tree) + sum(compare(group.commands[name], one.commands) for name, one in tree.items() if isinstance(one, Group))

    assert compare(root, COMMANDS) > 40


def test_a_place_without_a_docstring_is_named() -> None:
    with pytest.raises(LookupError, match="app.cli:nothing is no function with a docstring"):
        docstring("app.cli:nothing")


def test_a_command_that_there_is_not_is_refused_with_a_near_one() -> None:
    done = CliRunner().invoke(app, ["leads", "shw"])

    assert done.exit_code == 2
    assert "'show'" in done.output


@pytest.mark.parametrize(("typed", "wanted"), [("baton agr", ["agreement"]), ("baton agreement p", ["publish", "preview"])])
def test_the_shell_completes_commands(typed: str, wanted: list[str]) -> None:
    asked = {"_BATON_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}

    done = CliRunner().invoke(app, [], prog_name="baton", env=asked)

    assert done.output.split() == wanted


def test_the_shell_completes_options() -> None:
    asked = {"_BATON_COMPLETE": "complete_bash", "COMP_WORDS": "baton leads import --h", "COMP_CWORD": "3"}

    done = CliRunner().invoke(app, [], prog_name="baton", env=asked)

    assert done.output.split() == ["--hold", "--help"]
