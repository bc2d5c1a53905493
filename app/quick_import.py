"""Imports modules at a start without garbage collection: imports make no garbage, and looking for some takes a third of the time."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any


def quick_import(module: str) -> Any:
    """Import and return the module. Garbage collection pauses meanwhile and resumes afterwards, if it was on before.

    No later collection looks at what the import has made, also not the last one at the exit of the process.
    """
    if module in sys.modules:
        return sys.modules[module]
    collects = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        if collects:
            gc.enable()
