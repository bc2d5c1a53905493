"""The page of the local CRM: who edits owner and status there, and that it answers only on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.crm_page.page import pages
from storage.crm.local import LocalCrm
from tests.conftest import MONDAY
from tests.patience import PATIENCE_SECONDS

PEOPLE = {"ana": "Ana Silva", "ben": "Ben <Carter>"}


@pytest.fixture
def crm(tmp_path: Path) -> LocalCrm:
    made = LocalCrm(tmp_path / "crm.db")
    made.person_changes(7, by="ana", at=MONDAY, values={"owner": "ana", "status": "New <b>"})
    return made


@pytest.fixture
async def client(crm: LocalCrm) -> AsyncIterator[httpx.AsyncClient]:
    app = httpx.ASGITransport(app=pages(crm, people=lambda: PEOPLE, now=lambda: MONDAY))
    async with httpx.AsyncClient(transport=app, base_url="http://127.0.0.1:4280", follow_redirects=True, timeout=PATIENCE_SECONDS) as made:
        yield made


async def test_the_list_and_a_lead_say_that_this_is_for_trials_and_escape_everything(client: httpx.AsyncClient) -> None:
    listed, lead = (await client.get("/")).text, (await client.get("/leads/7")).text

    for page in (listed, lead):
        assert "for trials" in page
        assert "<b>" not in page
    assert "Ana Silva" in listed
    assert (await client.get("/leads/8")).status_code == 404


async def test_a_person_edits_owner_and_status_and_only_that_is_a_change(client: httpx.AsyncClient, crm: LocalCrm) -> None:
    before = crm.newest_change()

    page = await client.post("/leads/7", data={"by": "ben", "owner": "ana", "status": "Working"})

    assert "Saved" in page.text
    changes, _ = await crm.changes_since(str(before))
    assert [(one.by, one.at, one.values) for one in changes] == [("ben", MONDAY, {"status": "Working"})]


@pytest.mark.parametrize("sent", [{"by": "", "status": "x"}, {"by": "zoe", "status": "x"}, {"by": "ana", "owner": "zoe"}, {}])
async def test_nobody_and_somebody_unknown_change_nothing(client: httpx.AsyncClient, crm: LocalCrm, sent: dict[str, str]) -> None:
    assert (await client.post("/leads/7", data=sent)).status_code == 422
    assert crm.fields_of(7) == {"owner": "ana", "status": "New <b>"}


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_another_page_reaches_nothing(client: httpx.AsyncClient, crm: LocalCrm, headers: dict[str, str]) -> None:
    answer = await client.post("/leads/7", data={"by": "ana", "owner": "ben", "status": "Won"}, headers=headers)

    assert answer.status_code == 403
    assert crm.fields_of(7)["owner"] == "ana"
