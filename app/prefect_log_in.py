"""The log-in of Prefect's API: one name and password for every part and every person, made once and kept in the home folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from tasks.wiring import secret_files

NAME, FILE = "baton", "prefect-log-in"
#: Set by whoever wants another one, for the parts or for the server.
SETTINGS = ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")
_HERE = ("127.0.0.1", "localhost", "::1")


def of(folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """`name:password`: as the environment sets it, else as it is kept in the folder, where it is made at the first time."""
    given = next((environment[name] for name in SETTINGS if environment.get(name)), "")
    return given or secret_files.kept(folder, FILE, prefix=f"{NAME}:")


def kept_in(folder: Path) -> AbstractContextManager[object]:
    """Within it, Prefect clients of this process use the log-in that `baton up` keeps in the folder.

    Nothing changes where another one is set, or where the API is not on this machine: it has its own then.
    """
    file = folder / FILE
    if PREFECT_API_AUTH_STRING.value() or not is_here(PREFECT_API_URL.value() or "") or not file.exists():
        return nullcontext()
    return temporary_settings({PREFECT_API_AUTH_STRING: file.read_text()})


def is_here(url: str) -> bool:
    """Whether the address can be reached from this machine only."""
    return urlsplit(url).hostname in _HERE
