"""The page with the open leads: who sees which leads and whose names, what stands first, and what may be typed into its address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from agreements.words import NoWord
from storage import disputes, handoffs, roster, waits
from storage.disputes import NewDispute
from storage.tables import Answer, Handoff, Lead
from storage.tables.access import Level
from tests.app.stage import NOW, ROSTER, Stage, form_of, path_of, stage
from tests.present import the
from tests.rows import a_handoff

#: The name of the company's lead, as a page has it.
LEE = "Lee O&#39;Hara &lt;b&gt;"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


def page_of(company: Stage, person: str = "mina", **asked: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"{path_of(company.box.links.for_person(person, at=NOW))}/leads{'?' if query else ''}{query}"


def seen(company: Stage, person: str = "mina", *, level: Level | NoWord = "known", **asked: str) -> str:
    browser = company.browser()
    if level:
        company.know(browser, person, level=level)
    page = browser.get(page_of(company, person, **asked))
    assert page.status_code == 200
    return page.text


def another(company: Stage, *found: str, rep: str = "ben", minutes: int = 0, **lead: str) -> None:
    """One more lead of each name at that rep, whose answer is due so long after now; of several, every third at the same minute."""

    def work(session: Session, handoff: Handoff, now: datetime) -> None:
        for number, name in enumerate(found):
            more = a_handoff(session, now, rep=rep, owner=rep, stage="assigned")
            row = the(session.get(Lead, more.lead_id))
            row.first_name, row.campaign, row.source = name, lead.get("campaign", ""), lead.get("source", "")
            due = now + timedelta(minutes=minutes + number % 3)
            waits.open_wait(session, more, waits.NewWait("acceptance", holder=rep, due_at=due), now=now)

    company.do(work)


def names(page: str) -> list[str]:
    return re.findall(r'<strong class="long"><bdi>([^<]*)</bdi>', page)


def test_marketing_sees_every_open_lead_overdue_first_with_the_time_in_its_stage(company: Stage) -> None:
    another(company, "Zoe", minutes=-90)
    another(company, "Kim", minutes=30)
    company.later(minutes=5)

    page = seen(company)

    assert names(page) == ["Zoe", "Kim", LEE]
    assert "3 open, 1 late" in page
    assert "Late by 1 h 35 min" in page
    assert "Assigned for 5 min" in page
    assert "Ana Silva" in page


def test_names_are_only_in_a_browser_that_is_known_as_the_readers(company: Stage) -> None:
    unknown, of_somebody_else = seen(company, level=""), company.know(company.browser(), "ana").get(page_of(company)).text

    for page in (unknown, of_somebody_else):
        assert "1 open, 0 late" in page
        assert "Hara" not in page
        assert "Harbour" not in page
    assert "Hara" in seen(company)
    assert "Hara" in seen(company, level="enrolled")


def test_the_code_from_the_message_makes_the_browser_known(company: Stage) -> None:
    browser, path = company.browser(), page_of(company, campaign="autumn")
    action, hidden = form_of(browser.get(path))
    code = company.box.links.number(path.split("/")[2])

    wrong = browser.post(action, data={**hidden, "number": f"{(int(code) + 1) % 10_000:04}"})
    right = browser.post(action, data={**hidden, "number": code})

    assert wrong.status_code == 422
    assert "Hara" not in wrong.text
    assert "That is not the code" in wrong.text
    assert "Hara" in right.text
    assert "campaign=autumn" in str(right.url)


def test_a_form_that_was_not_shown_to_the_browser_makes_nobody_known(company: Stage) -> None:
    code = company.box.links.number(page_of(company).split("/")[2])

    refused = company.browser().post(page_of(company), data={"nonce": "made-up", "number": code})

    assert refused.status_code == 403
    assert "Hara" not in refused.text


def test_looking_changes_nothing(company: Stage) -> None:
    browser, before = company.know(company.browser(), "mina"), company.snapshot()

    browser.get(page_of(company))
    company.browser().head(page_of(company))

    assert company.snapshot() == before


def test_a_manager_sees_the_leads_of_their_people_only(company: Stage) -> None:
    two = ROSTER.replace("teams: {emea: {manager: maria}}", "teams: {emea: {manager: maria}, us: {manager: dora}}")
    people = "  dora: {name: Dora, email: dora@northgate.example, role: manager, team: us}\n"
    rep = "  uma: {name: Uma, email: uma@northgate.example, team: us}\n"
    company.box.write_now(lambda session, now: roster.load(session, two.rstrip() + "\n" + people + rep, now=now))
    another(company, "Uri", rep="uma")

    assert names(seen(company, "maria")) == [LEE]
    assert names(seen(company, "dora")) == ["Uri"]
    assert names(seen(company, "dora", rep="ana")) == [], "a filter widens nothing"


def test_whoever_oversees_nobody_sees_nothing(company: Stage) -> None:
    assert company.know(company.browser(), "ana").get(page_of(company, "ana")).status_code == 404


def test_a_link_that_is_over_shows_nothing(company: Stage) -> None:
    browser = company.know(company.browser(), "mina")
    company.later(hours=48)

    page = browser.get(page_of(company))

    assert page.status_code == 410
    assert "Hara" not in page.text


def test_whoever_has_left_sees_nothing(company: Stage) -> None:
    browser = company.know(company.browser(), "maria")
    without = re.sub("  maria:.*\n", "", ROSTER).replace("manager: maria", "manager: oscar")
    company.box.write_now(lambda session, now: roster.load(session, without, now=now))

    assert browser.get(page_of(company, "maria")).status_code == 404


CHOSEN: list[tuple[dict[str, str], list[str]]] = [
    ({"campaign": "autumn"}, [LEE]),
    ({"campaign": "spring"}, ["Kim"]),
    ({"source": "fair"}, ["Kim"]),
    ({"rep": "ben"}, ["Kim"]),
    ({"rep": "ana", "campaign": "spring"}, []),
    ({"stage": "assigned", "rep": "ana"}, [LEE]),
    ({"stage": "working"}, []),
    ({"month": "2026-12"}, ["Kim", LEE]),
    ({"month": "2026-11"}, []),
]


def test_leads_are_chosen_by_stage_campaign_source_rep_and_month(company: Stage) -> None:
    another(company, "Kim", campaign="spring", source="fair")
    browser = company.know(company.browser(), "mina")

    assert [(asked, names(browser.get(page_of(company, **asked)).text)) for asked, _ in CHOSEN] == CHOSEN


def test_any_address_is_answered_with_a_page(company: Stage) -> None:
    browser = company.know(company.browser(), "mina")
    for asked in (
        {"stage": "no-such"}, {"month": "2026-99"}, {"month": "9999-12"}, {"after": "x"}, {"after": "9" * 17 + "-" + "9" * 15},
        {"after": "1-2-3"}, {"campaign": "%00"}, {"rep": "%ff%fe"}, {"source": "x" * 5_000}, {"campaign": "'%22><script>alert(1)</script>"},
    ):  # fmt: skip
        page = browser.get(page_of(company, **asked))

        assert page.status_code == 200, asked
        assert "<script" not in page.text


def test_every_lead_is_on_one_page_once(company: Stage) -> None:
    another(company, *(f"Kim {number}" for number in range(120)))
    browser, path, found = company.know(company.browser(), "mina"), page_of(company), []

    for _ in range(3):
        page = browser.get(path).text
        found += names(page)
        following = re.search(r'href="([^"]+)">The next ones', page)
        path = following[1].replace("&amp;", "&") if following else ""

    assert path == ""
    assert len(found) == len(set(found)) == 121


def test_a_held_or_stuck_lead_stands_apart(company: Stage) -> None:
    def stick(session: Session, handoff: Handoff, now: datetime) -> None:
        waits.close_open(session, handoff, because="withdrawn", now=now)
        handoffs.move(session, handoff, "got-stuck", now=now)

    company.do(stick)

    page = seen(company)

    assert page.index("Nothing is due here") < page.index("Held or stuck") < page.index("Hara")


def test_with_no_lead_the_page_says_so(company: Stage) -> None:
    company.do(lambda session, handoff, now: handoffs.move(session, handoff, "disqualified", now=now))

    page = seen(company)

    assert "0 open, 0 late" in page
    assert "Nothing is due here" in page
    assert '<th scope="col">Stage' not in page


def test_the_list_of_what_waits_leads_to_it(company: Stage) -> None:
    browser = company.browser()
    listed = path_of(company.box.links.for_person("maria", at=NOW))

    assert f'href="{listed}/leads"' in browser.get(listed).text


def test_the_load_of_each_rep_and_the_next_turn_are_those_of_routing(company: Stage) -> None:
    another(company, "Zoe", "Kim", rep="ben")

    page = seen(company, "maria")

    loads = re.findall(
        r'<th scope="row">([A-Z][a-z]+ [A-Z][a-z]+)(?: <b>\((next)\)</b>)?</th><td>([^<]*)</td><td class="points">(\d+) of', page
    )
    assert loads == [("Ana Silva", "next", "now", "1"), ("Ben Carter", "", "now", "2")]


def test_what_was_given_back_and_ticked_is_counted_with_its_disputes(company: Stage) -> None:
    another(company, "Zoe")
    company.answer("rejected", by="ana", via="link", reason="wrong-rep")

    def accept(session: Session, handoff: Handoff, now: datetime) -> None:
        wait = the(waits.open_of(session, handoff.id + 1))
        ticked = {"note_wrong": ["next_step"]}
        waits.answer(session, wait.id, waits.NewAnswer("accepted", by="ben", via="link", data=ticked), now=now)

    company.do(accept)
    company.later(minutes=10)
    dispute = NewDispute(lead_id=1, by="mina", via="link", text="No.", holder="maria", due_at=NOW + timedelta(days=1))
    company.do(lambda session, handoff, now: disputes.raise_once(session, the(session.get(Answer, 1)), dispute, now=now))

    page = " ".join(seen(company).split())

    assert "Given back in the last seven days: 1" in page
    assert '<th scope="row">Belongs to a colleague</th><td>1 disputed</td><td class="points">1</td>' in page
    assert "Ticked as wrong or missing in notes: next step (1)." in page
    assert "Given back in the last seven days: 1" in seen(company, "maria"), "ana is of her team"
    company.later(days=7)
    later = path_of(company.box.links.for_person("mina", at=company.time.at))
    assert "Given back in the last seven days: 0" in company.browser().get(f"{later}/leads").text
