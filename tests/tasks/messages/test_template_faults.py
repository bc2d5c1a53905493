"""A faulty template of the company stops no lead: Baton's own stands in, and delivery and trail say so."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session, col, select

from storage import deliveries
from storage.tables import Delivery, Event
from tasks.messages.template_faults import FAULTY
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.driver import Driver
from tests.stage import capture, events_of, kept_by, newest


def put(box: Toolbox, folder: Path, **files: str) -> None:
    """The company's folder, with these files for the message to the rep."""
    (folder / "assigned").mkdir()
    for name, text in files.items():
        (folder / "assigned" / f"{name}.txt").write_text(text)
    box.settings.templates = str(folder)


async def test_the_rep_gets_the_lead_in_batons_words_where_the_companys_are_faulty(driver: Driver, box: Toolbox, tmp_path: Path) -> None:
    put(box, tmp_path, subject="Neu\n{{ leed.company }}", chat="Neu: {{ lead.company }}")
    taken = capture(box)

    await driver.settle()

    assert newest(box, taken).owner == newest(box, taken).rep
    letter = next(one for one in kept_by(box, "email").letters if one.message == "assigned")
    assert letter.subject.startswith("New hot lead: ")
    assert letter.chat.startswith("Neu: ")


async def test_delivery_and_trail_say_which_template_was_faulty(driver: Driver, box: Toolbox, tmp_path: Path) -> None:
    put(box, tmp_path, subject="Neu\n{{ leed.company }}")
    taken = capture(box, company="Harbour & Sons")

    await driver.settle()

    rows = box.read_now(lambda session, now: deliveries.of_handoff(session, newest(box, taken).id))
    told = [row for row in rows if row.message == "assigned"]
    assert {(row.state, *row.context[FAULTY]) for row in told} == {("confirmed", "assigned/subject.txt, line 2")}
    noted = [event for event in events_of(box, taken) if event.kind == "template-faulty"]
    assert [(event.data["message"], event.data["files"]) for event in noted] == [("assigned", ["assigned/subject.txt, line 2"])] * len(told)


async def test_a_fault_is_noted_once_however_often_the_message_is_tried(
    driver: Driver, box: Toolbox, time: SteppedTime, tmp_path: Path
) -> None:
    put(box, tmp_path, subject="{{ leed.company }}")
    kept_by(box, "email").broken = True
    taken = capture(box)

    await driver.run(until=time.at + timedelta(minutes=5))

    def count(session: Session, now: datetime) -> tuple[int, int]:
        [row] = session.exec(select(Delivery).where(col(Delivery.message) == "assigned", Delivery.channel == "email")).all()
        noted = session.exec(select(Event).where(Event.kind == "template-faulty", Event.lead_id == taken.lead_id)).all()
        return row.tries, sum(event.data["channel"] == "email" for event in noted)

    tries, noted = box.read_now(count)
    assert tries > 1
    assert noted == 1


async def test_a_folder_that_is_not_there_stops_no_lead(driver: Driver, box: Toolbox, tmp_path: Path) -> None:
    box.settings.templates = str(tmp_path / "nowhere")
    taken = capture(box)

    await driver.settle()

    assert newest(box, taken).owner == newest(box, taken).rep
