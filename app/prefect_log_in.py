"""The log-in of Prefect's API: one name and password for every part and every person, made once and kept in the home folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tasks.wiring import secret_files

NAME, FILE = "baton", "prefect-log-in"
#: Set by whoever wants another one, for the parts or for the server.
SETTINGS = ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")
_HERE = ("127.0.0.1", "localhost", "::1")


def of(folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """`name:password`: as the environment sets it, else as it is kept in the folder, where it is made at the first time."""
    given = next((environment[name] for name in SETTINGS if environment.get(name)), "")
    return given or secret_files.kept(folder, FILE, prefix=f"{NAME}:")


def is_here(url: str) -> bool:
    """Whether the address can be reached from this machine only."""
    return urlsplit(url).hostname in _HERE
