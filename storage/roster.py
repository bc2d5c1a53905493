"""The roster as last loaded."""

from __future__ import annotations

import hashlib
from datetime import datetime
from difflib import get_close_matches

from sqlmodel import Session, col, select

from agreements.absences import with_absences
from agreements.errors import RosterError
from agreements.roster import Roster, read_roster
from storage import absences
from storage.tables import RosterSnapshot

_KEY = "roster"


#: Rosters that this process has read, the latest last, by the hash of their text and the state of the absences beside it.
_PARSED: dict[str, Roster] = {}
_KEPT = 16


def _parsed(session: Session, id: int | None, hash: str) -> Roster:
    text = session.exec(select(RosterSnapshot.text).where(RosterSnapshot.id == id)).one()
    found = read_roster(text, loaded=True)
    _keep(hash, found)
    return found


def _with_absences(session: Session, people: Roster, hash: str, mark: str) -> Roster:
    """The roster with the absences that stand beside its file; mark: the state of all of them."""
    key = f"{hash} {mark}"
    if key not in _PARSED:
        _keep(key, with_absences(people, absences.everybodys(session)))
    return _PARSED[key]


def _keep(key: str, people: Roster) -> None:
    _PARSED.pop(key, None)
    while len(_PARSED) >= _KEPT:
        _PARSED.pop(next(iter(_PARSED)), None)
    _PARSED[key] = people


def load(session: Session, text: str, *, now: datetime) -> Roster:
    """Puts this roster in force. Raises RosterError for mistakes and then changes nothing."""
    roster = read_roster(text)
    hash = hashlib.sha256(text.encode()).hexdigest()
    last = session.exec(select(RosterSnapshot).order_by(col(RosterSnapshot.id).desc()).limit(1)).first()
    if last is None or last.hash != hash:
        session.add(RosterSnapshot(hash=hash, text=text, loaded_at=now))
        session.flush()
    _keep(hash, roster)  # by its text, so it holds whether this transaction commits or not
    session.info.pop(_KEY, None)
    return roster


def current(session: Session) -> Roster:
    """The roster in force now, with the absences beside its file, read once a transaction. Raises RosterError where none was loaded."""
    known: Roster | None = session.info.get(_KEY)
    if known is not None and session.in_transaction():
        return known
    query = select(RosterSnapshot.id, RosterSnapshot.hash, absences.newest_mark())
    newest = session.exec(query.order_by(col(RosterSnapshot.id).desc()).limit(1)).first()
    if newest is None:
        raise RosterError("No roster is loaded. Load one: baton roster load FILE.")
    id, hash, mark = newest
    found = _PARSED.get(hash) or _parsed(session, id, hash)
    found = _with_absences(session, found, hash, mark) if mark else found
    session.info[_KEY] = found
    return found


def with_stored_absences(session: Session, people: Roster) -> Roster:
    """Return a roster that is not in force, as it would be with the absences that stand beside the file."""
    return with_absences(people, absences.everybodys(session))


def not_a_rep(session: Session, ident: str) -> str:
    """What is wrong with this id of a rep who brought a lead in, and what to write instead; empty for a rep, or for no id."""
    if not ident:
        return ""
    try:
        people = current(session).people
    except RosterError as error:
        return str(error)
    reps = [name for name, person in people.items() if person.role == "rep"]
    if ident in reps:
        return ""
    near = get_close_matches(ident, reps, n=1)
    instead = f"did you mean {near[0]!r}?" if near else "write the id that the roster gives them, or leave it empty"
    return f"no rep in the roster is called {ident[:80]!r}; {instead}"


def is_rep(session: Session, ident: str) -> bool:
    """Whether the roster has a rep with this id. Raises RosterError where none was loaded."""
    person = current(session).person(ident)
    return person is not None and person.role == "rep"
