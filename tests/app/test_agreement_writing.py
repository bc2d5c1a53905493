"""Writing an agreement at the command line: one to begin with, every mistake at once, and the schema for editors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agreements.loading import MAX_BYTES, content_hash, read_agreement
from agreements.schema import agreement_schema
from app import terminal
from app.cli import app as cli
from app.commands.agreement.writing import Example
from storage.tables import AgreementVersion
from tests.agreements.test_loading import BOMB, EXPECTED, JARGON, MANY
from tests.conftest import AGREEMENT, ROOT, ROSTER

ROSTER_FILE = ROOT / "examples" / "roster.yaml"
LEADS = ROOT / "examples" / "leads.csv"
#: A clause that has no effect.
ON_CALL = ("everyone_away: hold", "everyone_away: hold\n  on_call: dora")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, and an installation of its own."""
    monkeypatch.setenv("BATON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def baton(*words: object) -> Result:
    """Runs a command of `baton agreement`; it ends by itself, without a traceback."""
    result = CliRunner().invoke(cli, ["agreement", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result


def written(text: str | bytes, name: str = "deal.yaml") -> Path:
    path = Path(name)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_good_file_is_fine_and_what_has_no_effect_is_told_with_its_line() -> None:
    text = AGREEMENT.replace(*ON_CALL)
    file = written(text)

    result = baton("check", file)

    line = text[: text.index("on_call: dora")].count("\n") + 1
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "b2b-saas@1 is fine.",
        f"deal.yaml:{line}: note: routing.on_call: is not used, because `everyone_away` is hold",
        "Channels that can prove here that a rep was told: email, chat. Channels that cannot: sms (set BATON_SMS_URL),"
        " webhook (set BATON_WEBHOOK_URL), crm (nobody reads it; set BATON_CRM_PEOPLE=true if reps work in it).",
    ]


def test_all_mistakes_of_a_file_are_told_on_standard_error() -> None:
    result = baton("check", MANY)

    told = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (1, "")
    assert [" ".join(one.removeprefix(f"{MANY}:").split(": ")[:2]) for one in told] == EXPECTED
    assert [one for one in told if JARGON.search(one)] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "deal.yaml:1: an agreement is a mapping; begin with `agreement: name`"),
        ("agreement: x\n\tversion: 1\n", "deal.yaml:2: a tab is here; indent with blanks"),
        (AGREEMENT + "version: 2\n", "version: occurs twice, first on line 4; keep one of the two"),
        (BOMB, "anchors and aliases (&name, *name) are not used in agreements"),
        (b"x" * 10_000_000, f"deal.yaml:1: the file is larger than {MAX_BYTES:,} bytes"),
        ("agreement: é\n".encode("latin-1"), "deal.yaml:1: is not UTF-8, its first bad byte is 0xe9 on this line; save it as UTF-8"),
        (b"agreement: x\nversion: 1\0\n", "deal.yaml:2: an invisible character is here (U+0000); take it out"),
        ("a: " + "[" * 1000, "is nested more than 20 deep"),
        ("agreement: x\n---\nagreement: y\n", "deal.yaml:2: a second document begins here"),
    ],
    ids=["empty", "tab", "twice", "bomb", "ten megabytes", "not UTF-8", "NUL", "deep", "two documents"],
)
def test_a_file_that_is_no_agreement_is_refused(content: str | bytes, said: str) -> None:
    result = baton("check", written(content))

    assert result.exit_code == 1
    assert said in result.stderr


@pytest.mark.parametrize("ref", ["nowhere.yaml", ".", "/dev/zero"])
def test_what_is_no_file_and_no_reference_is_a_matter_of_usage(ref: str) -> None:
    result = baton("check", ref)

    assert result.exit_code == 2
    assert "is no file and no reference; write name@version, as in b2b-saas@3" in result.stderr


def test_a_published_version_is_checked_by_its_name() -> None:
    baton("publish", written(AGREEMENT.replace(*ON_CALL)))

    result = baton("check", "b2b-saas@1")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == [
        "b2b-saas@1 is fine.",
        "b2b-saas@1: note: routing.on_call: is not used, because `everyone_away` is hold",
    ]


def test_a_version_that_was_published_before_a_check_was_there_is_told_what_it_finds() -> None:
    """Its leads run on; but nobody is told that it is fine."""
    text = AGREEMENT.replace("normal: 4 working hours", "normal: 4 hours")
    day = datetime(2026, 1, 1, tzinfo=UTC)
    row = AgreementVersion(name="b2b-saas", version=1, hash=content_hash(text), text=text, effective_at=day, published_at=day)
    terminal.open_box().write_now(lambda session, now: session.add(row))

    result = baton("check", "b2b-saas@1")

    assert result.exit_code == 1
    assert "b2b-saas@1: clocks.acceptance.within.normal: '4 hours' is elapsed time beside a calendar" in result.stderr


def test_with_a_roster_teams_and_people_are_looked_for() -> None:
    fits = baton("check", written(AGREEMENT), "--roster", ROSTER_FILE)
    lacks = baton("check", written(AGREEMENT.replace("team: emea", "team: apac")), "--roster", ROSTER_FILE)

    assert (fits.exit_code, lacks.exit_code, lacks.stdout) == (0, 1, "")
    assert "deal.yaml: routing.segments.1.team: there is no team 'apac' in the roster" in lacks.stderr


@pytest.mark.parametrize(("content", "said"), [("teams: {}\n", "people"), (None, "No such file")])
def test_a_roster_that_cannot_be_read_is_a_matter_of_usage(content: str | None, said: str) -> None:
    if content is not None:
        written(content, "people.yaml")

    result = baton("check", written(AGREEMENT), "--roster", "people.yaml")

    assert result.exit_code == 2
    assert said in result.stderr


def test_with_leads_it_is_told_how_often_each_fact_is_known_and_what_nothing_knows() -> None:
    result = baton("check", written(AGREEMENT), "--leads", LEADS)

    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines() if line.startswith("│")]
    assert result.exit_code == 0
    assert "52 leads of leads.csv" in result.stdout
    assert ["tier hot", "fast_lane", "not in a file", ""] in rows
    [industry] = [row for row in rows if row[1] == "industry"]
    assert industry[2] == "96%"
    assert industry[3].startswith("education (2), retail (2), ")


def test_rows_of_leads_that_cannot_be_read_are_counted() -> None:
    written("source_id,email\nL-1,a@b.example\nL-2,nobody\n", "leads.csv")

    result = baton("check", written(AGREEMENT), "--leads", "leads.csv")

    assert result.exit_code == 0
    assert "1 rows could not be read, the first of them leads.csv:3: email: is not an e-mail address" in result.stderr


@pytest.mark.parametrize("words", [("--leads", "nowhere.csv"), ("--leads", LEADS, "--map", "nowhere.yaml")], ids=["leads", "map"])
def test_leads_that_cannot_be_read_are_a_matter_of_usage(words: tuple[object, ...]) -> None:
    result = baton("check", written(AGREEMENT), *words)

    assert result.exit_code == 2
    assert "nowhere" in result.stderr


@pytest.mark.parametrize("example", Example)
def test_a_new_agreement_passes_the_check_at_once(example: Example) -> None:
    made = baton("new", "acme", "--from", example)

    assert made.exit_code == 0
    assert "baton agreement check acme.yaml" in made.stdout
    assert read_agreement(Path("acme.yaml").read_text(encoding="utf-8")).reference == "acme@1"
    assert baton("check", "acme.yaml").exit_code == 0


def test_the_starter_is_short_and_fits_the_example_roster() -> None:
    baton("new", "acme", "--out", "first.yaml")

    assert len(Path("first.yaml").read_text(encoding="utf-8").splitlines()) <= 25
    assert baton("check", "first.yaml", "--roster", written(ROSTER, "people.yaml")).exit_code == 0


@pytest.mark.parametrize("name", ["123", "true", "2026-01-01", "1.5"])
def test_a_name_that_looks_like_something_else_stays_a_name(name: str) -> None:
    baton("new", name, "--out", "named.yaml")

    assert read_agreement(Path("named.yaml").read_text(encoding="utf-8")).agreement == name


def test_a_file_that_is_there_is_never_overwritten() -> None:
    file = written("mine", "acme.yaml")

    result = baton("new", "acme")

    assert result.exit_code == 1
    assert "acme.yaml exists already; name another file with --out." in result.stderr
    assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["", "two words", "x: y", "a\nversion: 9", "-x-" * 40, "../up"])
def test_what_cannot_be_a_name_is_refused_and_nothing_is_written(name: str) -> None:
    result = baton("new", "--", name)

    assert result.exit_code == 2
    assert "is no name; write letters, digits, -, _ and ." in result.stderr
    assert list(Path().glob("**/*.yaml")) == []


@pytest.mark.parametrize("command", [("new", "acme"), ("schema",)], ids=lambda words: words[0])
def test_a_folder_that_is_not_there_is_a_matter_of_usage(command: tuple[str, ...]) -> None:
    result = baton(*command, "--out", "nowhere/file")

    assert result.exit_code == 2
    assert "nowhere/file cannot be written: No such file or directory; name another file with --out." in result.stderr


def test_the_schema_is_printed_or_written() -> None:
    printed, kept = baton("schema"), baton("schema", "--out", "agreement.schema.json")

    assert json.loads(printed.stdout) == agreement_schema()
    assert json.loads(Path("agreement.schema.json").read_text(encoding="utf-8")) == agreement_schema()
    assert "# yaml-language-server: $schema=agreement.schema.json" in kept.stdout
