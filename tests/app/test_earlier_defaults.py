"""A file that was published with earlier defaults keeps them, and the commands say so."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session

from storage import contracts
from storage.tables import AgreementVersion
from tasks.wiring.toolbox import Toolbox
from tests.agreements.test_generations import STARTER
from tests.app.conftest import Command

#: Beside the example agreement, which takes all other leads.
BESIDE = STARTER + "applies_to: {source: lists}\n"


def of_generation_1(box: Toolbox) -> None:
    def age(session: Session, now: object) -> None:
        row = session.get(AgreementVersion, ("short", 1))
        assert row is not None
        row.generation = 1
        session.add(row)

    box.write_now(age)


def test_publishing_the_same_text_again_keeps_the_defaults_of_the_first_time(baton: Command, box: Toolbox, tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(BESIDE, encoding="utf-8")
    first = baton("agreement", "publish", str(file))
    of_generation_1(box)

    again = baton("agreement", "publish", str(file))

    assert (first.exit_code, first.stderr) == (0, "")
    assert again.exit_code == 0
    assert again.stdout == first.stdout
    assert "earlier defaults and keeps them" in again.stderr
    row = box.read_now(lambda session, now: contracts.get(session, "short", 1))
    assert contracts.read(row).clock("note").calendar == ""


def test_the_difference_to_the_defaults_of_today_is_shown(baton: Command, box: Toolbox, tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(BESIDE, encoding="utf-8")
    baton("agreement", "publish", str(file))
    same = baton("agreement", "diff", "short@1", str(file))
    of_generation_1(box)

    other = baton("agreement", "diff", "short@1", str(file))

    assert "12 working hours" not in same.stdout
    assert "12 working hours" in other.stdout
