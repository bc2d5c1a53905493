"""A list is shown before it is taken in: who is new, who qualifies, and on which day each rep gets how many."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from pathlib import Path

import pytest
from sqlmodel import Session, col, func, select

from agreements.errors import CrmError
from agreements.lead import IncomingLead
from app.commands.list_import import as_list
from app.csv_import.file import ReadLeads, read_leads
from app.csv_import.importing import import_leads
from storage import suppressions
from storage.crm.port import Account
from storage.tables import Assignment, Handoff, Lead
from tasks.list_preview import Preview, preview
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.conftest import MONDAY
from tests.deal import agree_on, staff
from tests.driver import Driver
from tests.fakes import make_lead
from tests.stage import capture, local_crm
from tests.storage.plans import recorded
from tests.tasks.steps.test_release_queue import SCANNED, a_list


def badges(count: int, **changes: object) -> list[IncomingLead]:
    return [make_lead(**{**SCANNED, **changes}) for _ in range(count)]


async def looked_at(box: Toolbox, leads: list[IncomingLead]) -> Preview:
    return await preview(box, leads)


async def test_it_says_what_would_become_of_each_row(driver: Driver, box: Toolbox) -> None:
    agree_on(box, a_list(per_rep=2))
    known = capture(box, **SCANNED)
    box.write_now(lambda session, now: suppressions.suppress(session, "gone@quiet.example", reason="asked", now=now))
    local_crm(box).add_accounts([Account("a1", "Customer Inc", domain="customer.example", status="customer", owner="ben")])
    twin = make_lead(**SCANNED)

    found = await looked_at(
        box,
        [
            *badges(3),
            known.incoming,
            twin,
            make_lead(**{**SCANNED, "email": twin.email}),
            make_lead(**{**SCANNED, "source_id": known.source_id, "email": "somebody.else@company.example", "last_name": "Else"}),
            make_lead(**{**SCANNED, "email": "gone@quiet.example"}),
            make_lead(**{**SCANNED, "do_not_contact": True}),
            make_lead(**{**SCANNED, "email": "any@mailinator.com"}),
            make_lead(**{**SCANNED, "email": "eve@customer.example", "company": "Customer Inc"}),
            make_lead(**{**SCANNED, "job_title": "Student", "activity": "page_viewed"}),
        ],
    )

    assert found.rows == Counter({"qualifies": 5, "known": 2, "opted out": 2, "sorted out": 1, "customer": 1, "not ready": 1})
    assert sum(found.reasons.values()) == 1


async def test_the_plan_is_what_the_release_queue_does(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Three reps, two each a day: what was shown beforehand is what is given out, day by day."""
    agree_on(box, a_list(per_rep=2))
    leads = badges(8)
    [queue] = (await looked_at(box, leads)).queues

    read = ReadLeads(_rows(leads))
    import_leads(box, read, hold=False, actor="cli")
    await driver.settle()
    first = _given(box)
    await driver.run(until=MONDAY.replace(day=2, hour=12))

    assert (queue.tier, queue.team, queue.leads, queue.per_rep, queue.unplanned) == ("list", "emea", 8, 2, 0)
    assert [dict(day.given) for day in queue.days] == [{"ana": 2, "ben": 2, "cleo": 2}, {"ana": 1, "ben": 1}]
    assert first == Counter({"ana": 2, "ben": 2, "cleo": 2})


async def test_absence_and_what_is_in_the_queue_already_shift_the_plan(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, a_list(per_rep=2))
    for lead in badges(7):
        capture(box, **{**SCANNED, "source_id": lead.source_id})
    await driver.settle()
    before = (await looked_at(box, badges(6))).queues[0]
    away = "away: [{from: 2027-02-02T00:00:00Z, until: 2027-02-04T00:00:00Z}]"
    staff(box, ("ben@northgate.example, team: emea,", f"ben@northgate.example, team: emea, {away},"))

    after = (await looked_at(box, badges(6))).queues[0]

    assert before.ahead == after.ahead == 1
    assert [(day.day.day, sum(day.given.values())) for day in before.days] == [(2, 5), (3, 1)]
    assert [(day.day.day, sum(day.given.values())) for day in after.days] == [(2, 3), (3, 3)]
    assert all("ben" not in day.given for day in after.days)


async def test_a_tier_without_a_pace_goes_at_once_and_the_plan_says_so(driver: Driver, box: Toolbox) -> None:
    [queue] = (await looked_at(box, badges(5))).queues

    assert (queue.tier, queue.leads, queue.per_rep, queue.days) == ("normal", 5, 0, ())


async def test_looking_stores_nothing_and_asks_in_proportion_to_the_rows(driver: Driver, box: Toolbox) -> None:
    agree_on(box, a_list(per_rep=10))

    asked = {}
    for count in (20, 40, 80):
        with recorded(box.database) as statements:
            await looked_at(box, badges(count))
        asked[count] = len(statements)

    assert box.read_now(lambda session, now: session.exec(select(func.count()).select_from(Lead)).one()) == 0
    assert asked[80] - asked[40] <= 2 * (asked[40] - asked[20]) + 2
    assert asked[80] <= 80 * 3 + 40


async def test_an_import_that_was_interrupted_is_repeated_without_doubles(box: Toolbox) -> None:
    agree_on(box, a_list(per_rep=2))
    read = ReadLeads(_rows(badges(30)))

    class Killed(Exception):
        pass

    def kill(done: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        import_leads(box, read, hold=False, actor="cli", progress=kill)
    stored = _count(box)
    result = import_leads(box, read, hold=False, actor="cli")

    assert 0 < stored < 30
    assert (result.new, result.repeated, _count(box)) == (30 - stored, stored, 30)


def test_the_rows_get_the_campaign_of_the_list_unless_they_name_one(tmp_path: Path) -> None:
    file = tmp_path / "fair.csv"
    file.write_text("source_id,campaign\na,\nb,Old fair\n", encoding="utf-8")
    read = read_leads(file, mapping=None, today=MONDAY)

    assert [row.lead.campaign for row in as_list(read, "Spring fair").rows] == ["Spring fair", "Old fair"]


def a_file(tmp_path: Path, leads: list[IncomingLead]) -> Path:
    file = tmp_path / "fair.csv"
    names = ["source", "source_id", "email", "company", "job_title", "country", "entry_channel", "activity"]
    fields = sorted({name for lead in leads for name in lead.fields})
    lines = [",".join([*names, *(f"fields.{name}" for name in fields)])]
    for lead in leads:
        own = [str(lead.fields.get(name, "")) for name in fields]
        lines.append(",".join([*(str(getattr(lead, name)) for name in names), *own]))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(("words", "code", "stored"), [(["--yes"], 0, 9), ([], 1, 0)], ids=["agreed", "not agreed"])
def test_the_command_shows_the_plan_and_takes_the_rows_in_only_when_agreed(
    baton: Command, box: Toolbox, tmp_path: Path, words: list[str], code: int, stored: int
) -> None:
    agree_on(box, a_list(per_rep=2))
    file = a_file(tmp_path, badges(9))

    done = baton("leads", "import", str(file), "--as-list", "Spring fair", *words)

    said = " ".join(done.output.split())
    assert done.exit_code == code
    assert "List 'Spring fair': 9 rows." in said
    assert "9 would qualify" in said
    assert "Tier list, team emea: 9 at 2 per rep per working day; the last on Tue 02 Feb 2027." in said
    assert re.search(r"day ana ben cleo Mon 01 Feb 2 2 2 Tue 02 Feb 1 1 1", said)
    assert ("9 new" in said) == bool(stored)
    assert _count(box) == stored


def _rows(leads: list[IncomingLead]) -> list:  # type: ignore[type-arg]
    from app.csv_import.file import IncomingRow

    return [IncomingRow(line, lead) for line, lead in enumerate(leads, start=2)]


def _count(box: Toolbox) -> int:
    return box.read_now(lambda session, now: session.exec(select(func.count()).select_from(Handoff)).one())


def _given(box: Toolbox) -> Counter[str]:
    def find(session: Session, now: object) -> Counter[str]:
        return Counter(session.exec(select(Assignment.rep).where(Assignment.tier == "list", col(Assignment.ended_at).is_(None))).all())

    return box.read_now(find)


class SilentCrm:
    """A CRM that cannot be reached."""

    name = "silent"

    async def account(self, *, company: str, domain: str) -> Account | None:
        raise CrmError("no answer")


async def test_without_the_crm_the_rest_is_shown_and_it_is_said(driver: Driver, box: Toolbox) -> None:
    agree_on(box, a_list(per_rep=2))

    found = await looked_at(dataclasses.replace(box, crm=SilentCrm()), badges(3))  # type: ignore[arg-type]

    assert found.rows == Counter({"qualifies": 3})
    assert "no answer" in found.crm_error
