"""The page with the open leads: who sees which leads and whose names, what stands first, and what may be typed into its address."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from agreements.lead import MAX_SHORT
from agreements.review.objectives import Objective
from agreements.review.share import Share
from agreements.review.this_week import ThisWeek
from agreements.words import NoWord
from app.review.week_counting import count_weeks
from storage import disputes, handoffs, lead_lists, roster, waits, week_counts
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


def test_the_time_of_a_lead_that_has_just_come_is_not_said_in_seconds(company: Stage) -> None:
    assert "Assigned for less than a minute" in seen(company)


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


def test_stuck_leads_stand_before_many_held_ones_and_the_page_says_that_there_are_more(company: Stage) -> None:
    another(company, "Kim")

    def hold(session: Session, handoff: Handoff, now: datetime) -> None:
        held = [a_handoff(session, now, stage="inquiry", held=True) for _ in range(50)]
        stuck = a_handoff(session, now, stage="stuck", rep="ben")
        for row, name in [*((one, "Held") for one in held), (stuck, "Stuck")]:
            the(session.get(Lead, row.lead_id)).first_name = name

    company.do(hold)

    page, inquiries = seen(company), seen(company, stage="inquiry")

    assert names(page.partition("Held or stuck")[2]) == ["Stuck", *["Held"] * 49]
    assert "There are more; these are the first 50." in page
    assert names(inquiries.partition("Held or stuck")[2]) == ["Held"] * 50
    assert "There are more" not in inquiries


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


def counted(company: Stage, **changes: object) -> ThisWeek:
    """The week as the clock counts it, with these figures instead of its own, kept for the page."""
    asyncio.run(count_weeks(company.box))
    [own] = company.box.read_now(lambda session, now: week_counts.every(session))
    made = own.model_copy(update=changes)
    company.box.write_now(lambda session, now: week_counts.keep(session, made, again_at=now + timedelta(days=9)))
    return made


def test_what_both_sides_kept_this_week_is_shown_as_it_was_counted_and_says_how_old_it_is(company: Stage) -> None:
    assert "Kept this week" not in seen(company), "nobody has counted yet"
    company.later(hours=5)
    counted(company)
    company.later(minutes=7)

    page = " ".join(seen(company).split())

    assert "Kept this week: small" in page
    assert "from Mon 30 Nov to Tue 1 Dec 14:00. Counted 7 min ago." in page
    assert '<th scope="row" colspan="2"><b>Promises of marketing</b></th><td class="points few">1 of 1 (100 %)</td>' in page
    assert '<th scope="row" colspan="2"><b>Promises of sales</b></th><td class="points few">0 of 1 (0 %)</td>' in page
    assert "of these, by your people" not in page
    assert "The time of 1 lead of all teams this week." in page
    assert "Rep</th>" in page


def test_an_objective_is_shown_beside_what_was_agreed_and_a_share_of_twenty_is_not_grey(company: Stage) -> None:
    plain = {"side": "sales", "words": "", "aim": "answered", "target": "90%"}
    aims = (
        Objective(**plain, share=Share(count=15, of=20)),
        Objective(side="marketing", words="", aim="accepted", target="70%", share=Share(count=3, of=19)),
        Objective(side="sales", words="", aim="worked", target="", share=Share(count=1, of=2)),
    )
    counted(company, objectives=aims, by_person={"ana": Share(count=21, of=25), "uma": Share(count=1, of=9)})

    page = " ".join(seen(company, "maria").split())

    assert '<th scope="row">Answered in time</th><td>90%</td><td class="points">15 of 20 (75 %)</td>' in page
    assert '<th scope="row">Accepted</th><td>70%</td><td class="points few">3 of 19 (16 %)</td>' in page
    assert "Worked" not in page, "nothing was agreed about it"
    assert '<th scope="row" colspan="2">of these, by your people</th><td class="points">21 of 25 (84 %)</td>' in page


def test_figures_that_nobody_counts_any_more_are_not_shown(company: Stage) -> None:
    counted(company)
    company.later(days=7)
    link = path_of(company.box.links.for_person("mina", at=company.time.at))

    assert "Kept this week" not in company.browser().get(f"{link}/leads").text


def test_a_manager_gets_the_lists_in_prefects_window_where_its_address_is_set(company: Stage) -> None:
    assert "Prefect" not in seen(company, "maria")
    company.box.settings.prefect_ui_url = "https://prefect.northgate.example/"

    pages = [seen(company, "maria"), company.browser().get(path_of(company.box.links.for_person("maria", at=NOW))).text]

    for page in pages:
        links = [html.unescape(link) for link in re.findall(r'href="(https://prefect[^"]*)"', page)]
        assert links == [
            "https://prefect.northgate.example/runs?tag=manager:maria&tag=sla:breached&type=span&seconds=-31536000",
            "https://prefect.northgate.example/runs?tag=manager:maria&state=AwaitingDecision&type=span&seconds=-31536000",
        ]
    assert "Prefect" not in seen(company, "mina"), "marketing has no log-in there"


@pytest.mark.long
def test_a_page_full_of_the_longest_words_stays_light(company: Stage) -> None:
    """One page lists some leads and some names, each of a bounded length, so that more leads make it no heavier."""
    reps = "".join(f"  rep{at}: {{name: {'W' * 90} {at}, email: r{at}@firm.example, team: emea}}\n" for at in range(200))
    company.box.write_now(lambda session, now: roster.load(session, ROSTER.rstrip() + "\n" + reps, now=now))
    long = '"' * (MAX_SHORT - 3)  # each of these takes five letters on a page

    def work(session: Session, handoff: Handoff, now: datetime) -> None:
        for at in range(lead_lists.NAMES_AT_MOST + 1):
            more = a_handoff(session, now, rep="ben", owner="ben", stage="assigned", held=at % 2 == 0)
            row = the(session.get(Lead, more.lead_id))
            row.first_name = row.last_name = row.company = long
            row.campaign = row.source = f"{at}{long}"
            waits.open_wait(session, more, waits.NewWait("acceptance", holder="ben", due_at=now), now=now)

    company.do(work)
    counted(company)

    pages = [seen(company), seen(company, "maria", rep="ben", month="2026-12")]

    assert [page.count("<option") > 2 * lead_lists.NAMES_AT_MOST for page in pages] == [True, True]
    assert [len(names(page)) for page in pages] == [100, 100]
    assert max(len(page.encode()) for page in pages) < 2_000_000


def test_a_page_needs_nothing_from_elsewhere_and_no_script(company: Stage) -> None:
    counted(company)

    page = seen(company, "maria")

    assert not re.findall(r"<script|<link(?! rel=\"icon\" href=\"data:)|@import|url\(|\ssrc=|srcset", page)


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
