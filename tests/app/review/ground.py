"""A made-up quarter: leads of all kinds, carried through the real steps, and a CRM that lies now and then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import cycle

from sqlmodel import Session, col, select

from agreements.review.period import Period
from app.review.report import Review
from app.review.review import report
from storage import handoffs, opportunities
from storage.tables import Answer, GivenRuling, Handoff, Opportunity, Touch
from tasks.background.migrate_version import carry_out
from tasks.disputes import rulings
from tasks.steps.merging import merge
from tasks.wiring.toolbox import Toolbox
from tests.conftest import MONDAY
from tests.deal import BY_POINTS, NOT_YET, does
from tests.driver import Driver
from tests.in_flight import listed, published, text_of
from tests.present import the
from tests.stage import Taken, answer_by_link, capture

NAME = "b2b-saas"
FIRST, LAST = date(2027, 2, 1), date(2027, 4, 30)
#: What becomes of the leads of one Monday, and where they come from.
FATES = ("opportunity", "rejected", "silence", "accepted only", "returned", "disputed", "nurtured", "late", "twin")
SOURCES = cycle(("test", "fair", "partner"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: What the second version says anew: reps have until ten working days of New York have passed.
NEW_YORK = (
    ("\nrouting:\n", '  new-york: {timezone: America/New_York, hours: {mon-fri: "09:00-17:00"}, holidays: {country: US}}\n\nrouting:\n'),
    ("    calendar: rep\n    within: 10 working days", "    calendar: new-york\n    within: 10 working days"),
)
#: The Friday on which the quarter is looked at.
END = datetime.fromisoformat("2027-04-30T18:00:00+00:00")


def period(first: date = FIRST, last: date = LAST, *, now: datetime | None = None) -> Period:
    """Return the period in the agreement's zone. now: at its end where not given."""
    return Period(first, last, "Europe/London", now or END)


def reviewed(box: Toolbox, of: Period) -> Review:
    """Return the review of the example agreement."""
    return box.read_now(lambda session, now: report(session, NAME, of))


async def quarter(driver: Driver, box: Toolbox, *, mondays: int = 1) -> list[Taken]:
    """Live through a quarter, with leads of every fate on some of its Mondays. Returns every lead that was taken in.

    A new version of the agreement begins after the first Monday, and a nurtured lead comes back. A lead waits over Easter, when London
    has holidays and changes its clocks.
    """
    taken: list[Taken] = []
    for number in range(mondays):
        monday = MONDAY + timedelta(weeks=number * (10 // mondays))
        await driver.run(until=monday)
        driver.time.at = max(driver.time.at, monday)
        own: dict[str, Taken] = {}
        for at, fate in enumerate(FATES):
            if number or fate != "returned":  # the first one of these comes before Easter
                driver.time.at += timedelta(minutes=10)
                own[fate] = await live(driver, box, fate, number=number * len(FATES) + at)
        taken += own.values()
        if number == 0:
            await new_version(driver, box, taken)
            does(box, own["nurtured"], "demo_requested", conversion_id="again", source=own["nurtured"].incoming.source)
            await driver.settle()
    await driver.run(until=END - 40 * DAY)
    taken.append(await over_easter(driver, box))
    await last_day(driver, box, taken)
    lie(box)
    return taken


async def over_easter(driver: Driver, box: Toolbox) -> Taken:
    """A lead comes on the evening before Good Friday. It is accepted and tried on Tuesday, in summer time, and returned on Wednesday."""
    driver.time.at = max(driver.time.at, datetime(2027, 3, 25, 16, 50, tzinfo=UTC))
    taken = capture(box, source="fair", source_id="easter", **BY_POINTS)
    await driver.settle()
    driver.time.at += 5 * DAY - 8.5 * HOUR
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    driver.time.at += HOUR
    answer_by_link(box, taken, "attempted")
    await driver.settle()
    driver.time.at += DAY
    answer_by_link(box, taken, "returned", reason="no-authority")
    return taken


async def last_day(driver: Driver, box: Toolbox, taken: list[Taken]) -> None:
    """On the last day of the quarter three leads come, and one of them is accepted; nobody touches them any more."""
    await driver.run(until=END - 4 * HOUR)
    driver.time.at = END - 4 * HOUR
    taken += [capture(box, source="fair", source_id=f"last{at}", **(BY_POINTS if at else {})) for at in range(3)]
    await driver.settle()
    answer_by_link(box, taken[-1], "accepted")
    await driver.settle()
    driver.time.at = END


async def new_version(driver: Driver, box: Toolbox, taken: list[Taken]) -> None:
    """Deploy a second version. A lead that nobody has answered starts anew under it, and is the same pass."""
    taken.append(capture(box, source="partner", source_id="moves"))
    await driver.settle()
    box.write_now(lambda session, now: published(session, text_of(2, "2027-03-01", *NEW_YORK), now))
    carry_out(box, listed(box, "recall", 2))


async def live(driver: Driver, box: Toolbox, fate: str, *, number: int) -> Taken:
    """Carry one lead to its fate. What is said last is carried out with the next lead."""
    source = next(SOURCES)
    wish = {"requested_time": driver.time.at + 26 * HOUR} if fate == "accepted only" else {}
    taken = capture(
        box, source=source, source_id=f"s{number}", campaign=f"campaign {number % 2}", **(NOT_YET if fate == "nurtured" else wish)
    )
    other = capture(box, source=source, source_id=f"t{number}") if fate == "twin" else taken
    await driver.settle()
    if fate in ("nurtured", "silence"):
        return taken
    if fate == "twin":
        box.write_now(lambda session, now: merge(session, other.lead_id, taken.lead_id, by="mina", now=now))
    if fate in ("rejected", "disputed"):
        answer_by_link(box, taken, "rejected", reason=("not-icp", "not-now", "no-budget")[number % 3])
        if fate == "disputed":
            await driver.settle()
            await dispute(driver, box, taken, overturn=number % 2 == 0)
        return taken
    answer_by_link(box, taken, "accepted", **({"note_wrong": "campaign"} if number % 3 == 0 else {}))
    if fate == "late":
        await driver.run(until=driver.time.at + 2.5 * HOUR)
        answer_by_link(box, taken, "returned", reason="bad-data")
    if fate in ("opportunity", "returned"):
        await driver.settle()
        driver.time.at += timedelta(minutes=20)
        answer_by_link(box, taken, "attempted")
        await driver.settle()
        if fate == "opportunity":
            answer_by_link(box, taken, "opportunity")
        else:
            answer_by_link(box, taken, "returned", reason="no-authority")
    return taken


async def dispute(driver: Driver, box: Toolbox, taken: Taken, *, overturn: bool) -> None:
    """Marketing objects to the rejection, and the manager decides on the next day."""

    def raise_it(session: Session, now: datetime) -> int:
        query = select(Answer).join(Handoff, col(Handoff.id) == col(Answer.handoff_id)).where(Handoff.lead_id == taken.lead_id)
        answer = the(session.exec(query.where(Answer.kind == "rejected")).first())
        return rulings.raise_dispute(session, answer.id, "mina", "They asked.", now=now, via="cli").id

    ident = box.write_now(raise_it)
    ruling: GivenRuling = "overturned" if overturn else "upheld"
    tomorrow = driver.time.at + 22 * HOUR
    await driver.run(until=tomorrow)
    driver.time.at = tomorrow
    box.write_now(lambda session, now: rulings.decide(session, ident, ruling, "maria", now=now, via="cli"))


def lie(box: Toolbox) -> None:
    """The CRM says amounts of opportunities, wins and losses, and things that cannot be."""

    def work(session: Session, now: datetime) -> None:
        ends = cycle(({"state": "won"}, {"state": "lost", "reason": "Price"}, {}))
        rows = session.exec(select(Opportunity).order_by(col(Opportunity.id))).all()
        for at, row in enumerate(rows):
            said = {"amount": str(1000 * (at + 1)), "currency": ("EUR", "GBP", "")[at % 3], **next(ends)}
            later = row.opened_at + timedelta(days=5)
            opportunities.hear(session, row, said | ({"closed_on": later.date().isoformat()} if "state" in said else {}), at=later)
        opportunities.begin(session, "nobody", lead_id=None, handoff=None, owner="", at=now - timedelta(days=20))
        opportunities.hear(session, the(opportunities.named(session, "nobody")), {"amount": "99", "currency": "EUR"}, at=now)
        begun = handoffs.get(session, rows[0].handoff_id or 0)
        opportunities.begin(session, "backwards", lead_id=begun.lead_id, handoff=begun, owner="", at=now - timedelta(days=10))
        said = {"state": "won", "closed_on": "2027-01-15", "opened_on": "2027-03-03", "amount": "7,5", "currency": "EUR"}
        opportunities.hear(session, the(opportunities.named(session, "backwards")), said, at=now)

        opportunities.begin(session, "silent", lead_id=begun.lead_id, handoff=begun, owner="", at=now - timedelta(days=40))
        silent = the(opportunities.named(session, "silent"))
        opportunities.hear(session, silent, {"amount": "5000", "currency": "GBP"}, at=now - timedelta(days=40))
        silent.stalled_at = now - timedelta(days=10)

    box.write_now(work)


def set_back(session: Session, now: datetime) -> int:
    """A clock was set back: the first touch of a lead lies before the lead began. Returns the lead's number."""
    touch = the(session.exec(select(Touch).order_by(col(Touch.id))).first())
    touch.at -= timedelta(days=3)
    session.add(touch)
    return touch.lead_id
