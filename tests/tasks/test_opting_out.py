"""An opt-out ends everything at once, from wherever it comes and at whatever stage: nothing goes out about the lead afterwards."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from agreements.lifecycle import OPEN_STAGES
from agreements.opt_out import read_entry
from agreements.words import ChannelName, GivenAnswer, OptOutChannel
from notifications.channels.crm import CrmChannel
from notifications.letter import Channel, Letter
from notifications.links import Links
from storage import deliveries, digests, handoffs, suppressions
from storage.crm.local import LocalCrm
from storage.database import Database
from storage.suppressions import Told
from storage.tables import Answer, Delivery, DigestItem, Dispute, Event, Handoff, Lead, Suppression, Wait, Wake
from tasks import intake, opting_out, refusals
from tasks.messages.lead_view import lead_view
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import (
    BY_POINTS,
    NOT_YET,
    agree_on,
    answer_by_duty,
    does,
    letters,
    staff,
    tenures,
    until_accepted,
    until_working,
    wait_if_any,
)
from tests.driver import Driver
from tests.examples import examples
from tests.fakes import KeepingChannel
from tests.in_flight import everywhere
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, local_crm, newest, token_of

CHANNELS: tuple[ChannelName, ...] = ("email", "chat", "manager-email")
DAY = timedelta(days=1)


def refuses(box: Toolbox, taken: Taken, channel: OptOutChannel = "all", by: str = "operator") -> list[int]:
    """Opt this lead out, as the command line does for an address."""

    def work(session: Session, now: datetime) -> list[int]:
        lead = session.get(Lead, taken.lead_id)
        assert lead is not None
        return opting_out.opt_out(session, lead, Told(channel, by=by), now=now)

    return box.write_now(work)


def written_about(box: Toolbox, taken: Taken) -> list[Letter]:
    """Everything that went out about this lead over the channels that people read."""
    sent = [letter for name in CHANNELS for letter in kept_by(box, name).letters]
    return [one for one in sent if one.thread.startswith(f"lead-{taken.lead_id}-")]


def queued(box: Toolbox, taken: Taken) -> list[str]:
    query = select(Delivery.message).join(Handoff, col(Handoff.id) == col(Delivery.handoff_id))
    query = query.where(Handoff.lead_id == taken.lead_id, Delivery.state == "queued")
    return box.read_now(lambda session, now: list(session.exec(query)))


async def test_at_every_stage_everything_ends_and_only_the_rep_who_has_it_is_told(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """The channels were broken before, so each lead that was assigned has messages that wait for another try."""
    found = await everywhere(driver, box)
    had = {name: [one.rep for one in tenures(box, taken)][-1:] for name, taken in found.items() if name != "merged"}
    before = {name: newest(box, taken).stage for name, taken in found.items()}
    for name in CHANNELS:
        kept_by(box, name).broken = False
        kept_by(box, name).letters.clear()

    for taken in found.values():
        refuses(box, taken)

    assert {name: queued(box, taken) for name, taken in found.items() if queued(box, taken)} == {}
    await driver.run(until=time.at + 40 * DAY, revisits=True)

    open_before = {name for name, stage in before.items() if stage in (*OPEN_STAGES, "nurturing")}
    assert {newest(box, found[name]).stage for name in open_before} == {"suppressed"}
    assert {name: newest(box, found[name]).stage for name in set(before) - open_before} == {
        name: stage for name, stage in before.items() if name not in open_before
    }
    assert [name for name, taken in found.items() if wait_if_any(box, taken)] == []
    told = {name: [(one.message, one.to.id) for one in written_about(box, taken)] for name, taken in found.items()}
    has_it = {"acceptance", "acceptance under the first version", "delivery", "accepted", "working", "stuck", "opportunity"}
    has_it |= {"accepted decision", "working decision"}
    assert {name: said for name, said in told.items() if name in has_it} == {name: [("do-not-contact", had[name][0])] for name in has_it}
    assert {name: said for name, said in told.items() if said and name not in has_it} == {}


DOORS: dict[str, Callable[[Toolbox, Taken], object]] = {
    "intake": lambda box, taken: does(box, taken, "page_viewed", do_not_contact=True),
    "activity": lambda box, taken: does(box, taken, "unsubscribed"),
    "the same address under another id": lambda box, taken: capture(box, email=taken.incoming.email, do_not_contact=True),
    "a new company": lambda box, taken: does(box, taken, "opted_out", company="Elsewhere Ltd", email="lee@elsewhere.example"),
    "reason": lambda box, taken: answer_by_link(box, taken, "rejected", reason="do-not-contact"),
    "list": lambda box, taken: refusals.add(box, [refusals.NewEntry(read_entry(taken.incoming.email.upper()), Told(by="root"))]),
    "domain": lambda box, taken: refusals.add(
        box, [refusals.NewEntry(read_entry(taken.incoming.email.partition("@")[2]), Told(by="root"))]
    ),
    "phone": lambda box, taken: refusals.add(box, [refusals.NewEntry(read_entry("0044 20 7946 0777"), Told("all", by="root"))]),
}


@pytest.mark.parametrize("door", DOORS)
async def test_it_counts_from_every_door_and_later_imports_stay_suppressed(
    driver: Driver, box: Toolbox, time: SteppedTime, door: str
) -> None:
    taken = capture(box, phone="+44 20 7946 0777")
    await driver.settle()
    [rep] = [one.rep for one in tenures(box, taken)]

    DOORS[door](box, taken)
    await driver.settle()
    again = capture(box, email=taken.incoming.email, phone="+44 20 79460777")
    other = capture(box, source="list", email=taken.incoming.email.replace("@", "+spring@"))
    await driver.run(until=time.at + 30 * DAY, revisits=True)

    assert {newest(box, one).stage for one in (taken, again, other)} <= {"suppressed", "merged"}
    assert newest(box, taken).stage == "suppressed"
    assert [one.to.id for one in written_about(box, taken) if one.message == "do-not-contact"] == ([] if door == "reason" else [rep])
    assert {one.message for one in written_about(box, taken)} <= {"assigned", "do-not-contact"}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("+44 20 7946 0777", "020 7946 0777"),
        ("020 7946 0777", "0044 20 7946 0777"),
        ("(020) 7946-0777", "+44 (0)20 7946 0777"),
        ("020 7946 0777", "020-7946-0777"),
    ],
)
async def test_a_number_that_nobody_may_call_is_known_however_it_is_written(driver: Driver, box: Toolbox, first: str, then: str) -> None:
    taken = capture(box, phone=first, country="GB")
    does(box, taken, "do_not_contact", phone=first, country="GB")
    await driver.settle()

    other = capture(box, phone=then, country="GB")
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, other).stage) == ("suppressed", "suppressed")


async def test_a_rep_cannot_take_it_back_and_is_shown_no_address(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    box.settings.undo_minutes = 10
    taken = capture(box, phone="+44 20 7946 0777")
    await driver.settle()
    token = token_of(box, taken)

    reply = answer_by_link(box, taken, "rejected", reason="do-not-contact")
    await driver.settle()

    assert (reply.won, reply.undo_until) == (True, None)
    seen = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token), now=now))
    assert (seen.live, seen.lead.phone, seen.lead.email, seen.lead.refuses) == (False, "", "", ("all",))
    assert newest(box, taken).stage == "suppressed"


@pytest.mark.parametrize(("channel", "left"), [("phone", ("", True)), ("email", ("+44 20 7946 0777", False))])
async def test_one_refused_channel_takes_its_address_away_and_ends_nothing(
    driver: Driver, box: Toolbox, channel: OptOutChannel, left: tuple[str, bool]
) -> None:
    taken = await until_accepted(driver, box, phone="+44 20 7946 0777")

    refuses(box, taken, channel)
    refuses(box, taken, channel)
    await driver.settle()
    again = capture(box, source="list", email=taken.incoming.email.replace("@", "+x@"), phone="+44 20 7946 0777")

    view = box.read_now(lambda session, now: lead_view(session, newest(box, taken), now=now))
    assert (view.phone, bool(view.email), view.refuses) == (*left, (channel,))
    assert newest(box, taken).stage == "accepted"
    assert letters(box, "do-not-contact") == [tenures(box, taken)[0].rep]
    assert again.lead_id == taken.lead_id
    assert [one.data["by_channel"] for one in events_of(box, taken) if one.kind == "opted-out"] == [channel]


async def test_a_deputy_is_told_too_while_the_rep_is_away(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["routing"].update(on_leave={"assigned": "keep", "accepted": "keep", "working": "keep"}))
    taken = await until_working(driver, box)
    rep = tenures(box, taken)[0].rep
    staff(box, (f"  {rep}: {{", f"  {rep}: {{away: [{{from: 2027-02-01T00:00:00Z, until: 2027-02-09T00:00:00Z, deputy: cleo}}], "))

    refuses(box, taken)
    await driver.settle()

    assert letters(box, "do-not-contact") == [rep, "cleo"]


async def test_an_attempt_under_way_writes_and_sends_nothing_any_more(driver: Driver, box: Toolbox) -> None:
    """The opt-out comes between two transactions of the attempt: while the message over chat is on its way."""
    taken = capture(box)

    async def meanwhile(letter: Letter) -> str:
        await asyncio.to_thread(refuses, box, taken)
        return kept_by(box, "chat").keep(letter)

    kept_by(box, "chat").instead = meanwhile
    kept_by(box, "email").broken = True
    with pytest.raises(BaseException, match=r"taken over|carries this lead|lost"):
        await driver.settle()
    kept_by(box, "email").broken = False
    await driver.settle()

    assert newest(box, taken).stage == "suppressed"
    assert [one.message for one in written_about(box, taken)] == ["do-not-contact", "assigned"]
    assert queued(box, taken) == []


async def test_what_is_queued_after_it_is_cancelled_when_it_is_claimed(driver: Driver, box: Toolbox) -> None:
    """The gate is where messages are claimed, so it holds for a message that somebody queues later, of a run or a personal one."""
    taken = await until_accepted(driver, box)
    refuses(box, taken)
    handoff = newest(box, taken)

    def later(session: Session, now: datetime) -> None:
        message = deliveries.Message("told", context={"what": "Late."})
        deliveries.queue(session, handoff, message, deliveries.Copy("late", "email", "ana"), now=now)
        context = {"handoff_id": handoff.id, "kind": "accepted"}
        personal = deliveries.Message("answered-for-you", context=context)
        deliveries.queue(session, None, personal, deliveries.Copy("late-personal", "email", "ana"), now=now)

    box.write_now(later)
    await driver.settle()

    rows = box.read_now(lambda session, now: {one.key: str(one.state) for one in session.exec(select(Delivery))})
    assert (rows["late"], rows["late-personal"]) == ("cancelled", "cancelled")


async def test_digests_do_not_name_it_and_an_open_dispute_ends(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    from tasks.disputes import rulings

    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()

    def prepare(session: Session, now: datetime) -> None:
        answer = session.exec(select(Answer)).one()
        rulings.raise_dispute(session, answer.id, "mina", "They are ours.", now=now)
        handoff = handoffs.get(session, answer.handoff_id)
        digests.put_aside(session, handoff, digests.Aside("one", "ana", "remind", "Call."), wait_id="", now=now)

    box.write_now(prepare)
    refuses(box, taken)
    await driver.run(until=time.at + 10 * DAY, revisits=True)

    assert [(one.ruling, one.decided_by) for one in box.read_now(lambda session, now: list(session.exec(select(Dispute))))] == [
        ("upheld", "")
    ]
    assert box.read_now(lambda session, now: list(session.exec(select(DigestItem)))) == []
    assert letters(box, "dispute-raised") == letters(box, "dispute-settled") == []


async def test_the_crm_says_so_in_the_words_of_the_agreement(driver: Driver, box: Toolbox) -> None:
    agree_on(box, lambda tree: tree["crm"].update(suppressed={"status": "Do not contact"}))
    taken = await until_working(driver, box)

    refuses(box, taken)
    await driver.settle()

    assert local_crm(box).fields_of(taken.lead_id)["status"] == "Do not contact"


async def test_what_the_crm_says_in_those_words_counts_too(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["crm"].update(suppressed={"status": "Do not contact"}))
    taken = await until_working(driver, box)

    local_crm(box).person_changes(taken.lead_id, by="ana", at=time.at, values={"status": "Do not contact"})
    await driver.settle()

    assert newest(box, taken).stage == "suppressed"
    assert box.read_now(lambda session, now: suppressions.is_suppressed(session, taken.incoming.email))


async def test_after_a_removal_the_next_request_begins_anew_and_the_trail_knows_who_and_why(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    entry = read_entry(taken.incoming.email)
    refusals.add(box, [refusals.NewEntry(entry, Told(source="letter", by="root"))])
    await driver.settle()
    does(box, taken, "demo_requested", at=MONDAY)

    [gone] = refusals.remove(box, entry, refusals.Removal("root", "She wrote that she wants to hear from us."))
    await driver.settle()
    assert (gone.source, newest(box, taken).stage) == ("letter", "suppressed")
    driver.time.at += DAY
    does(box, taken, "quote_requested")
    await driver.settle()

    assert newest(box, taken).stage == "assigned"
    assert box.read_now(lambda session, now: list(session.exec(select(Suppression)))) == []
    removed = box.read_now(lambda session, now: list(session.exec(select(Event).where(Event.kind == "opt-out-removed"))))
    assert [(one.actor, one.lead_id, bool(one.text_id)) for one in removed] == [("root", None, True), ("root", taken.lead_id, False)]
    assert entry.value not in str(removed[0].data)


#: What happens to one lead in the property below, in any order. Every kind of message is queued by some of these.
MOVES = ["settle", "settle", "minutes", "hours", "days", "breaks", "mends", "accepted", "attempted",
         "opportunity", "not-now", "handed", "other", "page", "quote", "twin"]  # fmt: skip


@given(
    kind=st.sampled_from([{}, BY_POINTS, NOT_YET, {"campaign": ""}, {"country": "US"}]),
    before=st.lists(st.sampled_from(MOVES), max_size=7),
    door=st.sampled_from(sorted({*DOORS} - {"domain", "phone", "reason"})),
    after=st.lists(st.sampled_from(MOVES), max_size=5),
)
@settings(max_examples=examples(150, few=3), deadline=None)
def test_no_interleaving_lets_a_message_out_after_it(
    kind: dict[str, str], before: list[str], door: str, after: list[str], home_in_force: Path
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(home_in_force / "baton.db", Path(folder) / "baton.db")
        asyncio.run(_play(Path(folder), kind, before, door, after))


async def _play(folder: Path, kind: dict[str, str], before: list[str], door: str, after: list[str]) -> None:
    time = SteppedTime(MONDAY)
    channels: dict[ChannelName, Channel] = {name: KeepingChannel(name) for name in CHANNELS}
    crm = LocalCrm(folder / "crm.db")
    links = Links(["a-key-for-tests-only"], "http://baton.test")
    here = Settings(home=folder, undo_minutes=10, crm_poll_seconds=0.0001)
    box = Toolbox(here, Database(f"sqlite:///{folder / 'baton.db'}"), crm, {**channels, "crm": CrmChannel(crm)}, links, time)
    toolbox.use(box)
    driver = Driver(box, time)
    try:
        taken = capture(box, **kind)
        for number, move in enumerate(before):
            await _move(driver, box, taken, move, number)
        sent = {one.key for name in CHANNELS for one in kept_by(box, name).letters}
        DOORS[door](box, taken)
        for number, move in enumerate(after):
            await _move(driver, box, taken, move, 100 + number)
        for name in CHANNELS:
            kept_by(box, name).broken = False
        await driver.run(until=time.at + 40 * DAY, revisits=True)
        _look(box, taken, sent)
    finally:
        box.database.close()
        toolbox.use(None)


async def _move(driver: Driver, box: Toolbox, taken: Taken, move: str, number: int) -> None:
    if move == "settle":
        await driver.settle()
    elif step := {"minutes": timedelta(minutes=7), "hours": timedelta(hours=3), "days": 4 * DAY}.get(move):
        await driver.run(until=driver.time.at + step)
        driver.time.at += timedelta(seconds=1)
    elif move in ("breaks", "mends"):
        for name in CHANNELS:
            kept_by(box, name).broken = move == "breaks"
    elif move == "page":
        does(box, taken, "page_viewed", path=f"/{number}")
    elif move == "quote":
        incoming = taken.incoming.model_copy(update={"conversion_id": f"again {number}", "activity": "quote_requested", "at": None})
        box.write_now(lambda session, now: intake.capture(session, incoming, now=now))
    elif move == "twin":
        capture(box, email=taken.incoming.email)
    else:
        _answer(box, taken, move)


def _answer(box: Toolbox, taken: Taken, move: str) -> None:
    """Answer as the rep, or as the one who was asked to decide, if anybody can."""
    kinds: dict[str, tuple[GivenAnswer, dict[str, str]]] = {
        "not-now": ("rejected", {"reason": "not-now"}),
        "other": ("rejected", {"reason": "other", "text": "They laughed."}),
        "handed": ("handed", {"colleague": "cleo"}),
        "accepted": ("accepted", {}),
        "attempted": ("attempted", {}),
        "opportunity": ("opportunity", {}),
    }
    choice, fields = kinds[move]
    wait = wait_if_any(box, taken)
    try:
        if wait is not None and wait.kind == "decision":
            answer_by_duty(box, taken, "decided", choice="reassign")
        elif wait is not None and wait.assignment_id:
            answer_by_link(box, taken, choice, **fields)
    except answering.ChoiceRefused:
        pass


def _look(box: Toolbox, taken: Taken, sent: set[str]) -> None:
    """Nothing about the person is under way, and only the rep who had the lead was told."""

    def find(session: Session, now: datetime) -> tuple[list[Handoff], list[Wait], list[Wake], list[Delivery]]:
        return (
            [one for one in session.exec(select(Handoff)) if one.stage in (*OPEN_STAGES, "nurturing")],
            list(session.exec(select(Wait).where(col(Wait.closed_at).is_(None)))),
            list(session.exec(select(Wake))),
            list(session.exec(select(Delivery).where(Delivery.state == "queued", Delivery.message != "digest"))),
        )

    assert box.read_now(find) == ([], [], [], [])
    new = [one for name in CHANNELS for one in kept_by(box, name).letters if one.key not in sent and f"(lead {taken.lead_id})" in one.text]
    assert {one.message for one in new} <= {"do-not-contact"}, f"{[one.message for one in new]} went out after the opt-out"
    assert len(new) <= 1, "the rep is told once"
