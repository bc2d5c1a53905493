"""The Prefect server that PREFECT_API_URL or Prefect's profile names for this process, and the log-in for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import cleandoc
from pathlib import Path

from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from app.prefect_log_in import FILE, is_here
from app.stack import StackError


class NoServer(StackError):
    """No Prefect server is named. Start one with `baton up`, or name one that runs, and run this again:

    export PREFECT_API_URL=http://127.0.0.1:4200/api
    """


@contextmanager
def named_server(folder: Path) -> Iterator[None]:
    """Within it, Prefect clients of this process use the named server, with the log-in that `baton up` keeps in the folder.

    Raises NoServer where none is named. Prefect would otherwise start another server for this process, with a database that
    nobody else looks at.
    """
    if not PREFECT_API_URL.value():
        raise NoServer(cleandoc(NoServer.__doc__ or ""))
    with kept_in(folder):
        yield


def kept_in(folder: Path) -> AbstractContextManager[object]:
    """Within it, Prefect clients of this process use the log-in that `baton up` keeps in the folder.

    Changes nothing where another log-in is set, or where the API is not on this machine: that API has its own log-in.
    """
    file = folder / FILE
    if PREFECT_API_AUTH_STRING.value() or not is_here(PREFECT_API_URL.value() or "") or not file.exists():
        return nullcontext()
    return temporary_settings({PREFECT_API_AUTH_STRING: file.read_text()})
