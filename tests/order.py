"""Another order of the tests: a test must not depend on which tests came before."""

from __future__ import annotations

import os
import random

import pytest


def in_another_order(items: list[pytest.Item]) -> None:
    """Shuffle the files, and the tests within each file, where BATON_ORDER names a seed. Every worker gets the same order from one seed."""
    if seed := os.environ.get("BATON_ORDER"):
        items.sort(key=lambda item: (random.Random(f"{seed} {item.path}").random(), random.Random(f"{seed} {item.nodeid}").random()))
