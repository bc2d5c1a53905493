"""Messages at the command line: which there are, how they read, and what is wrong with the company's own templates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import func, select
from typer.testing import CliRunner, Result

from app.cli import app as cli
from app.commands.parts import warn_of_templates
from app.message_preview import for_lead
from notifications.catalogue import WHO_GETS
from notifications.checking import problems_of
from notifications.letter import Letter
from notifications.rendering import message_names
from notifications.samples import is_about_a_lead
from storage.tables import Delivery, Event, Handoff
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tests.driver import Driver
from tests.stage import answer_by_link, capture, kept_by, newest


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the company's own templates."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("BATON_TEMPLATES", str(folder))
    return folder


@pytest.fixture
def baton(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line on the same database, at the same time."""
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)
    monkeypatch.setenv("BATON_SECRETS", "a-key-for-tests-only")

    def run(*words: object) -> Result:
        done = CliRunner().invoke(cli, ["messages", *map(str, words)], env={"COLUMNS": "160"})
        if toolbox._current is not box:
            toolbox.current().database.close()
            toolbox.use(box)
        return done

    return run


def put(folder: Path, file: str, text: str) -> None:
    path = folder / file
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text, encoding="utf-8")


def preview(box: Toolbox, message: str, lead: int, to: str = "") -> Letter:
    return box.read_now(lambda session, now: for_lead(session, box, message, lead, to=to, now=now))


def stored(box: Toolbox) -> tuple[int, ...]:
    return box.read_now(lambda session, now: tuple(session.exec(select(func.count()).select_from(one)).one() for one in (Delivery, Event)))


def test_every_message_is_listed_with_who_gets_it_and_what_is_the_companys(own: Path, baton: Callable[..., Result]) -> None:
    put(own, "assigned/subject.txt", "Neu: {{ lead.company }}")

    done = baton("list")

    assert done.exit_code == 0
    rows = [[cell.strip() for cell in line.strip("│\n").split("│")] for line in done.stdout.splitlines() if line.startswith("│")]
    named = {row[0]: row for row in rows if row[0]}
    assert set(named) == set(message_names()) == set(WHO_GETS)
    assert named["assigned"][3] == "subject.txt"
    assert named["told"][1:] == [*(words.replace("`", "") for words in WHO_GETS["told"]), "–"]


def test_every_message_can_be_previewed_without_a_lead_and_without_a_database(tmp_path: Path) -> None:
    file = tmp_path / "message.html"

    for message in message_names():
        done = CliRunner().invoke(cli, ["messages", "preview", message, "--html", str(file), "--text"], env={"BATON_HOME": str(tmp_path)})

        assert done.exit_code == 0, done.output
        assert len(done.stdout) > 100
        assert "<html" in file.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [file]


async def test_a_preview_is_what_was_sent_to_the_letter(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    sent = next(one for one in kept_by(box, "email").letters if one.message == "assigned")
    before = stored(box)

    shown = preview(box, "assigned", taken.lead_id)

    assert (shown.subject, shown.text, shown.html, shown.chat, shown.to) == (sent.subject, sent.text, sent.html, sent.chat, sent.to)
    assert stored(box) == before


async def test_every_message_about_a_lead_can_be_previewed_for_a_stored_one(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    before = stored(box)

    for message in filter(is_about_a_lead, message_names()):
        shown = preview(box, message, taken.lead_id)

        assert str(taken.lead_id) in shown.subject
        assert shown.faults == ()
    assert stored(box) == before


async def test_a_preview_to_somebody_else_has_their_name_and_zone(driver: Driver, box: Toolbox, baton: Callable[..., Result]) -> None:
    taken = capture(box)
    await driver.settle()

    done = baton("preview", "reminder", "--lead", taken.lead_id, "--to", "maria")

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("To: Maria Keller <")
    assert "do not forward it" in done.stderr or "http" not in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing",), 1, "there is no such message; there are absence-told, alarm-told, answered-for-you"),
        (("told", "--lead", "99"), 1, "There is no handoff of lead 99."),
        (("told", "--to", "ana"), 2, "--to needs a --lead"),
        (("told", "--html", "{folder}/nowhere/a.html"), 2, "There is no folder"),
        (("signature-asked", "--lead", "1"), 1, "is not about one lead; preview it without --lead."),
    ],
)
def test_what_cannot_be_previewed_is_said(
    box: Toolbox, baton: Callable[..., Result], tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = baton("preview", *(word.format(folder=tmp_path) for word in words))

    assert done.exit_code == code
    assert said in done.stderr


async def test_somebody_who_is_not_there_cannot_be_written_to(driver: Driver, box: Toolbox, baton: Callable[..., Result]) -> None:
    taken = capture(box)
    await driver.settle()

    done = baton("preview", "told", "--lead", taken.lead_id, "--to", "zoe")

    assert done.exit_code == 1
    assert "zoe is not in the roster; name somebody who is with --to: ana" in done.stderr


def test_a_lead_for_which_no_agreement_is_in_force_has_no_messages(box: Toolbox, baton: Callable[..., Result]) -> None:
    taken = capture(box)
    box.write_now(lambda session, now: setattr(session.get(Handoff, newest(box, taken).id), "agreement", ""))

    done = baton("preview", "assigned", "--lead", taken.lead_id)

    assert done.exit_code == 1
    assert "no agreement is in force for it" in done.stderr


def test_batons_own_templates_are_right(baton: Callable[..., Result]) -> None:
    done = baton("check")

    assert done.exit_code == 0, done.stderr
    assert "messages are right" in done.stdout


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "assigned/subject.txt",
            "New\n{{ leed.company }}",
            "assigned/subject.txt: line 2: 'leed' is undefined. A template may use colleague, colleague_link, due_at,",
        ),
        ("told/body.txt", "{% if link %}{{ link }}", "told/body.txt: line 1: Unexpected end of template."),
        (
            "told/body.html",
            "{{ lead.company|safe }} {{ link }}",
            "told/body.html: what a lead wrote becomes a part of the page; take out |safe",
        ),
        ("told/body.html", "<p title={{ lead.company }}>{{ link }}</p>", "told/body.html: what a lead wrote becomes a part of the page"),
        ("told/body.html", "<a href='{{ lead.company }}'>{{ link }}</a>", "told/body.html: what a lead wrote becomes a part of the page"),
        ("told/body.txt", "Hello", "told/body.txt: the link is not in it, so nobody could answer; write {{ link }} where it belongs."),
        ("assigned/chat.txt", "{{ lead.history[0] }} {{ link }}", "assigned/chat.txt: line 1: "),
        (
            "told/body.html",
            "{{ link }}{% for a in range(999) %}{{ what }}{% endfor %}",
            "told/body.html: with long texts it has over 100,000",
        ),
        ("told/body.html", "{% extends '_lay.html' %}", "told/body.html: line 1: there is no template _lay.html"),
        ("_end.txt", "{{ firm }}", "_end.txt: line 1: 'firm' is undefined"),
        ("tolled/subject.txt", "x", "tolled/subject.txt: there is no message tolled; there are absence-told, alarm-told, answered-for-you"),
        ("told/titel.txt", "x", "told/titel.txt: a message has subject.txt, body.txt, body.html, chat.txt;"),
        ("subject.txt", "x", "subject.txt: no message uses it; put it into the folder of its message, as in assigned/subject.txt."),
    ],
)
def test_a_template_that_is_not_right_is_named_with_what_to_do(
    own: Path, baton: Callable[..., Result], file: str, text: str, said: str
) -> None:
    put(own, file, text)

    done = baton("check")

    assert done.exit_code == 1
    assert said in done.stderr


def test_a_fault_is_named_once_and_all_of_them_are(own: Path) -> None:
    put(own, "assigned/subject.txt", "{{ leed.company }}")
    put(own, "told/chat.txt", "{% if %}")

    assert [fault.place for fault in problems_of(own)] == ["assigned/subject.txt, line 1", "told/chat.txt, line 1"]


def test_a_good_folder_of_ones_own_is_right(own: Path, baton: Callable[..., Result]) -> None:
    put(own, "assigned/subject.txt", "Neu: {{ lead.company|short(60) }} bis {{ due_at|when if due_at }}")
    put(
        own,
        "told/body.html",
        "{% extends '_layout.html' %}{% block body %}<p title=\"{{ lead.company }}\">{{ what }}</p>{{ link }}{% endblock %}",
    )
    put(own, "_end.txt", "Our firm\n")
    put(own, ".git/config", "x")

    done = baton("check")

    assert done.exit_code == 0, done.stderr
    assert f"with the templates in {own}" in done.stdout.replace("\n", "")


def test_a_folder_that_is_not_there_is_named(own: Path, baton: Callable[..., Result]) -> None:
    own.rmdir()

    done = baton("check")

    assert done.exit_code == 1
    assert "there is no such folder; BATON_TEMPLATES names one, or is not set" in done.stderr


def test_a_part_that_starts_warns_of_a_faulty_template_and_goes_on(box: Toolbox, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(own, "assigned/subject.txt", "{{ leed.company }}")
    box.settings.templates = str(own)

    warn_of_templates(box.settings)

    assert "template assigned/subject.txt: line 1: 'leed' is undefined" in capsys.readouterr().err
