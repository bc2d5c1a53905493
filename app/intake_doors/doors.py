"""The doors of an installation: the map files in the folder `intake` of BATON_HOME. A changed file counts from the next request."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from app.csv_import.errors import UnreadableFile
from app.intake_doors.door_map import DoorMap, read_door

FOLDER = "intake"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}", re.ASCII)


def folder_of(home: Path) -> Path:
    """Return the folder with the maps. home: BATON_HOME."""
    return home / FOLDER


def names(home: Path) -> list[str]:
    """Return the names of all doors. A file whose name is no door's is left out."""
    return sorted(path.stem for path in folder_of(home).glob("*.yaml") if _NAME.fullmatch(path.stem))


def strays(home: Path) -> list[str]:
    """Return the files in the folder that are no doors because of their name."""
    return sorted(path.name for path in folder_of(home).glob("*.y*ml") if path.suffix != ".yaml" or not _NAME.fullmatch(path.stem))


def door(home: Path, name: str) -> DoorMap | None:
    """Return the map of this door, None if there is none. Raises UnreadableFile for a map with mistakes."""
    if not _NAME.fullmatch(name):
        return None
    path = folder_of(home) / f"{name}.yaml"
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}; make the file readable for Baton") from error
    return _read(path, state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache(maxsize=256)
def _read(path: Path, *state: int) -> DoorMap:
    return read_door(path)
