"""Which event of somebody's own calendar means that they are away. A title is looked at and never kept.

An event means away if it is neither cancelled, declined, free nor tentative, lasts SHORTEST or longer, and

- Outlook marks it as out of office, or
- it covers whole days, or
- its title says nothing but an absence, such as "Out of office". Google writes half a day out of office like this.

Everything else is merely busy. A whole day that somebody marks as busy counts: calendars show an entry for a whole day as free
unless the person says otherwise.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from agreements.calendar.instants import Span

SHORTEST: Final = timedelta(hours=3)
"""A shorter event never means away: nobody hands leads over for a visit to the dentist."""

_OUT, _NOT_OUT = "OOF", ("FREE", "TENTATIVE", "WORKINGELSEWHERE")
_NOT_COMING = ("DECLINED", "NEEDS-ACTION", "TENTATIVE")
_OF_TIME = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
#: Titles that say nothing but an absence, in lower case.
_ABSENCES: Final = frozenset(
    """
    out of office;out of the office;ooo;leave;on leave;annual leave;sick leave;parental leave;vacation;holiday;holidays;on holiday;pto
    day off;away;abwesend;abwesenheit;nicht im büro;urlaub;krank;absent;absente;absence;congé;congés;vacances;hors du bureau;ausente
    vacaciones;fuera de la oficina;assente;ferie;fuori sede;fuori ufficio;férias;fora do escritório;afwezig;vakantie;verlof;urlop
    nieobecny;nieobecna;semester;fravær;lomalla;不在;休暇;外出;休假
    """.replace("\n", ";")
    .replace("    ", "")
    .strip(";")
    .split(";")
)
_BEHIND_TITLE = re.compile(r"[-–—:(/|,.!]")


def may_mean_away(event: Any) -> bool:
    """Whether one occurrence of the event can mean away. An event whose dates nobody can read is not ruled out by them."""
    return not _is_called_off(event) and (_busy(event) == _OUT or _is_date(event) or _is_long(event) or _says_away(event))


def is_broken(event: Any) -> bool:
    """Whether a part that says when the event is cannot be read, or is missing."""
    return "DTSTART" not in event or any(str(name).upper() in _OF_TIME for name, _ in event.errors)


def time_away(event: Any, own: str, zone: tzinfo) -> Span | None:
    """Return from when until when one occurrence means away, aware; None if it does not.

    own: the e-mail address of the calendar's owner. zone: of whole days and of times without a zone.
    """
    if _is_called_off(event) or _has_declined(event, own):
        return None
    start, end = aware(event.start, zone), _end(event, zone)
    if end - start < SHORTEST or not (_busy(event) == _OUT or _covers_days(start, end, event, zone) or _says_away(event)):
        return None
    return start, end


def aware(at: date, zone: tzinfo) -> datetime:
    """Return the instant: a day begins at midnight, and a time without a zone is local time."""
    if not isinstance(at, datetime):
        return datetime.combine(at, time(0), zone)
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def _end(event: Any, zone: tzinfo) -> datetime:
    try:
        return aware(event.end, zone)
    except OverflowError:  # the last day of the year 9999
        return datetime.max.replace(tzinfo=zone)


def _is_called_off(event: Any) -> bool:
    status, shown = str(event.get("STATUS", "")).upper(), str(event.get("TRANSP", "")).upper()
    if status in ("CANCELLED", "TENTATIVE") or _busy(event) in _NOT_OUT:
        return True
    return shown == "TRANSPARENT" and _busy(event) != _OUT


def _busy(event: Any) -> str:
    return str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).strip().upper()


def _is_date(event: Any) -> bool:
    if is_broken(event):
        return str(getattr(event.get("DTSTART"), "params", {}).get("VALUE", "")).upper() == "DATE"
    return not isinstance(event["DTSTART"].dt, datetime)


def _is_long(event: Any) -> bool:
    """Whether the event is about as long as a day, whatever its zones."""
    if is_broken(event) or not ("DTEND" in event or "DURATION" in event):
        return False
    end = event["DTEND"].dt if "DTEND" in event else event["DTSTART"].dt + event["DURATION"].dt
    return not isinstance(end, datetime) or end.replace(tzinfo=None) - event["DTSTART"].dt.replace(tzinfo=None) >= timedelta(hours=20)


def _covers_days(start: datetime, end: datetime, event: Any, zone: tzinfo) -> bool:
    """Whether the event begins and ends at midnight, in its own zone or the person's."""
    theirs = {start.astimezone(zone).time(), end.astimezone(zone).time()}
    return _is_date(event) or {start.time(), end.time()} == {time(0)} or theirs == {time(0)}


def _says_away(event: Any) -> bool:
    return _BEHIND_TITLE.split(str(event.get("SUMMARY", ""))[:200], maxsplit=1)[0].strip().lower() in _ABSENCES


def _has_declined(event: Any, own: str) -> bool:
    asked = event.get("ATTENDEE", [])
    for one in asked if isinstance(asked, list) else [asked]:
        if own and str(one).lower().removeprefix("mailto:") == own.lower():
            return str(getattr(one, "params", {}).get("PARTSTAT", "")).upper() in _NOT_COMING
    return False
