"""Secrets of intake doors: a map names a secret, and a setting or a file has its value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tasks.wiring.wrong_setting import WrongSetting

PREFIX = "BATON_INTAKE_"


def setting_of(name: str) -> str:
    """Return the setting that holds this secret, such as BATON_INTAKE_TYPEFORM."""
    return PREFIX + name.upper().replace("-", "_")


def secret_of(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the secret, from BATON_INTAKE_NAME or from the file that BATON_INTAKE_NAME_FILE names.

    A file is read each time, so a new secret counts at once. Raises WrongSetting, which names the setting and never the value.
    """
    setting = setting_of(name)
    if value := environment.get(setting, "").strip():
        return value
    file = environment.get(f"{setting}_FILE", "")
    if not file:
        raise WrongSetting([f"{setting} is not set. Set it, or {setting}_FILE, to the secret of this intake door."])
    try:
        value = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSetting([f"{setting}_FILE: the file cannot be read ({type(error).__name__})."]) from None
    if not value:
        raise WrongSetting([f"{setting}_FILE: the file is empty. Write the secret into it."])
    return value
