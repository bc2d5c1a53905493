"""The environment that `baton up` gives to its parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import stack
from tasks.wiring.settings import Settings


def window(folder: Path) -> str:
    """Where managers find Prefect's own window, as the settings of a part have it."""
    return Settings(
        prefect_ui_url=stack.environment_for(folder, prefect_port=4200, web_port=8787).get("BATON_PREFECT_UI_URL", "")
    ).prefect_window


def test_managers_are_led_to_prefects_window_where_it_is_known_that_they_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATON_WEB_URL", raising=False)
    monkeypatch.delenv("BATON_PREFECT_UI_URL", raising=False)

    assert window(tmp_path) == "http://127.0.0.1:4200", "the pages are on this machine, and so are their readers"
    monkeypatch.setenv("BATON_WEB_URL", "https://baton.firm.example")
    assert window(tmp_path) == "", "who opens the pages elsewhere may not reach Prefect"
    monkeypatch.setenv("BATON_PREFECT_UI_URL", "https://prefect.firm.example/")
    assert window(tmp_path) == "https://prefect.firm.example"


@pytest.mark.parametrize("wrong", ["prefect.firm.example", "javascript:alert(1)", "https://"])
def test_an_address_of_prefects_window_that_no_browser_opens_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="prefect_ui_url"):
        Settings(prefect_ui_url=wrong)
