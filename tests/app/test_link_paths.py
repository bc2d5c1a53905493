"""What mail programs put behind a link does not belong to it, whichever kind of link it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, select

from app.web.link_paths import is_link, without_tail
from notifications.links import ToSign
from storage.tables import AgreementVersion, Wait
from tests.app.stage import Stage, answer_form, path_of, stage
from tests.examples import spread

TAILS = ". , ; : ) ] > ' \" ! … ” » 。 * / /. ). %3E %22%3E %29. %0D%0A %20and%20more &gt; %00 %E2%80%8B \\ ..".split()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(Path(tmp_path_factory.mktemp("tails"))) as running:
        yield running


def links_of(company: Stage) -> dict[str, str]:
    """The path of one link of each kind."""

    def find(session: Session, now: object) -> tuple[Wait, AgreementVersion]:
        return session.exec(select(Wait)).one(), session.exec(select(AgreementVersion)).one()

    wait, version = company.box.read_now(find)
    links, at = company.box.links, company.time.at
    urls = {
        "tenure": links.for_tenure(company.assignment_id, at=at),
        "duty": links.for_duty(wait.id, "maria", at=at),
        "person": links.for_person("maria", at=at),
        "one of a person's": f"{links.for_person('maria', at=at)}/{wait.id}",
        "signature": links.for_signature(ToSign("sales", "cro@northgate.example", "small@1", version.hash)),
        "digest": links.for_digest("ana", "2026-12-01", at=at),
        "dispute": links.for_dispute(0, "mina", at=at),
    }
    return {kind: path_of(url) for kind, url in urls.items()}


@pytest.fixture(scope="module")
def plain(company: Stage) -> dict[str, tuple[str, httpx.Response]]:
    """The path of one link of each kind, with its page."""
    browser = company.browser()
    return {kind: (path, browser.get(path)) for kind, path in links_of(company).items()}


@pytest.mark.parametrize("tail", spread(TAILS, one_in=3))
def test_what_stands_behind_a_link_is_ignored(company: Stage, plain: dict[str, tuple[str, httpx.Response]], tail: str) -> None:
    browser = company.browser()
    for kind, (path, page) in plain.items():
        tailed = browser.get(path + tail)

        assert (kind, tailed.status_code, page.status_code) == (kind, 200, 200)
        assert tail not in tailed.text or tail in page.text, "the forms lead to the address without it"


def test_what_stands_before_it_or_in_it_is_not(company: Stage) -> None:
    browser = company.browser()
    for path in (company.link.replace("/l/", "/l/."), company.link[:-1], company.link.replace(".", ".,"), company.link + "x"):
        assert browser.get(path).status_code == 404


def test_an_answer_may_be_sent_from_such_an_address(company: Stage) -> None:
    browser = company.browser()
    action, hidden = answer_form(browser.get(company.link + ").%22"))

    assert action == company.link
    assert "Type the code" in browser.post(action + ".", data={**hidden, "choice": "accepted"}).text


def test_no_slash_is_redirected(company: Stage) -> None:
    """With the address of the Host header such a redirect would hand the token to whoever stands in it."""
    answer = company.browser().get(f"{company.link}/", headers={"host": "evil.example"}, follow_redirects=False)

    assert (answer.status_code, "evil.example" in answer.text) == (200, False)
    for path in ("/me/", "/api/leads/", "/healthz/", "/api/docs/"):
        answer = company.browser().get(path, headers={"host": "evil.example"}, follow_redirects=False)
        assert (answer.status_code, "location" in answer.headers) == (404, False)


@pytest.mark.parametrize(
    ("path", "folder", "tidy"),
    [
        ("/l/abc.DEF-_", "", "/l/abc.DEF-_"),
        ("/baton/l/abc.def).", "/baton", "/baton/l/abc.def"),
        ("/l/abc.def).", "/baton", "/l/abc.def"),
        ("/l/abc.def/number;", "", "/l/abc.def/number"),
        ("/l/", "", "/l/"),
        ("/api/leads.", "", "/api/leads."),
        ("/me/code)", "", "/me/code)"),
        ("/l/a" + "." * 100_000, "", "/l/a"),
    ],
)
def test_only_links_are_changed(path: str, folder: str, tidy: str) -> None:
    assert without_tail(path, folder) == tidy
    assert is_link(path, folder) == (tidy.removeprefix("/baton").startswith("/l/a"))
