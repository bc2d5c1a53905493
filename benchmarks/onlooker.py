"""The onlooker: read from both databases how far leads have come, with as few and as cheap queries as possible."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, text
from sqlmodel import col

from agreements.lifecycle import ENDS, PARKED_NAMES
from benchmarks.databases import Databases
from storage.tables import Answer, Assignment, Event, Handoff, Wait


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a handoff. wait_kind, assignment_id: of its open wait, empty for none. answered: whether this wait has its answer."""

    handoff_id: int
    stage: str
    run_id: str
    wait_kind: str
    assignment_id: str
    answered: bool

    @property
    def has_ended(self) -> bool:
        """Return whether the stage is an end."""
        return self.stage in ENDS


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of a run at Prefect: its type in capitals and its name."""

    type: str
    name: str

    def rests_for(self, wait_kind: str) -> bool:
        """Return whether the run is parked under the name of this kind of wait."""
        return self.type == "PAUSED" and self.name == PARKED_NAMES.get(wait_kind)


class Onlooker:
    """Reads both databases over its own connections, which no count includes."""

    def __init__(self, databases: Databases) -> None:
        self._engines = databases.engines(isolation_level="AUTOCOMMIT")
        self._on_postgresql = databases.on_postgresql
        self.baton: Connection = self._engines[0].connect()
        self._prefect: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.baton.close()
        if self._prefect is not None:
            self._prefect.close()
        for engine in self._engines:
            engine.dispose()

    @property
    def prefect(self) -> Connection:
        """Return the connection to Prefect's database, which exists once its server has started."""
        if self._prefect is None:
            self._prefect = self._engines[1].connect()
        return self._prefect

    def standings(self, handoff_ids: Collection[int]) -> dict[int, Standing]:
        """Return the state of these handoffs, by id."""
        open_wait = (col(Wait.handoff_id) == col(Handoff.id)) & col(Wait.closed_at).is_(None)
        asked = (
            select(
                col(Handoff.id),
                col(Handoff.stage),
                col(Handoff.flow_run_id),
                col(Wait.kind),
                col(Wait.assignment_id),
                col(Wait.answer_id),
            )
            .outerjoin(Wait, open_wait)
            .where(col(Handoff.id).in_(list(handoff_ids)))
        )
        found = self.baton.execute(asked).all()
        return {row[0]: Standing(row[0], row[1], row[2], row[3] or "", row[4] or "", row[5] is not None) for row in found}

    def runs(self, run_ids: Iterable[str]) -> dict[str, RunState]:
        """Return the states of these runs, by id."""
        wanted = [run_id for run_id in run_ids if run_id]
        if not wanted:
            return {}
        if self._on_postgresql:
            query = text("SELECT CAST(id AS text), CAST(state_type AS text), state_name FROM flow_run WHERE id = ANY(:ids)")
            found = self.prefect.execute(query, {"ids": [UUID(one) for one in wanted]}).all()
        else:
            query = text("SELECT id, state_type, state_name FROM flow_run WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
            found = self.prefect.execute(query, {"ids": wanted}).all()
        return {row[0]: RunState(row[1] or "", row[2] or "") for row in found}

    def deadline_answers(self, *, after: int) -> list[tuple[int, int]]:
        """Return the answers that the clock gave after a deadline had passed: id and handoff, for ids larger than `after`."""
        query = select(col(Answer.id), col(Answer.handoff_id)).where(col(Answer.kind) == "deadline", col(Answer.id) > after)
        return [(row[0], row[1]) for row in self.baton.execute(query)]

    def newest_answer(self) -> int:
        """Return the largest id of an answer, 0 for none."""
        return self.baton.execute(text("SELECT max(id) FROM answers")).scalar() or 0

    def assignments_of(self, handoff_ids: Collection[int]) -> dict[str, int]:
        """Return the assignments of these handoffs: assignment id -> handoff."""
        query = select(col(Assignment.id), col(Assignment.handoff_id)).where(col(Assignment.handoff_id).in_(list(handoff_ids)))
        return {row[0]: row[1] for row in self.baton.execute(query)}

    def events_of(self, handoff_ids: Collection[int]) -> dict[int, list[str]]:
        """Return the kinds of the events about these handoffs, in order."""
        about = col(Event.handoff_id).in_(list(handoff_ids))
        query = select(col(Event.handoff_id), col(Event.kind)).where(about).order_by(col(Event.id))
        found: dict[int, list[str]] = {}
        for handoff_id, kind in self.baton.execute(query):
            found.setdefault(handoff_id, []).append(kind)
        return found
