"""Name the mistake in a template: its file, its line, and what to do."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from agreements.errors import HandoffError
from notifications.letter import Fault


class MessageFaulty(HandoffError):  # noqa: N818 - errors here are named as states
    """This message cannot be written. Correct the template that is named."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


def fault_of(file: str, error: Exception, *, values: dict[str, Any], folders: Sequence[Path]) -> Fault:
    """Return the fault behind an error that came up when this file was rendered with these values."""
    problem = f"{type(error).__name__}: {error}"
    if isinstance(error, TemplateSyntaxError):
        problem = f"{error.message}. Write it as Jinja has it, or take the file away: then Baton's own is used."
        return Fault(error.name or file, problem, error.lineno)
    if isinstance(error, TemplateNotFound):
        problem = f"there is no template {error.name}; a path begins at the folder of messages, as in assigned/body.txt."
    elif isinstance(error, UndefinedError):
        problem = f"{error.message}. {_names(str(error.message), values)}"
    elif isinstance(error, SecurityError):
        problem = f"this is not possible in a message: {error.message or error}."
    elif isinstance(error, RecursionError):
        problem = "it calls or includes itself without end."
    elif isinstance(error, UnicodeDecodeError):
        problem = "it is not written in UTF-8; save it as UTF-8."
    elif isinstance(error, OSError):
        problem = f"it cannot be read: {error.strerror}."
    place, line = _place(file, error, folders)
    return Fault(place, problem, line)


def _place(file: str, error: Exception, folders: Sequence[Path]) -> tuple[str, int]:
    """Return the template file and line of an error: the innermost one in the traceback that Jinja writes."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        for folder in folders:
            if Path(frame.filename).is_relative_to(folder):
                return Path(frame.filename).relative_to(folder).as_posix(), frame.lineno or 0
    return file, 0


def _names(message: str, values: dict[str, Any]) -> str:
    """Return the available names, where the template asked one of our values for an unknown name."""
    for value in values.values():
        if is_dataclass(value) and f".{type(value).__name__} object" in message:
            return f"It has {', '.join(sorted(one.name for one in fields(value)))}."
    return f"A template may use {', '.join(sorted(values))}." if "is undefined" in message else "Look up in docs/messages.md what there is."
