"""The page behind a digest over real HTTP: everything that is open, answered with one press, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session

from agreements.lead import IncomingLead
from agreements.words import Move, WaitKind
from storage import digests, handoffs, waits
from storage.tables import Answer, Assignment, Delivery, Device, HandoffNote, PageView, Wait
from tasks.intake import capture
from tests.app.stage import DUE, FIREFOX, LEAD, Stage, form_of, log_lines, number_of, path_of, press_with_number, stage, words_of
from tests.patience import PATIENCE_SECONDS

DAY = "2026-12-01"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    """A company in which ana has five open leads: one to accept, two to try, two in work."""
    with stage(tmp_path) as running:
        kinds: tuple[WaitKind, ...] = ("first_attempt", "first_attempt", "outcome", "outcome")
        for number, kind in enumerate(kinds, start=2):
            running.box.write_now(partial(one_more, number=number, kind=kind))
        yield running


@pytest.fixture
def rep(company: Stage) -> httpx.Client:
    return company.browser(headers=FIREFOX)


def one_more(session: Session, now: datetime, number: int, kind: WaitKind, *, rep: str = "ana") -> str:
    """Another lead of hers, as far as that."""
    more = {"source_id": f"more-{number}", "email": f"p{number}@harbour{number}.example", "company": f"Harbour {number} <i>", "phone": ""}
    incoming = IncomingLead.model_validate({**LEAD.model_dump(), **more})
    handoff = handoffs.get(session, capture(session, incoming, now=now).handoff_id or 0)
    session.add(HandoffNote(handoff_id=handoff.id, content={"statements": {}}, complete=True, written_at=now))
    events: tuple[Move, ...] = ("screened", "qualified", "documented")
    for event in events:
        handoffs.move(session, handoff, event, now=now)
    row = Assignment(handoff_id=handoff.id, lead_id=handoff.lead_id, rep=rep, team="emea", assigned_at=now, proven_at=now)
    session.add(row)
    handoff.rep = rep
    worked: tuple[Move, ...] = ("assigned", "notified", "accepted")
    for event in (*worked, "attempted") if kind == "outcome" else worked:
        handoffs.move(session, handoff, event, now=now)
    waits.open_wait(session, handoff, waits.NewWait(kind, holder=rep, due_at=DUE + timedelta(hours=number), assignment_id=row.id), now=now)
    return row.id


def link(company: Stage, person: str = "ana") -> str:
    return path_of(company.box.links.for_digest(person, DAY, at=company.time.at))


def tenures(company: Stage) -> list[str]:
    """The ids of her tenures, by lead number."""
    return [row.id for row in sorted(company.rows(Assignment), key=lambda row: row.lead_id) if row.rep == "ana"]


def press(rep: httpx.Client, path: str, *choices: tuple[str, dict[str, str]]) -> httpx.Response:
    """Opens the page, fills in these rows and the code from the message, and sends the form."""
    return press_with_number(rep, path, **filled(*choices))


def filled(*choices: tuple[str, dict[str, str]]) -> dict[str, str]:
    return {f"{name}-{ident}": value for ident, fields in choices for name, value in fields.items()}


def five(company: Stage) -> list[tuple[str, dict[str, str]]]:
    """An answer to each of the five."""
    said = [
        {"choice": "accepted"},
        {"choice": "attempted", "channel": "phone"},
        {"choice": "returned", "reason": "not-now", "text": "In spring."},
        {"choice": "connected"},
        {"choice": "opportunity"},
    ]
    return list(zip(tenures(company), said, strict=True))


def test_it_shows_a_row_per_open_lead_with_its_own_choices_and_nothing_chosen(company: Stage, rep: httpx.Client) -> None:
    page = rep.get(link(company))
    said = words_of(page)

    assert page.status_code == 200
    assert [f"Harbour {number} &lt;i&gt;" in said for number in (2, 3, 4, 5)] == [True] * 4
    assert "Still needed: an answer (accept or reject). Due Tue 1 Dec 13:00 ." in said
    assert "Still needed: a first attempt to reach the lead." in said
    assert "checked" not in page.text.partition("</style>")[2].replace(":checked", "")
    assert page.text.count("<fieldset") == page.text.count("<legend>") == 5
    assert (page.text.count('value="accepted"'), page.text.count('value="opportunity"'), page.text.count('value="leave"')) == (1, 4, 5)


def test_every_field_has_a_label(company: Stage, rep: httpx.Client) -> None:
    page = rep.get(link(company)).text
    fields = re.findall(r'<(?:select|textarea|input(?! type="(?:hidden|radio)"))[^>]* id="([^"]+)"', page)

    assert len(fields) > 10
    assert [one for one in fields if f'<label for="{one}">' not in page] == []


def test_looking_changes_nothing_however_often_and_by_whomever(company: Stage) -> None:
    before = company.snapshot()

    for method in ("HEAD", "GET", "GET"):
        assert httpx.request(method, company.url + link(company), trust_env=False, timeout=PATIENCE_SECONDS).status_code == 200
    company.browser().get(link(company))

    assert company.snapshot() == before


def test_one_press_answers_five_leads(company: Stage, rep: httpx.Client) -> None:
    page = press(rep, link(company), *five(company))

    assert page.status_code == 200
    assert "Saved: 5 answers." in words_of(page)
    assert sorted(kind for kind, _, _ in company.answers()) == ["accepted", "attempted", "opportunity", "returned"]
    assert company.touches() == ["connected"]
    assert "You accepted." in words_of(page)


def test_the_same_press_twice_is_one(company: Stage, rep: httpx.Client) -> None:
    action, hidden = form_of(rep.get(link(company)))
    sent = {**hidden, "number": number_of(action), **filled(*five(company))}
    twin = company.twin(rep)
    first, second = (one.post(action, data=sent) for one in (rep, twin))

    assert [words_of(page).count("Saved: 5 answers.") for page in (first, second)] == [1, 1]
    assert len(company.answers()) == 4
    assert company.touches() == ["connected"]


def test_the_same_press_after_the_answer_was_carried_out_is_still_one(company: Stage, rep: httpx.Client) -> None:
    """The lead waits for its outcome by then; an attempt that is sent again is not another one."""
    ident = tenures(company)[1]
    action, hidden = form_of(rep.get(link(company)))
    sent = {**hidden, "number": number_of(action), **filled((ident, {"choice": "attempted"}))}
    twin = company.twin(rep)
    rep.post(action, data=sent)
    company.box.write_now(lambda session, now: moved_on(session, ident, now))
    page = twin.post(action, data=sent)

    assert "Saved: 1 answer." in words_of(page)
    assert [kind for kind, _, _ in company.answers()] == ["attempted"]
    assert company.touches() == []


def moved_on(session: Session, ident: str, now: datetime) -> None:
    tenure = session.get(Assignment, ident)
    assert tenure is not None
    handoff = handoffs.get(session, tenure.handoff_id)
    waits.close_open(session, handoff, because="attempted", now=now)
    handoffs.move(session, handoff, "attempted", now=now)
    waits.open_wait(session, handoff, waits.NewWait("outcome", holder="ana", due_at=DUE, assignment_id=ident), now=now)


def test_what_was_refused_is_said_beside_its_row_and_the_others_are_saved(company: Stage, rep: httpx.Client) -> None:
    rows = five(company)
    rows[2][1].update(reason="", text="Kept words")
    page = press(rep, link(company), *rows)

    assert page.status_code == 422
    said = words_of(page)
    assert "Saved: 4 answers." in said
    assert said.count("Nothing was saved here: Please choose one of the agreed reasons.") == 1
    assert f'aria-describedby="reply-{rows[2][0]}"' in page.text
    assert "Kept words" in page.text
    assert sorted(kind for kind, _, _ in company.answers()) == ["accepted", "attempted", "opportunity"]


def test_a_row_that_is_left_alone_is_left_alone(company: Stage, rep: httpx.Client) -> None:
    first, second, *_ = tenures(company)
    press(rep, link(company), (first, {"choice": "leave"}), (second, {"choice": "attempted"}))

    assert [kind for kind, _, _ in company.answers()] == ["attempted"]


@pytest.mark.parametrize("chosen", [{}, {"choice": "leave", "text": "hm"}])
def test_a_press_without_any_answer_asks_for_one(company: Stage, rep: httpx.Client, chosen: dict[str, str]) -> None:
    page = press(rep, link(company), (tenures(company)[0], chosen))

    assert page.status_code == 422
    assert "Please choose an answer in at least one row." in words_of(page)
    assert company.answers() == []


def test_a_lead_that_moved_on_since_the_page_was_shown_is_not_answered(company: Stage, rep: httpx.Client) -> None:
    ident = tenures(company)[1]
    action, hidden = form_of(rep.get(link(company)))
    company.box.write_now(lambda session, now: moved_on(session, ident, now))
    page = rep.post(action, data={**hidden, "number": number_of(action), **filled((ident, {"choice": "attempted"}))})

    assert page.status_code == 422
    assert "this lead has moved on since you opened the page" in words_of(page)
    assert (company.answers(), company.touches()) == ([], [])


def test_nobody_answers_for_somebody_elses_lead(company: Stage, rep: httpx.Client) -> None:
    theirs = company.box.write_now(lambda session, now: one_more(session, now, 9, "outcome", rep="ben"))
    wait = next(row for row in company.rows(Wait) if row.assignment_id == theirs)
    page = press(rep, link(company), (theirs, {"choice": "opportunity", "wait": wait.id}))

    assert page.status_code == 422
    assert company.answers() == []


def test_the_page_of_a_digest_shows_what_is_open_now(company: Stage, rep: httpx.Client) -> None:
    old = link(company)
    company.later(hours=47, minutes=59)
    company.give_to("ben", because="handed")

    page = rep.get(old)
    assert page.text.count("<fieldset") == 4
    assert "Harbour &amp; Sons" not in page.text


@pytest.mark.parametrize("nonce", ["", "x", "9" * 3000])
def test_without_a_good_nonce_nothing_is_saved(company: Stage, rep: httpx.Client, nonce: str) -> None:
    action, hidden = form_of(rep.get(link(company)))
    page = rep.post(action, data={**hidden, **filled(*five(company)), "nonce": nonce})

    assert page.status_code == 403
    assert company.answers() == []


def test_another_browser_cannot_send_the_form(company: Stage, rep: httpx.Client) -> None:
    action, hidden = form_of(rep.get(link(company)))
    other = company.browser()
    other.get(link(company))

    assert other.post(action, data={**hidden, **filled(*five(company))}).status_code == 403
    assert rep.post(action, data={**hidden, **filled(*five(company))}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert company.answers() == []


def test_a_scanner_that_presses_the_form_as_it_stands_changes_nothing(company: Stage) -> None:
    before, scanner = company.snapshot(), company.browser(headers={"user-agent": ""})
    action, hidden = form_of(scanner.get(link(company)))

    assert scanner.post(action, data=hidden).status_code == 422
    assert company.snapshot() == before


@pytest.mark.parametrize("path", ["/d/forged", "/d/x.y"])
def test_a_link_that_is_not_from_here_does_not_work(company: Stage, rep: httpx.Client, path: str) -> None:
    assert rep.get(path).status_code == 404
    assert rep.post(path, data={"choice-x": "accepted"}).status_code == 404


def test_the_link_of_a_lead_and_that_of_a_digest_do_not_stand_for_each_other(company: Stage, rep: httpx.Client) -> None:
    token = link(company).rpartition("/")[2]

    assert rep.get(f"/l/{token}").status_code == 404
    assert rep.get(company.link.replace("/l/", "/d/")).status_code == 404


def test_somebody_who_is_not_in_the_roster_any_more_has_no_page(company: Stage, rep: httpx.Client) -> None:
    assert rep.get(link(company, "gone")).status_code == 404


def test_a_manager_sees_the_warnings_and_a_link_to_what_is_asked_of_her(company: Stage, rep: httpx.Client) -> None:
    wait = company.open("decision", holder="maria", about="first_attempt")
    other = next(row for row in company.rows(Wait) if row.kind == "outcome")

    def warn(session: Session, now: datetime) -> None:
        handoff = handoffs.get(session, other.handoff_id)
        what = "Ana Silva has not said yet what came of the lead. Most of the agreed time is over."
        digests.put_aside(session, handoff, digests.Aside("w", "maria", "tell-manager", what), wait_id=other.id, now=now)

    company.box.write_now(warn)
    page = rep.get(link(company, "maria"))

    assert path_of(company.box.links.for_duty(wait.id, "maria", at=company.time.at)) in page.text
    assert "Ana Silva has not said yet what came of the lead." in words_of(page)
    assert "<form" not in page.text


def test_who_owes_nothing_is_told_so(company: Stage, rep: httpx.Client) -> None:
    assert "Nothing is open for you right now." in words_of(rep.get(link(company, "oscar")))


def test_more_leads_than_one_page_holds_are_on_the_next(company: Stage, rep: httpx.Client) -> None:
    """Each of the pages can be saved."""
    for number in range(10, 65):
        company.box.write_now(partial(one_more, number=number, kind="outcome"))
    first, second = rep.get(link(company)), rep.get(f"{link(company)}?from=50")
    assert (first.text.count("<fieldset"), second.text.count("<fieldset")) == (50, 10)

    rows = re.findall(r'name="choice-(\w+)" value="opportunity"', first.text)
    action, hidden = form_of(first)
    empty = {f"{name}-{ident}": "" for ident in rows for name in ("reason", "channel", "colleague", "text")}
    page = rep.post(
        action, data={**hidden, **empty, "number": number_of(action), **filled(*((ident, {"choice": "opportunity"}) for ident in rows))}
    )

    assert f"Saved: {len(rows)} answers." in words_of(page)
    assert len(company.rows(Answer)) == len(rows) >= 49


def test_the_token_of_a_digest_does_not_stand_in_the_access_log(
    company: Stage, rep: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="baton.web.access")
    rep.get(link(company))

    (line,) = log_lines(caplog, 1)
    assert line["path"] == link(company)[: len("/d/") + 8]


def test_what_was_saved_leads_to_the_leads_own_page_where_it_is_taken_back(company: Stage, rep: httpx.Client) -> None:
    rows = five(company)
    first = rows[0][0]
    page = press(rep, link(company), *rows[:2])
    there = path_of(company.box.links.for_tenure(first, at=company.time.at))
    assert f'<a href="{company.box.links.for_tenure(first, at=company.time.at)}">Take it back</a>' in page.text
    assert "You accepted. Take it back until Tue 1 Dec 09:05" in words_of(page)

    own = rep.get(there)
    assert "Thank you You accepted" in words_of(own)
    action, hidden = form_of(own)
    assert action == f"{there}/undo"
    undone = rep.post(action, data=hidden)

    assert "Taken back" in words_of(undone)
    assert company.answers() == [("accepted", "ana", "undone"), ("attempted", "ana", "counted")]


def test_what_was_saved_can_be_taken_back_only_for_so_long_and_in_no_foreign_browser(company: Stage, rep: httpx.Client) -> None:
    first = tenures(company)[0]
    press(rep, link(company), (first, {"choice": "accepted"}))
    assert "/undo" not in company.browser().get(path_of(company.box.links.for_tenure(first, at=company.time.at))).text

    company.later(minutes=6)

    assert "Take it back" not in rep.get(link(company)).text
    assert "/undo" not in rep.get(path_of(company.box.links.for_tenure(first, at=company.time.at))).text


def test_a_press_without_any_answer_keeps_the_number_too(company: Stage, rep: httpx.Client) -> None:
    page = press(rep, link(company), (tenures(company)[0], {"choice": "leave"}))

    assert f'value="{number_of(link(company))}"' in page.text
    assert company.rows(Device) == []


def test_answers_in_another_browser_than_usual_are_told_to_the_person(company: Stage, rep: httpx.Client) -> None:
    company.know(company.browser())
    press(rep, link(company), (tenures(company)[0], {"choice": "accepted"}))

    assert [(row.message, row.person) for row in company.rows(Delivery)] == [("answered-for-you", "ana")]


def test_each_saved_row_is_kept_as_a_sight_of_its_lead(company: Stage, rep: httpx.Client) -> None:
    first, second, *_ = tenures(company)
    press(rep, link(company), (first, {"choice": "accepted"}), (second, {"choice": "attempted"}))

    assert [(row.assignment_id, row.what) for row in company.rows(PageView)] == [(first, "sent"), (second, "sent")]


def test_a_warning_leads_a_manager_to_the_page_of_that_wait(company: Stage, rep: httpx.Client) -> None:
    other = next(row for row in company.rows(Wait) if row.kind == "outcome")

    def warn(session: Session, now: datetime) -> None:
        handoff = handoffs.get(session, other.handoff_id)
        digests.put_aside(session, handoff, digests.Aside("w", "maria", "tell-manager", "Late."), wait_id=other.id, now=now)

    company.box.write_now(warn)
    there = f"{company.box.links.for_person('maria', at=company.time.at)}/{other.id}"

    assert f'href="{there}"' in rep.get(link(company, "maria")).text
    assert rep.get(path_of(there)).status_code == 200
