"""What strangers, robots and broken links get from the pages behind a link: a plain word, and no change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.stage import FIREFOX, Stage, form_of, send, stage, type_number, words_of
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


@pytest.fixture
def rep(company: Stage) -> httpx.Client:
    """A browser that has never been here: the code from the message is asked for once."""
    return company.browser(headers=FIREFOX)


class TestStrangers:
    @pytest.mark.parametrize(
        "spoil",
        [lambda t: t[:-1], lambda t: t + "x", lambda t: t[: len(t) // 2], lambda t: "%00%FF", lambda t: "a" * 5000],
        ids=["truncated", "longer", "half", "binary", "huge"],
    )
    def test_a_link_that_is_not_from_here_is_a_plain_page(self, company: Stage, rep: httpx.Client, spoil: Any) -> None:
        path = "/l/" + spoil(company.link.removeprefix("/l/"))
        for page in (rep.get(path), rep.post(path, data={"choice": "accepted"}), rep.post(path + "/undo", data={"answer_id": "1"})):
            assert page.status_code == 404
            assert "This link does not work" in page.text
            assert "Traceback" not in page.text
        assert company.answers() == []

    def test_without_a_cookie_nothing_is_sent(self, company: Stage) -> None:
        stranger = company.browser()
        action, hidden = form_of(stranger.get(company.link))
        stranger.cookies.clear()
        page = stranger.post(action, data={**hidden, "choice": "accepted", "text": "kept"})
        assert page.status_code == 403
        assert "Please open the link again and choose there" in words_of(page)
        assert "kept</textarea>" in page.text
        assert " checked" not in page.text
        assert company.answers() == []
        assert "Thank you" in type_number(stranger, stranger.post(action, data={**form_of(page)[1], "choice": "accepted"})).text

    @pytest.mark.parametrize("nonce", ["", "x", "\x00", "9" * 3000])
    def test_without_a_good_nonce_nothing_is_sent(self, company: Stage, rep: httpx.Client, nonce: str) -> None:
        rep.get(company.link)
        assert rep.post(company.link, data={"choice": "accepted", "nonce": nonce}).status_code == 403
        assert company.answers() == []

    def test_the_nonce_of_another_link_or_browser_does_not_fit(self, company: Stage, rep: httpx.Client) -> None:
        wait = company.open("decision", holder="maria", about="acceptance")
        duty = company.duty_link(wait, "maria")
        _, foreign = form_of(rep.get(duty))
        assert rep.post(company.link, data={**foreign, "choice": "accepted"}).status_code == 403
        _, others = form_of(company.browser().get(company.link))
        assert rep.post(company.link, data={**others, "choice": "accepted"}).status_code == 403
        assert company.answers() == []

    def test_a_form_on_another_site_is_refused(self, company: Stage, rep: httpx.Client) -> None:
        action, hidden = form_of(rep.get(company.link))
        page = rep.post(action, data={**hidden, "choice": "accepted"}, headers={"sec-fetch-site": "cross-site"})
        assert page.status_code == 403
        assert company.answers() == []

    def test_a_scanner_that_looks_twice_and_presses_the_first_form_changes_nothing(self, company: Stage, rep: httpx.Client) -> None:
        before = company.snapshot()
        scanner = company.browser(headers={"user-agent": ""})
        scanner.head(company.link)
        scanner.get(company.link)
        action, hidden = form_of(scanner.get(company.link))
        assert scanner.post(action, data=hidden).status_code == 422
        bare = httpx.post(company.url + action, data=hidden, trust_env=False, timeout=PATIENCE_SECONDS)
        assert bare.status_code == 403
        one_click = httpx.post(company.url + action, data={"List-Unsubscribe": "One-Click"}, trust_env=False, timeout=PATIENCE_SECONDS)
        assert one_click.status_code == 403
        assert company.snapshot() == before
        company.later(minutes=4)
        assert "Thank you" in send(rep, company.link, choice="accepted").text

    def test_a_scanner_that_comes_after_the_answer_cannot_take_it_back(self, company: Stage, rep: httpx.Client) -> None:
        send(rep, company.link, choice="accepted")
        scanner = company.browser()
        for address in re.findall(r'(?:href|action)="(/l/[^"]+)"', scanner.get(company.link).text):
            scanner.post(address, data={})
        assert company.answers() == [("accepted", "ana", "counted")]

    @pytest.mark.parametrize("lies", [False, True])
    def test_a_huge_form_is_refused(self, company: Stage, rep: httpx.Client, lies: bool) -> None:
        rep.get(company.link)
        body = b"text=" + b"x" * 70_000
        parts = iter([body[:40_000], body[40_000:]])
        page = rep.post(company.link, content=parts if lies else body, headers={"content-type": "application/x-www-form-urlencoded"})
        assert page.status_code == 413
        assert "That is too long" in page.text

    @pytest.mark.parametrize("body", [b"\xff\xfe=%zz&&==&a", b"&".join(b"a%d=1" % n for n in range(1000)), b"--x\r\n", b""])
    def test_a_body_that_is_no_form_is_refused(self, company: Stage, rep: httpx.Client, body: bytes) -> None:
        rep.get(company.link)
        assert rep.post(company.link, content=body).status_code == 403

    def test_signs_that_no_database_keeps_are_taken_out(self, company: Stage, rep: httpx.Client) -> None:
        send(rep, company.link, choice="rejected", reason="other", text="a\x00b\u202ec")
        page = rep.get(company.link).text
        assert "\x00" not in page
        assert "\u202e" not in page

    @pytest.mark.parametrize(
        ("method", "path"), [("DELETE", "/l/x"), ("GET", "/nowhere"), ("POST", "/"), ("GET", "/docs"), ("GET", "/openapi.json")]
    )
    def test_what_is_not_there_is_a_plain_page(self, company: Stage, rep: httpx.Client, method: str, path: str) -> None:
        page = rep.request(method, path)
        assert page.status_code in (404, 405)
        assert "There is no such page" in page.text
