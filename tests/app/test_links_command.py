"""The links to the overview of open leads, as they are asked for at the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.app.stage import NOW, Stage, form_of, stage


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        monkeypatch.setattr("app.terminal.open_box", lambda settings=None: running.box)
        yield running


@pytest.mark.parametrize(("side", "person"), [("marketing", "mina"), ("manager", "maria")])
def test_the_link_opens_the_page_and_the_code_shows_the_names(company: Stage, side: str, person: str) -> None:
    said = CliRunner().invoke(app, ["links", side, person])
    link, code = said.stdout.split("\nCode: ")
    browser = company.browser()

    action, hidden = form_of(browser.get(httpx.URL(link).path))
    page = browser.post(action, data={**hidden, "number": code.strip()})

    assert said.exit_code == 0
    assert link == f"{company.box.links.for_person(person, at=NOW)}/leads"
    assert "Hara" in page.text


@pytest.mark.parametrize(
    ("side", "person", "why"),
    [
        ("marketing", "maria", "Maria Keller does not speak for marketing."),
        ("manager", "mina", "Mina Okoro does not decide for anybody's leads."),
        ("manager", "ana", "Ana Silva does not decide for anybody's leads."),
        ("marketing", "nobody", "Nobody in the roster is 'nobody'"),
    ],
)
def test_nobody_gets_a_link_to_what_they_do_not_oversee(company: Stage, side: str, person: str, why: str) -> None:
    said = CliRunner().invoke(app, ["links", side, person])

    assert said.exit_code == 1
    assert why in " ".join(said.output.split())
