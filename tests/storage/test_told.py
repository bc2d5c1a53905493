"""What is told of a person who is known: the own source may correct, any other fills gaps and stands beside."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, col, select

from agreements.lead import IncomingLead
from notifications.letter import LeadView
from storage import handoffs, roster, told
from storage.tables import Event, Lead
from tasks.intake import capture
from tasks.messages import lead_view
from tasks.wiring.toolbox import Toolbox
from tests.conftest import MONDAY
from tests.present import the

KNOWN = {"email": "jo@mill.example", "phone": "+44 20 7946 0001", "company": "Mill", "job_title": "Head of IT", "first_name": "Jo"}


def lead_of(**more: Any) -> Lead:
    return Lead(**{**KNOWN, "values": {"employees": 340}, **more})


def take_in(box: Toolbox, lead: IncomingLead) -> None:
    box.write_now(lambda session, now: capture(session, lead, now=now))


def told_by(source: str = "webinar", source_id: str = "w1", **more: Any) -> IncomingLead:
    return IncomingLead(source=source, source_id=source_id, email=KNOWN["email"], **more)


@pytest.mark.parametrize(
    ("said", "beside"),
    [
        ({"phone": "+1 900 555 0100"}, {"phone": "+1 900 555 0100"}),
        ({"first_name": "Eve", "job_title": "Intern"}, {"first_name": "Eve", "job_title": "Intern"}),
        ({"fields": {"employees": 5}}, {"employees": 5}),
        ({"fields": {"employees": "340"}}, {"employees": "340"}),
        ({"fields": {"employees": True}}, {"employees": True}),
    ],
)
def test_another_source_replaces_nothing(said: dict[str, Any], beside: dict[str, Any]) -> None:
    lead = lead_of()
    found = told.take(lead, told_by(**said), may_replace=False, now=MONDAY)

    assert {name: getattr(lead, name) for name in KNOWN} == KNOWN
    assert lead.values == {"employees": 340}
    assert {name: [one["value"] for one in others] for name, others in lead.beside.items()} == {name: [one] for name, one in beside.items()}
    assert {one["source"] for others in lead.beside.values() for one in others} == {"webinar"}
    assert (found.filled, found.replaced, set(found.beside)) == ((), (), set(beside))


@pytest.mark.parametrize(
    "said",
    [
        {"phone": "  +44 20  7946 0001 "},
        {"company": "MILL"},
        {"phone": ""},
        {"fields": {"employees": 340}},
        {"fields": {"employees": None}},
    ],
)
def test_the_same_or_nothing_is_not_told(said: dict[str, Any]) -> None:
    lead = lead_of()

    assert not told.take(lead, told_by(**said), may_replace=False, now=MONDAY)
    assert lead.beside == {}


def test_a_gap_is_filled_by_anybody_and_a_correction_taken_from_the_own_source() -> None:
    lead = lead_of(job_title="")
    filled = told.take(lead, told_by(job_title="Buyer", fields={"budget": 5}), may_replace=False, now=MONDAY)
    replaced = told.take(lead, told_by(phone="+44 20 7946 0002"), may_replace=True, now=MONDAY)

    assert (lead.job_title, lead.values["budget"], lead.phone) == ("Buyer", 5, "+44 20 7946 0002")
    assert (filled.filled, replaced.replaced) == (("job_title", "budget"), ("phone",))


def test_of_many_words_the_newest_few_are_kept_each_once() -> None:
    lead = lead_of()
    for number in (1, 2, 3, 3, 4, 5, 6, 7):
        told.take(lead, told_by(phone=f"+1 900 555 010{number}"), may_replace=False, now=MONDAY)

    assert [one["value"][-1] for one in lead.beside["phone"]] == ["3", "4", "5", "6", "7"]


def test_a_stranger_who_knows_the_address_changes_no_number_and_the_history_says_who_told_what(box: Toolbox) -> None:
    first = {key: value for key, value in KNOWN.items() if key != "email"}
    said = [
        told_by("website", "1", conversion_id="a", **first),
        told_by("website", "2", conversion_id="b", phone="+1 900 555 0100"),
        told_by("website", "1", conversion_id="c", phone="+44 20 7946 0002"),
        told_by("partner", "9", conversion_id="d", phone="+1 900 555 0199"),
    ]
    for one in said:
        take_in(box, one)

    def look(session: Session, now: datetime) -> tuple[Lead, list[dict[str, Any]], list[str], LeadView]:
        events = list(session.exec(select(Event).where(Event.kind == "facts-told").order_by(col(Event.id))))
        lead, handoff = session.get_one(Lead, 1), the(handoffs.latest_of(session, 1))
        people = roster.current(session)
        return (
            lead,
            [row.data for row in events],
            [lead_view.sentence(row, people) for row in events],
            lead_view.lead_view(session, handoff, now=now),
        )

    lead, events, sentences, view = box.read_now(look)
    assert lead.phone == "+44 20 7946 0002"
    assert [(name, value, source) for name, value, source, _ in view.beside] == [
        ("phone", "+1 900 555 0100", "website"),
        ("phone", "+1 900 555 0199", "partner"),
    ]
    assert events == [
        {"source": "website", "beside": ["phone"]},
        {"source": "website", "replaced": ["phone"]},
        {"source": "partner", "beside": ["phone"]},
    ]
    assert sentences == [
        "website gave other facts: phone. The known facts stay",
        "website corrected: phone",
        "partner gave other facts: phone. The known facts stay",
    ]
