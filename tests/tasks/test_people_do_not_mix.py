"""One person is one lead, and no lead is two people: any sequence of captures, at any door, leaves each address with its own names."""

from __future__ import annotations

import asyncio
import csv
import itertools
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from agreements.identity import personal_key, plain
from agreements.lead import IncomingLead
from app.csv_import.file import read_leads
from app.csv_import.importing import import_leads
from app.web.intake import _take_many
from storage.tables import Event, Lead, LeadSource, SharedSource
from tasks.intake import capture
from tasks.steps import merging
from tasks.steps.joining import CannotMerge
from tasks.wiring.toolbox import Toolbox
from tests.conftest import MONDAY
from tests.examples import examples

some = settings(
    max_examples=examples(60),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_runs = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody with addresses, a name and a phone number that nobody else has."""

    number: int
    first_name: str
    last_name: str

    @property
    def phone(self) -> str:
        return f"+44 20 7946 000{self.number}"


PEOPLE = (Person(0, "Ana", "Lind"), Person(1, "Bo", "Berg"), Person(2, "Ida", "Lind"))
COMPANIES = ("harbour.example", "quay.example")


@dataclass(frozen=True)
class Says:
    """One inquiry: who sends it, under which id (several people may have one), and what it says about them."""

    person: Person
    id: int
    address: str
    named: bool

    def facts(self, run: int) -> dict[str, Any]:
        mail = {
            "own": f"{self.person.first_name}.{run}@{COMPANIES[0]}",
            "next": f"{self.person.first_name}.{run}@{COMPANIES[1]}",
            "free": f"{self.person.first_name}.{run}@gmail.com",
            "role": f"kontakt@h{run}.example",
            "none": "",
        }[self.address]
        name = {"first_name": self.person.first_name, "last_name": self.person.last_name} if self.named else {}
        proven = {"phone": self.person.phone} if self.named or personal_key(mail) else {}
        return {"source": f"s{run}", "source_id": f"id-{self.id}", "email": mail.lower(), **name, **proven}


says = st.builds(
    Says,
    person=st.sampled_from(PEOPLE),
    id=st.integers(1, 3),
    address=st.sampled_from(["own", "own", "next", "free", "role", "none"]),
    named=st.sampled_from([True, True, True, False]),
)
steps = st.lists(st.tuples(st.sampled_from(["one", "file", "api"]), st.lists(says, min_size=1, max_size=4)), min_size=1, max_size=6)
#: After which step a lead is merged by hand (or told apart, where it was merged), and which two of those that there are then.
by_hand = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 9)), max_size=4)


def _capture(incoming: IncomingLead, session: Session, now: datetime) -> None:
    capture(session, incoming, now=now)


def send(box: Toolbox, door: str, batch: list[dict[str, Any]], folder: Path) -> None:
    if door == "one":
        for facts in batch:
            box.write_now(partial(_capture, IncomingLead(**facts)))
    elif door == "api":
        asyncio.run(_take_many(box, batch, "api:test"))
    else:
        path = folder / "leads.csv"
        with path.open("w", newline="") as out:
            writer = csv.DictWriter(out, ["source", "source_id", "email", "first_name", "last_name", "phone", "conversion_id", "activity"])
            writer.writeheader()
            writer.writerows(batch)
        read = read_leads(path, mapping=None, today=MONDAY)
        assert read.bad == []
        import_leads(box, read, hold=False, actor="test")


def leads_of(box: Toolbox, run: int) -> list[Lead]:
    def find(session: Session, now: object) -> list[Lead]:
        ids = {row for table in (LeadSource, SharedSource) for row in session.exec(select(table.lead_id).where(table.source == f"s{run}"))}
        return list(session.exec(select(Lead).where(col(Lead.id).in_(ids))))

    return box.read_now(find)


def merge_or_tell_apart(box: Toolbox, run: int, one: int, other: int) -> None:
    known = leads_of(box, run)
    lead, into = known[one % len(known)], known[other % len(known)]

    def work(session: Session, now: datetime) -> None:
        if lead.merged_into:
            merging.unmerge(session, lead.id, by="mia", now=now)
        else:
            merging.merge(session, lead.id, into.id, by="mia", now=now)

    with suppress(CannotMerge):
        box.write_now(work)


def owners(lead: Lead) -> set[str]:
    """The people whose address, name or phone this lead has."""
    names = (plain(lead.first_name), plain(lead.last_name))
    of_name = {one.last_name + one.first_name for one in PEOPLE if names == (plain(one.first_name), plain(one.last_name))}
    of_name |= {"a mixture"} if any(names) and not of_name else set()
    of_phone = {one.last_name + one.first_name for one in PEOPLE if lead.phone == one.phone}
    key = personal_key(lead.email)
    of_address = {one.last_name + one.first_name for one in PEOPLE if key.startswith(f"{one.first_name.lower()}.")}
    return of_name | of_phone | of_address


@some
@given(steps, by_hand)
def test_any_sequence_of_captures_leaves_each_address_with_its_own_persons_names(
    box: Toolbox, tmp_path: Path, plan: list[tuple[str, list[Says]]], merges: list[tuple[int, int, int]]
) -> None:
    """Whatever somebody merges or tells apart in between, also two people who are not the same."""
    run, number = next(_runs), itertools.count(1)
    sent = [
        (door, [{**one.facts(run), "activity": "page_viewed", "conversion_id": f"c{next(number)}"} for one in batch])
        for door, batch in plan
    ]

    for step, (door, batch) in enumerate(sent):
        send(box, door, batch, tmp_path)
        for _, one, other in (each for each in merges if each[0] == step):
            merge_or_tell_apart(box, run, one, other)

    leads = leads_of(box, run)
    assert {lead.id: owners(lead) for lead in leads if len(owners(lead)) > 1} == {}
    keys = [lead.mail_key for lead in leads if personal_key(lead.email) and lead.merged_into is None and lead.linked_to is None]
    assert len(keys) == len(set(keys)), "one address, one lead"
    assert {personal_key(facts["email"]) for _, batch in sent for facts in batch} <= {personal_key(lead.email) for lead in leads} | {""}


@pytest.mark.parametrize("door", ["one", "file", "api"])
def test_two_people_under_one_id_are_two_leads_that_name_each_other(box: Toolbox, tmp_path: Path, door: str) -> None:
    ana = {"source": "fair", "source_id": "17", "email": "ana@harbour.example", "first_name": "Ana", "last_name": "Lind", "phone": "+44 1"}
    bo = {**ana, "email": "bo@harbour.example", "first_name": "Bo", "last_name": "Berg", "phone": "+44 2"}

    send(box, door, [{**ana, "conversion_id": "a"}, {**bo, "conversion_id": "b"}, {**ana, "conversion_id": "c"}], tmp_path)
    send(box, door, [{**bo, "email": "", "phone": "+44 3", "conversion_id": "d"}], tmp_path)

    found = box.read_now(lambda session, now: [(one.email, one.first_name, one.last_name, one.phone) for one in session.exec(select(Lead))])
    assert found == [("ana@harbour.example", "Ana", "Lind", "+44 1"), ("bo@harbour.example", "Bo", "Berg", "+44 3")]
    told = box.read_now(lambda session, now: list(session.exec(select(Event.lead_id, Event.data).where(Event.kind == "shares-id"))))
    assert [(lead, data["to"]) for lead, data in told] == [(1, 2), (2, 1)]
