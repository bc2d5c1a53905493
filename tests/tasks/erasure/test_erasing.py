"""A person who wishes to be erased: nothing of them is left in tables, files and the CRM, and they are not taken in again."""

from __future__ import annotations

import asyncio
import csv
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlmodel import Session, select

from agreements.errors import StaleHandoff
from agreements.lead import Consent
from storage import chores, deliveries, erased, figures, handoffs, leases, suppressions, trail, waits
from storage.tables import Answer, Delivery, DigestItem, ErasedPerson, Erasure, Lead, PersonalText, PrefectChore, Suppression, Wake
from tasks.disputes.rulings import raise_dispute
from tasks.erasure import erasing
from tasks.erasure.erasing import NoSuchLead, ReasonNamesPerson
from tasks.replies import answering, link_page
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox
from tests.driver import Driver
from tests.fakes import make_lead
from tests.present import the
from tests.searching import in_bytes, in_tables
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest, token_of

PERSON = {
    "email": "Zoë.Quillfeather+shop@harbour-lights.example",
    "first_name": "Zoë",
    "last_name": "Quillfeather",
    "phone": "+44 20 7946 0999",
    "message": "Our sand sifters jam every Tuesday.",
    "source": "website",
    "source_id": "zoe.quillfeather@harbour-lights.example",
    "campaign": "quillfeather-follow-up",
}
WORDS = (
    "Quillfeather",
    "quillfeather",
    "Zoë",
    "7946 0999",
    "sand sifters",
    "harbour-lights",
    "prefers porridge",
    "kettle is broken",
)


def everything_erased(box: Toolbox, taken: Taken, **more: str) -> erasing.Receipt:
    """Erases the person as the command does, as far as that needs no Prefect server."""
    box.write_now(lambda session, now: erasing.ask(session, taken.lead_id, by="oscar", reason=more.get("reason", ""), now=now))

    def end_chores(session: Session, now: datetime) -> None:
        for one in chores.next_ones(session, limit=100):
            chores.done(session, one.id)

    async def rest() -> erasing.Receipt:
        words, found = await erasing.clear(box, taken.lead_id)
        box.write_now(end_chores)
        return await erasing.close(box, taken.lead_id, words, found, {})

    return asyncio.run(rest())


def known(box: Toolbox, **changes: object) -> Taken:
    consent = Consent(channel="email", purpose="offers by Quillfeather", basis="consent", source="the form of harbour-lights")
    return capture(box, **{**PERSON, "consents": (consent,), **changes})


async def through_everything(driver: Driver, box: Toolbox) -> Taken:
    """A lead with texts, a held answer, a rejection, a dispute, a nurture and messages."""
    taken = known(box)
    await driver.settle()
    handoff = newest(box, taken)
    wait = box.read_now(lambda session, now: waits.open_of(session, handoff.id))
    assert wait is not None
    box.write_now(
        lambda session, now: waits.hold(
            session,
            wait,
            waits.NewAnswer(
                "accepted",
                by=handoff.rep,
                device="d",
                via="link",
                text="The kettle is broken, says Zoë.",
                data={"statements": {"pain_point": "Zoë Quillfeather prefers porridge"}},
            ),
            link_of=handoff.rep,
            now=now,
        )
    )
    what = "Zoë Quillfeather waits"

    def put_off(session: Session, now: datetime) -> None:
        session.add(DigestItem(at=now, key="d", person="maria", handoff_id=handoff.id, kind="remind", what=what))

    box.write_now(put_off)
    answer_by_link(box, taken, "rejected", reason="not-now", text="Zoë Quillfeather prefers porridge in spring.")
    await driver.settle()
    answer = box.read_now(lambda session, now: session.exec(select(Answer.id).where(Answer.kind == "rejected")).one())
    objection = "Zoë asked for a demo: the kettle is broken."
    box.write_now(lambda session, now: raise_dispute(session, answer, "mina", objection, now=now))
    await driver.settle()
    return taken


async def test_nothing_of_the_person_is_left_in_tables_files_and_the_crm(driver: Driver, box: Toolbox, tmp_path: Path) -> None:
    """Every text column and the raw bytes of every file, with the log of SQLite."""
    taken = await through_everything(driver, box)
    assert in_tables(box.database, WORDS)
    assert [one for one in in_bytes(tmp_path, WORDS) if one.startswith("crm")]

    receipt = await asyncio.to_thread(everything_erased, box, taken)

    assert receipt.is_done
    assert in_tables(box.database, WORDS) == []
    assert in_bytes(tmp_path, WORDS) == []
    assert receipt.deleted["texts"] >= 3
    assert receipt.deleted["consents"] == 1
    assert not any(word in str(receipt.as_json()) for word in WORDS)


async def test_the_trail_stays_valid_and_every_lead_is_accounted_for(driver: Driver, box: Toolbox) -> None:
    taken = await through_everything(driver, box)
    key = box.settings.seal_key()
    while box.write_now(lambda session, now: trail.seal(session, key=key, now=now)):
        pass

    await asyncio.to_thread(everything_erased, box, taken)
    other = capture(box, message="Somebody else writes now.")
    await driver.settle()
    while box.write_now(lambda session, now: trail.seal(session, key=key, now=now)):
        pass

    chain = box.read_now(lambda session, now: trail.check(session, key=key))
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    assert chain.whole
    assert chain.unsealed == 0
    assert found.unaccounted == 0
    told = [(event.data["why"], event.actor) for event in events_of(box, taken) if event.kind == "cleared"]
    assert told == [("asked", "oscar")]
    assert newest(box, other).stage == "assigned"


def test_the_number_of_an_erased_text_is_never_given_again(box: Toolbox) -> None:
    """The trail names a text by its number: another one under it would look like a forgery."""
    taken = known(box)
    numbers = box.read_now(lambda session, now: list(session.exec(select(PersonalText.id))))

    everything_erased(box, taken)
    capture(box, message="Another text altogether.")

    left = box.read_now(lambda session, now: list(session.exec(select(PersonalText.id))))
    assert set(left).isdisjoint(numbers)
    assert box.read_now(lambda session, now: trail.check(session, key=b"k")).changed_text is None


@pytest.mark.parametrize("stage", ["inquiry", "assigned", "accepted", "nurturing"])
async def test_an_open_handoff_ends_as_erased_and_nothing_of_it_goes_out_any_more(driver: Driver, box: Toolbox, stage: str) -> None:
    taken = known(box)
    if stage != "inquiry":
        await driver.settle()
    if stage == "accepted":
        answer_by_link(box, taken, "accepted")
        await driver.settle()
    if stage == "nurturing":
        answer_by_link(box, taken, "rejected", reason="not-now")
        await driver.settle()
    handoff = newest(box, taken)
    assert handoff.stage == stage
    box.write_now(
        lambda session, now: deliveries.queue(
            session, handoffs.get(session, handoff.id), deliveries.Message("reminder"), deliveries.Copy("later", "email", "ana"), now=now
        )
    )

    await asyncio.to_thread(everything_erased, box, taken)
    sent = len(kept_by(box, "email").letters)
    await driver.settle()

    assert newest(box, taken).stage == "erased"
    assert box.read_now(lambda session, now: waits.open_of(session, handoff.id)) is None
    states = box.read_now(lambda session, now: {row.key: row.state for row in session.exec(select(Delivery))})
    assert states["later"] == "cancelled"
    new = kept_by(box, "email").letters[sent:]
    assert [one.to.id for one in new] == ([handoff.rep] if stage in ("assigned", "accepted") else [])
    assert not any(word in one.text + one.subject + one.html for one in new for word in WORDS)
    assert all("asked for this lead to be erased" in one.text for one in new)
    wakes = box.read_now(lambda session, now: list(session.exec(select(Wake).where(Wake.handoff_id == handoff.id))))
    assert wakes == []


@pytest.mark.parametrize(
    "again",
    [
        {"email": "zoe.q@elsewhere.example", "phone": "0044 20 79460999", "source_id": "9"},
        {"email": "ZOË.quillfeather@Harbour-Lights.example", "phone": "", "source_id": "10"},
        {"email": "", "phone": "", "source_id": PERSON["source_id"]},
        {"email": "", "last_name": "", "phone": "0044 20 79460999", "source_id": "11"},
    ],
    ids=["phone and name written otherwise", "address without its tag", "id at the source", "nothing but the phone"],
)
async def test_whoever_is_sent_in_again_is_suppressed_and_not_stored(driver: Driver, box: Toolbox, again: dict[str, str]) -> None:
    """The answer of the intake is that for anybody whom nobody may contact."""
    box.write_now(lambda session, now: suppressions.suppress(session, "no@thanks.example", reason="asked", now=now))
    suppressed = capture(box, email="no@thanks.example")
    await asyncio.to_thread(everything_erased, box, known(box))

    back = known(box, **again)
    twice = known(box, **again)
    await driver.settle()

    assert back.kind == suppressed.kind == "new"
    assert (twice.kind, twice.lead_id) == ("repeated", back.lead_id)
    assert newest(box, back).stage == newest(box, suppressed).stage == "suppressed"
    assert in_tables(box.database, WORDS) == []


@pytest.mark.parametrize("phone", ["+44 20 7946 0111", PERSON["phone"], ""])
def test_somebody_else_of_the_same_company_is_taken_in_as_ever(box: Toolbox, phone: str) -> None:
    """Also one who has the same number, of the switchboard."""
    everything_erased(box, known(box))

    other = capture(box, email="gus@harbour-lights.example", last_name="Grant", phone=phone, source_id="44")

    lead = the(box.read_now(lambda session, now: session.get(Lead, other.lead_id)))
    assert lead.email == "gus@harbour-lights.example"


def test_leads_that_were_merged_go_together_and_linked_ones_are_named(box: Toolbox) -> None:
    first = known(box)
    second = known(box, source="fair", source_id="q-2", message="Zoë again, the kettle is broken.")
    assert second.lead_id == first.lead_id
    merged = box.read_now(lambda session, now: session.exec(select(Lead.id).where(Lead.merged_into == first.lead_id)).one())

    preview = box.read_now(lambda session, now: erasing.look(session, merged, now=now))
    receipt = everything_erased(box, Taken(merged, "", make_lead(), ""))

    assert preview.leads == (first.lead_id, merged)
    assert receipt.leads == [first.lead_id, merged]
    assert in_tables(box.database, WORDS) == []


def test_who_was_suppressed_stays_so_without_a_plain_entry(box: Toolbox) -> None:
    taken = known(box)
    box.write_now(lambda session, now: [suppressions.suppress(session, PERSON[one], reason="r", now=now) for one in ("email", "phone")])

    everything_erased(box, taken)

    assert box.read_now(lambda session, now: list(session.exec(select(Suppression)))) == []
    assert box.read_now(lambda session, now: erased.is_erased(session, make_lead(phone="004420 7946 0999")))


def test_a_hash_says_nothing_without_the_key_of_the_installation(box: Toolbox) -> None:
    everything_erased(box, known(box))

    box.database.person_key = lambda: b"another installation"

    assert not box.read_now(lambda session, now: erased.is_erased(session, make_lead(**PERSON)))
    assert box.read_now(lambda session, now: len(list(session.exec(select(ErasedPerson))))) == 4


@pytest.mark.parametrize("at", range(1, 4))
async def test_a_process_that_dies_at_any_slice_leaves_an_erasure_that_another_one_ends(driver: Driver, box: Toolbox, at: int) -> None:
    """The person wrote so often that it takes several transactions."""
    taken = await through_everything(driver, box)
    for number in range(60):
        known(box, conversion_id=f"again-{number}", activity="form_submitted", message=f"The kettle is broken, part {number}.")
    left = at

    def die(where: str) -> None:
        nonlocal left
        left -= where == "cleared some"
        if left == 0:
            raise KeyboardInterrupt

    box.write_now(lambda session, now: erasing.ask(session, taken.lead_id, by="oscar", reason="", now=now))
    box.fault = die
    with pytest.raises(KeyboardInterrupt):
        await erasing.clear(box, taken.lead_id)
    box.fault = lambda where: None
    assert [lead_id for lead_id, _ in box.read_now(lambda session, now: erasing.under_way(session))] == [taken.lead_id]
    await erasing.clear(box, taken.lead_id)

    assert in_tables(box.database, WORDS) == []
    assert [event.kind for event in events_of(box, taken)].count("cleared") == 1


async def test_two_processes_that_erase_at_once_do_it_once(driver: Driver, box: Toolbox) -> None:
    """The command and a worker, say. Each slice locks the person."""
    taken = await through_everything(driver, box)
    for number in range(60):
        known(box, conversion_id=f"again-{number}", activity="form_submitted", message=f"The kettle is broken, part {number}.")
    box.write_now(lambda session, now: erasing.ask(session, taken.lead_id, by="oscar", reason="", now=now))

    await asyncio.gather(*(erasing.clear(box, taken.lead_id) for _ in range(3)))

    assert in_tables(box.database, WORDS) == []
    [event] = [event for event in events_of(box, taken) if event.kind == "cleared"]
    row = box.read_now(lambda session, now: session.exec(select(Erasure)).one())
    assert event.data["deleted"]["leads"] == 1
    assert row.deleted["texts"] == event.data["deleted"]["texts"] == 64


async def test_what_is_to_be_deleted_at_prefect_is_stored_before_anything_else(driver: Driver, box: Toolbox) -> None:
    """So it is not lost while the server is away; the erasure is not done before."""
    taken = known(box)
    await driver.settle()
    box.write_now(lambda session, now: erasing.ask(session, taken.lead_id, by="oscar", reason="", now=now))
    run_id = newest(box, taken).flow_run_id

    words, found = await erasing.clear(box, taken.lead_id)
    receipt = await erasing.close(box, taken.lead_id, words, found, {})

    stored = box.read_now(lambda session, now: [(one.kind, one.run_id or one.name) for one in session.exec(select(PrefectChore))])
    assert stored == [("lead", str(taken.lead_id)), ("run", run_id)]
    assert (receipt.is_done, receipt.waiting) == (False, 2)
    assert box.read_now(lambda session, now: session.exec(select(Erasure)).one().done_at) is None


def test_kept_messages_and_rows_of_tables_in_the_home_folder_go(box: Toolbox) -> None:
    home = box.settings.folder
    (home / "inbox").mkdir()
    for name, text in (("1.eml", "Call Zoë\nQuillfeather today"), ("2.eml", "Call Gus today")):
        letter = EmailMessage()
        letter["Subject"] = "A lead"
        letter.set_content(text, cte="base64")
        (home / "inbox" / name).write_bytes(letter.as_bytes())
    with (home / "export.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["lead", "person", "words"], ["1", "Zoë Quillfeather", "a\nb"], ["2", "Gus Lee", "c\nd"]])
    (home / "page.html").write_text("<p>Zoë Quillfeather</p>", encoding="utf-8")

    receipt = everything_erased(box, known(box))

    assert receipt.files == {"deleted": ["inbox/1.eml"], "changed": ["export.csv"], "left": ["page.html"]}
    assert sorted(path.name for path in (home / "inbox").iterdir()) == ["2.eml"]
    with (home / "export.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["lead", "person", "words"], ["2", "Gus Lee", "c\nd"]]
    assert any("page.html" in one for one in receipt.remains)


def test_a_reason_that_names_the_person_is_refused(box: Toolbox) -> None:
    taken = known(box)

    with pytest.raises(ReasonNamesPerson):
        box.write_now(lambda session, now: erasing.ask(session, taken.lead_id, by="o", reason="zoë quillfeather wrote", now=now))
    with pytest.raises(NoSuchLead):
        box.write_now(lambda session, now: erasing.ask(session, 4711, by="o", reason="", now=now))


async def test_an_attempt_that_is_under_way_writes_nothing_any_more(driver: Driver, box: Toolbox) -> None:
    taken = known(box)
    handoff = newest(box, taken)
    real = box.read_now(lambda session, now: now)
    epoch = the(box.write_now(lambda session, now: leases.take(session, handoff.id, by="worker", real=real)))

    await asyncio.to_thread(everything_erased, box, taken)

    with pytest.raises(StaleHandoff):
        box.write_now(lambda session, now: leases.hold(session, handoff.id, epoch, now=now))


async def test_a_page_behind_a_link_of_an_erased_lead_shows_nothing_of_them(driver: Driver, box: Toolbox) -> None:
    taken = known(box)
    await driver.settle()
    token = token_of(box, taken)

    await asyncio.to_thread(everything_erased, box, taken)

    shown = box.read_now(lambda session, now: link_page.visit(session, OpenedLink(box, token), now=now))
    assert not any(word in str(shown) for word in WORDS)
    reply = box.write_now(
        lambda session, now: answering.answer(session, OpenedLink(box, token), answering.SentForm("accepted", {}), now=now)
    )
    assert not reply.won
