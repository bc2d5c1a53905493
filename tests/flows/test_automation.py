"""The automation of the docs, created as they say on a real Prefect server: it fires on the very state names that Baton gives."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from prefect import Flow, flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.states import Completed, Running, Suspended
from ruamel.yaml import YAML

from agreements.lifecycle import PARKED_NAMES, Stage
from app import stack
from flows.lead_events import event_of
from flows.lead_handoff import lead_handoff
from flows.story import Story
from flows.telling import send
from storage.tables import Event, Handoff
from tests.conftest import MONDAY, ROOT
from tests.notifications.receiver import Receiver, receiving
from tests.patience import PATIENCE_SECONDS
from tests.prefect_server import every_event_is_sent, prefect_server
from tests.present import the

T = TypeVar("T")
pytestmark = [pytest.mark.long, pytest.mark.live]
RECIPE = ROOT / "examples/prefect/decision-or-stuck.yaml"
MISSED = ROOT / "examples/prefect/missed-acceptance.yaml"
PLACE_OF_ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    with prefect_server(tmp_path_factory.mktemp("automation")) as environment:
        yield environment


@pytest.fixture(scope="module")
def told(server: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Whoever the automation tells, after it was created by the command that the docs show."""
    with receiving() as receiver:
        block = asyncio.run(at(server, lambda client: saved(receiver.url, "team")))
        recipe = tmp_path_factory.mktemp("recipe") / "decision-or-stuck.yaml"
        recipe.write_text(RECIPE.read_text(encoding="utf-8").replace(PLACE_OF_ID, block), encoding="utf-8")
        create(server, recipe)
        yield receiver


def create(server: Mapping[str, str], recipe: Path) -> None:
    """Creates the automation as the docs say."""
    command = [sys.executable, "-m", "prefect", "automation", "create", "--from-file", str(recipe)]
    done = subprocess.run(command, env=dict(server), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert "Created automation" in done.stdout, done.stdout + done.stderr


async def saved(url: str, name: str) -> str:
    block = CustomWebhookNotificationBlock(name=name, url=url, json_data={"subject": "{{subject}}", "body": "{{body}}"})
    return str(await block.asave(name))


async def at(server: Mapping[str, str], ask: Callable[[PrefectClient], Awaitable[T]]) -> T:
    """Asks that server."""
    url, log_in = server["PREFECT_API_URL"].removesuffix("/api"), server["PREFECT_API_AUTH_STRING"]
    with stack.talking_to(url, log_in):
        async with get_client() as client:
            return await ask(client)


@flow(name="something-else")
def something_else() -> None:
    """A flow of somebody else's on the same server."""


def suspended(message: str) -> State[Any]:
    """The state in which a lead awaits a decision."""
    state: State[Any] = Suspended(message=message)
    state.name = "AwaitingDecision"
    return state


async def rests(client: PrefectClient, what: Flow[..., Any], state: State[Any], name: str, *tags: str) -> None:
    """A run of that flow comes to rest in this state."""
    run = await client.create_flow_run(
        what, parameters={"handoff": "1"} if what is lead_handoff else {}, name=name, state=Running(), tags=list(tags)
    )
    await client.set_flow_run_state(run.id, state, force=True)


@pytest.mark.parametrize(
    ("state", "named"),
    [
        (Suspended(message="With Maria Keller until Mon 12:00."), PARKED_NAMES["decision"]),
        (Completed(message="Stuck in assigned."), "Stuck"),
    ],
    ids=["decision", "stuck"],
)
def test_who_is_to_know_is_told_with_the_message_of_the_state(
    server: Mapping[str, str], told: Receiver, state: State[Any], named: str
) -> None:
    state.name = named
    asyncio.run(at(server, lambda client: rests(client, lead_handoff, state, f"Northwind · lead 17 ({named})")))

    said = told.next().said

    assert said["subject"] == f"Northwind · lead 17 ({named}): {named}"
    assert state.message in said["body"]
    assert "/runs/flow-run/" in said["body"]


def test_other_states_and_other_flows_tell_nobody(server: Mapping[str, str], told: Receiver) -> None:
    """What is told next is what comes after them."""
    quiet, foreign, last = (suspended(text) for text in ("quiet", "foreign", "last"))
    quiet.name = PARKED_NAMES["acceptance"]

    async def rest(client: PrefectClient) -> None:
        await rests(client, lead_handoff, quiet, "one")
        await rests(client, something_else, foreign, "one")
        await rests(client, lead_handoff, last, "one")

    asyncio.run(at(server, rest))

    assert "last" in told.next().said["body"]


def test_the_recipe_waits_for_the_names_that_baton_gives() -> None:
    expected = YAML(typ="safe").load(RECIPE)["trigger"]["expect"]

    assert expected == [f"prefect.flow-run.{PARKED_NAMES['decision']}", "prefect.flow-run.Stuck"]


def test_a_filter_on_the_tag_narrows_it_to_one_team(server: Mapping[str, str], tmp_path: Path) -> None:
    recipe = YAML(typ="safe").load(RECIPE)
    flow_of_leads, team = (
        recipe["trigger"]["match_related"],
        {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.team:emea"},
    )
    recipe["trigger"]["match_related"] = [flow_of_leads, team]
    with receiving() as receiver:
        recipe["actions"][0]["block_document_id"] = asyncio.run(at(server, lambda client: saved(receiver.url, "emea")))
        own = tmp_path / "own.json"
        own.write_text(json.dumps(recipe), encoding="utf-8")
        create(server, own)

        async def rest(client: PrefectClient) -> None:
            await rests(client, lead_handoff, suspended("americas"), "one", "team:americas")
            await rests(client, lead_handoff, suspended("emea"), "one", "team:emea")

        asyncio.run(at(server, rest))

        assert "emea" in receiver.next().said["body"]


def test_a_recipe_hangs_on_batons_own_events_and_a_repeated_event_tells_nobody_twice(server: Mapping[str, str], tmp_path: Path) -> None:
    """The events go to the server as an attempt sends them."""
    missed = Event(id=7, at=MONDAY, recorded_at=datetime.now(UTC), kind="missed", stage=Stage.ASSIGNED, data={"clock": "acceptance"})
    elsewhere = missed.model_copy(update={"id": 6})
    asked = missed.model_copy(update={"id": 8, "kind": "decision-asked", "data": {"holder": "maria"}})
    last = missed.model_copy(update={"id": 9})
    lead = Handoff(lead_id=17, agreement="b2b-saas", version=3)

    async def happen(client: PrefectClient, *rows: tuple[Event, str]) -> None:
        run = await client.create_flow_run(lead_handoff, parameters={"handoff": "1"}, name="Northwind · lead 17", state=Running())
        for row, team in rows:
            await send(client, run, Story(events=(the(event_of(row, lead, [f"team:{team}"])),)))
        await every_event_is_sent()

    with receiving() as receiver:
        block = asyncio.run(at(server, lambda client: saved(receiver.url, "missed")))
        own = tmp_path / MISSED.name
        own.write_text(MISSED.read_text(encoding="utf-8").replace(PLACE_OF_ID, block), encoding="utf-8")
        create(server, own)
        several = [(elsewhere, "americas"), (asked, "emea"), (missed, "emea"), (missed, "emea")]
        asyncio.run(at(server, lambda client: happen(client, *several)))
        said = [receiver.next().said]
        lead.lead_id = 18  # what is sent at once may be told in any order
        asyncio.run(at(server, lambda client: happen(client, (last, "emea"))))
        said.append(receiver.next().said)

    assert [one["subject"] for one in said] == [f"lead {number} was not accepted in time" for number in (17, 18)]
    assert "b2b-saas@3 passed at 2027-02-01" in said[0]["body"]
    assert "/runs/flow-run/" in said[0]["body"]
