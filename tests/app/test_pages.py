"""The pages behind a link over real HTTP: what a person sends counts once, and whatever merely looks changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from storage import devices, handoffs, trail
from storage.tables import Answer, Touch
from tests.app.stage import FIREFOX, NOW, Stage, answer_form, form_of, path_of, press, send, stage, type_number, words_of
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


@pytest.fixture
def rep(company: Stage) -> httpx.Client:
    """A browser that has never been here: the code from the message is asked for once."""
    return company.browser(headers=FIREFOX)


@pytest.fixture
def known(company: Stage) -> httpx.Client:
    """The rep's browser after that."""
    return company.know(company.browser(headers=FIREFOX))


class TestLooking:
    def test_shows_the_lead_and_what_is_owed(self, company: Stage, rep: httpx.Client) -> None:
        page = rep.get(company.link)
        said = words_of(page)
        assert page.status_code == 200
        assert "Harbour &amp; Sons" in page.text
        assert 'href="tel:+442079460177"' in page.text
        assert 'href="mailto:lee@harbour.example"' in page.text
        assert "Answer by Tue 1 Dec 13:00 (agreed: 4 working hours)" in said
        assert "Wants to be contacted Tue 1 Dec 12:30" in said
        assert "They asked for a demo." in said
        assert "Score 72 of 100" in said
        assert "+25 job_title contains operations" in said
        assert "You answer as Ana Silva. Times are in Europe/Lisbon." in said

    def test_what_the_lead_wrote_is_only_text_and_keeps_its_lines(self, company: Stage, rep: httpx.Client) -> None:
        page = rep.get(company.link).text
        assert "between two tools.\n\n&lt;script&gt;alert(1)&lt;/script&gt;\nPlease call" in page
        assert "<script" not in page
        assert "O&#39;Hara &lt;b&gt;" in page

    def test_every_choice_stands_open(self, company: Stage, rep: httpx.Client) -> None:
        page = rep.get(company.link).text
        assert re.findall(r'name="choice" value="(\w+)" required>', page) == ["accepted", "rejected", "handed"]
        assert " checked" not in page
        assert '<option value="">Choose a reason</option>' in page
        assert "Something else (say what, below)" in page
        assert not re.search(r"<script| on\w+=", page)

    def test_nothing_changes_however_often_it_is_opened(self, company: Stage) -> None:
        before = company.snapshot()
        for method in ("HEAD", "GET", "GET", "GET"):
            assert httpx.request(method, company.url + company.link, trust_env=False, timeout=PATIENCE_SECONDS).status_code == 200
        company.browser().get(company.link)
        assert company.snapshot() == before

    def test_head_has_no_body(self, company: Stage) -> None:
        answer = httpx.head(company.url + company.link, trust_env=False, timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.content) == (200, b"")

    def test_the_browser_gets_one_lasting_cookie(self, company: Stage, rep: httpx.Client) -> None:
        given = rep.get(company.link).headers["set-cookie"]
        assert given.startswith("baton_device=")
        assert {"HttpOnly", "SameSite=lax", "Max-Age=7776000", "Path=/"} <= {part.strip() for part in given.split(";")}
        assert "set-cookie" not in rep.get(company.link).headers

    @pytest.mark.parametrize("path", ["/", "LINK", "/l/forged", "/nowhere", "/api/docs", "/healthz"])
    def test_nothing_may_be_kept_framed_or_run(self, company: Stage, rep: httpx.Client, path: str) -> None:
        headers = rep.get(company.link if path == "LINK" else path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-robots-tag"] == "noindex"
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy

    def test_the_start_page_is_about_nobody(self, company: Stage, rep: httpx.Client) -> None:
        page = rep.get("/")
        assert "Baton is running" in page.text
        assert "Harbour" not in page.text

    def test_health_says_yes_or_no_and_nothing_else(self, rep: httpx.Client) -> None:
        assert rep.get("/healthz").json() == {"status": "ok"}


class TestAnswering:
    def test_accepting_is_thanked_for_and_counts(self, company: Stage, rep: httpx.Client) -> None:
        page = send(rep, company.link, choice="accepted")
        assert page.status_code == 200
        assert page.history[0].status_code == 303
        assert "Thank you" in page.text
        assert "You accepted." in words_of(page)
        assert "try to reach them" in words_of(page)
        assert company.answers() == [("accepted", "ana", "counted")]

    def test_the_same_press_twice_is_one_answer(self, company: Stage, known: httpx.Client) -> None:
        action, hidden = form_of(known.get(company.link))
        company.later(seconds=3)
        for _ in range(2):
            page = known.post(action, data={**hidden, "choice": "accepted"})
            assert "Thank you" in page.text
        assert company.answers() == [("accepted", "ana", "counted")]

    def test_a_rejection_takes_its_reason_and_words_along(self, company: Stage, rep: httpx.Client) -> None:
        page = send(rep, company.link, choice="rejected", reason="not-now", revisit_on="2027-02-01", text="Budget\r\nin spring <soon>")
        (row,) = company.rows(Answer)
        assert row.data == {"reason": "not-now", "revisit_on": "2027-02-01"}
        assert "You rejected: Interested, but not now." in words_of(page)
        assert "Budget\nin spring &lt;soon&gt;" in page.text

    def test_a_colleague_can_take_it(self, company: Stage, rep: httpx.Client) -> None:
        send(rep, company.link, choice="handed", colleague="ben")
        (row,) = company.rows(Answer)
        assert (row.kind, row.data) == ("handed", {"colleague": "ben"})

    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            ({}, "Please choose one of the answers."),
            ({"choice": "opportunity"}, "Please choose one of the answers."),
            ({"choice": "rejected"}, "Please choose one of the agreed reasons."),
            ({"choice": "rejected", "reason": "because"}, "Please choose one of the agreed reasons."),
            ({"choice": "rejected", "reason": "other"}, "needs that."),
            ({"choice": "rejected", "reason": "wrong-rep"}, "Please say which colleague takes it"),
            ({"choice": "rejected", "reason": "not-now", "revisit_on": "soon"}, "Please write the date as 2027-01-31"),
            ({"choice": "handed"}, "Please say which colleague takes it."),
            ({"choice": "handed", "colleague": "maria"}, "Please say which colleague takes it."),
            (
                {"choice": "rejected", "reason": "other", "text": "x" * 10_001},
                "Please shorten what you wrote in a few words: it has 10,001 characters, and at most 10,000 can be kept.",
            ),
        ],
    )
    def test_what_is_missing_is_said_and_nothing_stored(self, company: Stage, rep: httpx.Client, sent: dict[str, str], said: str) -> None:
        before = company.snapshot()
        page = press(rep, company.link, **sent)
        assert page.status_code == 422
        assert said in words_of(page)
        assert company.snapshot() == before

    def test_what_was_typed_is_kept(self, company: Stage, rep: httpx.Client) -> None:
        page = send(rep, company.link, choice="rejected", reason="wrong-rep", text='a "long" <story>')
        assert 'value="rejected" required checked' in page.text
        assert 'value="wrong-rep" selected' in page.text
        assert "a &#34;long&#34; &lt;story&gt;</textarea>" in page.text
        page = type_number(
            rep, rep.post(company.link, data={**form_of(page)[1], "choice": "rejected", "reason": "wrong-rep", "colleague": "ben"})
        )
        assert "Thank you" in page.text

    def test_an_attempt_and_then_touches_are_noted(self, company: Stage, known: httpx.Client) -> None:
        company.open("first_attempt", holder="ana", events=("accepted",))
        assert "You tried to reach the lead." in words_of(send(known, company.link, choice="attempted"))
        company.open("outcome", holder="ana", events=("attempted",))
        action, hidden = answer_form(known.get(company.link))
        company.later(seconds=3)
        for _ in range(2):
            assert "Noted." in known.post(action, data={**hidden, "choice": "connected"}).text
        assert company.touches() == ["connected"]
        company.later(hours=1)
        send(known, company.link, choice="connected")
        assert company.touches() == ["connected", "connected"]

    def test_by_what_they_were_tried_is_asked_and_kept(self, company: Stage, rep: httpx.Client) -> None:
        company.open("first_attempt", holder="ana", events=("accepted",))
        assert "How you tried to reach them" in rep.get(company.link).text
        send(rep, company.link, choice="attempted", channel="email")
        assert company.rows(Answer)[-1].data == {"channel": "email"}
        company.open("outcome", holder="ana", events=("attempted",))
        send(rep, company.link, choice="connected", channel="phone")
        assert [row.channel for row in company.rows(Touch)] == ["phone"]

    def test_a_reason_that_needs_attempts_says_how_many_are_lacking(self, company: Stage, rep: httpx.Client) -> None:
        company.open("outcome", holder="ana", events=("accepted", "attempted"))
        assert "Could not be reached (needs 2 more attempts first)" in rep.get(company.link).text
        page = send(rep, company.link, choice="returned", reason="no-response")
        assert page.status_code == 422
        assert "needs 2 attempts to reach them first. Lacking: 2 more attempts." in words_of(page)

    def test_the_day_on_which_a_contract_ends_is_asked_and_kept(self, company: Stage, rep: httpx.Client) -> None:
        assert "Their contract ends on" in rep.get(company.link).text
        send(rep, company.link, choice="rejected", reason="uses-competitor", renewal_date="2027-09-30")
        assert company.rows(Answer)[-1].data == {"reason": "uses-competitor", "renewal_date": "2027-09-30"}

    def test_while_another_hand_follows_the_lead_can_be_handed_on_to_it(self, company: Stage, rep: httpx.Client) -> None:
        company.open("outcome", holder="ana", events=("accepted", "attempted"))
        page = rep.get(company.link)
        assert "Qualified: hand on to ae" in page.text
        assert "Lead 1 · Working · sdr" in words_of(page).replace("Hot lead", "Lead")
        assert "The next team gets the lead" in words_of(send(rep, company.link, choice="sql"))

    def test_the_page_says_for_whom_and_what_and_who_brought_it_in(self, company: Stage, rep: httpx.Client) -> None:
        company.change_note(persona="ops-leader", product="platform")
        company.do(lambda session, handoff, now: setattr(handoff, "brought_by", "ben"))
        shown = words_of(rep.get(company.link))
        assert "Persona Ops leader Product platform" in shown
        assert "Brought in by Ben Carter" in shown

    def test_the_page_still_counts_when_only_the_clock_has_moved(self, company: Stage, known: httpx.Client) -> None:
        action, hidden = form_of(known.get(company.link))
        company.later(hours=3)
        assert "Thank you" in known.post(action, data={**hidden, "choice": "accepted"}).text


class TestLater:
    def test_a_second_visit_says_who_answered_what_and_when(self, company: Stage, rep: httpx.Client) -> None:
        company.later(minutes=41)
        send(rep, company.link, choice="accepted")
        company.later(hours=2)
        page = company.browser().get(company.link)
        assert "Tue 1 Dec 09:41 Ana Silva accepted" in words_of(page)
        assert "<form" not in page.text

    def test_late_after_another_door_is_told_who_was_first(self, company: Stage, known: httpx.Client) -> None:
        action, hidden = form_of(known.get(company.link))
        company.later(minutes=10)
        company.answer("rejected", by="ben", via="crm", reason="not-now")
        page = known.post(action, data={**hidden, "choice": "accepted"})
        assert (page.status_code, page.history[0].status_code) == (200, 303)
        assert "This was already answered" in page.text
        assert "Ben Carter rejected: Interested, but not now, on Tue 1 Dec 09:10." in words_of(page)
        assert "(in the CRM)" in page.text
        assert company.answers() == [("rejected", "ben", "counted"), ("accepted", "ana", "late")]

    def test_a_lead_that_went_to_a_colleague_shows_its_history_only(self, company: Stage, known: httpx.Client) -> None:
        action, hidden = form_of(known.get(company.link))
        colleague = company.give_to("ben", because="not answered in time")
        company.later(seconds=3)
        page = known.get(company.link)
        assert "This lead is no longer yours: not answered in time." in words_of(page)
        assert "Assigned to Ben Carter" in words_of(page)
        assert "<form" not in page.text
        for private in ("7946", "lee@", "O&#39;Hara", "between two tools"):
            assert private not in page.text
        late = known.post(action, data={**hidden, "choice": "accepted"})
        assert "Your answer changed nothing. This lead is no longer yours" in words_of(late)
        assert company.answers() == [("accepted", "ana", "late")]
        assert "Thank you" in send(company.browser(), colleague, choice="accepted").text

    def test_after_the_deadline_it_says_so(self, company: Stage, rep: httpx.Client) -> None:
        action, hidden = form_of(rep.get(company.link))
        company.answer("deadline", by="baton", via="clock")
        page = rep.post(action, data={**hidden, "choice": "accepted"})
        assert page.status_code == 200
        assert "This can no longer be answered" in page.text

    def test_an_end_is_told_in_words(self, company: Stage, rep: httpx.Client) -> None:
        company.do(lambda session, handoff, now: handoffs.move(session, handoff, "recycled", now=now, track="unworked"))
        assert "This lead is no longer yours: it went to nurture." in words_of(rep.get(company.link))

    def test_what_came_after_an_earlier_pass_is_not_shown_on_its_link(self, company: Stage, rep: httpx.Client) -> None:
        company.do(lambda session, handoff, now: handoffs.move(session, handoff, "recycled", now=now, track="unworked"))
        company.later(days=60)
        company.do(lambda session, handoff, now: trail.record(session, "came-back", now=now, lead_id=handoff.lead_id))
        assert "Came back" not in rep.get(company.link).text


class TestUndo:
    def test_an_answer_can_be_taken_back_for_five_minutes(self, company: Stage, rep: httpx.Client) -> None:
        page = send(rep, company.link, choice="accepted")
        assert "until Tue 1 Dec 09:05" in words_of(page)
        company.later(minutes=4)
        action, hidden = form_of(page)
        page = rep.post(action, data=hidden)
        assert page.history[0].status_code == 303
        assert "Taken back" in page.text
        assert company.answers() == [("accepted", "ana", "undone")]

    def test_after_that_it_stays(self, company: Stage, rep: httpx.Client) -> None:
        action, hidden = form_of(send(rep, company.link, choice="accepted"))
        company.later(minutes=5)
        assert "It can no longer be taken back" in rep.post(action, data=hidden).text
        assert company.answers() == [("accepted", "ana", "counted")]
        assert "/undo" not in rep.get(company.link).text

    def test_an_answer_on_which_something_builds_stays_and_the_page_says_why(self, company: Stage, rep: httpx.Client) -> None:
        action, hidden = form_of(send(rep, company.link, choice="accepted"))
        company.open("first_attempt", holder="ana", events=("accepted",))
        company.later(seconds=5)
        send(rep, company.link, choice="attempted")
        page = rep.post(action, data=hidden)
        assert "It can no longer be taken back" in page.text
        assert "You have given a later answer: tried to reach the lead. Take that back first." in words_of(page)
        assert company.answers() == [("accepted", "ana", "counted"), ("attempted", "ana", "counted")]
        assert f'value="{form_of(rep.get(company.link))[1]["answer_id"]}"' == 'value="2"', "only the last one is offered"

    def test_while_it_is_taken_back_the_page_asks_for_nothing_that_builds_on_it(self, company: Stage, rep: httpx.Client) -> None:
        action, hidden = form_of(send(rep, company.link, choice="accepted"))
        company.open("first_attempt", holder="ana", events=("accepted",))
        old, sent = answer_form(rep.get(f"{company.link}?noted=1"))
        company.later(seconds=5)
        assert "Taken back" in rep.post(action, data=hidden).text
        assert "There is nothing to answer here right now." in words_of(rep.get(company.link))
        assert "Your answer changed nothing." in words_of(rep.post(old, data={**sent, "choice": "attempted"}))
        assert company.answers() == [("accepted", "ana", "undone")]

    def test_only_the_browser_that_answered_is_offered_it(self, company: Stage, rep: httpx.Client) -> None:
        action, hidden = form_of(send(rep, company.link, choice="accepted"))
        other = company.browser()
        other.cookies.set("baton_answer", hidden["answer_id"])  # what once said so, and anybody could plant
        assert "<form" not in other.get(company.link).text
        assert "<form" not in other.get(f"{company.link}?done=1").text
        nonce = company.box.links.nonce(company.link.removeprefix("/l/"), devices.hash_of(other.cookies["baton_device"]), "", now=NOW)
        assert other.post(action, data={**hidden, "nonce": nonce}).status_code == 403
        assert company.answers() == [("accepted", "ana", "counted")]
        assert "/undo" in rep.get(company.link).text

    def test_its_address_leads_back_to_the_page(self, company: Stage, rep: httpx.Client) -> None:
        page = rep.get(f"{company.link}/undo")
        assert page.url.path == company.link


class TestDuties:
    def test_a_manager_decides(self, company: Stage) -> None:
        wait = company.open("decision", holder="maria", about="acceptance")
        manager = company.browser()
        link = company.duty_link(wait, "maria")
        page = manager.get(link)
        assert "What becomes of this lead?" in words_of(page)
        assert "Decision due by Tue 1 Dec 14:00" in words_of(page)
        assert "You answer as Maria Keller. Times are in Europe/Berlin." in words_of(page)
        assert " checked" not in page.text
        assert send(manager, link).status_code == 422
        page = send(manager, link, decision="reassign", colleague="ben")
        assert "Thank you" in page.text
        assert "Undo" not in page.text
        (row,) = company.rows(Answer)
        assert (row.kind, row.by, row.data) == ("decided", "maria", {"choice": "reassign", "colleague": "ben"})
        assert "Maria Keller decided" in words_of(manager.get(link))

    def test_the_rep_can_still_answer_while_the_manager_decides(self, company: Stage, rep: httpx.Client) -> None:
        company.open("decision", holder="maria", about="acceptance")
        page = rep.get(company.link)
        assert "Do you take this lead?" in words_of(page)
        assert 'name="decision"' not in page.text
        assert "Thank you" in send(rep, company.link, choice="accepted").text

    def test_marketing_completes_the_note(self, company: Stage) -> None:
        company.change_note(statements={"next_step": "Call."})
        wait = company.open("note", holder="mina", mine=False)
        marketing, link = company.browser(), company.duty_link(wait, "mina")
        page = marketing.get(link)
        assert re.findall(r'name="(state_\w+)"', page.text) == ["state_why_qualified", "state_buying_signal"]
        page = send(marketing, link, choice="completed", state_why_qualified="They asked for us by name.")
        assert page.status_code == 422
        assert "Please write down what is still missing in the note: buying signal." in words_of(page)
        assert "They asked for us by name.</textarea>" in page.text
        stated = {"state_why_qualified": "By name.", "state_buying_signal": "Asked for prices."}
        assert "Thank you" in send(marketing, link, choice="completed", **stated).text
        (row,) = company.rows(Answer)
        assert row.data["statements"] == {"why_qualified": "By name.", "buying_signal": "Asked for prices."}

    def test_a_note_that_sales_found_wrong_can_be_mended_everywhere(self, company: Stage) -> None:
        company.change_note(to_fix=["what sales found wrong"])
        wait = company.open("note", holder="mina", mine=False)
        page = company.browser().get(company.duty_link(wait, "mina"))
        assert re.findall(r'name="(state_\w+)"', page.text) == ["state_why_qualified", "state_buying_signal", "state_next_step"]
        assert ">Call.</textarea>" in page.text

    def test_a_duty_of_somebody_unknown_is_no_link(self, company: Stage, rep: httpx.Client) -> None:
        wait = company.open("decision", holder="maria", about="acceptance")
        assert rep.get(company.duty_link(wait, "nobody")).status_code == 404
        gone = path_of(company.box.links.for_tenure("0" * 32))
        assert rep.get(gone).status_code == 404


def test_times_of_long_ago_say_their_year(company: Stage, rep: httpx.Client) -> None:
    company.time.at = NOW + timedelta(days=400)
    assert "Tue 1 Dec 2026 13:00" in words_of(rep.get(company.link))
