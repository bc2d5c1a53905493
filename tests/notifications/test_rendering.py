"""Letters from templates: what they say, in whose time, and that nothing a lead writes changes their shape."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.lifecycle import Stage
from notifications.faults import MessageFaulty
from notifications.letter import (
    CodeContext,
    Context,
    DigestContext,
    DigestRow,
    LeadView,
    Letter,
    NewsContext,
    NewsGroup,
    NewsRow,
    Recipient,
)
from notifications.rendering import TEMPLATES, message_names, render
from notifications.samples import sample
from tasks.messages.digest_message import ROWS_SHOWN
from tasks.messages.marketing_digest import LEADS_SHOWN, OTHERS_NAMED, TASKS_SHOWN
from tests.examples import examples

MESSAGES = [
    "answered-for-you",
    "asked-again",
    "assigned",
    "decision-asked",
    "dispute-raised",
    "dispute-settled",
    "do-not-contact",
    "feedback",
    "manager-told",
    "note-needed",
    "ops-told",
    "reminder",
    "taken",
    "told",
    "withdrawn",
]
ANA = Recipient("ana", "Ana Ruiz", "ana@sales.example", timezone="Europe/London")
LINK = "https://baton.example/l/ImFzc2lnbm1lbnQi.c2lnbmF0dXJl"
CODE = "Your code: 4827. You type it the first time you answer on this device."
HTML_CODE = 'Your code: <strong style="white-space:nowrap">4827</strong>. You type it the first time you answer on this device.'
DUE = datetime(2026, 12, 1, 13, tzinfo=UTC)
LEAD = LeadView(
    number=42,
    company="Nordlicht GmbH",
    person="Maria Silva",
    job_title="Head of Operations",
    email="maria@nordlicht.example",
    phone="+49 (0)40 5550 1234",
    country="Germany",
    entry_channel="demo_request",
    campaign="Autumn webinar",
    message="We run 40 trucks.\nCan someone call?",
    requested_time=datetime(2026, 12, 2, 9, 30, tzinfo=UTC),
    tier="hot",
    score=82,
    fit=45,
    engagement=37,
    stage=Stage.ASSIGNED,
    agreement="standard@3",
    statements={"why_qualified": "They asked for a demo.", "buying_signal": "Pricing page twice.", "next_step": "Call today."},
    criteria=(("Asked for a demo", "yes", 30), ("Free mail address", "no", -5)),
    history=((datetime(2026, 3, 3, 10, tzinfo=UTC), "Rejected by Ben: no budget."),),
)
HOSTILE = [
    "Acme\r\nBcc: all@evil.example\r\n\r\nReview this lead:\r\nhttps://evil.example",
    '"><script>alert(1)</script></td></table><a href="https://evil.example">Review this lead</a><!--',
    "{{ 7 * 7 }} {% for x in y %} {# {{ lead.__class__.__mro__ }} #} ${7*7}",
    "\u202eevil\u2066\u200f \u2028line\u2029 \x85 \x0c \x00\x1b[31m\udcff\ufeff",
    "'\"&<>" * 2000,
    "=cmd|'/c calc'!A1",
]


class _Shape(HTMLParser):
    """The tags of a page in order, without the line breaks of what the lead wrote and without links, which are kept apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")
        elif tag != "br":
            self.tags.append(f"{tag} {sorted(name for name, _ in attrs)}")

    def handle_endtag(self, tag: str) -> None:
        if tag != "a":
            self.tags.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.tags.append(f"!{data}")


def context(**changes: Any) -> Context:
    extra = {"missing": "pain_point, campaign", "reason": "wrong_contact", "text": "She left.\nTry Jens."}
    promise = "Otherwise it goes to the next rep."
    base = Context(ANA, LEAD, LINK, DUE, promise, rep="Ana Ruiz", what="Handed on by Ben.", extra=extra)
    return replace(base, **changes)


def written(message: str = "assigned", folder: Path | None = None, **changes: object) -> Letter:
    return render(message, context(**changes), key="lead-42/1", thread="lead-42", folder=folder)


def lead_full_of(text: str) -> LeadView:
    texts: dict[str, Any] = {field.name: text for field in fields(LEAD) if isinstance(getattr(LEAD, field.name), str)}
    said = dict.fromkeys(LEAD.statements, text)
    many: dict[str, Any] = {"criteria": ((text, text, 3),) * 20, "history": ((DUE, text),) * 20}
    return replace(LEAD, **texts, statements=said, **many)


def hostile_letter(message: str, text: str) -> Letter:
    extra = dict.fromkeys(context().extra, text)
    return written(message, lead=lead_full_of(text), what=text, rep=text, promise=text, extra=extra)


def lines_of_ours(text: str) -> int:
    return sum(not line.startswith(">") for line in text.splitlines())


def test_every_message_has_a_folder_and_can_be_named() -> None:
    others = [
        "absence-told", "alarm-told", "complaint-told", "crm-told", "device-code", "digest", "links-ended", "marketing-digest",
        "number-guessed", "reason-told", "review-told", "signature-asked",
        "signature-told", "test", "trail-head",
    ]  # fmt: skip
    assert message_names() == sorted([*MESSAGES, *others])


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_has_all_parts_and_one_link_of_ours(message: str) -> None:
    letter = written(message)

    shape = _Shape(letter.html)
    ours = [link for link in shape.links if urlsplit(link).scheme not in ("tel", "mailto")]
    assert ours == ([] if message == "withdrawn" else [LINK])
    assert letter.text.count("https://") == letter.chat.count("https://") == len(ours)
    assert "42" in letter.subject
    assert "42" in letter.text
    assert "42" in letter.chat
    assert (letter.key, letter.thread, letter.message, letter.link, letter.to) == ("lead-42/1", "lead-42", message, LINK, ANA)


@pytest.mark.parametrize("message", MESSAGES)
def test_html_is_small_dark_mode_safe_and_without_pictures(message: str) -> None:
    html = written(message).html

    assert len(html.encode()) < 30_000
    assert '<meta name="color-scheme" content="light dark">' in html
    assert '<meta name="viewport"' in html
    assert not {"<img", "<script", "@import", "url("} & {word for word in ("<img", "<script", "@import", "url(") if word in html}
    open_tags = [tag.split(" ")[0] for tag in _Shape(html).tags if not tag.startswith(("/", "!", "meta"))]
    assert sorted(open_tags) == sorted(tag[1:] for tag in _Shape(html).tags if tag.startswith("/"))


@pytest.mark.parametrize("part", ["text", "html"])
def test_an_assignment_says_everything_in_both_parts(part: str) -> None:
    said = getattr(written(), part)

    facts = ["Nordlicht GmbH", "Maria Silva", "Head of Operations", "+49 (0)40 5550 1234", "maria@nordlicht.example", "Germany"]
    words = ["We run 40 trucks.", "Can someone call?", "They asked for a demo.", "Pricing page twice.", "Call today.", "Autumn webinar"]
    rest = ["Tue 1 Dec 13:00", "Otherwise it goes to the next rep.", "Handed on by Ben.", "Wed 2 Dec 09:30", "82", "+30", "-5"]
    for word in [*facts, *words, *rest, "3 Mar 2026", "Rejected by Ben: no budget.", "tel:+494055501234", "standard@3"]:
        assert word in said
    assert said.count("Times are in Europe/London.") == 1


def test_an_assignment_has_no_separate_links_to_accept_and_reject() -> None:
    letter = written()
    assert "Review this lead" in letter.html
    assert f"Review this lead:\n{LINK}" in letter.text
    for part in (letter.html, letter.text, letter.chat):
        assert "accept" not in part.lower()
        assert "reject this" not in part.lower()


def test_a_manager_is_told_for_whom_he_gets_it() -> None:
    letter = written(to=replace(ANA, name="Joan"), extra={"for": "Ana Ruiz"})
    assert letter.subject.startswith("Ana Ruiz may not know of a new lead: Nordlicht GmbH (lead 42)")
    for part in (letter.text, letter.html, letter.chat):
        assert "Ana Ruiz" in part
        assert "Please make sure" in part


def test_a_bare_lead_leaves_no_empty_lines_behind_labels() -> None:
    bare = LeadView(number=7, company="", person="")
    for message in MESSAGES:
        letter = render(message, Context(to=ANA, lead=bare), key="k")
        assert not [line for line in letter.text.splitlines() if line.endswith(":") and line != "Still missing:"]
        assert "None" not in letter.text + letter.html + letter.chat + letter.subject


@pytest.mark.parametrize(
    ("zone", "due", "shown"),
    [
        ("Europe/London", DUE, "Tue 1 Dec 13:00"),
        ("America/Sao_Paulo", DUE, "Tue 1 Dec 10:00"),
        ("Asia/Tokyo", datetime(2026, 12, 1, 15, tzinfo=UTC), "Wed 2 Dec 00:00"),
        ("No/Such_Zone", DUE, "Tue 1 Dec 13:00"),
        ("../../etc/passwd", DUE, "Tue 1 Dec 13:00"),
        ("Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Sun 25 Oct 01:30 BST"),
        ("Europe/London", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Sun 25 Oct 01:30 GMT"),
    ],
)
def test_times_are_the_readers(zone: str, due: datetime, shown: str) -> None:
    letter = written(to=replace(ANA, timezone=zone), due_at=due)
    assert f"answer by {shown}" in letter.subject
    assert f"Answer by {shown}." in letter.text
    assert f"Times are in {zone if '/' in zone and 'No' not in zone and '.' not in zone else 'UTC'}." in letter.text


@pytest.mark.parametrize(
    ("phone", "href"),
    [
        ("+49 (0)40 5550-1234", "tel:+494055501234"),
        ("(030) 123/456", "tel:030123456"),
        ("+1 555 010 0199 ext. 12", "tel:+15550100199"),
        ("ask for Maria", ""),
        ("12", ""),
        ("1" * 40, ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_a_phone_number_becomes_a_link_where_one_can_be_read(phone: str, href: str) -> None:
    links = _Shape(written(lead=replace(LEAD, phone=phone, email="")).html).links
    assert [link for link in links if link != LINK] == [href] * bool(href)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("message", MESSAGES)
def test_hostile_texts_change_no_structure(message: str, text: str) -> None:
    letter, plain = hostile_letter(message, text), hostile_letter(message, "plain")

    assert _Shape(letter.html).tags == _Shape(plain.html).tags
    assert [link for link in _Shape(letter.html).links if not link.startswith("mailto:")] == _Shape(plain.html).links
    assert lines_of_ours(letter.text) == lines_of_ours(plain.text)
    assert len(letter.chat.splitlines()) == len(plain.chat.splitlines())
    assert len(letter.html.encode()) < 100_000
    assert len(letter.text) < 30_000
    assert len(letter.chat) < 5_000
    assert letter.subject.isprintable()
    assert len(letter.subject) <= 150
    assert not set("\u202e\u2066\u200f\u2028\u2029\x85\x00\x1b\udcff\r") & set(letter.html + letter.text + letter.chat)
    (letter.subject + letter.html + letter.text + letter.chat).encode()


@settings(max_examples=examples(60), deadline=None)
@given(text=st.text(min_size=1).map(lambda text: "x" + text))
def test_no_text_at_all_changes_the_structure(text: str) -> None:
    letter, plain = hostile_letter("assigned", text), hostile_letter("assigned", "plain")
    assert _Shape(letter.html).tags == _Shape(plain.html).tags
    assert lines_of_ours(letter.text) == lines_of_ours(plain.text)
    assert letter.subject.isprintable() or not letter.subject.isascii()


def test_template_syntax_in_a_field_is_only_text() -> None:
    letter = written(lead=replace(LEAD, company="{{ 7 * 7 }}"))
    assert "{{ 7 * 7 }}" in letter.subject
    assert "{{ 7 * 7 }}" in letter.text
    assert "49 " not in letter.subject


@pytest.mark.parametrize("spoof", ["<https://evil.example|Review this lead>", "[Review this lead](https://evil.example)"])
def test_a_lead_cannot_dress_a_link_or_call_everyone_in_a_chat(spoof: str) -> None:
    chat = written(lead=replace(LEAD, company=spoof, message="<!channel> @everyone @Here maria@here.example")).chat
    assert not set("<>[]|") & set(chat)
    assert "@everyone" not in chat
    assert "@Here" not in chat
    assert "maria@here.example" in chat
    assert chat.rstrip().endswith(f"Review this lead: {LINK}")


def test_facts_for_a_crm_are_kept_in_full_and_clean() -> None:
    facts = {"lead_number": "42", "note": "one\r\ntwo\x00" + "x" * 5000}
    letter = render("assigned", context(), key="k", facts=facts)
    assert letter.facts == {"lead_number": "42", "note": "one\ntwo\ufffd" + "x" * 5000}


def test_a_users_templates_go_first_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "assigned").mkdir()
    (tmp_path / "assigned" / "subject.txt").write_text("Neu: {{ lead.company }}\n  bis {{ due_at|when }}\n")
    (tmp_path / "_end.txt").write_text("-- \nOur firm\n")

    assert written(folder=tmp_path).subject == "Neu: Nordlicht GmbH bis Tue 1 Dec 13:00"
    assert "Nordlicht GmbH" in written(folder=tmp_path).text
    assert written("reminder", folder=tmp_path).text.endswith("Our firm\n")
    assert written().subject.startswith("New hot lead: Nordlicht GmbH (lead 42)")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        (
            "{{ leed.company }}",
            "assigned/subject.txt: line 1: 'leed' is undefined. A template may use colleague, colleague_link, due_at, extra, lead, link, ",
        ),
        (
            "\n{{ lead.compny }}",
            "assigned/subject.txt: line 2: 'notifications.letter.LeadView object' has no attribute 'compny'. It has agr",
        ),
        ("one\n{% if %}", "assigned/subject.txt: line 2: "),
        ("{{ lead.company|shout }}", "No filter named 'shout'"),
        ("{{ ''.__class__.__mro__ }}", "assigned/subject.txt: line 1: this is not possible in a message: access to attribute '__class__'"),
        ("{{ lead.score / 0 }}", "ZeroDivisionError"),
        ("{% include '../../../secret.txt' %}", "assigned/subject.txt: line 1: there is no template ../../../secret.txt; "),
        ("{{ lead.company|when }}", "assigned/subject.txt: line 1: "),
        ("{% include 'assigned/subject.txt' %}", "assigned/subject.txt: line 1: it calls or includes itself without end"),
        (b"caf\xe9", "assigned/subject.txt: it is not written in UTF-8; save it as UTF-8."),
    ],
)
def test_a_faulty_template_of_the_company_is_named_and_batons_own_stands_in(tmp_path: Path, template: str | bytes, problem: str) -> None:
    (tmp_path / "assigned").mkdir()
    (tmp_path / "assigned" / "subject.txt").write_bytes(template.encode() if isinstance(template, str) else template)
    (tmp_path / "assigned" / "body.txt").write_text("Ours: {{ lead.company }}")

    letter = written(folder=tmp_path)

    assert problem in str(letter.faults[0])
    assert len(letter.faults) == 1
    assert letter.subject == written().subject
    assert letter.text == "Ours: Nordlicht GmbH\n"


def test_a_fault_in_a_shared_part_is_named_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "_end.txt").write_text("--\n\n{{ our_firm }}\n")

    letter = written("reminder", folder=tmp_path)

    assert [fault.place for fault in letter.faults] == ["_end.txt, line 3"]
    assert letter.text == written("reminder").text


@pytest.mark.parametrize("message", ["no-such", "../assigned", "_layout.html", ""])
def test_an_unknown_message_is_refused(message: str) -> None:
    with pytest.raises(MessageFaulty, match="there is no such message"):
        written(message)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(MessageFaulty, match="without a zone"):
        written(due_at=DUE.replace(tzinfo=None))


def test_each_message_has_its_four_files() -> None:
    for message in MESSAGES:
        assert {file.name for file in (TEMPLATES / message).iterdir()} == {"subject.txt", "body.txt", "body.html", "chat.txt"}


def digest(*rows: DigestRow, more: int = 0) -> Letter:
    return render("digest", DigestContext(ANA, "https://baton.example/d/Zm9v.c2ln", rows, more), key="digest:ana:2026-12-01")


def test_a_digest_has_a_row_a_lead_and_one_link_to_the_page_of_all() -> None:
    letter = digest(
        DigestRow(42, "Nordlicht GmbH", Stage.ASSIGNED, "Still needed: an answer (accept or reject).", DUE, LINK),
        DigestRow(43, "Südwind AG", Stage.NURTURING, "Ben owes an answer and has missed the agreed time.", done=True),
        more=3,
    )

    assert letter.subject == "4 open for you this morning: Nordlicht GmbH and more"
    for part in (letter.text, letter.html, letter.chat):
        assert part.count("https://baton.example/d/Zm9v.c2ln") == 1
        assert "Nordlicht GmbH" in part
        assert "3 more" in part
    assert f"Due Tue 1 Dec 13:00.\n  {LINK}" in letter.text
    assert "Already settled." in letter.text
    assert "Times are in Europe/London." in letter.text


def test_a_stage_is_written_as_people_write_it() -> None:
    assert "(lead 47), MQL" in render("marketing-digest", sample("marketing-digest"), key="k").text


def test_a_digest_of_one_lead_says_which() -> None:
    row = DigestRow(42, "", Stage.WORKING, "How does it stand?")

    assert digest(row).subject == "1 open for you this morning: lead 42"
    assert digest(replace(row, done=True)).subject == "Nothing open for you this morning: lead 42"


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_company_changes_the_shape_of_a_digest(text: str) -> None:
    row = DigestRow(42, "Nordlicht GmbH", Stage.ASSIGNED, "Still needed: an answer.", DUE, LINK)
    usual, hostile = _Shape(digest(row).html), _Shape(digest(replace(row, company=text)).html)

    assert (hostile.tags, hostile.links) == (usual.tags, usual.links)
    assert "\n" not in digest(replace(row, company=text)).subject


def test_a_digest_stays_below_what_a_mail_reader_shows_however_much_is_in_it() -> None:
    worst = DigestRow(10**9, "<&\"'>" * 40, Stage.ASSIGNED, "&" * 400, DUE, LINK + "x" * 120)

    assert len(digest(*[worst] * ROWS_SHOWN, more=160).html.encode()) < 100_000


@pytest.mark.parametrize(
    "message",
    [
        "assigned",
        "taken",
        "decision-asked",
        "note-needed",
        "reminder",
        "feedback",
        "dispute-raised",
        "dispute-settled",
    ],
)
def test_the_number_stands_once_in_each_part_right_by_the_link(message: str) -> None:
    letter = written(message, number="4827")

    assert HTML_CODE in letter.html
    for part in (letter.text, letter.chat):
        assert part.count(CODE) == 1
        lines = [line for line in part.splitlines() if line]
        assert LINK in lines[lines.index(CODE) - 1]
    assert "Asked once" not in written(message).html + written(message).text + written(message).chat


def test_marketings_digest_stays_below_what_a_mail_reader_shows_and_names_every_lead_it_can_however_much_is_in_it() -> None:
    far = datetime(2026, 12, 2, 15, 10, tzinfo=UTC)
    link = "https://baton.example/q/" + "x" * 150
    row = NewsRow(42, "&" * 200, "&" * 200, "&" * 200, (("&" * 500, far),) * 3, "&" * 500, link, far)
    task = DigestRow(47, "&" * 200, Stage.MQL, "&" * 200, far, link)
    group = NewsGroup("Returned by sales", 4000, (row,) * LEADS_SHOWN, link, tuple(range(7000, 7000 + OTHERS_NAMED)))
    full = NewsContext(ANA, link, (task,) * TASKS_SHOWN, (group,), 70, "4827", link)

    letter = render("marketing-digest", full, key="k")

    assert len(letter.html.encode()) < 100_000
    assert "And 3976 more: leads 7000, 7001, " in letter.html
    assert "7299 and others." in letter.html


def test_a_digest_has_its_number_by_its_link_and_leads_whoever_decides_to_all_that_waits() -> None:
    letter = render("digest", replace(sample("digest"), number="4827", page="https://baton.example/m/own"), key="k")

    assert HTML_CODE in letter.html
    for part in (letter.text, letter.chat):
        lines = [line for line in part.splitlines() if line]
        assert "https://baton.example/d/made-up" in lines[lines.index(CODE) - 1]
    assert all("https://baton.example/m/own" in part for part in (letter.html, letter.text, letter.chat))
    assert "4827" not in letter.subject


@pytest.mark.parametrize("message", ["decision-asked", "manager-told"])
def test_whoever_decides_finds_the_link_to_all_that_waits(message: str) -> None:
    page = "https://baton.example/m/" + "x" * 300
    letter = written(message, page=page, link="" if message == "manager-told" else LINK, number="4827")

    assert all(page in part for part in (letter.html, letter.text, letter.chat))
    assert all("4827" in part for part in (letter.html, letter.text, letter.chat))


def test_a_code_for_a_browser_stands_in_every_part() -> None:
    letter = render("device-code", CodeContext(ANA, "https://baton.example/me", "012345", 15), key="k")

    assert all("012345" in part for part in (letter.subject, letter.html, letter.text, letter.chat))
    assert "within 15 minutes" in letter.text


def test_a_manager_reads_in_the_subject_how_long_is_left_and_for_whom() -> None:
    def subject(left: str) -> str:
        return written("manager-told", what="Ana Ruiz has not answered yet.", extra={"left": left} if left else {}).subject

    assert subject("5 minutes left") == "5 minutes left: Ana Ruiz, Nordlicht GmbH (due 13:00)"
    assert subject("2 days left") == "2 days left: Ana Ruiz, Nordlicht GmbH (due Tue 1 Dec 13:00)"
    assert subject("") == "Nordlicht GmbH (lead 42): Ana Ruiz has not answered yet"
