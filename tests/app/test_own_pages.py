"""Browsers that are remembered, the list of what one owes, and the page of somebody who decides for others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, col, select

from storage import devices
from storage.tables import Answer, Delivery, Device, MailedCode, PageView
from tasks.background import personal_messages
from tasks.replies import enrolment
from tests.app.stage import NOW, Stage, answer_form, form_of, path_of, press, send, stage, type_number


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


@pytest.fixture
def rep(company: Stage) -> httpx.Client:
    return company.know(company.browser())


def form_to(page: httpx.Response, action: str) -> tuple[str, dict[str, str]]:
    """The form of the page that goes there."""
    forms = re.findall(r"<form[^>]*>", page.text)
    return form_of(page, next(number for number, form in enumerate(forms) if f'action="{action}"' in form))


def ask(company: Stage, browser: httpx.Client) -> httpx.Response:
    """Presses "Remember this browser as mine"."""
    action, hidden = form_to(browser.get(company.link), "/me/enrol")
    return browser.post(action, data=hidden)


def mailed_code(company: Stage) -> str:
    """The code of the newest e-mail, as it is written there."""

    def read(session: Session, now: object) -> str:
        row = session.exec(select(Delivery).where(Delivery.message == "device-code").order_by(col(Delivery.id).desc())).first()
        assert row is not None
        letter = personal_messages.draft_of(session, company.box, row, now=company.time.at).written(company.box.templates)
        assert letter.to.email == "ana@northgate.example"
        (code,) = re.findall(r"^(\d{6})$", letter.text, re.MULTILINE)
        assert code in letter.subject
        assert code in letter.html
        return str(code)

    return company.box.read_now(read)


def type_code(browser: httpx.Client, page: httpx.Response, code: str) -> httpx.Response:
    """Types a code into the page's form."""
    action, hidden = form_to(page, "/me/code")
    return browser.post(action, data={**hidden, "code": code})


def levels(company: Stage) -> list[tuple[str, str]]:
    return [(row.person, row.level) for row in company.rows(Device) if row.revoked_at is None]


class TestEnrolment:
    def test_a_mailed_code_makes_the_browser_the_persons_own(self, company: Stage, rep: httpx.Client) -> None:
        page = ask(company, rep)
        assert "Type the code from the e-mail" in page.text
        (row,) = company.rows(Delivery)
        assert (row.handoff_id, row.person, row.channel) == (None, "ana", "email")
        code = mailed_code(company)
        assert code not in str(company.snapshot())
        page = type_code(rep, page, code)
        assert "Ana Silva: 1 open" in page.text
        assert levels(company) == [("ana", "enrolled")]
        assert "/me/enrol" not in rep.get(company.link).text

    def test_it_is_offered_only_where_the_number_was_typed(self, company: Stage) -> None:
        stranger = company.browser()
        page = stranger.get(company.link)
        assert "/me/enrol" not in page.text
        _, hidden = answer_form(page)
        refused = stranger.post("/me/enrol", data={"nonce": hidden["nonce"], "token": company.link.rpartition("/")[2]})
        assert refused.status_code == 422
        assert "Answer through your link in this browser first" in refused.text
        assert company.rows(MailedCode) == []

    def test_a_code_is_good_for_a_quarter_of_an_hour(self, company: Stage, rep: httpx.Client) -> None:
        page = ask(company, rep)
        code = mailed_code(company)
        company.later(minutes=15)
        assert "older than 15 minutes" in type_code(rep, page, code).text
        assert levels(company) == [("ana", "known")]

    def test_five_wrong_codes_end_it(self, company: Stage, rep: httpx.Client) -> None:
        page = ask(company, rep)
        code = mailed_code(company)
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        for left in (4, 3, 2, 1, 0):
            assert f"Tries left: {left}." in type_code(rep, page, wrong).text
        assert "too many wrong codes" in type_code(rep, page, code).text
        assert levels(company) == [("ana", "known")]

    def test_a_code_works_once_and_in_its_own_browser_only(self, company: Stage, rep: httpx.Client) -> None:
        page = ask(company, rep)
        code = mailed_code(company)
        other = company.know(company.browser())
        _, hidden = form_to(other.get("/me"), "/me/forget")
        assert "There is no code to type here" in other.post("/me/code", data={**hidden, "code": code}).text
        twin = company.twin(rep)
        type_code(rep, page, code)
        assert "There is no code to type here" in type_code(twin, page, code).text

    def test_three_codes_an_hour_are_enough(self, company: Stage, rep: httpx.Client) -> None:
        for _ in range(enrolment.CODES_AN_HOUR):
            ask(company, rep)
        page = ask(company, rep)
        assert "already sent several codes within the last hour" in page.text
        assert len(company.rows(MailedCode)) == 3
        company.later(hours=1)
        assert "several codes" not in ask(company, rep).text

    @pytest.mark.parametrize("path", ["/me/enrol", "/me/code", "/me/forget"])
    def test_a_form_from_elsewhere_does_nothing(self, company: Stage, rep: httpx.Client, path: str) -> None:
        before = company.snapshot()
        page = ask_page = rep.get("/me")
        _, hidden = form_to(ask_page, "/me/forget")
        for sent in ({}, {"nonce": "x"}):
            assert rep.post(path, data=sent).status_code == 403
        assert rep.post(path, data=hidden, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert company.snapshot() == before
        assert page.status_code == 200
        assert rep.get(path).url.path == "/me"


class TestTheOwnList:
    def test_says_how_to_get_there(self, company: Stage) -> None:
        page = company.browser().get("/me")
        assert "To get there, open the link in one of your messages and answer." in page.text
        assert "Harbour" not in page.text

    def test_is_not_shown_where_the_browser_is_only_known(self, rep: httpx.Client) -> None:
        page = rep.get("/me")
        assert "Harbour" not in page.text
        assert "This browser is known as the browser of Ana Silva." in page.text

    def test_has_a_row_for_each_lead_with_what_is_owed_by_when(self, company: Stage) -> None:
        own = company.know(company.browser(), level="enrolled")
        page = own.get("/me")
        assert "Harbour &amp; Sons" in page.text
        assert "Needed: an answer (accept or reject), by <strong>Tue 1 Dec 13:00</strong>." in page.text
        assert path_of(re.findall(r'href="([^"]+/l/[^"]+)"', page.text)[0]) == company.link
        company.later(hours=5)
        assert "</strong> (late)." in own.get("/me").text

    def test_of_marketing_and_managers_has_their_duties(self, company: Stage) -> None:
        wait = company.open("decision", holder="maria", about="acceptance")
        own = company.know(company.browser(), "maria", level="enrolled")
        assert "Needed: a decision" in own.get("/me").text
        assert company.duty_link(wait, "maria") in own.get("/me").text

    def test_a_browser_can_be_forgotten(self, company: Stage) -> None:
        own = company.know(company.browser(), level="enrolled")
        action, hidden = form_to(own.get("/me"), "/me/forget")
        page = own.post(action, data=hidden)
        assert "Harbour" not in page.text
        assert levels(company) == []
        assert "Type the code" in press(own, company.link, choice="accepted").text


class TestForwarding:
    def told(self, company: Stage) -> list[Delivery]:
        return [row for row in company.rows(Delivery) if row.message == "answered-for-you"]

    def test_the_addressee_is_told_when_a_second_browser_answers(self, company: Stage, rep: httpx.Client) -> None:
        send(company.browser(), company.link, choice="rejected", reason="not-now")
        (row,) = self.told(company)
        assert (row.person, row.handoff_id) == ("ana", None)
        assert company.rows(Answer)[0].data == {"reason": "not-now", "forwarded": True}
        letter = company.box.read_now(
            lambda session, now: personal_messages.draft_of(session, company.box, row, now=now).written(company.box.templates)
        )
        assert "Was this you?" in letter.subject
        assert "in a browser that we do not know as yours. The answer was: rejected." in letter.text
        assert "until Tue 1 Dec 09:05" in letter.text
        assert path_of(letter.link) == company.link

    def test_it_is_said_whose_browser_it_was(self, company: Stage) -> None:
        colleague = company.know(company.browser(), "ben")
        send(colleague, company.link, choice="accepted")
        (row,) = self.told(company)
        assert company.rows(Answer)[0].data == {"forwarded": True, "device_of": "ben"}
        letter = company.box.read_now(
            lambda session, now: personal_messages.draft_of(session, company.box, row, now=now).written(company.box.templates)
        )
        assert "in a browser of Ben Carter" in letter.text

    def test_the_addressee_can_take_it_back(self, company: Stage, rep: httpx.Client) -> None:
        send(company.browser(), company.link, choice="accepted")
        company.later(minutes=2)
        action, hidden = form_to(rep.get(company.link), f"{company.link}/undo")
        assert "Taken back" in rep.post(action, data=hidden).text
        assert company.answers() == [("accepted", "ana", "undone")]

    def test_the_first_browser_and_the_same_again_tell_nobody(self, company: Stage) -> None:
        first = company.browser()
        send(first, company.link, choice="accepted")
        company.open("first_attempt", holder="ana", events=("accepted",))
        send(first, company.link, choice="attempted")
        assert self.told(company) == []

    def test_an_attempt_is_told_of_too(self, company: Stage, rep: httpx.Client) -> None:
        company.open("outcome", holder="ana", events=("accepted", "attempted"))
        send(company.browser(), company.link, choice="connected")
        (row,) = self.told(company)
        letter = company.box.read_now(
            lambda session, now: personal_messages.draft_of(session, company.box, row, now=now).written(company.box.templates)
        )
        assert "The answer was: reached the lead." in letter.text


class TestTheManagersPage:
    def page_of(self, company: Stage, person: str = "maria") -> str:
        return path_of(company.box.links.for_person(person, at=company.time.at))

    def test_shows_all_that_waits_in_the_teams(self, company: Stage) -> None:
        page = company.browser().get(self.page_of(company))
        assert "Everything open in your teams" in page.text
        assert "Harbour &amp; Sons" in page.text
        assert "Assigned · Ana Silva" in page.text
        assert "by <strong>Tue 1 Dec 14:00</strong>" in page.text
        assert "Nothing is open here." in company.browser().get(self.page_of(company, "ben")).text

    def test_says_for_whom_it_answers(self, company: Stage) -> None:
        manager = company.browser()
        (link,) = re.findall(r'href="(/m/[^"]+(?<!/leads))"', manager.get(self.page_of(company)).text)
        page = manager.get(link).text
        assert "Ana Silva has not answered. Answer for Ana:" in page
        for words in ("Ana takes it", "Ana rejects it, with a reason", "A colleague of Ana takes it"):
            assert f"<span>{words}</span>" in page
        assert "I take this lead" not in page
        assert "and your answer counts from 10:00." in press(manager, link, choice="accepted").text

    def test_answers_for_a_rep_as_the_manager(self, company: Stage) -> None:
        manager = company.browser()
        (link,) = re.findall(r'href="(/m/[^"]+(?<!/leads))"', manager.get(self.page_of(company)).text)
        page = press(manager, link, choice="handed", colleague="ben")
        assert company.answers() == [("handed", "maria", "held")]
        assert "Thank you" in type_number(manager, page).text
        (row,) = company.rows(Answer)
        assert (row.kind, row.by, row.via, row.data) == ("handed", "maria", "link", {"colleague": "ben"})
        assert "Nothing is open here." in manager.get(self.page_of(company)).text
        assert [sight.person for sight in company.rows(PageView)][-1] == "maria"

    def test_decides(self, company: Stage) -> None:
        company.open("decision", holder="maria", about="acceptance")
        manager = company.know(company.browser(), "maria", level="enrolled")
        (link,) = re.findall(r'href="(/m/[^"]+(?<!/leads))"', manager.get(self.page_of(company)).text)
        action, hidden = answer_form(manager.get(link))
        assert "Thank you" in manager.post(action, data={**hidden, "decision": "nurture"}).text
        assert company.answers() == [("decided", "maria", "counted")]

    def test_opens_nothing_of_other_teams(self, company: Stage) -> None:
        wait = company.open("acceptance", holder="ana")
        assert company.browser().get(f"{self.page_of(company, 'ben')}/{wait.id}").status_code == 404
        assert company.browser().get(f"{self.page_of(company)}/nothing").status_code == 404
        assert company.browser().get(f"/m/forged/{wait.id}").status_code == 404
        assert company.browser().get("/m/forged").status_code == 404
        assert company.browser().get(self.page_of(company, "nobody")).status_code == 404
        token = self.page_of(company).rpartition("/")[2]
        assert company.browser().get(f"/l/{token}").status_code == 404


class TestDevicesInTheDatabase:
    def test_an_enrolled_one_stays_so_when_a_number_is_typed(self, company: Stage) -> None:
        def work(session: Session, now: object) -> str:
            for level in (devices.ENROLLED, devices.KNOWN):
                devices.remember(session, "h", "ana", level=level, now=NOW)
            return devices.level(session, "h", "ana", now=NOW)

        assert company.box.write_now(work) == "enrolled"

    def test_one_that_was_forgotten_begins_anew(self, company: Stage) -> None:
        def work(session: Session, now: object) -> tuple[str, str]:
            devices.remember(session, "h", "ana", level=devices.ENROLLED, now=NOW)
            (row,) = devices.of_person(session, "ana", now=NOW)
            devices.forget(session, row, now=NOW)
            gone = devices.level(session, "h", "ana", now=NOW)
            devices.remember(session, "h", "ana", level=devices.KNOWN, now=NOW)
            return gone, devices.level(session, "h", "ana", now=NOW)

        assert company.box.write_now(work) == ("", "known")
