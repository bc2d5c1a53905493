"""Reads the YAML file of a map, and names its mistakes with their lines."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from app.csv_import.errors import UnreadableFile

MAX_MAP_BYTES = 100_000


class AMap(Protocol):
    """A model of a map: pydantic reads it, and it says what does not fit together."""

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """Return the map. Raises ValidationError."""
        ...

    def problems(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Yield what does not fit together: where, and what to write instead."""
        ...


M = TypeVar("M", bound=AMap)


def read_map_as(kind: type[M], path: Path) -> M:
    """Read a map of this kind, with each mistake as `file:line: where: what to write`. Raises UnreadableFile."""
    tree = tree_of(path)
    try:
        lead_map = kind.model_validate(tree)
    except ValidationError as error:
        found = [(one["loc"], one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    else:
        found = list(lead_map.problems())
        if not found:
            return lead_map
    raise unfit(path, tree, found)


def tree_of(path: Path) -> CommentedMap:
    """Return what the YAML file of a map holds, with the place of each key. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_MAP_BYTES + 1).decode("utf-8-sig")
        if len(text) > MAX_MAP_BYTES:
            raise UnreadableFile(f"{path}: is larger than {MAX_MAP_BYTES:,} bytes; a map is a page")
        tree = YAML(typ="rt", pure=True).load(io.StringIO(text))
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}; name a map that can be read") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UnreadableFile(f"{path}:{line}: {(error.problem or 'is not readable YAML').strip()}") from error
    except UnreadableFile:
        raise
    except Exception as error:  # ruamel lets several unrelated types through for text that is no YAML
        raise UnreadableFile(f"{path}:1: is not readable YAML in UTF-8: {str(error)[:200]}") from error
    if not isinstance(tree, CommentedMap):
        raise UnreadableFile(f"{path}:1: a map is a mapping that begins with `source: name` and `columns:`")
    return tree


def unfit(path: Path, tree: CommentedMap, found: Sequence[tuple[tuple[Any, ...], str]]) -> UnreadableFile:
    """Return the error that names each mistake as `file:line: where: what to write`, in the order of the file."""
    return UnreadableFile(
        "\n".join(_told(path, tree, where, what) for where, what in sorted(found, key=lambda one: _line_of(tree, one[0])))
    )


def _told(path: Path, tree: CommentedMap, where: tuple[Any, ...], what: str) -> str:
    names = ".".join(str(key) for key in where if key not in ("[key]", ""))
    return f"{path}:{_line_of(tree, where)}: {names}: {what}"


def _line_of(tree: Any, where: tuple[Any, ...]) -> int:
    line = 1
    for key in where:
        if not isinstance(tree, CommentedMap) or key not in tree:
            break
        line, tree = tree.lc.key(key)[0] + 1, tree[key]
    return line
