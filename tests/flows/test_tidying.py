"""What was typed in Prefect's form is stored first and then deleted there; a crash between the two is made good later."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound
from sqlmodel import Session, select

from app.tidying import tidy
from flows import forms, tidying
from storage import chores, waits
from storage.tables import Answer, PersonalText, PrefectChore, Wait
from tasks.erasure import erasing
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, newest

FORM = {"answer": "rejected", "reason": "not-now", "text": "Zoë said no on the phone.", "who_answers": "Maria"}


class PrefectOnPaper:
    """The Prefect server as far as forms and runs go: what is there, and which calls were made."""

    def __init__(self) -> None:
        self.inputs: dict[tuple[UUID, str], bytes] = {}
        self.runs: dict[UUID, list[str]] = {}
        self.artifacts: dict[UUID, UUID] = {}
        self.parked: dict[UUID, str] = {}
        self.calls: list[str] = []
        self.away = False

    @property
    def client(self) -> PrefectClient:
        """This server as the code takes it: that code calls only what is here."""
        return cast(PrefectClient, self)

    def _asked(self, call: str) -> None:
        if self.away:
            raise httpx.ConnectError("away")
        self.calls.append(call)

    async def read_flow_run_input(self, run_id: UUID, key: str) -> bytes:
        self._asked("read input")
        if (run_id, key) not in self.inputs:
            raise ObjectNotFound(LookupError())
        return self.inputs[run_id, key]

    async def delete_flow_run_input(self, run_id: UUID, key: str) -> None:
        self._asked("delete input")
        if self.inputs.pop((run_id, key), None) is None:
            raise ObjectNotFound(LookupError())

    async def read_flow_run_states(self, run_id: UUID) -> list[Any]:
        self._asked("read states")
        details = SimpleNamespace(pause_key=self.parked[run_id])
        parked = SimpleNamespace(timestamp=MONDAY, is_paused=lambda: True, state_details=details)
        resumed = SimpleNamespace(timestamp=MONDAY + timedelta(seconds=1), is_paused=lambda: False)
        return [parked, resumed]

    async def read_flow_runs(self, *, flow_run_filter: Any, limit: int) -> list[Any]:
        self._asked("read runs")
        wanted = set(flow_run_filter.tags.all_)
        return [SimpleNamespace(id=one) for one, tags in self.runs.items() if wanted <= set(tags)][:limit]

    async def read_artifacts(self, *, artifact_filter: Any, limit: int) -> list[Any]:
        self._asked("read artifacts")
        wanted = artifact_filter.flow_run_id.any_
        return [SimpleNamespace(id=one) for one, run in self.artifacts.items() if run in wanted][:limit]

    async def delete_artifact(self, artifact_id: UUID) -> None:
        self._asked("delete artifact")
        del self.artifacts[artifact_id]

    async def delete_flow_run(self, run_id: UUID) -> None:
        self._asked("delete run")
        if self.runs.pop(run_id, None) is None:
            raise ObjectNotFound(LookupError())


@pytest.fixture
def server() -> PrefectOnPaper:
    return PrefectOnPaper()


async def parked(driver: Driver, box: Toolbox, server: PrefectOnPaper, form: dict[str, Any] | None = None) -> tuple[Taken, Wait, UUID]:
    """A lead whose rep owes an answer; the form of its run was filled in, if it is given."""
    taken = capture(box)
    await driver.settle()
    run_id = uuid4()

    def park(session: Session, now: datetime) -> Wait:
        wait = the(waits.open_of(session, newest(box, taken).id))
        wait.parked_key = f"{wait.id}-1"
        session.add(wait)
        return wait

    wait = box.write_now(park)
    server.parked[run_id] = wait.parked_key
    server.runs[run_id] = [f"lead:{taken.lead_id}"]
    if form is not None:
        server.inputs[run_id, forms.keyset(wait.parked_key)["response"]] = orjson.dumps(form)
    return taken, wait, run_id


def answers(box: Toolbox) -> list[tuple[str, str]]:
    return box.read_now(lambda session, now: [(one.kind, one.state) for one in session.exec(select(Answer))])


def left(box: Toolbox) -> int:
    return box.read_now(lambda session, now: chores.count(session))


async def test_what_was_typed_is_stored_and_then_deleted_at_prefect(driver: Driver, box: Toolbox, server: PrefectOnPaper) -> None:
    taken, _, run_id = await parked(driver, box, server, FORM)

    assert await forms.collect(newest(box, taken).id, str(run_id), client=server.client)

    assert server.inputs == {}
    assert server.calls == ["read input", "read states", "delete input"]
    assert answers(box) == [("rejected", "counted")]
    texts = box.read_now(lambda session, now: [one.text for one in session.exec(select(PersonalText))])
    assert FORM["text"] in texts
    assert left(box) == 0


@pytest.mark.parametrize("form", [{"answer": "rejected"}, {"reason": "not-now", "text": "Zoë again"}], ids=["no reason", "no answer"])
async def test_what_cannot_be_used_is_told_and_deleted_as_well(
    driver: Driver, box: Toolbox, server: PrefectOnPaper, form: dict[str, str]
) -> None:
    taken, wait, run_id = await parked(driver, box, server, form)

    assert not await forms.collect(newest(box, taken).id, str(run_id), client=server.client)

    assert server.inputs == {}
    assert "could not be used" in the(box.read_now(lambda session, now: session.get(Wait, wait.id))).remark


async def test_a_crash_between_storing_and_deleting_is_made_good_and_counts_once(
    driver: Driver, box: Toolbox, server: PrefectOnPaper
) -> None:
    taken, _, run_id = await parked(driver, box, server, FORM)
    handoff_id = newest(box, taken).id

    def die(where: str) -> None:
        if where == "form stored":
            raise KeyboardInterrupt

    box.fault = die
    with pytest.raises(KeyboardInterrupt):
        await forms.collect(handoff_id, str(run_id), client=server.client)
    box.fault = lambda where: None
    assert len(server.inputs) == 1
    again = await forms.collect(handoff_id, str(run_id), client=server.client)

    assert not again
    assert server.inputs == {}
    assert answers(box) == [("rejected", "counted")]
    assert left(box) == 0


async def test_what_could_not_be_deleted_is_deleted_by_the_worker_when_the_server_is_back(
    driver: Driver, box: Toolbox, server: PrefectOnPaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, _, run_id = await parked(driver, box, server, FORM)

    with monkeypatch.context() as away:
        away.setattr(server, "delete_flow_run_input", _away)
        assert await forms.collect(newest(box, taken).id, str(run_id), client=server.client)
    assert (len(server.inputs), left(box)) == (1, 1)
    await tidy(box, server.client)

    assert (server.inputs, left(box)) == ({}, 0)


async def _away(run_id: UUID, key: str) -> None:
    raise httpx.ConnectError("away")


async def test_what_was_typed_after_somebody_else_had_answered_is_kept_as_late_and_deleted(
    driver: Driver, box: Toolbox, server: PrefectOnPaper
) -> None:
    taken, _, run_id = await parked(driver, box, server, FORM)
    answer_by_link(box, taken, "accepted")

    for _ in range(2):
        assert not await forms.collect(newest(box, taken).id, str(run_id), client=server.client)

    assert server.inputs == {}
    assert answers(box) == [("accepted", "counted"), ("rejected", "late")]


async def test_a_lead_that_is_answered_elsewhere_costs_no_further_call(driver: Driver, box: Toolbox, server: PrefectOnPaper) -> None:
    taken, _, run_id = await parked(driver, box, server)
    answer_by_link(box, taken, "accepted")

    assert not await forms.collect(newest(box, taken).id, str(run_id))
    await tidying.carry_out(box, server.client)

    assert server.calls == []


async def test_an_erasure_ends_when_the_server_is_back(driver: Driver, box: Toolbox, server: PrefectOnPaper, time: SteppedTime) -> None:
    """Runs with their artifacts go, those of other leads stay."""
    taken, _, run_id = await parked(driver, box, server)
    _, _, other = await parked(driver, box, server)
    server.artifacts = {uuid4(): run_id, uuid4(): run_id, uuid4(): other}
    box.write_now(lambda session, now: erasing.ask(session, taken.lead_id, by="oscar", reason="", now=now))
    server.away = True
    time.at += timedelta(minutes=2)

    with pytest.raises(httpx.ConnectError):
        await tidy(box, server.client)
    cleared = [lead_id for lead_id, _ in box.read_now(lambda session, now: erasing.under_way(session))]
    server.away = False
    ended = await tidy(box, server.client)
    again = await tidy(box, server.client)

    assert cleared == [taken.lead_id]
    assert (ended, again, left(box)) == (1, 0, 0)
    assert list(server.runs) == [other]
    assert list(server.artifacts.values()) == [other]


async def test_an_erasure_of_just_now_is_left_to_the_command_that_asked_for_it(
    driver: Driver, box: Toolbox, server: PrefectOnPaper
) -> None:
    taken, _, _ = await parked(driver, box, server)
    box.write_now(lambda session, now: erasing.ask(session, taken.lead_id, by="oscar", reason="", now=now))

    assert await tidy(box, server.client) == 0

    assert server.calls == []


async def test_chores_are_done_once_however_many_processes_are_at_it(driver: Driver, box: Toolbox, server: PrefectOnPaper) -> None:
    taken, _, run_id = await parked(driver, box, server)
    for _ in range(2):
        box.write_now(lambda session, now: chores.add_lead(session, taken.lead_id, [str(run_id)], now=now))

    assert box.read_now(lambda session, now: len(list(session.exec(select(PrefectChore))))) == 2
    assert await tidying.carry_out(box, server.client) == {"inputs": 0, "runs": 1}
    assert await tidying.carry_out(box, server.client) == {"inputs": 0, "runs": 0}
