"""Keys that rotate, and browsers that are forgotten, as they are typed at the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import Session, select
from typer.testing import CliRunner, Result

from app.cli import app
from notifications.links import Links
from storage import devices, keys, link_ends, roster, schema
from storage.database import Database
from storage.keys import Scope
from storage.tables import Delivery
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tests.app.stage import NOW, ROSTER
from tests.present import the


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BATON_HOME", str(tmp_path))
    yield tmp_path
    toolbox.use(None)


def baton(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def links() -> Links:
    return Links(Settings().signing_keys(), "http://baton.example")


def test_a_new_key_signs_and_what_is_out_stays_good(home: Path) -> None:
    before = links()
    out = before.for_tenure("a1").rpartition("/")[2]
    nonce = before.nonce(out, "device", "", now=NOW)

    said = baton("keys", "rotate")

    after = links()
    assert said.exit_code == 0
    assert "There are 2 keys now" in said.stdout
    assert "Restart every part" in said.stdout
    assert after.for_tenure("a1") != before.for_tenure("a1")
    assert after.read(out) == before.read(out)
    assert after.is_number(out, before.number(out))
    assert after.check_nonce(nonce, out, "device", "", now=NOW)


def test_the_file_keeps_every_key_and_is_nobody_elses(home: Path) -> None:
    first = Settings().signing_keys()
    for _ in range(3):
        assert baton("keys", "rotate").exit_code == 0
    assert Settings().signing_keys()[:1] == first
    assert len(set(Settings().signing_keys())) == 4
    assert os.stat(home / "link-key").st_mode & 0o777 == 0o600
    assert [path.name for path in home.glob(".link-key*")] == [".link-key.lock"]


def test_keys_that_are_set_elsewhere_are_not_rotated_here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_SECRETS", "a-key-that-is-for-tests-only")
    said = baton("keys", "rotate")
    assert said.exit_code == 1
    assert "Write a new one behind them there, after a comma" in said.output
    assert not (home / "link-key").exists()


def test_a_key_opens_only_what_it_was_made_for(home: Path) -> None:
    made = {
        name: baton("keys", "create", name, *more).stdout.strip()
        for name, more in {"website": (), "mail": ("--scope", "dsn"), "both": ("--scope", "dsn", "--scope", "intake")}.items()
    }
    database = Database(f"sqlite:///{home / 'baton.db'}")
    with database.read() as session:
        opens = {name: [scope.value for scope in Scope if keys.may(the(keys.verify(session, key)), scope)] for name, key in made.items()}
    database.close()
    assert opens == {"website": ["intake"], "mail": ["dsn"], "both": ["intake", "dsn"]}
    assert baton("keys", "list").stdout.splitlines() == ["website  intake", "mail  dsn", "both  dsn intake"]


def test_a_scope_that_is_none_is_refused_with_those_that_are(home: Path) -> None:
    said = baton("keys", "create", "x", "--scope", "everything")
    assert said.exit_code == 2
    assert all(scope in said.output for scope in ("intake", "dsn"))


def remember(home: Path) -> None:
    """Three browsers, two of ana's."""
    database = Database(f"sqlite:///{home / 'baton.db'}")
    schema.upgrade(database)

    def work(session: Session, now: datetime) -> None:
        for cookie, person, level in (("one", "ana", "known"), ("two", "ana", "enrolled"), ("three", "ben", "known")):
            devices.remember(session, devices.hash_of(cookie), person, level=level, now=now)

    with database.write() as session:
        work(session, NOW)
    database.close()


def test_browsers_are_listed_by_person_with_their_level(home: Path) -> None:
    remember(home)
    lines = baton("devices", "list").stdout.splitlines()
    assert [line.split()[1:3] for line in lines] == [["ana", "known"], ["ana", "enrolled"], ["ben", "known"]]
    assert devices.hash_of("one")[:12] in lines[0]
    assert len(baton("devices", "list", "ben").stdout.splitlines()) == 1


def test_one_browser_or_all_of_a_person_are_forgotten(home: Path) -> None:
    remember(home)
    number = baton("devices", "list", "ana").stdout.split()[0]
    assert "Forgotten: 1." in baton("devices", "revoke", "ana", "--device", number).stdout
    assert "Forgotten: 1." in baton("devices", "revoke", "ana").stdout
    assert [line.split()[1] for line in baton("devices", "list").stdout.splitlines()] == ["ben"]


@pytest.mark.parametrize("words", [("ana",), ("ben", "--device", "1")])
def test_what_is_not_there_cannot_be_forgotten(home: Path, words: tuple[str, ...]) -> None:
    remember(home)
    baton("devices", "revoke", "ana")
    said = baton("devices", "revoke", *words)
    assert said.exit_code == 1
    assert "See: baton devices list." in said.output


def test_the_links_of_a_person_are_ended_and_they_are_told_unless_it_is_to_be_quiet(home: Path) -> None:
    remember(home)
    database = Database(f"sqlite:///{home / 'baton.db'}")
    with database.write() as session:
        roster.load(session, ROSTER, now=NOW)
    said, quiet = baton("devices", "revoke", "ben"), baton("devices", "revoke", "ben", "--quiet")
    one = baton("devices", "revoke", "ana", "--device", "1")

    assert "The links that were sent to ben are over. They get a message with a new one." in said.stdout
    assert "Nobody was told." in quiet.stdout
    assert "links" not in one.stdout, "only that browser is forgotten"
    with database.read() as session:
        assert [(row.person, row.message) for row in session.exec(select(Delivery))] == [("ben", "links-ended")]
        assert link_ends.ended_at(session, "ben") is not None
        assert link_ends.ended_at(session, "ana") is None
    database.close()
