"""Hands events to Prefect over the one connection on which this process already sends its events, so that they cost no call."""

from __future__ import annotations

from contextvars import Context

from prefect.events.schemas.events import Event
from prefect.events.worker import EventsWorker


def hand_over(event: Event) -> None:
    """Queue the event and return at once. Prefect's own thread sends it, again after a connection that broke.

    The event is queued from an empty context. Otherwise Prefect would ask the server for each new run which deployment and
    work pool it belongs to.
    """
    Context().run(EventsWorker.instance().send, event)
