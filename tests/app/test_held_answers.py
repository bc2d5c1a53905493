"""Answers from browsers that are not known: stored, and counted as of their first press once the code from the message is typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from storage import devices
from storage.tables import Answer, Delivery, Device, Event, PageView, PersonalText, Wait, Wake
from tests.app.stage import NOW, Stage, answer_form, form_of, press, send, stage, type_number


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


@pytest.fixture
def new(company: Stage) -> httpx.Client:
    return company.browser()


def what_moves(company: Stage) -> list[list[object]]:
    """Waits, wakes, events and deliveries: all by which an answer acts."""
    return [company.rows(table) for table in (Wait, Wake, Event, Delivery)]


def wrong(company: Stage) -> str:
    """A number that is not the one of the link."""
    right = company.box.links.number(company.link.rpartition("/")[2])
    return f"{(int(right) + 1) % 10_000:04}"


class TestANewBrowser:
    def test_is_asked_for_the_number_and_nothing_moves_until_then(self, company: Stage, new: httpx.Client) -> None:
        before = what_moves(company)
        page = press(new, company.link, choice="rejected", reason="not-now", text="In spring.")
        assert "Not counted yet. Type the code from the message and your Reject (Interested, but not now) counts from 09:00." in page.text
        assert company.answers() == [("rejected", "ana", "held")]
        assert what_moves(company) == before

    def test_says_on_another_day_from_which_day_it_counts(self, company: Stage, new: httpx.Client) -> None:
        press(new, company.link, choice="accepted")
        company.later(days=1)
        assert "and your Accept counts from Tue 1 Dec 09:00." in new.get(company.link).text

    def test_counts_as_of_its_first_press_once_the_number_is_typed(self, company: Stage, new: httpx.Client) -> None:
        page = press(new, company.link, choice="rejected", reason="not-now", text="In spring.")
        company.later(minutes=7)
        assert "Thank you" in type_number(new, page).text
        (row,) = company.rows(Answer)
        assert (row.state, row.answered_at, row.data) == ("counted", NOW, {"reason": "not-now"})
        assert [text.text for text in company.rows(PersonalText)][-1] == "In spring."
        (told,) = [event for event in company.rows(Event) if event.kind == "answered-rejected"]
        assert (told.at, told.data["reason"]) == (NOW, "not-now")
        assert [wake.key for wake in company.rows(Wake) if wake.kind == "answer"] == [f"answer:{row.id}"]

    def test_is_known_from_then_on(self, company: Stage, new: httpx.Client) -> None:
        send(new, company.link, choice="accepted")
        (device,) = company.rows(Device)
        assert (device.person, device.level) == ("ana", "known")
        assert device.hash == devices.hash_of(new.cookies["baton_device"])
        assert new.cookies["baton_device"] not in str(company.snapshot())
        company.open("first_attempt", holder="ana", events=("accepted",))
        action, hidden = answer_form(new.get(company.link))
        company.later(seconds=2)
        assert "Thank you" in new.post(action, data={**hidden, "choice": "attempted"}).text

    def test_may_come_back_to_the_question_or_choose_something_else(self, company: Stage, new: httpx.Client) -> None:
        press(new, company.link, choice="rejected", reason="not-now")
        again = new.get(company.link)
        assert "Type the code from the message" in again.text
        anew = new.get(f"{company.link}?anew=1")
        assert "number_form" not in anew.text
        action, hidden = answer_form(anew)
        page = type_number(new, new.post(action, data={**hidden, "choice": "accepted"}))
        assert "You accepted." in " ".join(page.text.split())
        assert company.answers() == [("rejected", "ana", "held"), ("accepted", "ana", "counted")]

    def test_the_same_press_twice_is_one_held_answer(self, company: Stage, new: httpx.Client) -> None:
        action, hidden = answer_form(new.get(company.link))
        for _ in range(2):
            page = new.post(action, data={**hidden, "choice": "accepted"})
            company.later(seconds=30)
        action, hidden = form_of(page)
        number = company.box.links.number(company.link.rpartition("/")[2])
        for browser in (company.twin(new), new):
            assert "Thank you" in browser.post(action, data={**hidden, "number": number}).text
        assert company.answers() == [("accepted", "ana", "counted")]
        assert company.rows(Answer)[0].answered_at == NOW

    def test_does_not_see_what_another_one_sent(self, company: Stage, new: httpx.Client) -> None:
        action, hidden = form_of(press(new, company.link, choice="accepted"))
        other = company.browser()
        assert "number_form" not in other.get(company.link).text
        _, own = answer_form(other.get(company.link))
        number = company.box.links.number(company.link.rpartition("/")[2])
        page = other.post(action, data={"nonce": own["nonce"], "answer_id": hidden["answer_id"], "number": number})
        assert page.status_code == 422
        assert "Please choose again" in page.text
        assert company.answers() == [("accepted", "ana", "held")]
        assert company.rows(Device) == []

    def test_who_was_first_is_told_where_it_was_settled_meanwhile(self, company: Stage, new: httpx.Client) -> None:
        page = press(new, company.link, choice="accepted")
        company.later(minutes=1)
        company.answer("rejected", by="ben", via="crm", reason="not-now")
        page = type_number(new, page)
        assert "This was already answered" in page.text
        assert "Ben Carter rejected" in " ".join(page.text.split())
        assert company.answers() == [("accepted", "ana", "late"), ("rejected", "ben", "counted")]

    def test_what_was_held_while_the_delivery_was_proven_counts_for_what_is_owed_now(self, company: Stage, new: httpx.Client) -> None:
        page = press(new, company.link, choice="accepted")
        wait = company.open("acceptance", holder="ana")
        assert "Thank you" in type_number(new, page).text
        assert company.rows(Answer)[0].wait_id == wait.id

    def test_a_press_after_it_was_settled_is_not_even_kept(self, company: Stage, new: httpx.Client) -> None:
        action, hidden = answer_form(new.get(company.link))
        company.answer("rejected", by="ben", via="crm", reason="not-now")
        assert "This was already answered" in new.post(action, data={**hidden, "choice": "accepted"}).text
        assert company.answers() == [("rejected", "ben", "counted")]


class TestWrongNumbers:
    def test_are_refused_and_after_five_the_right_one_too_for_an_hour(self, company: Stage, new: httpx.Client) -> None:
        page = press(new, company.link, choice="accepted")
        for _ in range(5):
            page = type_number(new, page, wrong(company))
            assert page.status_code == 422
            assert "That is not the code from the message." in page.text
            company.later(minutes=1)
        page = type_number(new, page)
        assert "too many wrong codes. Please try again in 55 minutes. We keep your answer." in page.text
        assert company.answers() == [("accepted", "ana", "held")]
        company.later(minutes=55)
        assert "Thank you" in type_number(new, page).text

    def test_of_one_browser_do_not_keep_out_another(self, company: Stage, new: httpx.Client) -> None:
        page = press(new, company.link, choice="accepted")
        for _ in range(6):
            page = type_number(new, page, wrong(company))
        assert "Thank you" in send(company.browser(), company.link, choice="accepted").text

    def test_are_not_forgotten_by_choosing_anew(self, company: Stage, new: httpx.Client) -> None:
        page = press(new, company.link, choice="accepted")
        for _ in range(5):
            page = type_number(new, page, wrong(company))
        action, hidden = answer_form(new.get(f"{company.link}?anew=1"))
        page = new.post(action, data={**hidden, "choice": "rejected", "reason": "not-now"})
        assert "too many wrong codes" in type_number(new, page).text

    @pytest.mark.parametrize("typed", ["12", "abcd", "٤٨٢٧", "9" * 300, "1 2 3 4 5"])
    def test_nonsense_is_a_wrong_number(self, company: Stage, new: httpx.Client, typed: str) -> None:
        page = press(new, company.link, choice="accepted")
        action, hidden = form_of(page)
        assert "That is not the code" in new.post(action, data={**hidden, "number": typed}).text

    def test_spaces_in_the_right_one_do_not_matter(self, company: Stage, new: httpx.Client) -> None:
        page = press(new, company.link, choice="accepted")
        number = company.box.links.number(company.link.rpartition("/")[2])
        assert "Thank you" in type_number(new, page, f" {number[:2]} {number[2:]} ").text


class TestAKnownBrowser:
    @pytest.mark.parametrize(("seconds", "state"), [(0, "held"), (1.9, "held"), (2, "counted"), (60, "counted")])
    def test_is_asked_again_only_when_nobody_reads_so_fast(self, company: Stage, new: httpx.Client, seconds: float, state: str) -> None:
        company.know(new)
        action, hidden = answer_form(new.get(company.link))
        company.later(seconds=seconds)
        new.post(action, data={**hidden, "choice": "accepted"})
        assert company.answers() == [("accepted", "ana", state)]

    def test_of_somebody_else_is_not_known_for_this_person(self, company: Stage, new: httpx.Client) -> None:
        company.know(new, "ben")
        action, hidden = answer_form(new.get(company.link))
        company.later(minutes=1)
        assert "Type the code" in new.post(action, data={**hidden, "choice": "accepted"}).text

    def test_that_is_enrolled_answers_at_once_by_one_press(self, company: Stage, new: httpx.Client) -> None:
        company.know(new, level="enrolled")
        page = new.get(company.link)
        assert '<button type="submit" name="choice" value="accepted">' in page.text
        action, hidden = form_of(page)
        assert "You accepted." in " ".join(new.post(action, data={**hidden, "choice": "accepted"}).text.split())
        company.open("first_attempt", holder="ana", events=("accepted",))
        page = new.get(company.link)
        assert '<button type="submit" name="choice" value="attempted">' in page.text

    def test_that_is_only_known_has_no_such_button(self, company: Stage, new: httpx.Client) -> None:
        assert 'name="choice" value="accepted">Accept' not in company.know(new).get(company.link).text


class TestOtherThings:
    def test_an_attempt_is_noted_once_and_as_of_its_press(self, company: Stage, new: httpx.Client) -> None:
        company.open("outcome", holder="ana", events=("accepted", "attempted"))
        page = press(new, company.link, choice="connected", channel="phone")
        assert company.touches() == []
        company.later(minutes=5)
        for _ in range(2):
            type_number(new, page)
        assert company.touches() == ["connected"]
        assert company.answers() == [("connected", "ana", "noted")]

    def test_a_manager_and_marketing_are_asked_too(self, company: Stage, new: httpx.Client) -> None:
        wait = company.open("decision", holder="maria", about="acceptance")
        page = press(new, company.duty_link(wait, "maria"), decision="nurture")
        assert company.answers() == [("decided", "maria", "held")]
        assert "Thank you" in type_number(new, page).text
        company.change_note(statements={})
        wait = company.open("note", holder="mina", mine=False)
        stated = {"state_why_qualified": "By name.", "state_buying_signal": "Prices.", "state_next_step": "Call."}
        page = press(company.browser(), company.duty_link(wait, "mina"), choice="completed", **stated)
        assert company.answers()[-1] == ("completed", "mina", "held")

    def test_every_request_is_kept_as_what_it_was(self, company: Stage, new: httpx.Client) -> None:
        new.head(company.link)
        page = press(new, company.link, choice="accepted")
        page = type_number(new, page, wrong(company))
        company.later(seconds=5)
        type_number(new, page)
        seen = [(row.method, row.what, row.device) for row in company.rows(PageView)]
        looked = [("HEAD", "looked", "new"), ("GET", "looked", "back")]
        sent = [("POST", "held", "back"), ("POST", "refused", "back"), ("POST", "confirmed", "known")]
        assert {*looked, *sent} <= set(seen)
        assert [one for one in seen if one in sent] == sent
        (last,) = [row for row in company.rows(PageView) if row.what == "confirmed"]
        assert (last.person, last.assignment_id, last.handoff_id) == ("ana", company.assignment_id, company.handoff_id)
        assert last.age_seconds == 5

    def test_a_page_is_shown_and_an_answer_taken_where_requests_cannot_be_kept(self, company: Stage, new: httpx.Client) -> None:
        with company.box.database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE sights")
        assert new.get(company.link).status_code == 200
        assert "Thank you" in send(new, company.link, choice="accepted").text
