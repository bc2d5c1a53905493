"""The demo's start page over real HTTP: what waits for whom, by which message and page, and what became of it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlmodel import Session

from agreements.differences import differences
from agreements.loading import read_agreement
from agreements.words import WaitKind
from app.demo.finale import next_version
from app.demo.inbox.inbox import Inbox
from app.demo.progress import Progress
from app.demo.report import waiting
from app.demo.run import AGREEMENT, AGREEMENTS
from app.demo.start_page import Places, StartPage
from app.demo.waiting import open_cases
from storage import contracts, disputes, handoffs, signature_requests, waits
from storage.tables import Answer, Wait
from tasks.intake import capture
from tests.app.stage import AGREEMENT as SMALL
from tests.app.stage import DUE, LEAD, NOW, Stage, send, stage, words_of
from tests.patience import PATIENCE_SECONDS

EXAMPLE = (AGREEMENTS / f"{AGREEMENT}.yaml").read_text(encoding="utf-8")
PLACES = Places("http://prefect.example", "baton:a-password", "http://chat.example", "http://web.example", Path("/demo"), "5 minutes")


@dataclass
class Demo:
    """The company with an inbox and the start page; the week is over."""

    company: Stage
    inbox: Inbox
    start: StartPage

    def mail(self, key: str, page: str, to: str = "ana@northgate.example") -> int:
        """Puts a message with this page into the inbox; its number there."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"], message["X-Baton-Key"] = "baton@demo.example", to, "Baton", key
        message.set_content(f"Open {page}\n")
        with smtplib.SMTP("127.0.0.1", self.inbox.smtp_port, timeout=PATIENCE_SECONDS) as client:
            client.send_message(message)
        return self.inbox.last_number

    def end_the_week(self) -> None:
        """From now on the page shows what waits at this moment."""
        self.start.cases = self.company.box.read_now(lambda session, now: open_cases(session))
        self.start.places, self.start.is_over = PLACES, True

    def get(self) -> httpx.Response:
        return httpx.get(self.start.url, trust_env=False, timeout=PATIENCE_SECONDS)

    def words(self) -> str:
        return words_of(self.get())


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with (
        stage(tmp_path, web_url="") as company,
        Inbox(folder=tmp_path / "mails", now=lambda: NOW) as inbox,
        StartPage(company.box, inbox, ZoneInfo("Europe/London")) as start,
    ):
        yield Demo(company, inbox, start)


def test_while_the_week_is_played_the_page_says_how_long_it_takes_and_comes_again(demo: Demo) -> None:
    demo.start.progress = lambda: "about 2 minutes left"

    page = demo.get()

    assert page.headers["refresh"] == "5"
    assert "The week is being played" in page.text
    assert "about 2 minutes left" in page.text
    assert "You are" not in page.text


def test_the_rep_finds_the_message_and_the_page_of_the_hot_lead(demo: Demo) -> None:
    link = demo.company.url + demo.company.link
    number = demo.mail(f"{demo.company.assignment_id}:assigned:email", link)

    demo.end_the_week()
    page = demo.get()

    assert "refresh" not in page.headers
    assert "You are Ana Silva, a rep" in page.text
    assert "Harbour &amp; Sons asked for a demo" in page.text
    assert "Tue 1 Dec 13:00" in page.text
    assert f'href="{demo.inbox.url}/m/{number}"' in page.text
    assert f'href="{link}"' in page.text


def test_nothing_runs_on_the_page_and_nothing_comes_from_elsewhere(demo: Demo) -> None:
    demo.end_the_week()

    page = demo.get()

    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_log_in_of_prefect_can_be_copied_from_the_page(demo: Demo) -> None:
    demo.end_the_week()

    assert '<code class="copied">baton:a-password</code>' in demo.get().text
    assert "An answer can be taken back for 5 minutes" in demo.words()


def test_what_was_answered_is_told_as_done(demo: Demo) -> None:
    demo.mail(f"{demo.company.assignment_id}:assigned:email", demo.company.url + demo.company.link)
    demo.end_the_week()

    send(demo.company.browser(), demo.company.link, choice="accepted")

    assert "Done." in demo.words()
    assert "Next:" not in demo.words(), "nobody has carried the answer out yet"
    assert "Look at the page" in demo.words()


def test_what_is_owed_after_the_answer_is_told(demo: Demo) -> None:
    demo.end_the_week()

    demo.company.open("first_attempt", holder="ana", events=("accepted",))

    assert "Next: first attempt by Ana Silva, until Tue 1 Dec 13:00." in demo.words()


def test_a_lead_that_was_given_to_a_colleague_is_the_colleagues_on_the_page(demo: Demo) -> None:
    demo.end_the_week()

    demo.company.later(hours=4)
    path = demo.company.give_to("ben", because="not seen in time")
    assignment = demo.company.rows(Wait)[-1].assignment_id
    demo.mail(f"{assignment}:assigned:email", demo.company.url + path, to="ben@northgate.example")

    assert "You are Ben Carter, a rep" in demo.words()
    assert demo.company.url + path in demo.get().text


@pytest.mark.parametrize(
    ("kind", "holder", "message", "words"),
    [
        ("decision", "maria", "decision-asked", "You are Maria Keller, a manager"),
        ("note", "mina", "note-needed", "You are Mina Okoro, of marketing"),
    ],
)
def test_who_owes_something_else_finds_it_too(demo: Demo, kind: WaitKind, holder: str, message: str, words: str) -> None:
    wait = demo.company.open(kind, holder=holder)
    link = demo.company.url + demo.company.duty_link(wait, holder)
    demo.mail(f"{wait.id}:{message}:email", link, to=f"{holder}@northgate.example")

    demo.end_the_week()

    assert words in demo.words()
    assert link in demo.get().text


def test_the_manager_finds_an_open_dispute(demo: Demo) -> None:
    def reject(session: Session, handoff: object, now: object) -> int:
        wait = demo.company.rows(Wait)[0]
        answer = Answer(wait_id=wait.id, handoff_id=demo.company.handoff_id, kind="rejected", by="ana", via="link", answered_at=NOW)
        answer.effective_at = NOW
        session.add(answer)
        session.flush()
        due = NOW + timedelta(days=2)
        lead_id = wait.handoff_id
        new = disputes.NewDispute(lead_id, by="mina", via="link", text="No.", holder="maria", due_at=due)
        row = disputes.raise_once(session, answer, new, now=NOW)
        assert row is not None
        return row.id

    number = demo.company.do(reject)
    link = f"{demo.company.url}/q/a-token"
    demo.mail(f"dispute:{number}:raised:maria:email", link, to="maria@northgate.example")

    demo.end_the_week()

    assert "You are Maria Keller, a manager" in demo.words()
    assert link in demo.get().text


def test_a_version_out_for_signature_has_a_link_for_each_party(demo: Demo) -> None:
    def publish(session: Session, now: object) -> list[tuple[str, str]]:
        text = SMALL.replace("version: 1", "version: 2").replace("from: 2026-01-01", "from: 2027-01-01")
        row = contracts.publish(session, text, now=NOW)
        asked = signature_requests.prepare(session, row, contracts.read(row), now=NOW)
        return [(one.key, one.address) for one in asked]

    for key, address in demo.company.box.write_now(publish):
        demo.mail(key, f"{demo.company.url}/sign/{address}", to=address)

    demo.end_the_week()
    found = waiting(demo.start)["signature"]

    assert found["agreement"] == "small@2"
    assert [door["page"].rpartition("/")[2] for door in found["doors"]] == ["cmo@northgate.example", "cro@northgate.example"]
    assert "small@2 waits for two signatures" in demo.words()


def test_the_next_version_of_the_example_changes_only_how_soon_leads_are_answered() -> None:
    now = read_agreement(EXAMPLE)

    following = read_agreement(next_version(EXAMPLE, now, NOW.date()))

    assert (following.version, following.effective.from_) == (now.version + 1, NOW.date())
    assert differences(now, following)[2:] == (
        "Hot acceptance: 30 -> 20 working minutes",
        "Normal acceptance: 4 -> 3 working hours",
    )


def test_an_agreement_without_the_words_to_change_has_no_next_version() -> None:
    small = read_agreement(SMALL)

    with pytest.raises(ValueError, match="small@1"):
        next_version(SMALL, small, NOW.date())


@pytest.mark.parametrize(
    ("rows", "finale", "words"), [(67, True, "about 4 minutes"), (14, True, "about 1 minute"), (1, False, "about 20 seconds")]
)
def test_how_long_it_takes_is_told_in_round_words(rows: int, finale: bool, words: str) -> None:
    assert Progress(rows, finale=finale).at_the_start() == words


def test_until_the_pace_of_the_machine_is_known_it_is_taken_for_an_idle_one(demo: Demo) -> None:
    box = demo.company.box

    assert Progress(67, finale=True).left(box) == "about 3 minutes left"
    assert Progress(0, finale=False).left(box) == "about 10 seconds left", "more was done than was thought"


def test_the_lead_that_was_left_open_is_shown_before_a_newer_one_of_another_company(demo: Demo) -> None:
    demo.company.later(minutes=10)
    other = LEAD.model_copy(update={"source_id": "18", "conversion_id": "demo-2", "email": "kim@quay.example", "company": "Quay"})

    def assign(session: Session, now: datetime) -> None:
        handoff = handoffs.get(session, capture(session, other, now=now).handoff_id or 0)
        waits.open_wait(session, handoff, waits.NewWait("acceptance", holder="ben", due_at=DUE), now=now)

    demo.company.box.write_now(assign)
    found = demo.company.box.read_now(lambda session, now: (open_cases(session), open_cases(session, ["Quay"])))

    assert [cases[0].company for cases in found] == ["Harbour & Sons", "Quay"]


def test_the_page_names_who_worked_in_the_crm_alone(demo: Demo) -> None:
    demo.end_the_week()
    demo.start.in_crm = ("Ana Silva answered 5 leads in the CRM alone: 5 of 5 in time.",)

    assert "Ana Silva answered 5 leads in the CRM alone: 5 of 5 in time." in demo.words()
