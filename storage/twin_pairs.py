"""Twin pairs: leads that look like one person, kept from when they are found until somebody of marketing has said whether they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from agreements.errors import SamePerson
from storage import trail, wakes
from storage.likely_twins import Suggestion
from storage.tables import Lead, TwinPair
from storage.tables.leads import Twins


def keep(session: Session, found: Iterable[Suggestion], *, now: datetime) -> int:
    """Keeps these pairs, and returns how many are new. A pair about which somebody has said something stays as it is."""
    return sum(wakes.insert_once(session, TwinPair, **_columns(one), found_at=now, settled="", settled_by="") for one in found)


def _columns(one: Suggestion) -> dict[str, object]:
    return {"lead_id": one.lead, "other_id": one.other, "why": one.why}


def open_pairs(session: Session, *, limit: int) -> list[TwinPair]:
    """The pairs about which nobody has said anything, the newest first, without leads that are merged or erased meanwhile."""
    query = select(TwinPair).where(TwinPair.settled == "")
    for of in (TwinPair.lead_id, TwinPair.other_id):
        alone = select(Lead.id).where(Lead.id == of, col(Lead.merged_into).is_(None), col(Lead.erased_at).is_(None))
        query = query.where(alone.exists())
    return list(session.exec(query.order_by(col(TwinPair.lead_id).desc(), col(TwinPair.other_id).desc()).limit(limit)))


def apart(session: Session, pairs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of these pairs that are two people, as somebody of marketing said."""
    wanted = set(pairs)
    rows = session.exec(select(TwinPair).where(col(TwinPair.lead_id).in_({one for one, _ in wanted}), TwinPair.settled == "apart"))
    return {(row.lead_id, row.other_id) for row in rows} & wanted


def tell_apart(session: Session, lead_id: int, other_id: int, *, by: str, now: datetime) -> None:
    """Notes in the trail of both that these leads are two people. A second call changes nothing.

    Raises SamePerson for leads that are merged, or that are not two.
    """
    one, other = max(lead_id, other_id), min(lead_id, other_id)
    rows = [session.get(Lead, ident) for ident in (one, other)]
    if one == other or any(row is None for row in rows):
        raise SamePerson(f"Name two leads that are there: there is no pair of {lead_id} and {other_id}.")
    if any(row is not None and row.merged_into for row in rows):
        raise SamePerson("One of these leads is merged. `baton leads unmerge` tells it apart again.")
    keep(session, [Suggestion(one, other, "", "", "looked at by hand")], now=now)
    pair = get(session, one, other)
    assert pair is not None, "it was just kept"
    if pair.settled != "apart":
        settle(session, pair, "apart", by=by, now=now)
        for lead, its_other in ((one, other), (other, one)):
            trail.record(session, "told-apart", now=now, lead_id=lead, actor=by, other=its_other)


def get(session: Session, lead_id: int, other_id: int) -> TwinPair | None:
    """The pair as it is now, None where Baton never suggested it."""
    return session.get(TwinPair, (lead_id, other_id), populate_existing=True)


def settle(session: Session, pair: TwinPair, how: Twins, *, by: str, now: datetime) -> None:
    """Notes what somebody of marketing said about a pair."""
    pair.settled, pair.settled_by, pair.settled_at = how, by, now
    session.add(pair)
