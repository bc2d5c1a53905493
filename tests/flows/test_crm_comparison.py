"""The nightly comparison with the CRM: what its run shows, and on a live stack its message and its artifact."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import State

from agreements.crm_comparison import Finding
from flows.crm_comparison import LINES, table
from tasks.background.compare_crm import Compared
from tests.live import Live, live_stack
from tests.present import the


def differs(lead: int, company: str = "Nordlicht") -> Finding:
    return Finding("owner", lead, f"lead {lead}, contact 3", "Its owner is Zoe Quill.", "Make ana its owner.", company)


def test_the_table_names_number_company_and_kind_alone() -> None:
    shown = table(Compared(7, 2, 0, (differs(1), differs(2, "| Acme | <b>"), differs(3, ""))))

    assert shown.splitlines() == [
        "| lead | company | what differs |",
        "|---|---|---|",
        "| 1 | Nordlicht | another owner |",
        "| 2 | \\| Acme \\| \\<b\\> | another owner |",
        "| 3 | – | another owner |",
        "",
        "3 differences in 7 leads and 2 opportunities.",
    ]


def test_a_long_table_ends_and_says_how_many_more_there_are() -> None:
    shown = table(Compared(9_000, 0, 1, tuple(differs(lead) for lead in range(LINES + 1_200))))

    assert shown.count("another owner") == LINES
    assert "And 1,200 more: `baton verify --crm` lists all." in shown


def test_without_differences_there_is_no_table() -> None:
    assert table(Compared(7, 2, 1, ())) == (
        "Nothing differs in 7 leads and 2 opportunities. 1 lead was left out, since something is under way."
    )


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_stack(Path(tmp_path_factory.mktemp("comparison"))) as running:
        yield running


@pytest.mark.long
@pytest.mark.live
def test_the_nightly_run_shows_what_differs_and_the_operator_gets_one_message(live: Live) -> None:
    """The flow runs from its own deployment, in the worker, twice."""
    taken = live.capture()
    live.until_parked(taken, "AwaitingAcceptance")
    live.until(lambda: ran(live)[0].message == "Nothing differs in 1 lead and 0 opportunities.")
    with sqlite3.connect(live.stack.folder / "crm.db") as db:
        db.execute("UPDATE lead_fields SET value = 'Zoe Quill' WHERE field = 'owner'")

    runs = [ran(live), ran(live)]

    assert [state.message for state, _ in runs] == ["1 difference in 1 lead and 0 opportunities."] * 2
    artifacts = live.prefect(lambda client: client.read_artifacts(limit=50))
    shown = [str(one.data) for one in artifacts if one.flow_run_id in [run_id for _, run_id in runs]]
    assert len(shown) == 2
    assert all(f"| {taken.lead_id} | " in one and "| another owner |" in one and "Zoe" not in one for one in shown)
    live.until(lambda: told(live))
    assert len(told(live)) == 1
    assert "another owner: 1" in told(live)[0]


def told(live: Live) -> list[str]:
    return [one.text for one in live.inbox.messages() if "The CRM and Baton differ" in one.subject]


def ran(live: Live) -> tuple[State[Any], Any]:
    """Start the deployment and wait until its run has ended. Returns its last state and its id."""

    async def begin(client: PrefectClient) -> Any:
        deployment = await client.read_deployment_by_name("crm-comparison/each-night")
        return (await client.create_flow_run_from_deployment(deployment.id)).id

    run_id = live.prefect(begin)
    live.until(lambda: the(live.prefect(lambda client: client.read_flow_run(run_id)).state).is_final())
    return the(live.prefect(lambda client: client.read_flow_run(run_id)).state), run_id
