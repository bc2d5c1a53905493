"""Processor time is laid to the part whose process, or whose descendant, has used it."""

from __future__ import annotations

import pytest

from benchmarks.processes import Process, client_of, family, read_stat, seconds_of

STAT = "4242 (python (web) x) S 17 4242 4242 0 -1 4194304 9000 100 0 0 250 50 30 20 20 0 4 0 1234 1000000 500 18446744073709551615"


def test_a_line_of_stat_is_read_also_where_the_name_has_brackets() -> None:
    """Own time and that of children that have ended, in user and kernel mode: 250 + 50 + 30 + 20 ticks."""
    assert read_stat(STAT, ticks_a_second=100) == Process(4242, 17, 4242, 3.5)


def test_a_part_is_its_session_and_all_that_descend_from_it() -> None:
    """Prefect's own worker starts processes that may begin sessions of their own."""
    found = {
        one.pid: one
        for one in (
            Process(1, 0, 1, 100.0),
            Process(10, 1, 10, 1.0),  # leads the part
            Process(11, 10, 10, 2.0),  # its child
            Process(12, 11, 12, 4.0),  # a grandchild in a session of its own
            Process(13, 1, 10, 8.0),  # an orphan of its session
            Process(20, 1, 20, 16.0),  # another part
        )
    }

    assert family(10, found) == {10, 11, 12, 13}
    assert seconds_of(family(10, found), found) == 15.0


def test_a_part_that_has_ended_has_used_nothing() -> None:
    assert family(99, {1: Process(1, 0, 1, 100.0)}) == set()


@pytest.mark.parametrize(
    ("title", "client"),
    [
        ("postgres: people baton_1 127.0.0.1(40000) idle in transaction", ("people", "baton_1")),
        ("postgres: baton prefect_1 127.0.0.1(40002) SELECT", ("baton", "prefect_1")),
        ("postgres: walwriter ", None),
        ("postgres: autovacuum worker baton_1", None),
        ("", None),
    ],
)
def test_a_backend_says_for_whom_it_works(title: str, client: tuple[str, str] | None) -> None:
    assert client_of(title) == client
