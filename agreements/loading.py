"""Reading an agreement file: YAML 1.2 in, a frozen Agreement out, or every mistake with its line."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from agreements.checks import problems_of
from agreements.errors import InvalidAgreement
from agreements.model import Agreement

MAX_BYTES = 1_000_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def content_hash(text: str) -> str:
    """SHA-256 over the file's UTF-8 bytes with LF line ends, in hex: what is signed and pinned."""
    return hashlib.sha256(text.replace("\r\n", "\n").replace("\r", "\n").encode()).hexdigest()


def read_agreement(text: str, *, name: str = "agreement") -> Agreement:
    """The agreement this text says. name: how to call the file in messages.

    Raises InvalidAgreement with every problem as `name:line: where: problem`.
    """
    tree = _tree(text, name)
    try:
        agreement = Agreement.model_validate(_plain(tree))
    except ValidationError as error:
        found = {_told(tree, tuple(one["loc"]), one["msg"], name) for one in error.errors()}
        raise InvalidAgreement(sorted(found, key=_line_of)) from error
    if problems := problems_of(agreement):
        raise InvalidAgreement([_told(tree, where, what, name) for where, what in problems])
    return agreement


def _line_of(problem: str) -> tuple[int, str]:
    line = problem.split(":", 2)[1]
    return (int(line) if line.isdigit() else 0, problem)


def _tree(text: str, name: str) -> CommentedMap:
    if len(text.encode()) > MAX_BYTES:
        raise InvalidAgreement([f"{name}:1: the file is larger than {MAX_BYTES:,} bytes; an agreement is a few pages"])
    try:
        if any(isinstance(event, AliasEvent) for event in YAML(typ="rt", pure=True).parse(io.StringIO(text))):
            raise InvalidAgreement([f"{name}:1: aliases (*name) are not used in agreements; write the clause out"])
        tree = YAML(typ="rt", pure=True).load(io.StringIO(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidAgreement([f"{name}:{line}: {(error.problem or 'is not readable YAML').strip()}"]) from error
    except YAMLError as error:
        raise InvalidAgreement([f"{name}:1: is not readable YAML: {error}"]) from error
    except ValueError as error:  # of a date that is none, the reader does not say where it stands
        raise InvalidAgreement([f"{name}:{_line_of_bad_date(text)}: {error}; write a day such as 2026-12-01"]) from error
    except RecursionError as error:
        raise InvalidAgreement([f"{name}:1: is nested too deeply to be an agreement"]) from error
    if not isinstance(tree, CommentedMap):
        raise InvalidAgreement([f"{name}:1: an agreement is a mapping that begins with `agreement: name`"])
    return tree


def _line_of_bad_date(text: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        for found in _DATE.findall(line):
            try:
                date.fromisoformat(found)
            except ValueError:
                return number
    return 1


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {(key if isinstance(key, str) else str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _told(tree: Any, where: tuple[Any, ...], what: str, name: str) -> str:
    line, path, node = 1, [], tree
    for key in where:
        if isinstance(node, CommentedMap) and (found := _key(node, key)) is not None:
            line, node = node.lc.key(found)[0] + 1, node[found]
        elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
            line, node = node.lc.item(key)[0] + 1, node[key]
        else:
            if isinstance(node, (CommentedMap, CommentedSeq)) and key not in ("function-after", "function-before"):
                path.append(str(key))
            break
        path.append(str(key))
    return f"{name}:{line}: {'.'.join(path)}: {what.removeprefix('Value error, ')}"


def _key(node: CommentedMap, key: Any) -> Any:
    return next((one for one in node if str(one) == str(key)), None)
