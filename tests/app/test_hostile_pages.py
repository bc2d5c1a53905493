"""No text in a lead's fields changes the structure of the page behind a link, its forms or where they lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import example, given, settings
from sqlmodel import Session, select

from notifications.html_shape import Shape
from storage.tables import Handoff, HandoffNote, Lead, PersonalText
from tests.app.stage import Stage, path_of, stage
from tests.examples import examples
from tests.hostile import HUGE, hostile_texts
from tests.patience import PATIENCE_SECONDS

_TEL = re.compile(r"tel:\+?\d{3,15}")
some = settings(max_examples=examples(40, few=6), deadline=None)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A company whose one lead is at a rep; each example fills that lead anew."""
    with stage(Path(tmp_path_factory.mktemp("pages"))) as made:
        yield made


def page_of(company: Stage, text: str) -> httpx.Response:
    """The page behind the rep's link when every text of the lead and of its note is this one."""
    kept = text.replace("\x00", "").encode("utf-8", "replace").decode()

    def fill(session: Session, now: object) -> None:
        for lead in session.exec(select(Lead)):
            for name in ("first_name", "last_name", "company", "job_title", "phone", "email", "country", "campaign", "entry_channel"):
                setattr(lead, name, kept)
            session.add(lead)
        for said in session.exec(select(PersonalText)):
            said.text = kept
            session.add(said)
        for note in session.exec(select(HandoffNote)):
            criteria = [{**one, "rule": kept, "value": kept, "why": kept} for one in note.content["criteria"]]
            statements = dict.fromkeys(note.content["statements"], kept)
            note.content = {**note.content, "criteria": criteria, "statements": statements, "persona": kept, "product": kept}
            session.add(note)
        handoff = session.get(Handoff, company.handoff_id)
        assert handoff is not None

    company.box.write_now(fill)
    link = company.box.links.for_tenure(company.assignment_id)
    return httpx.get(company.url + path_of(link), timeout=PATIENCE_SECONDS)


def skeleton_of(page: httpx.Response) -> list[str]:
    """Every tag except links and the prospect's own clock, which are there for a number or an address that can be used."""
    tags = [tag for tag in Shape(page.text).tags if tag.split(" ")[0] not in ("a", "/a") and tag not in ("p ['class']", "/p")]
    there = [at for at in range(2, len(tags)) if tags[at - 2 : at + 1] == ["/time", "span ['class']", "/span"]]
    assert len(there) <= 1
    return [tag for at, tag in enumerate(tags) if not there or at not in (there[0] - 1, there[0])]


def own_links(page: httpx.Response) -> set[str]:
    return {link for link in Shape(page.text).links if not link.startswith(("tel:", "mailto:"))}


@some
@given(text=hostile_texts)
@example(text=HUGE)
@example(text="+44 20 7946 0177")
@example(text="+1 212 736 5000")
def test_no_text_changes_the_structure_of_the_page(company: Stage, text: str) -> None:
    plain = page_of(company, "x")
    page = page_of(company, "x" + text)

    assert (page.status_code, plain.status_code) == (200, 200)
    assert skeleton_of(page) == skeleton_of(plain)
    assert own_links(page) == own_links(plain)
    assert sorted(page.headers) == sorted(plain.headers)


@some
@given(text=hostile_texts)
@example(text="+44 20 7946 0177")
@example(text="javascript:alert(1)")
@example(text="a@b.example,c@d.example")
@example(text="a@b.example?bcc=c@d.example")
def test_links_made_of_a_text_are_numbers_and_single_addresses(company: Stage, text: str) -> None:
    for link in set(Shape(page_of(company, text).text).links) - own_links(page_of(company, "x")):
        address = unquote(link.removeprefix("mailto:"))
        assert _TEL.fullmatch(link) or (link.startswith("mailto:") and address.count("@") == 1 and not re.search(r"[\s,;?&<>\"]", address))
