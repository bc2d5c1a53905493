"""Calls to Prefect's API are counted from its server's access log, by path without ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.access_log import count, read, template_of

RUN = "3f0c6e8a-8b1f-4a4e-9d55-0a1b2c3d4e5f"
LINES = f"""\
INFO:     127.0.0.1:41000 - "POST /api/flow_runs/{RUN}/set_state HTTP/1.1" 201
INFO:     127.0.0.1:41000 - "POST /api/flow_runs/{RUN.replace("3f", "4f")}/set_state HTTP/1.1" 200
INFO:     127.0.0.1:41002 - "GET /api/health HTTP/1.1" 200
INFO:     127.0.0.1:41002 - "WebSocket /api/events/in" [accepted]
INFO:     127.0.0.1:41002 - "GET /assets/index.js HTTP/1.1" 200
12:00:00.000 | INFO | prefect.server - a service has started
"""


@pytest.mark.parametrize(
    ("path", "template"),
    [
        (f"/api/flow_runs/{RUN}", "/api/flow_runs/{id}"),
        (f"/api/flow_runs/{RUN}/input/wait-1-schema", "/api/flow_runs/{id}/input/{key}"),
        ("/api/work_pools/baton/get_scheduled_flow_runs", "/api/work_pools/{name}/get_scheduled_flow_runs"),
        ("/api/work_pools/filter", "/api/work_pools/filter"),
        ("/api/work_pools/baton/queues/default", "/api/work_pools/{name}/queues/{name}"),
        ("/api/flow_runs/?limit=2", "/api/flow_runs"),
    ],
)
def test_paths_of_one_kind_are_one(path: str, template: str) -> None:
    assert template_of("GET", path) == f"GET {template}"


def test_only_calls_to_the_api_count_and_not_looks_at_its_health() -> None:
    assert count(LINES.splitlines()) == {"POST /api/flow_runs/{id}/set_state": 2}


def test_a_part_of_the_file_is_read(tmp_path: Path) -> None:
    """What stood in the log before a measure began is no part of it."""
    log = tmp_path / "server.log"
    log.write_text(LINES)
    first = LINES.index("\n") + 1

    assert read(log, first, log.stat().st_size).total() == 1
