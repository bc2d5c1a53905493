"""What a lead told is kept from when on, so that nobody is judged by what was filled in later."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from storage.tables import LeadValues
from tasks import intake
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.fakes import make_lead


def take_in(box: Toolbox, **changes: object) -> int:
    return box.write_now(lambda session, now: intake.capture(session, make_lead(**changes), now=now)).lead_id


def history(box: Toolbox, lead_id: int) -> list[LeadValues]:
    query = select(LeadValues).where(LeadValues.lead_id == lead_id).order_by(col(LeadValues.id))
    return box.read_now(lambda session, now: list(session.exec(query)))


def test_what_a_lead_tells_is_kept_from_when_it_told_it(box: Toolbox, time: SteppedTime) -> None:
    lead = take_in(box, source_id="h1", fields={"industry": "logistics"}, phone="")
    time.at += timedelta(days=2)
    take_in(box, source_id="h1", conversion_id="again", fields={"employees": 12}, job_title="Head of Sales")

    first, second = history(box, lead)
    assert (first.at, second.at) == (MONDAY, MONDAY + timedelta(days=2))
    assert (first.values["industry"], first.values["job_title"]) == ("logistics", "Head of Operations")
    assert {"phone", "employees"}.isdisjoint(first.values)
    assert (second.values["industry"], second.values["employees"], second.values["job_title"]) == ("logistics", 12, "Head of Sales")


def test_a_lead_that_tells_nothing_new_adds_nothing(box: Toolbox, time: SteppedTime) -> None:
    lead = take_in(box, source_id="h2")
    time.at += timedelta(days=2)
    take_in(box, source_id="h2", conversion_id="again")

    assert len(history(box, lead)) == 1
