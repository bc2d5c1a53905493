"""`baton intake`: try a map, see the doors, and take kept payloads in again once the map is right."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlmodel import select

from app.intake_doors import doors
from app.intake_doors.delivering import Delivered, Delivery, deliver
from storage.tables import KeptPayload, Lead
from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command

MAPS, PAYLOADS = Path("examples/maps/intake"), Path(__file__).parent / "payloads"
MAP = "source: trial\nsigned: {{by: hmac-sha256, secret: trial}}\ncolumns: {{source_id: {id}, email: email}}\n"


@pytest.fixture
def folder(box: Toolbox) -> Path:
    """The folder of the maps, with one door."""
    made = doors.folder_of(box.settings.folder)
    made.mkdir()
    (made / "trial.yaml").write_text(MAP.format(id="nr"))
    return made


def send(box: Toolbox, body: str, kind: str = "application/json") -> Delivered:
    """Brings this body in at the door, as if it was signed rightly."""
    door = doors.door(box.settings.folder, "trial")
    assert door is not None
    return deliver(box, Delivery("trial", door, body.encode(), kind))


def leads(box: Toolbox) -> list[str]:
    return box.read_now(lambda session, now: [row.email for row in session.exec(select(Lead))])


def kept(box: Toolbox) -> list[KeptPayload]:
    return box.read_now(lambda session, now: list(session.exec(select(KeptPayload))))


class TestTry:
    @pytest.mark.parametrize("name", ["typeform.json", "calendly.json", "json.json", "hubspot-form.json", "html-form.form"])
    def test_a_ready_map_shows_the_lead(self, baton: Command, box: Toolbox, name: str) -> None:
        done = baton("intake", "try", str(MAPS / f"{name.split('.')[0]}.yaml"), str(PAYLOADS / name))

        assert done.exit_code == 0, done.output
        assert "email: nora.lind@pier.example" in done.output
        assert leads(box) == []
        assert kept(box) == []

    def test_mistakes_are_named_and_the_command_says_so(self, baton: Command, tmp_path: Path) -> None:
        file = tmp_path / "sent.json"
        file.write_text('[{"id": 1, "email": "x"}, {"id": 2, "email": "kim@quay.example"}]')

        done = baton("intake", "try", str(MAPS / "json.yaml"), str(file), "--json")

        assert done.exit_code == 1
        first, second = json.loads(done.stdout)["leads"]
        assert first["problems"][0]["field"] == "email"
        assert second["lead"]["source_id"] == "2"

    @pytest.mark.parametrize(
        ("text", "code", "said"),
        [("{", 1, "Not readable as JSON"), ("[]", 1, "There is no lead at '[]'"), ("[{}]", 1, "source_id is required")],
    )
    def test_what_cannot_be_read_is_said(self, baton: Command, tmp_path: Path, text: str, code: int, said: str) -> None:
        (tmp_path / "sent.json").write_text(text)
        done = baton("intake", "try", str(MAPS / "json.yaml"), str(tmp_path / "sent.json"))
        assert done.exit_code == code
        assert said in done.output

    def test_a_time_that_has_not_come_is_named_as_the_door_names_it(self, baton: Command, tmp_path: Path) -> None:
        (tmp_path / "sent.json").write_text('[{"id": 1, "created_at": "2030-01-01T09:00:00Z"}]')
        done = baton("intake", "try", str(MAPS / "json.yaml"), str(tmp_path / "sent.json"))
        assert done.exit_code == 1
        assert "at is in the future" in done.output

    @pytest.mark.parametrize("name", ["facebook-lead", "linkedin-lead", "hubspot-webhook"])
    def test_what_would_be_fetched_is_said_and_an_answer_can_be_tried(self, baton: Command, name: str) -> None:
        words = ("intake", "try", str(MAPS / f"{name}.yaml"), str(PAYLOADS / f"{name}.json"))
        assert "Baton would fetch" in baton(*words).output
        done = baton(*words, "--fetched", str(PAYLOADS / f"{name}.fetched"))
        assert done.exit_code == 0, done.output
        assert "email: nora.lind@pier.example" in done.output

    def test_a_map_with_mistakes_is_said(self, baton: Command, tmp_path: Path) -> None:
        (tmp_path / "map.yaml").write_text("source: s\nsigned: {by: key}\ncolumns: {emial: e}")
        done = baton("intake", "try", str(tmp_path / "map.yaml"), str(tmp_path / "map.yaml"))
        assert done.exit_code == 2
        assert "map.yaml:3: columns.emial" in done.output


class TestReplay:
    def test_after_the_map_is_corrected_a_kept_payload_goes_in(self, baton: Command, box: Toolbox, folder: Path) -> None:
        send(box, '{"id": 7, "email": "kim@quay.example"}')
        assert baton("intake", "failed").exit_code == 1
        assert "source_id is required" in baton("intake", "failed").output
        assert baton("intake", "replay", "--all").exit_code == 3

        (folder / "trial.yaml").write_text(MAP.format(id="id"))
        done = baton("intake", "replay", "1")

        assert (done.exit_code, done.output.strip()) == (0, "1 taken in, 0 to be fetched, 0 kept still.")
        assert leads(box) == ["kim@quay.example"]
        assert kept(box) == []
        assert baton("intake", "failed").exit_code == 0

    def test_what_cannot_be_read_stays_with_its_reason(self, baton: Command, box: Toolbox, folder: Path) -> None:
        send(box, '{"id": 7')
        send(box, "<x/>", "application/xml")

        done = baton("intake", "replay", "--all")

        assert done.exit_code == 3
        assert "0 taken in, 0 to be fetched, 2 kept still." in done.output
        assert len(kept(box)) == 2

    def test_a_whole_batch_that_can_be_read_now_keeps_only_what_is_wrong(self, baton: Command, box: Toolbox, folder: Path) -> None:
        batch = MAP.format(id="id") + 'leads: "PLACE"\n'
        (folder / "trial.yaml").write_text(batch.replace("PLACE", "people[]"))
        send(box, '{"leads": [{"id": 1, "email": "kim@quay.example"}, {"email": "no id"}]}')

        (folder / "trial.yaml").write_text(batch.replace("PLACE", "leads[]"))
        done = baton("intake", "replay", "--all")

        assert done.exit_code == 3
        assert leads(box) == ["kim@quay.example"]
        assert [json.loads(row.content) for row in kept(box)] == [{"leads": [{"email": "no id"}]}]

    def test_without_its_door_a_payload_stays(self, baton: Command, box: Toolbox, folder: Path) -> None:
        send(box, "{}")
        (folder / "trial.yaml").unlink()
        done = baton("intake", "replay", "--all")
        assert done.exit_code == 3
        assert "there is no door 'trial' any more" in done.output
        assert len(kept(box)) == 1

    def test_what_is_no_lead_can_be_deleted(self, baton: Command, box: Toolbox, folder: Path) -> None:
        send(box, "{}")
        assert baton("intake", "drop", "9").exit_code == 1
        assert baton("intake", "drop", "1").output.strip() == "1 deleted."
        assert kept(box) == []

    @pytest.mark.parametrize("words", [(), ("1", "--all")])
    def test_it_says_what_to_name(self, baton: Command, folder: Path, words: tuple[str, ...]) -> None:
        assert baton("intake", "replay", *words).exit_code == 2

    def test_what_was_sent_is_shown_as_json(self, baton: Command, box: Toolbox, folder: Path) -> None:
        send(box, '{"email": "kim@quay.example"}')
        [one] = json.loads(baton("intake", "failed", "--json").stdout)
        assert (one["id"], one["door"], json.loads(one["content"])) == (1, "trial", {"email": "kim@quay.example"})


class TestSources:
    def test_each_door_says_what_came_in_and_why_it_is_closed(
        self, baton: Command, box: Toolbox, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copy(MAPS / "json.yaml", folder / "zapier.yaml")
        (folder / "wrong.yaml").write_text("source: x")
        (folder / "No Door.yaml").write_text("source: x")
        send(box, '{"nr": 7, "email": "kim@quay.example"}')
        send(box, "{}")

        done = baton("intake", "sources", "--json")

        assert done.exit_code == 1
        assert "intake/No Door.yaml is no door" in done.stderr
        trial, wrong, zapier = json.loads(done.stdout)
        assert (trial["path"], trial["taken"], trial["kept"], bool(trial["last"])) == ("/intake/trial", 1, 1, True)
        assert "BATON_INTAKE_TRIAL is not set" in trial["problem"]
        assert "wrong.yaml" in wrong["problem"]
        assert (zapier["problem"], zapier["last"]) == ("", "")

        monkeypatch.setenv("BATON_INTAKE_TRIAL", "a-secret")
        (folder / "wrong.yaml").unlink()
        assert baton("intake", "sources").exit_code == 0

    def test_without_doors_it_says_where_maps_go(self, baton: Command) -> None:
        done = baton("intake", "sources")
        assert done.exit_code == 0
        assert "Copy a map from examples/maps/intake" in done.output


class TestSecrets:
    def test_a_file_can_hold_the_secret(self, baton: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "secret"
        monkeypatch.setenv("BATON_INTAKE_TRIAL_FILE", str(file))
        assert "cannot be read" in baton("intake", "sources").output
        file.write_text("\n")
        assert "is empty" in baton("intake", "sources").output
        file.write_text("a-secret-in-a-file\n")
        done = baton("intake", "sources")
        assert done.exit_code == 0
        assert "a-secret-in-a-file" not in done.output
