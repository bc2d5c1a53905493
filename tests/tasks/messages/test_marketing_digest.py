"""What became of leads comes to marketing once a morning: nothing is lost, nothing comes twice, and only what cannot wait interrupts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from agreements.words import DISPUTABLE, GivenBack, Outcome
from notifications.letter import Letter
from storage import deliveries
from storage.suppressions import Told
from storage.tables import Answer, Delivery, DigestItem, Lead
from tasks import opting_out
from tasks.background.personal_outbox import send_personal_messages
from tasks.disputes import rulings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on, letters, staff, until_accepted, until_working
from tests.driver import Driver
from tests.fakes import KeepingChannel
from tests.present import the
from tests.rows import all_of
from tests.stage import Taken, answer_by_link, capture, kept_by, newest

TUESDAY = datetime(2027, 2, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def digests_of(box: Toolbox, person: str = "mina") -> list[Letter]:
    return [one for one in kept_by(box, "email").letters if one.message == "marketing-digest" and one.to.id == person]


def kept(box: Toolbox) -> list[str]:
    """The kinds of what is kept for marketing's digest, sent or not."""
    return box.read_now(lambda session, now: [one.kind for one in all_of(session, DigestItem) if one.person == "marketing"])


async def until(driver: Driver, time: SteppedTime, at: datetime) -> None:
    """Lets everything happen that is due until then, and no more; then it is that instant."""
    await driver.run(until=at)
    time.at = max(at, time.at)
    await driver.settle()


async def returned(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    taken = await until_working(driver, box, **changes)
    answer_by_link(box, taken, "returned", reason="not-now")
    await driver.settle()
    return taken


async def test_an_acceptance_makes_no_mail_and_is_in_the_digest_of_the_next_morning(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await until_accepted(driver, box)
    await until(driver, time, TUESDAY - timedelta(minutes=1))

    assert (letters(box, "feedback"), digests_of(box)) == ([], [])

    await until(driver, time, TUESDAY)

    (digest,) = digests_of(box)
    assert f"ACCEPTED BY SALES (1)\n\n{taken.incoming.company} (lead {taken.lead_id})" in digest.text
    assert "Ana Silva accepted it." in digest.text
    assert digest.link.endswith("/leads"), "nothing waits for her, so the button leads to all open leads"
    assert box.links.read_person(digest.link.split("/")[-2]).person == "mina"
    assert f'href="{digest.link}/{taken.lead_id}"' in digest.html

    await until(driver, time, TUESDAY + DAY)

    assert len(digests_of(box)) == 1, "a morning without news has no digest"


async def rejected(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    taken = capture(box, **changes)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    return taken


@pytest.mark.parametrize("outcome", DISPUTABLE)
async def test_by_default_each_answer_that_can_be_disputed_is_told_at_once_and_not_again_in_the_morning(
    driver: Driver, box: Toolbox, time: SteppedTime, outcome: GivenBack
) -> None:
    """The agreement in force has no such key."""
    taken = await {"rejected": rejected, "returned": returned}[outcome](driver, box, **BY_POINTS)
    await until(driver, time, time.at + timedelta(minutes=10))

    (told,) = [one for one in kept_by(box, "email").letters if one.message == "feedback"]
    assert told.to.id == "mina"
    answer = box.links.read_to_dispute(told.link.rpartition("/")[2]).answer_id
    row = the(box.read_now(lambda session, now: session.get(Answer, answer)))
    assert (row.kind, row.handoff_id) == (outcome, newest(box, taken).id)

    await until(driver, time, TUESDAY)

    assert outcome not in kept(box)
    assert [one for one in digests_of(box) if "You may dispute this" in one.text] == []


async def test_a_return_that_the_agreement_lets_wait_is_in_the_digest_with_the_way_to_dispute_it(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    agree_on(box, lambda tree: tree["attention"].update(tell_marketing=["rejected"]))
    taken = await returned(driver, box, **BY_POINTS)
    await until(driver, time, TUESDAY)

    assert letters(box, "feedback") == []
    (digest,) = digests_of(box)
    assert f"RETURNED BY SALES (1)\n\n{taken.incoming.company} (lead {taken.lead_id})" in digest.text
    link = digest.text.partition("You may dispute this until ")[2].partition(": ")[2].split()[0]
    assert box.links.read_to_dispute(link.rpartition("/")[2]).person == "mina"


async def test_a_return_that_the_morning_would_hardly_leave_time_to_dispute_is_told_at_once(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    agree_on(box, lambda tree: tree.update(dispute={"within": "1 working hour"}, attention={"tell_marketing": []}))
    await returned(driver, box, **BY_POINTS)
    await until(driver, time, time.at + timedelta(minutes=10))

    assert letters(box, "feedback") == ["mina"]
    assert kept(box) == ["accepted"]


@pytest.mark.parametrize(("agreed", "mails"), [(("accepted",), 1), ((), 0)])
async def test_the_agreement_names_what_is_told_at_once(
    driver: Driver, box: Toolbox, time: SteppedTime, agreed: tuple[Outcome, ...], mails: int
) -> None:
    agree_on(box, lambda tree: tree["attention"].update(tell_marketing=list(agreed)))
    await until_accepted(driver, box)
    await until(driver, time, time.at + timedelta(minutes=10))

    assert letters(box, "feedback") == ["mina"] * mails
    assert kept(box) == ["accepted"] * (1 - mails)


async def test_a_lead_of_which_several_things_became_is_one_row_in_the_group_of_the_last(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await until_working(driver, box, **BY_POINTS)
    answer_by_link(box, taken, "opportunity")
    await until(driver, time, TUESDAY)

    (digest,) = digests_of(box)
    assert digest.subject == "1 lead moved on: 1 became an opportunity"
    assert digest.text.count("(lead ") == 1
    assert digest.text.index("Ana Silva accepted it.") < digest.text.index("Ana Silva made an opportunity of it.")


async def test_an_answer_that_can_still_be_taken_back_waits_for_the_morning_after(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Also where the digest of this morning goes out in these minutes."""
    box.settings.undo_minutes = None  # as agreed: five
    time.at = TUESDAY - timedelta(minutes=3)
    taken = capture(box, at=time.at)
    await driver.settle()
    answer_by_link(box, taken, "accepted")
    await until(driver, time, TUESDAY + timedelta(hours=1))

    assert digests_of(box) == []

    await until(driver, time, TUESDAY + DAY)

    assert len(digests_of(box)) == 1


async def test_what_waits_for_marketing_comes_first(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    await until_accepted(driver, box)
    lacking = capture(box, campaign="", **BY_POINTS)
    await until(driver, time, TUESDAY)

    (digest,) = digests_of(box)
    assert letters(box, "note-needed") == ["mina"], "a task is told at once all the same"
    assert digest.text.index("WAITS FOR YOU (1)") < digest.text.index(f"(lead {lacking.lead_id})") < digest.text.index("ACCEPTED BY SALES")
    assert box.links.read_digest(digest.link.rpartition("/")[2]).person == "mina"


async def test_a_lead_that_nobody_may_contact_is_not_in_the_digest(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    gone, stays = await until_accepted(driver, box, **BY_POINTS), await until_accepted(driver, box, **BY_POINTS)
    told = Told("all", "test", "mina")
    box.write_now(lambda session, now: opting_out.opt_out(session, the(session.get(Lead, gone.lead_id)), told, now=now))
    await until(driver, time, TUESDAY)

    (digest,) = digests_of(box)
    assert f"(lead {stays.lead_id})" in digest.text
    assert f"(lead {gone.lead_id})" not in digest.text + digest.html


async def test_whoever_speaks_for_marketing_that_morning_reads_it(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Mina is taken ill in the night, after what became of the lead was kept for her digest."""
    await until_accepted(driver, box)
    staff(
        box,
        ("name: Mina Okoro,", "name: Mina Okoro, away: [{from: 2027-02-01T20:00:00Z, until: 2027-02-20T00:00:00Z, deputy: maria}],"),
    )
    await until(driver, time, TUESDAY + 2 * DAY)

    assert digests_of(box) == []
    assert len(digests_of(box, "maria")) == 1


async def test_how_a_dispute_ended_is_in_the_digest_of_marketing_and_told_to_the_rep_at_once(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = capture(box, **BY_POINTS)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")
    await until(driver, time, time.at + timedelta(minutes=10))
    answer = box.read_now(lambda session, now: session.exec(select(Answer.id).where(Answer.handoff_id == newest(box, taken).id)).one())
    number = box.write_now(lambda session, now: rulings.raise_dispute(session, answer, "mina", "They asked for it.", now=now).id)
    box.write_now(lambda session, now: rulings.decide(session, number, "upheld", "maria", now=now))
    await until(driver, time, TUESDAY)

    assert letters(box, "dispute-settled") == ["ana"]
    (digest,) = digests_of(box)
    assert "DISPUTES SETTLED (1)" in digest.text
    assert "Maria Keller has decided: the rejection stands." in digest.text


class Dying(KeepingChannel):
    """Ends the process while it sends."""

    async def send(self, letter: Letter) -> str:
        raise asyncio.CancelledError


async def test_a_storm_of_answers_with_a_kill_between_storing_and_sending_loses_and_repeats_nothing(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    """Several clocks send at once, and one process dies with the letter in its hand; the next morning tells of the same leads once."""
    taken = [await until_accepted(driver, box, **BY_POINTS) for _ in range(3)]
    await until(driver, time, TUESDAY - timedelta(minutes=1))
    assert kept(box) == ["accepted"] * len(taken)
    alive, time.at = box.channels["email"], TUESDAY
    box.channels = {**box.channels, "email": Dying("email")}
    dead = await asyncio.gather(*(send_personal_messages(box) for _ in range(4)), return_exceptions=True)
    assert any(isinstance(one, asyncio.CancelledError) for one in dead)
    box.channels = {**box.channels, "email": alive}

    later = datetime.now(UTC) + timedelta(minutes=10)
    box.write_now(lambda session, now: deliveries.abandon_personal(session, claimed_before=later, now=now))
    await until(driver, time, TUESDAY + DAY - timedelta(minutes=1))
    assert digests_of(box) == [], "whether the first one arrived is not known, so it is not sent again"
    time.at = TUESDAY + DAY
    await asyncio.gather(*(send_personal_messages(box) for _ in range(4)))

    rows = box.read_now(
        lambda session, now: list(session.exec(select(Delivery).where(Delivery.person == "mina", Delivery.message == "digest")))
    )
    assert [(row.key[-10:], row.state) for row in rows][:2] == [("2027-02-02", "unknown"), ("2027-02-03", "confirmed")]
    (digest,) = digests_of(box)
    assert [digest.text.count(f"(lead {one.lead_id})") for one in taken] == [1] * len(taken)
