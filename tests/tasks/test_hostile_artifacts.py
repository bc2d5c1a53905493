"""No text in a lead's fields changes what Prefect's windows show: the note as an artifact, and the names of runs."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from markdown_it import MarkdownIt
from sqlmodel import Session

from storage import handoffs
from storage.tables import Handoff, HandoffNote, Lead
from tasks.messages import lead_view
from tasks.steps.document import as_markdown
from tasks.wiring.toolbox import Toolbox
from tests.driver import Driver
from tests.examples import examples
from tests.hostile import HUGE, hostile_texts
from tests.stage import Taken, capture, newest

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})
some = settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def structure_of(markdown: str) -> list[str]:
    """The tags of the rendered page, in order."""
    tokens = [one for token in MARKDOWN.parse(markdown) for one in (token, *(token.children or ()))]
    return [f"{token.type} {token.tag} {sorted(token.attrs)}" for token in tokens if token.type not in ("text", "text_special")]


def note_full_of(text: str) -> str:
    """The artifact of a note in which every text is this one."""
    statements = dict.fromkeys(("why_qualified", "buying_signal", "next_step"), text)
    criteria = [{"rule": text, "value": text, "at": "2027-02-01T09:00:00+00:00", "points": 25, "why": text}]
    content = {"statements": statements, "criteria": criteria, "persona": "x" + text, "product": "x" + text, "added": {"next_step": text}}
    content |= {"routed_by": "x" + text, "limits": {"total": 60, "fit": 30, "engagement": 15}}
    handoff = Handoff(lead_id=42, agreement="b2b-saas", version=1)
    asked = {**content, "routed_by": "", "fast_lane": "x" + text}
    return "\n\n".join(as_markdown(handoff, HandoffNote(handoff_id=1, content=one)) for one in (content, asked))


@some
@given(text=hostile_texts)
@example(text=HUGE)
@example(text="www.evil.example _a_ https://evil.example")
def test_no_text_changes_the_structure_of_the_artifact(text: str) -> None:
    assert structure_of(note_full_of(text)) == structure_of(note_full_of("plain"))
    assert "://" not in note_full_of(text)
    assert not re.search(r"(?i)(?<!\w)www\.", note_full_of(text))
    note_full_of(text).encode()


@pytest.fixture
async def noted(driver: Driver, box: Toolbox) -> Taken:
    """A lead whose note is written."""
    taken = capture(box)
    await driver.settle()
    return taken


@some
@given(text=hostile_texts)
@example(text=HUGE)
def test_the_note_of_a_hostile_lead_is_the_one_of_a_harmless_lead(box: Toolbox, noted: Taken, text: str) -> None:
    """Personal texts are not in it at all."""

    def shown(session: Session, now: object) -> str:
        note = handoffs.note_of(session, handoff)
        assert note is not None
        return as_markdown(handoff, note)

    handoff = newest(box, noted)
    before = box.read_now(shown)
    fill(box, noted, text)

    assert box.read_now(shown) == before


@some
@given(text=hostile_texts)
@example(text=HUGE)
def test_the_name_of_a_run_is_one_short_line(box: Toolbox, noted: Taken, text: str) -> None:
    fill(box, noted, text)
    name = box.read_now(lambda session, now: lead_view.run_name(session, newest(box, noted)))

    assert len(name) <= 250
    assert name.splitlines() == [name]
    assert not set("\x00\x1b\u202e\u2066\u200f\ufeff") & set(name)
    assert name.endswith(f"lead {noted.lead_id}")
    name.encode()


def fill(box: Toolbox, taken: Taken, text: str) -> None:
    """Every text of the stored lead is this one; what no database can keep is replaced as the doors do."""
    kept = text.replace("\x00", "").encode("utf-8", "replace").decode()

    def work(session: Session, now: object) -> None:
        lead = session.get(Lead, taken.lead_id)
        assert lead is not None
        for name in ("first_name", "last_name", "company", "job_title", "phone", "email", "country", "campaign"):
            setattr(lead, name, kept)
        session.add(lead)

    box.write_now(work)
