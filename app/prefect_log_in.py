"""The log-in of Prefect's API: one name and password for every part and every person, made once and kept in the home folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tasks.wiring import secret_files

NAME, FILE = "baton", "prefect-log-in"
#: An operator sets these to use another log-in for the parts or for the server.
SETTINGS = ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")
_HERE = ("127.0.0.1", "localhost", "::1")


def of(folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return `name:password` from the environment, else from the folder. The first call stores a new one in the folder."""
    given = next((environment[name] for name in SETTINGS if environment.get(name)), "")
    return given or secret_files.kept(folder, FILE, prefix=f"{NAME}:")


def is_here(url: str) -> bool:
    """Return whether only this machine can reach the address."""
    return urlsplit(url).hostname in _HERE
