"""The page of a dispute over real HTTP: looking changes nothing, one press counts, and everybody sees how it ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session

from storage import waits
from storage.tables import Answer, Dispute, Handoff
from tasks.steps.recycle import dispose
from tests.app.stage import Stage, form_of, number_of, path_of, press_with_number, send, stage, words_of
from tests.present import the

WHY = "They asked for <b>a demo</b>."


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        give_back(running)
        yield running


def give_back(company: Stage, reason: str = "not-now") -> None:
    """Ana rejects the lead, and it is carried out."""

    def work(session: Session, handoff: Handoff, now: datetime) -> None:
        wait = the(waits.open_of(session, company.handoff_id))
        answer = waits.answer(
            session,
            wait.id,
            waits.NewAnswer("rejected", by="ana", via="link", text="They said spring.", data={"reason": reason}),
            now=now,
        ).answer
        waits.close(session, wait, because="rejected", now=now)
        from storage import handoffs

        dispose(session, handoff, handoffs.agreement_of(session, handoff), answer, now=now)

    company.do(work)


def link(company: Stage, person: str) -> str:
    answer = company.rows(Answer)[0]
    return path_of(company.box.links.for_dispute(answer.id, person, at=company.time.at))


def all_of(company: Stage) -> str:
    return path_of(company.box.links.for_dispute(0, "mina", at=company.time.at))


def raised(company: Stage) -> None:
    press_with_number(company.browser(), link(company, "mina"), text=WHY)


def test_marketing_sees_the_rejection_and_until_when_it_may_be_disputed(company: Stage) -> None:
    said = words_of(company.browser().get(link(company, "mina")))

    assert "By Ana Silva, Tue 1 Dec 09:00 Reason Interested, but not now" in said
    assert "They said spring." in said
    assert "You may dispute it until Wed 2 Dec 17:00" in said
    assert "If you do not, the rejection stands." in said


def test_looking_and_asking_for_the_head_change_nothing(company: Stage) -> None:
    raised(company)
    before = company.snapshot()

    for person in ("mina", "maria", "ana"):
        for agent in ({}, {"user-agent": "Mozilla/5.0 HeadlessChrome"}):
            browser = company.browser(headers=agent)
            browser.head(link(company, person))
            browser.get(link(company, person))
    company.browser().get(all_of(company))

    assert company.snapshot() == before


def test_a_dispute_is_raised_once_and_says_who_decides_by_when(company: Stage) -> None:
    browser = company.browser()

    page = press_with_number(browser, link(company, "mina"), text=WHY)

    assert page.status_code == 200
    assert "We ask the manager of Ana Silva to decide by Wed 2 Dec 17:00." in words_of(page)
    assert "They asked for &lt;b&gt;a demo&lt;/b&gt;." in page.text
    assert "<form" not in page.text
    assert [(row.raised_by, row.holder, row.via) for row in company.rows(Dispute)] == [("mina", "maria", "link")]


def test_without_words_it_says_what_is_missing(company: Stage) -> None:
    page = press_with_number(company.browser(), link(company, "mina"), text=" ")

    assert (page.status_code, company.rows(Dispute)) == (422, [])
    assert "Please say in a few words why the rejection is wrong." in words_of(page)


def test_a_bare_post_and_a_post_from_elsewhere_are_refused_with_the_words_kept(company: Stage) -> None:
    bare = company.browser().post(link(company, "mina"), data={"choice": "dispute", "text": "Mine."})
    browser = company.browser()
    browser.get(link(company, "mina"))
    elsewhere = browser.post(link(company, "mina"), data={"choice": "dispute", "text": "Mine.", "nonce": "x"})

    assert (bare.status_code, elsewhere.status_code, company.rows(Dispute)) == (403, 403, [])
    assert "Mine." in bare.text


def test_a_lead_link_opens_no_dispute_page_and_a_wrong_one_none_at_all(company: Stage) -> None:
    token = company.link.rpartition("/")[2]

    assert company.browser().get(f"/q/{token}").status_code == 404
    assert company.browser().get(link(company, "mina")[:-1]).status_code == 404
    assert company.browser().get(link(company, "nobody")).status_code == 404


def test_the_manager_decides_without_a_default_and_the_lead_is_assigned_again(company: Stage) -> None:
    raised(company)
    browser = company.browser()
    page = browser.get(link(company, "maria"))
    assert re.findall(r'name="choice" value="(\w+)" required>', page.text) == ["overturned", "upheld"]
    assert " checked" not in page.text

    done = press_with_number(browser, link(company, "maria"), choice="overturned", text="Call them.")

    assert "The lead is assigned again right away." in words_of(done)
    assert "It does not stand. Decided by Maria Keller" in words_of(done)
    assert [(row.stage, row.step, row.wanted_rep) for row in company.rows(Handoff)][1:] == [("mql", "assign", "ana")]


def test_a_decision_without_a_choice_says_so(company: Stage) -> None:
    raised(company)

    page = press_with_number(company.browser(), link(company, "maria"), text="Well.")

    assert (page.status_code, company.rows(Dispute)[0].ruling) == (422, "")
    assert "Please choose one of the answers." in words_of(page)


def test_of_two_presses_one_wins_and_the_other_is_told(company: Stage) -> None:
    raised(company)
    first, second = company.browser(), company.browser()
    for browser in (first, second):
        browser.get(link(company, "maria"))
    kept = send_later(second, link(company, "maria"), choice="upheld")
    press_with_number(first, link(company, "maria"), choice="overturned")

    late = kept()

    assert "This is already settled" in words_of(late)
    assert "Your answer changed nothing." in words_of(late)
    assert company.rows(Dispute)[0].ruling == "overturned"


def send_later(browser: httpx.Client, where: str, **chosen: str) -> Callable[[], httpx.Response]:
    """Opens the form now; sends it when it is called."""
    action, hidden = form_of(browser.get(where), -1)
    return lambda: browser.post(action, data={**hidden, "number": number_of(where), **chosen})


@pytest.mark.parametrize("person", ["ana", "ben", "mina", "oscar"])
def test_whoever_may_not_decide_sees_no_form(company: Stage, person: str) -> None:
    raised(company)

    page = company.browser().get(link(company, person))

    assert "<form" not in page.text
    assert "The manager of Ana Silva decides by" in words_of(page)


def test_after_its_time_nothing_can_be_disputed(company: Stage) -> None:
    company.later(days=3)

    said = words_of(company.browser().get(link(company, "mina")))

    assert "The time to dispute it has passed. The rejection stands." in said


def test_the_list_shows_the_last_week_and_leads_to_each(company: Stage) -> None:
    browser = company.browser()
    page = browser.get(all_of(company))
    assert "Ana Silva rejected it, interested, but not now. May be disputed until Wed 2 Dec 17:00." in words_of(page)
    there = the(re.search(r'<a href="([^"]+)"', page.text))

    press_with_number(browser, httpx.URL(there[1]).path, text=WHY)

    assert "Disputed, not decided yet." in words_of(browser.get(all_of(company)))
    company.time.at += timedelta(days=8)
    assert "Nothing." in words_of(browser.get(all_of(company)))


def test_the_list_of_somebody_else_than_marketing_is_empty(company: Stage) -> None:
    page = company.browser().get(path_of(company.box.links.for_dispute(0, "ana", at=company.time.at)))

    assert "Nothing." in words_of(page)


class TestTicks:
    """What was wrong or missing in the note, ticked on acceptance."""

    @pytest.fixture
    def company(self, tmp_path: Path) -> Iterator[Stage]:
        with stage(tmp_path) as running:
            yield running

    def test_each_statement_can_be_ticked_and_none_is(self, company: Stage) -> None:
        page = company.browser().get(company.link)

        assert re.findall(r'type="checkbox" name="wrong_(\w+)" value="yes">', page.text) == [
            "why_qualified", "buying_signal", "next_step", "campaign", "pain_point",
        ]  # fmt: skip
        assert "Missing: pain point" in words_of(page)
        assert "Missing: buying signal" not in words_of(page)

    def test_what_is_ticked_is_kept_with_the_acceptance_and_shown_afterwards(self, company: Stage) -> None:
        page = send(company.browser(), company.link, choice="accepted", wrong_pain_point="yes", wrong_next_step="yes")

        assert company.rows(Answer)[0].data == {"note_wrong": ["next_step", "pain_point"]}
        assert "Ana Silva accepted; wrong or missing in the note: next step, pain point" in words_of(page)

    def test_nothing_ticked_is_nothing_wrong(self, company: Stage) -> None:
        send(company.browser(), company.link, choice="accepted")

        assert company.rows(Answer)[0].data == {}

    def test_what_the_note_cannot_state_is_refused_and_what_was_ticked_stays(self, company: Stage) -> None:
        page = send(company.browser(), company.link, choice="accepted", wrong_spelling="yes", wrong_campaign="yes")

        assert (page.status_code, company.rows(Answer)) == (422, [])
        assert "The note has no statement spelling" in words_of(page)
        assert 'name="wrong_campaign" value="yes" checked' in page.text

    def test_an_answer_in_prefect_is_shown_as_claimed(self, company: Stage) -> None:
        company.answer("accepted", by="Maria", via="prefect", claimed=True)

        said = words_of(company.browser().get(company.link))

        assert "Maria accepted (in Prefect, under a name that nobody checked)" in said
