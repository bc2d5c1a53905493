"""The sources that leads come from: when each was heard first and last, and when leads came from it before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, union_all
from sqlmodel import Session, col

from agreements.alarms import Heard
from storage.tables import Activity

#: So many sources are looked at: a sender with a key may name as many as it likes.
MOST = 1_000
#: So many leads of one stretch of time are read at most.
MOST_OF_STRETCH = 60


def heard(session: Session) -> dict[str, Heard]:
    """When the first and the newest lead came from each source, up to MOST of them. It goes from source to source over the index."""
    first = select(func.min(col(Activity.source)).label("source")).where(col(Activity.source) > "").cte("known", recursive=True)
    following = select(func.min(col(Activity.source))).where(col(Activity.source) > first.c.source).scalar_subquery()
    known = first.union_all(select(following).where(first.c.source.is_not(None)))
    at, of_it = col(Activity.received_at), col(Activity.source) == known.c.source
    oldest, newest = (select(one(at)).where(of_it).scalar_subquery() for one in (func.min, func.max))
    rows = session.execute(select(known.c.source, oldest, newest).where(known.c.source.is_not(None)).limit(MOST))
    return {source: Heard(*times) for source, *times in rows if None not in times}


def came_in(session: Session, stretches: Mapping[str, Sequence[tuple[datetime, datetime]]]) -> dict[str, list[list[datetime]]]:
    """When leads came from each source in each of its stretches of time, at most MOST_OF_STRETCH of each. One statement."""
    found: dict[str, list[list[datetime]]] = {source: [[] for _ in spans] for source, spans in stretches.items()}
    asked: list[Any] = []
    for source, spans in stretches.items():
        for number, (begin, end) in enumerate(spans):
            at = col(Activity.received_at)
            theirs: Any = select(literal(source).label("source"), literal(number).label("number"), at.label("at"))
            theirs = theirs.where(col(Activity.source) == source, at > begin, at <= end).order_by(at).limit(MOST_OF_STRETCH)
            asked.append(theirs.subquery().select())
    if asked:
        for source, number, at in session.execute(union_all(*asked)):
            found[source][number].append(at)
    return found
