"""`baton messages test`, `baton roster check`, and parts that do not start: what is printed, and the exit codes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner, Result

from app.cli import app
from tasks.wiring import toolbox
from tasks.wiring.wrong_setting import WrongSetting
from tests.conftest import ROSTER
from tests.notifications.receiver import Receiver, receiving

SECRET = "topsecret-topsecret"


@pytest.fixture
def system() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: Receiver) -> Iterator[Path]:
    """An installation with a webhook, a chat room and text messages at one small server, and the example roster."""
    settings = {"HOME": str(tmp_path / "home"), "WEBHOOK_URL": f"{system.url}hook", "WEBHOOK_SECRET": SECRET}
    settings |= {"CHAT_URL": f"json://127.0.0.1:{system.port}/room", "SMS_URL": f"json://127.0.0.1:{system.port}/sms/{{phone}}"}
    for name, value in settings.items():
        monkeypatch.setenv(f"BATON_{name}", value)
    file = tmp_path / "roster.yaml"
    file.write_text(ROSTER)
    assert baton("roster", "load", str(file)).exit_code == 0
    yield tmp_path
    logging.getLogger("baton").setLevel(logging.NOTSET)


def baton(*words: str) -> Result:
    done = CliRunner().invoke(app, list(words))
    with suppress(WrongSetting, ValidationError):  # where nothing could be opened, nothing is to be closed
        toolbox.current().database.close()
    toolbox.use(None)
    return done


@pytest.mark.parametrize(("channel", "path"), [("webhook", "/hook"), ("chat", "/room")])
def test_a_test_message_says_what_the_other_side_answered(home: Path, system: Receiver, channel: str, path: str) -> None:
    done = baton("messages", "test", channel, "--to", "ana")
    assert (done.exit_code, done.stdout.startswith("Taken for ana. The proof: ")) == (0, True)
    assert [told.path for told in system.told] == [path]
    assert "lead_number" not in system.told[0].said or system.told[0].said["lead_number"] == "0", "it is about no lead"


def test_a_text_message_goes_to_the_persons_number(home: Path, system: Receiver) -> None:
    assert baton("messages", "test", "sms", "--to", "ana").exit_code == 0
    assert unquote(system.told[0].path) == "/sms/+442079460101"
    assert system.told[0].said["message"] == "A test from Baton"


def test_without_a_name_it_goes_to_the_operator(home: Path, system: Receiver) -> None:
    assert "Taken for oscar" in baton("messages", "test", "webhook").stdout


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [(404, 1, "This is permanent"), (301, 1, "This is permanent"), (503, 4, "This may pass"), (0, 4, "cannot be told")],
)
def test_an_error_says_whether_it_is_permanent(home: Path, system: Receiver, status: int, code: int, said: str) -> None:
    system.status = status
    done = baton("messages", "test", "webhook")
    assert done.exit_code == code
    assert said in done.stderr
    assert "topsecret" not in done.output


def test_somebody_without_an_address_is_permanent(home: Path) -> None:
    done = baton("messages", "test", "sms", "--to", "maria")
    assert (done.exit_code, "the phone number of Maria Keller is missing from the roster" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"), [(("fax",), "'fax' is not set up here; there are chat, crm"), (("email", "--to", "nobody"), "name one of ana")]
)
def test_an_unknown_channel_or_person_is_named(home: Path, words: tuple[str, ...], said: str) -> None:
    done = baton("messages", "test", *words)
    assert (done.exit_code, said in done.stderr) == (2, True)


@pytest.mark.parametrize("command", ["check", "load"])
def test_a_roster_with_addresses_that_cannot_be_used_is_refused(home: Path, command: str) -> None:
    file = home / "faulty.yaml"
    file.write_text(ROSTER.replace("ana: {", "ana: {chat: 'nosuch://topsecret', ", 1).replace("ben: {", "ben: {chat: 'slack:ben', ", 1))
    done = baton("roster", command, str(file))
    assert done.exit_code == 2
    assert "people.ana.chat: is not an address that Apprise can use" in done.stderr
    assert "people.ben.chat: is no id of a Slack member" in done.stderr
    assert "topsecret" not in done.output
    assert "people in" not in done.stdout


def test_a_good_roster_is_checked_and_not_loaded(home: Path) -> None:
    file = home / "smaller.yaml"
    file.write_text(ROSTER.replace("Oscar Reyes", "Oscar Newman"))
    assert baton("roster", "check", str(file)).stdout == "11 people in 2 teams.\n"
    assert "Newman" not in baton("roster", "show").stdout


@pytest.mark.parametrize("part", ["web", "worker", "up"])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BATON_WEBHOOK_URL", f"http://hooks.example/{SECRET}", "write https"),
        ("BATON_CHAT_URL", f"nosuch://{SECRET}", "Apprise"),
        ("BATON_WEB_PORT", SECRET, "valid integer"),
    ],
)
def test_no_part_starts_with_a_setting_that_cannot_be_used(
    home: Path, monkeypatch: pytest.MonkeyPatch, part: str, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    done = baton(part)
    assert done.exit_code == 2
    assert name in done.stderr
    assert said in done.stderr
    assert "topsecret" not in done.output
