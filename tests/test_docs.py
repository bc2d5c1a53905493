"""The documentation names everything that exists, and everything it shows is true."""

from __future__ import annotations

import importlib.util
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from agreements import model
from agreements.lifecycle import PARKED_NAMES, TRANSITIONS, Stage
from agreements.loading import read_agreement
from app import terminal
from app.cli import app
from storage.crm import hubspot, hubspot_history, salesforce, salesforce_sources
from storage.tables import DeliveryState
from tasks.wiring.settings import Settings
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("agreements", "storage", "notifications", "tasks", "flows", "app")
FOLDER_PAGES = [ROOT / folder / "README.md" for folder in FOLDERS]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
PAGES = sorted({*DOCS, *ROOT.glob("*.md"), *FOLDER_PAGES, *(ROOT / "tests").rglob("README.md")})
#: A command on a page with everything behind it in the line, and an option.
_TYPED = re.compile(r"baton [a-z][^`#|;\n]*")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def text_of(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def all_docs() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCS)


def commands(command: Any, path: str = "baton") -> Iterator[str]:
    """Return every command of the tree, as people type it."""
    inner = getattr(command, "commands", None)  # only groups have them
    if inner is None:
        yield path
        return
    for name, one in inner.items():
        yield from commands(one, f"{path} {name}")


def clauses() -> Iterator[str]:
    """Return every key that an agreement file may have, as a file writes it."""
    for clause in vars(model).values():
        if isinstance(clause, type) and issubclass(clause, model.Clause):
            yield from (field.alias or name for name, field in clause.model_fields.items())


def drawn() -> ModuleType:
    """Return the program that draws the lifecycle."""
    spec = importlib.util.spec_from_file_location("draw_lifecycle", ROOT / "docs" / "draw_lifecycle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_is_explained(stage: Stage) -> None:
    assert f"`{stage}`" in text_of("docs", "lifecycle.md")


@pytest.mark.parametrize("name", PARKED_NAMES.values())
def test_every_name_of_a_waiting_run_is_explained(name: str) -> None:
    assert f"`{name}`" in text_of("docs", "lifecycle.md")


def test_every_command_is_named() -> None:
    known, typed = all_docs(), list(commands(typer.main.get_command(app)))

    assert len(typed) > 15
    assert [path for path in typed if f"`{path}`" not in known] == []


def options(words: list[str]) -> set[str]:
    """Return the options of the command that these words begin with; empty where they begin with none."""
    command: Any = typer.main.get_command(app)
    for word in words:
        inner = getattr(command, "commands", {})
        if word not in inner:
            break
        command = inner[word]
    return {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}


def test_every_option_that_a_page_shows_is_one_of_its_command() -> None:
    typed = [one for page in PAGES for one in _TYPED.findall(page.read_text(encoding="utf-8"))]
    shown = {(command, option) for command in typed for option in _OPTION.findall(command)}

    assert len(shown) > 50
    assert sorted((command, option) for command, option in shown if option not in options(command.split()[1:])) == []


def test_every_setting_is_in_the_table() -> None:
    """With its default, where that is a plain value."""
    table = {line.split("`")[1]: line for line in text_of("docs", "settings.md").splitlines() if line.startswith("| `BATON_")}

    assert set(table) == {f"BATON_{name.upper()}" for name in Settings.model_fields}
    plain = {name: field.default for name, field in Settings.model_fields.items() if field.default not in ("", None)}
    assert [name for name, default in plain.items() if f"`{default}`" not in table[f"BATON_{name.upper()}"]] == []


def test_every_field_of_a_crm_that_the_adapters_name_is_in_the_table() -> None:
    table = text_of("docs", "crm.md").partition("## Fields that Baton reads and writes")[2].partition("\n## ")[0]
    named = [*hubspot.FIELDS.values(), *salesforce.FIELDS.values(), *hubspot_history.DEAL]
    named += [name for name, _ in hubspot_history.OUTCOMES.values()] + [*salesforce_sources.REASON_FIELDS, salesforce_sources.CURRENCY]
    named += [field.name for field in (*hubspot.PROPERTIES, *salesforce.OWN_FIELDS)]

    assert [name for name in named if f"`{name}`" not in table] == []


def test_every_clause_of_an_agreement_is_explained() -> None:
    """Heading, table or text: whoever writes the file finds each key."""
    page = text_of("docs", "agreements.md")

    assert [name for name in sorted(set(clauses())) if not re.search(rf"(`|## |[{{ ]){re.escape(name)}(`|:|$)", page, re.MULTILINE)] == []


def test_every_exit_code_and_every_state_of_a_delivery_is_explained() -> None:
    page = text_of("docs", "operations.md")
    codes = (terminal.DONE, terminal.FINDINGS, terminal.USAGE, terminal.PARTLY, terminal.AWAY)

    assert [code for code in codes if f"\n| {code} |" not in page] == []
    never_set = {DeliveryState.SENT, DeliveryState.BOUNCED}
    assert [state for state in DeliveryState if state not in never_set and f"`{state}`" not in page] == []


def test_the_lifecycle_is_drawn_from_its_table() -> None:
    """After a change of TRANSITIONS: python docs/draw_lifecycle.py."""
    module = drawn()
    page = text_of("docs", "lifecycle.md")

    assert page.partition(module.BEGIN)[2].partition(module.END)[0].strip() == module.drawing()
    assert text_of("docs", "pictures", "lifecycle.svg") == module.picture()


def test_the_picture_of_the_lifecycle_names_every_stage_and_event_and_loads_nothing() -> None:
    picture = text_of("docs", "pictures", "lifecycle.svg")
    events = {event for table in TRANSITIONS.values() for event in table}

    named = set(re.split(r"[,<>\s]+", picture))
    assert (events | {str(stage) for stage in Stage}) - named == set()
    assert re.findall(r"(?:href|src|url)[=(]['\"]?(?!#)", picture) == []


def test_the_drawing_can_be_checked_from_the_command_line() -> None:
    command = [sys.executable, "docs/draw_lifecycle.py", "--check"]

    assert subprocess.run(command, cwd=ROOT, check=False, timeout=PATIENCE_SECONDS).returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    """Links to other sites are not looked at."""
    found = [markdown or markup for markdown, markup in _LINK.findall(page.read_text(encoding="utf-8"))]
    targets = [one for one in found if "://" not in one]
    broken = []
    for target in targets:
        name, _, heading = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (heading and heading not in anchors(file)):
            broken.append(target)

    assert broken == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_small_agreement_of_the_page_is_the_one_that_people_begin_with() -> None:
    starter = text_of("agreements", "examples", "starter.yaml")
    written = "".join(line for line in starter.splitlines(keepends=True) if not line.startswith("#"))

    assert yaml_blocks()[0] == written
    assert read_agreement(starter).reference == "starter@1"


def test_the_agreement_of_the_first_page_is_complete() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", text_of("README.md"), re.DOTALL)

    assert len(block.splitlines()) == 13
    assert read_agreement(block).reference == "demo-requests@1"


def test_every_clause_that_the_page_shows_is_one_that_can_be_written() -> None:
    """Each example, put into the small agreement with a hot tier and a persona, is understood."""
    first, *others = yaml_blocks()
    whole = YAML(typ="safe", pure=True)
    refused = []
    for block in others:
        tree = whole.load(io.StringIO(first))
        tree["tiers"] = [{"name": "hot", "when": {"fast_lane": True}}, {"name": "normal"}]
        tree["personas"] = [{"name": "ops-leader", "match": {"country": "GB"}}]
        example = whole.load(io.StringIO(block))
        tree.update({"clocks": example} if "acceptance" in example else example)
        refused += [str(error) for error in problems(tree)]

    assert refused == []


def problems(tree: object) -> list[str]:
    from pydantic import ValidationError

    from agreements.checks import problems_of

    try:
        return [what for _, what in problems_of(model.Agreement.model_validate(tree))]
    except ValidationError as error:
        return [str(error)]


def yaml_blocks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", text_of("docs", "agreements.md"), re.DOTALL)


@pytest.mark.parametrize("page", [*DECISIONS, *FOLDER_PAGES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_decisions_and_folder_pages_are_short(page: Path) -> None:
    """At most 40 lines, none of them endless."""
    lines = page.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 40
    assert all(len(line) <= 120 for line in lines if not line.startswith("|"))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_what_was_given_up(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert [part for part in ("**Situation.**", "**Choice.**", "**What we gave up.**") if part not in text] == []
    assert text.startswith(f"# {int(page.stem[:4])}. ")
