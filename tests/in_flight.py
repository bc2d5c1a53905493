"""A company with a handoff in every stage and every kind of wait, and a new version of its agreement ready to put in force."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, SQLModel, select

from agreements.words import GivenAnswer, InFlightPolicy, Move
from storage import contracts, handoffs, version_migration, waits
from storage.crm.port import Account
from storage.tables import Activity, Answer, Assignment, Delivery, Event, Handoff, HandoffNote, Lead, Wait, Wake
from storage.version_migration import InFlight
from tasks.wiring.toolbox import Toolbox
from tests.conftest import AGREEMENT
from tests.deal import BY_POINTS, NOT_YET, staff, until_accepted, until_working
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, kept_by, local_crm, newest

AWAY = "away: [{from: 2027-02-01T00:00:00Z, until: 2027-02-03T09:00:00Z}], "
#: The handoffs that a policy touches, by their names below.
FREE = ("held", "not started", "note", "hold")
UNANSWERED = ("delivery", "acceptance", "acceptance under the first version")
#: Every other open handoff.
OTHERS = ("mql decision", "assigned decision", "accepted", "accepted decision", "working", "working decision", "stuck")
ENDED = ("nurturing", "opportunity", "disqualified", "merged", "suppressed", "attached", "erased")
_TABLES: tuple[type[SQLModel], ...] = (Handoff, HandoffNote, Wait, Assignment, Answer, Delivery, Wake, Event, Activity, Lead)


def text_of(version: int, first: str, *changes: tuple[str, str]) -> str:
    """Return the example agreement as that version, effective from that day, with these places rewritten."""
    text = AGREEMENT.replace("version: 1\n", f"version: {version}\n", 1).replace("from: 2026-01-01", f"from: {first}", 1)
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example agreement"
        text = text.replace(old, new)
    return text


def published(session: Session, text: str, now: datetime, *, deployed: bool = True) -> None:
    """Publish that text, sign it for both sides, and put it in force if deployed."""
    row = contracts.publish(session, text, now=now)
    for party in contracts.unsigned_parties(session, row):
        contracts.sign(session, row, contracts.NewSignature(party, party.title(), "cli"), now=now)
    if deployed:
        contracts.mark_deployed(session, row, deployment_id=f"0000000{row.version}-0000-0000-0000-000000000000", now=now)


#: Clocks that bring a lead to the manager within the morning.
HASTY = (
    ("within: {hot: 2 working hours, normal: end of same working day}\n    at_least: 1 working hour", "within: 1 working hour"),
    ("[{do: tell-manager}, {after: 4 working hours, do: reassign, at_most: 1}, {do: manager-decides}]", "[{do: manager-decides}]"),
    ("within: 10 working days", "within: 2 working hours"),
)


def hasty() -> str:
    """Return the second version. Its clocks bring a lead to the manager within two hours."""
    text = text_of(2, "2027-01-01", *HASTY)
    head, _, rest = text.partition("  delivery:\n")
    clock, _, tail = rest.partition("  acceptance:\n")
    assert "owed_by: marketing" in clock
    own = "    owed_by: marketing\n    within: 2 hours\n    when_missed: [{do: manager-decides}]\n"
    return f"{head}  delivery:\n{own}  acceptance:\n{tail}"


async def everywhere(driver: Driver, box: Toolbox) -> dict[str, Taken]:
    """Create a lead in every stage and every kind of wait, by name. When all of them exist, the time is eleven o'clock."""
    time, found = driver.time, {}
    found["acceptance under the first version"] = capture(box, **BY_POINTS)
    await driver.settle()
    box.write_now(lambda session, now: published(session, hasty(), now))
    staff(box, ("dan: {", f"dan: {{{AWAY}"), ("faye: {", f"faye: {{{AWAY}"))
    found["mql decision"] = capture(box, country="US")
    found["accepted decision"] = await until_accepted(driver, box)
    found["working decision"] = await until_working(driver, box)
    await driver.run(until=time.at + timedelta(hours=2, minutes=5))
    found |= {"hold": capture(box, country="US"), "note": capture(box, campaign=""), "acceptance": capture(box)}
    found["accepted"], found["working"] = await until_accepted(driver, box), await until_working(driver, box)
    found["assigned decision"] = await answered(driver, box, "rejected", reason="other", text="They said so.")
    found["stuck"] = await moved(driver, box, "got-stuck")
    found |= await ended(driver, box, twin_of=found["accepted"])
    for name in ("email", "chat", "manager-email"):
        kept_by(box, name).broken = True
    found["delivery"] = capture(box)
    await driver.settle()
    found["held"] = Taken(*_held(box))
    found["not started"] = capture(box)
    wrong = {name: where(box, one) for name, one in found.items() if where(box, one) != EXPECTED[name]}
    assert not wrong, f"these are elsewhere: {wrong}"
    assert set(found) == set(EXPECTED)
    return found


async def ended(driver: Driver, box: Toolbox, *, twin_of: Taken) -> dict[str, Taken]:
    """Create a lead in every end stage. twin_of: the lead of which one is a duplicate."""
    local_crm(box).add_accounts([Account("A1", "Customer Inc", status="customer", owner="ana")])
    found = {"nurturing": capture(box, **NOT_YET), "attached": capture(box, company="Customer Inc")}
    found["suppressed"] = capture(box, do_not_contact=True)
    found["disqualified"] = await answered(driver, box, "rejected", reason="not-icp")
    found["opportunity"] = await until_working(driver, box)
    answer_by_link(box, found["opportunity"], "opportunity")
    found["erased"] = await moved(driver, box, "erased")
    twin = capture(box, email=twin_of.incoming.email, activity="page_viewed")
    merged = box.read_now(lambda session, now: session.exec(select(Handoff.lead_id).where(Handoff.stage == "merged")).one())
    found["merged"] = Taken(merged, twin.source_id, twin.incoming, twin.kind)
    await driver.settle()
    return found


async def answered(driver: Driver, box: Toolbox, choice: GivenAnswer, **fields: str) -> Taken:
    """Create a lead to which its rep has given this answer."""
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, choice, **fields)
    await driver.settle()
    return taken


async def moved(driver: Driver, box: Toolbox, event: Move) -> Taken:
    """Create an assigned lead to which this happens."""
    taken = capture(box)
    await driver.settle()
    box.write_now(lambda session, now: handoffs.move(session, the(handoffs.latest_of(session, taken.lead_id)), event, now=now))
    return taken


def _held(box: Toolbox) -> tuple[Any, ...]:
    from tasks import intake
    from tests.fakes import make_lead

    incoming = make_lead()
    done = box.write_now(lambda session, now: intake.capture(session, incoming, now=now, hold=True))
    return done.lead_id, incoming.source_id, incoming, done.kind


def where(box: Toolbox, taken: Taken) -> tuple[str, str]:
    """Return the stage of the lead's newest handoff, and the kind of its open wait."""
    handoff = newest(box, taken)
    wait = box.read_now(lambda session, now: waits.open_of(session, handoff.id))
    return handoff.stage, wait.kind if wait else ""


EXPECTED = {
    "held": ("inquiry", ""),
    "not started": ("inquiry", ""),
    "note": ("mql", "note"),
    "hold": ("mql", "delivery"),
    "mql decision": ("mql", "decision"),
    "delivery": ("assigned", "delivery"),
    "acceptance": ("assigned", "acceptance"),
    "acceptance under the first version": ("assigned", "acceptance"),
    "assigned decision": ("assigned", "decision"),
    "accepted": ("accepted", "first_attempt"),
    "accepted decision": ("accepted", "decision"),
    "working": ("working", "outcome"),
    "working decision": ("working", "decision"),
    "stuck": ("stuck", "acceptance"),
    "nurturing": ("nurturing", "revisit"),
    "opportunity": ("opportunity", ""),
    "disqualified": ("disqualified", ""),
    "merged": ("merged", ""),
    "suppressed": ("suppressed", ""),
    "attached": ("attached", ""),
    "erased": ("erased", ""),
}


def listed(box: Toolbox, policy: InFlightPolicy, version: int = 3) -> tuple[InFlight, ...]:
    """Return the handoffs in flight, as a policy of that version would treat them."""
    return box.read_now(lambda session, now: version_migration.preview(session, "b2b-saas", version, policy, now))


def rows_of(box: Toolbox, taken: Taken) -> dict[str, list[dict[str, Any]]]:
    """Return every row in the database that is about one lead."""

    def find(session: Session, now: datetime) -> dict[str, list[dict[str, Any]]]:
        own = [one.id for one in session.exec(select(Handoff).where(Handoff.lead_id == taken.lead_id))]
        whole = {table.__name__: [one.model_dump() for one in session.exec(select(table))] for table in _TABLES}
        about = {
            name: [row for row in rows if row.get("lead_id") == taken.lead_id or row.get("handoff_id") in own]
            for name, rows in whole.items()
        }
        return {**about, "Lead": [row for row in whole["Lead"] if row["id"] == taken.lead_id]}

    return box.read_now(find)
