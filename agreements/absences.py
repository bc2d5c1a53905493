"""Absences that stand beside the roster file: how they are added to the roster, and which new ones are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from agreements.calendar.instants import as_utc, read_instant
from agreements.errors import AbsenceRefused
from agreements.lifecycle import Stage
from agreements.model import OnLeave
from agreements.roster import Away, Person, Roster
from agreements.words import AbsenceSource, Ended, NoWord

#: In this order the absences of one person are asked for the deputy: what somebody said outweighs what a calendar says.
_ORDER: tuple[AbsenceSource | str, ...] = get_args(AbsenceSource)
#: An absence that is longer is a slip: somebody who has left is taken out of the roster.
LONGEST = timedelta(days=2 * 366)


class NotedAway(Away):
    """An absence that stands beside the roster file. source: where it comes from; source_id: its name there."""

    source: AbsenceSource
    source_id: str


@dataclass(frozen=True, slots=True)
class NewAbsence:
    """An absence before it is stored. starts_at, ends_at: aware; ends_at is the first instant at which the person is back.

    source_id: names the absence within its source, such as the id of an entry in a calendar. deputy: empty for the person's own.
    """

    person: str
    starts_at: datetime
    ends_at: datetime
    source: AbsenceSource
    source_id: str
    deputy: str = ""

    @property
    def away(self) -> NotedAway:
        """The same as the roster keeps it."""
        given = {"from": self.starts_at, "until": self.ends_at, "deputy": self.deputy}
        return NotedAway.model_validate({**given, "source": self.source, "source_id": self.source_id})


def source_of(one: Away) -> AbsenceSource | str:
    """Return where an absence comes from: `file` for the roster file."""
    return one.source if isinstance(one, NotedAway) else "file"


def with_absences(roster: Roster, noted: Sequence[NewAbsence]) -> Roster:
    """Return the roster with these absences beside those of its file. An absence of somebody who is not in the roster is left out."""
    of: dict[str, list[Away]] = {}
    for one in sorted(noted, key=lambda one: (_ORDER.index(one.source), one.starts_at)):
        of.setdefault(one.person, []).append(one.away)
    changed = {ident: _with(roster.people[ident], away) for ident, away in of.items() if ident in roster.people}
    return roster.model_copy(update={"people": {**roster.people, **changed}}) if changed else roster


def _with(person: Person, away: Sequence[Away]) -> Person:
    told = [one for one in away if source_of(one) == "command"]
    rest = [one for one in away if source_of(one) != "command"]
    return person.model_copy(update={"away": (*told, *person.away, *rest)})


def absences_of(person: Person, *, since: datetime) -> list[Away]:
    """Return the absences of a person that end after that instant, the earliest first."""
    return sorted((one for one in person.away if one.until > since), key=lambda one: (one.from_, one.until))


#: What becomes of a lead when its rep goes on leave.
Leave = Literal["somebody-else", "deputy", "manager-decides", "keep"]


def agreed_for(rules: OnLeave, stage: Stage) -> Leave:
    """Return what is agreed for a lead in that stage when its rep goes on leave."""
    return rules.assigned if stage == Stage.ASSIGNED else rules.accepted if stage == Stage.ACCEPTED else rules.working


def returns_to(rules: OnLeave, stage: Stage, tenures: Sequence[tuple[str, Ended | NoWord]]) -> str:
    """Return the rep to whom a handed over lead goes back once that rep is there again; empty where it stays.

    It goes back where that is agreed and nobody has worked on it yet: it is assigned or accepted. tenures: who had the lead, in
    order, each with why it ended; the last one goes on. The lead goes back to the first of those who lost it by an absence, one
    after another, until the one who has it now.
    """
    if not rules.back_after or stage not in (Stage.ASSIGNED, Stage.ACCEPTED):
        return ""
    first = ""
    for rep, because in reversed(tenures[:-1]):
        if because != "away":
            break
        first = rep
    return first if tenures and first != tenures[-1][0] else ""


def read_day(text: str, zone: ZoneInfo) -> datetime:
    """Read a day, which begins at midnight in the zone, or an instant. Raises AbsenceRefused, which says what to write instead."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        try:
            return read_instant(text, zone)[0]
        except ValueError as error:
            raise AbsenceRefused(f"{error}; or a day such as 2026-05-01") from None
    try:
        return as_utc(datetime(day.year, day.month, day.day, tzinfo=zone)).astimezone(zone)
    except ValueError as error:
        raise AbsenceRefused(str(error)) from None


def check_absence(people: Roster, new: NewAbsence, *, now: datetime) -> None:
    """Raise AbsenceRefused, with each reason and what to do instead, if this absence cannot stand in this roster."""
    if problems := list(_problems(people, new, now)):
        raise AbsenceRefused("\n".join(problems))


def _problems(people: Roster, new: NewAbsence, now: datetime) -> Iterator[str]:
    person = people.person(new.person)
    if person is None:
        yield f"Nobody in the roster is called {new.person[:80]!r}; it has {', '.join(people.people)}."
        return
    zone = ZoneInfo(person.timezone)
    if new.ends_at <= new.starts_at:
        times = f"ends at {told(new.ends_at, zone)}, and begins at {told(new.starts_at, zone)}"
        yield f"The absence {times}; write an end after the beginning."
        return
    if new.ends_at <= now:
        yield f"The absence ended at {told(new.ends_at, zone)} already; write one that is not over."
    if new.ends_at - new.starts_at > LONGEST:
        yield f"The absence is longer than {LONGEST.days} days; take somebody who has left out of the roster, or write a nearer end."
    for one in person.away:
        if _is(one, new) or not _overlap(one, new):
            continue
        yield f"{person.name} is away already {span(one, zone)} ({where(source_of(one))}); write an absence that does not overlap it."
    if new.deputy:
        yield from _wrong_deputy(people, new, zone)


def _wrong_deputy(people: Roster, new: NewAbsence, zone: ZoneInfo) -> Iterator[str]:
    deputy = people.person(new.deputy)
    if new.deputy == new.person:
        yield f"{people.name_of(new.person)} cannot stand in while away; name another person of the roster."
    elif deputy is None:
        yield f"The deputy {new.deputy[:80]!r} is nobody in the roster; it has {', '.join(people.people)}."
    elif deputy.shared:
        yield f"The deputy {deputy.name} is a shared mailbox; name one of its members."
    elif found := next((one for one in absences_of(deputy, since=new.starts_at) if _overlap(one, new)), None):
        yield f"The deputy {deputy.name} is away too, {span(found, zone)}; name somebody who is there."


def _is(one: Away, new: NewAbsence) -> bool:
    return isinstance(one, NotedAway) and (one.source, one.source_id) == (new.source, new.source_id)


def _overlap(one: Away, new: NewAbsence) -> bool:
    return one.from_ < new.ends_at and new.starts_at < one.until


#: Each source in words.
SOURCES: Mapping[str, str] = {
    "file": "in the roster file",
    "command": "told by command",
    "reply": "from an automatic reply",
    "feed": "from the calendar feed",
}


def where(source: AbsenceSource | str) -> str:
    """Return where an absence comes from, in words."""
    return SOURCES[source]


def told(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant in words, in that zone."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y %H:%M}"


def span(one: Away, zone: ZoneInfo) -> str:
    """Return from when until when an absence goes, in words, in that zone."""
    return f"from {told(one.from_, zone)} until {told(one.until, zone)}"


def away_command(person: str, until: date | None) -> str:
    """Return the line that records an absence. until: the day of return, None if nobody has said it."""
    return f"baton roster away {person} --until {until or 'DAY'}"
