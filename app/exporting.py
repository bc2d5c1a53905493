"""Exports leads as CSV, one row each. Texts are marked so that no spreadsheet takes them for formulas."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from sqlalchemy import exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from agreements.errors import RosterError
from agreements.lifecycle import Stage
from agreements.words import NoWord
from storage import lead_lists, roster
from storage.tables import Handoff, Lead, Wait
from tasks.wiring.toolbox import Toolbox

#: The stages whose first time has a column of its own.
TIMED: tuple[Stage, ...] = (Stage.MQL, Stage.ASSIGNED, Stage.ACCEPTED, Stage.WORKING, Stage.OPPORTUNITY)
COLUMNS = (
    *"lead company person email phone stage owner rep tier score fit engagement agreement campaign due created".split(),
    *"source entry_channel reason track begun".split(),
    *(f"{stage}_at" for stage in TIMED),
    "ended_at",
)
MARK = "'"
"""The mark before a text, or before a part of a text after a separator, that a spreadsheet would take for a formula."""
_AT_ONCE = 500
#: Where a spreadsheet may see the start of a cell: at the start of the text, or after a character that may end a cell.
_FORMULA = r"(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"
_BEGINS = re.compile(rf"((?:\A|[,;|\t\r\n])[\s\"']*){_FORMULA}")
_MARKED = re.compile(rf"((?:\A|[,;|\t\r\n])[\s\"']*){MARK}{_FORMULA}")
_CONTROL = re.compile(r"\A('*)(?=[\t\r\n])")
_MARKED_CONTROL = re.compile(r"\A('*)'(?=[\t\r\n])")


def defused(text: str) -> str:
    """Return the text safe for a spreadsheet: a text that it would calculate gets the mark, as in '+44 20 7946 0177.

    Source: OWASP on CSV injection: = + - @, their wide forms, tab and line ends, also after a separator inside the text.
    """
    return _CONTROL.sub(r"\1'", _BEGINS.sub(r"\1'", text))


def undone(text: str) -> str:
    """Return a defused text as it was."""
    return _MARKED.sub(r"\1", _MARKED_CONTROL.sub(r"\1", text))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Selects leads: the newest handoff is in this stage and under this agreement (name, or name@version); "" for any."""

    stage: Stage | NoWord = ""
    agreement: str = ""


def count(session: Session, wanted: Wanted) -> int:
    """Return how many leads are selected."""
    return session.exec(select(func.count()).select_from(_newest(wanted).subquery())).one()


def export(box: Toolbox, file: IO[str], wanted: Wanted, *, progress: Callable[[int], None]) -> int:
    """Write the leads below a line of headings, the oldest first; return how many. Holds at most some hundred at once."""
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    done = 0
    for rows in _pages(box, wanted):
        writer.writerows(rows)
        done += len(rows)
        progress(len(rows))
    return done


def _pages(box: Toolbox, wanted: Wanted) -> Iterator[list[list[str]]]:
    after = 0
    while True:
        rows, after = box.read_now(lambda session, now, after=after: _page(session, wanted, after))  # type: ignore[misc]
        if not rows:
            return
        yield rows


def _newest(wanted: Wanted) -> SelectOfScalar[Any]:
    newer = aliased(Handoff)
    query = select(Handoff.id).where(~exists().where(col(newer.lead_id) == col(Handoff.lead_id), col(newer.id) > col(Handoff.id)))
    if wanted.stage:
        query = query.where(Handoff.stage == wanted.stage)
    name, _, version = wanted.agreement.partition("@")
    if name:
        query = query.where(Handoff.agreement == name)
    if version:
        query = query.where(Handoff.version == int(version))
    return query


def _page(session: Session, wanted: Wanted, after: int) -> tuple[list[list[str]], int]:
    name_of = _names(session)
    query = select(Handoff, Lead).join(Lead, col(Lead.id) == col(Handoff.lead_id)).where(col(Handoff.id).in_(_newest(wanted)))
    found = session.exec(query.where(col(Lead.id) > after).order_by(col(Lead.id)).limit(_AT_ONCE)).all()
    open_waits = select(Wait).where(col(Wait.handoff_id).in_([handoff.id for handoff, _ in found]), col(Wait.closed_at).is_(None))
    due = {wait.handoff_id: wait.due_at for wait in session.exec(open_waits)}
    reached = lead_lists.stages_of(session, [handoff.id for handoff, _ in found])
    rows = [[*_row(handoff, lead, due.get(handoff.id), name_of), *_passed(handoff, lead, reached[handoff.id])] for handoff, lead in found]
    return rows, found[-1][1].id if found else after


def _names(session: Session) -> Callable[[str], str]:
    """Return a function from ids to names: from the roster, or the id itself where no roster is loaded yet."""
    try:
        return roster.current(session).name_of
    except RosterError:
        return str


def _row(handoff: Handoff, lead: Lead, due: datetime | None, name_of: Callable[[str], str]) -> list[str]:
    person = " ".join(filter(None, (lead.first_name, lead.last_name)))
    with_whom = (name_of(handoff.owner), name_of(handoff.rep))
    reference = f"{handoff.agreement}@{handoff.version}" if handoff.agreement else ""
    silent = lead.do_not_contact or handoff.stage == Stage.SUPPRESSED
    email = "" if silent or "email" in lead.not_by else lead.email
    phone = "" if silent or "phone" in lead.not_by else lead.phone
    texts = (lead.company, person, email, phone, handoff.stage, *with_whom, handoff.tier)
    points = (str(handoff.score), str(handoff.fit), str(handoff.engagement))
    when = (_written(due), lead.created_at.isoformat())
    return [str(handoff.lead_id), *map(defused, texts), *points, *map(defused, (reference, lead.campaign)), *when]


def _passed(handoff: Handoff, lead: Lead, reached: Sequence[tuple[Stage | NoWord, datetime]]) -> list[str]:
    """Return where the lead came from, why it was given back, and when this handoff first reached each stage."""
    first: dict[Stage | NoWord, datetime] = {}
    for stage, at in reached:
        first[stage] = min(at, first.get(stage, at))
    first |= {Stage.MQL: handoff.mql_at} if handoff.mql_at else {}
    times = (handoff.created_at, *(first.get(stage) for stage in TIMED), handoff.ended_at)
    return [*map(defused, (lead.source, lead.entry_channel, handoff.reason, handoff.track)), *map(_written, times)]


def _written(at: datetime | None) -> str:
    return at.isoformat() if at else ""
