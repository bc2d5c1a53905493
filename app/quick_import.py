"""Imports modules at a start without garbage collection: imports make no garbage, and looking for some takes a fifth of the time."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any


def quick_import(module: str) -> Any:
    """Import and return the module. Garbage collection pauses meanwhile and resumes afterwards, if it was on before."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        if collects:
            gc.enable()
