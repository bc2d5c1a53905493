"""Commands say which channels of this installation can prove something, and refuse what it can never prove."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agreements.errors import InvalidAgreement
from agreements.roster import read_roster
from app.cli import app as cli
from app.deploy_plan import plan
from tasks.wiring.proving import installed
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox
from tests.conftest import ROSTER
from tests.in_flight import published, text_of


def test_check_names_the_channels_that_can_prove_and_warns(box: Toolbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BATON_CRM_PEOPLE", "false")
    file = tmp_path / "deal.yaml"
    file.write_text(text_of(2, "2027-01-01", ("fallback: [chat, manager-email]", "fallback: [manager-email]")), encoding="utf-8")

    done = CliRunner().invoke(cli, ["agreement", "check", str(file)])

    assert done.exit_code == 0
    assert "Channels that can prove here that a rep was told: email, chat." in done.output
    assert "crm (nobody reads it; set BATON_CRM_PEOPLE=true if reps work in it)" in done.output
    assert "2 channels must prove that the rep was told, but here only 1 can (email): nobody reads crm" in done.output


@pytest.mark.parametrize(
    ("settings", "refused"),
    [({"crm_people": True}, ""), ({"crm_people": False}, "every rep"), ({"crm_people": False, "chat_url": "json://127.0.0.1:1"}, "")],
)
def test_a_deploy_of_what_no_rep_can_ever_prove_is_refused(box: Toolbox, settings: dict[str, object], refused: str) -> None:
    box.write_now(lambda session, now: published(session, text_of(2, "2027-01-01"), now, deployed=False))

    def planned() -> None:
        given = Settings(home=box.settings.home, **settings)  # type: ignore[arg-type]
        here = lambda people: installed(given, people)  # noqa: E731
        box.read_now(lambda session, now: plan(session, "b2b-saas", 2, policy=None, now=now, here=here))

    if not refused:
        planned()
        return
    with pytest.raises(InvalidAgreement, match=refused):
        planned()


def test_a_slack_id_counts_only_where_the_slack_app_is_set_up(box: Toolbox) -> None:
    people = read_roster(ROSTER.replace("name: Ana Silva,", "name: Ana Silva, chat: 'slack:U0123ABCD',"))
    with_app = Settings(home=box.settings.home, slack_token="xoxb-1", slack_signing_secret="s")

    assert "chat" not in installed(Settings(home=box.settings.home), people).by_rep["ana"]
    assert "chat" in installed(with_app, people).by_rep["ana"]
    assert "chat" not in installed(with_app, people).by_rep["ben"]
    assert "maria" not in installed(with_app, people).by_rep
