"""Read the Prefect server's access log and count the calls of each API path."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_CALL = re.compile(r'"(?P<method>[A-Z]+) (?P<path>/api\S*) HTTP/[0-9.]+" \d{3}')
_NAMES = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "{id}"),
    (re.compile(r"(?<=/input/)[^/]+"), "{key}"),
    (re.compile(r"(?<=/work_pools/)(?!filter\b|count\b)[^/]+"), "{name}"),
    (re.compile(r"(?<=/queues/)(?!filter\b|count\b)[^/]+"), "{name}"),
    (re.compile(r"(?<=/name/)[^/]+(/[^/]+)?"), "{name}"),
    (re.compile(r"(?<=/slug/)[^/]+"), "{name}"),
)
#: Calls that the stack makes while it starts, and that no lead causes.
NOT_CALLS = ("GET /api/health", "GET /api/ready")


def template_of(method: str, path: str) -> str:
    """Return the call without ids and names: `POST /api/flow_runs/{id}/set_state`."""
    plain = path.partition("?")[0].rstrip("/")
    for pattern, name in _NAMES:
        plain = pattern.sub(name, plain)
    return f"{method} {plain}"


def count(lines: Iterable[str]) -> Counter[str]:
    """Count each call in these lines. Other lines and checks of the server's health are left out."""
    found = (_CALL.search(line) for line in lines)
    calls = Counter(template_of(one["method"], one["path"]) for one in found if one)
    for name in NOT_CALLS:
        calls.pop(name, None)
    return calls


def read(path: Path, start: int, end: int) -> Counter[str]:
    """Count the calls between two byte positions of the file. Empty where the file is missing."""
    if start == end:
        return Counter()
    with path.open("rb") as log:
        log.seek(start)
        return count(log.read(end - start).decode(errors="replace").splitlines())
