"""Traces: the words that identify a person, and the files of the home folder that hold them."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session, col, select

from agreements.lead import mail_key
from storage import scrub
from storage.clearing import Person
from storage.tables import Lead, LeadValues, PersonalText

#: Shorter words also match places that have nothing to do with the person.
SHORTEST = 6
#: Folders and files of the home folder that are not searched here: databases are scrubbed elsewhere.
_ELSEWHERE = ("prefect",)
_DATABASES = (".db", ".db-wal", ".db-shm", ".db-journal")
#: A larger file is only named, and left to the operator.
_CHANGED_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Found:
    """The changes to files. deleted: saved messages; changed: tables, now without the person's rows; left: other files that still
    hold the person, for the operator to look at. Each by its path below the home folder."""

    deleted: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def words_of(session: Session, person: Person) -> frozenset[str]:
    """Return address, phone, full name, and the lines of texts by and about this person, if they are long enough."""
    found: set[str] = set()
    for lead in session.exec(select(Lead).where(col(Lead.id).in_(person.leads))):
        found |= {lead.email, mail_key(lead.email), lead.phone}
        if lead.first_name and lead.last_name:
            found.add(f"{lead.first_name} {lead.last_name}")
    for row in session.exec(select(LeadValues).where(col(LeadValues.lead_id).in_(person.leads))):
        found |= {str(row.values.get("email", "")), str(row.values.get("phone", ""))}
    for text in session.exec(select(PersonalText.text).where(col(PersonalText.lead_id).in_(person.leads))):
        found |= {line.strip() for line in text.splitlines() if len(line.strip()) >= 2 * SHORTEST}
    return frozenset(word for word in found if len(word) >= SHORTEST)


def clean(home: Path, words: frozenset[str], *, kinds: tuple[str, ...] = ()) -> Found:
    """Deletes saved messages that hold one of these words, and deletes rows with one from tables. A second call changes nothing.

    kinds: file suffixes to look at; all files if none is given.
    """
    found = Found()
    if not words:
        return found
    wanted = scrub.forms_of(words)
    for path in _files(home):
        if kinds and path.suffix not in kinds:
            continue
        name = path.relative_to(home).as_posix()
        if path.suffix == ".eml":
            if _letter_holds(path, words):
                path.unlink(missing_ok=True)
                found.deleted.append(name)
        elif scrub.holds(path, wanted):
            is_small = path.stat().st_size <= _CHANGED_BYTES
            (found.changed if path.suffix == ".csv" and is_small and _without_rows(path, words) else found.left).append(name)
    return found


def _files(home: Path) -> Iterable[Path]:
    for folder, folders, names in os.walk(home):
        if Path(folder) == home:
            folders[:] = [one for one in folders if one not in _ELSEWHERE]
        yield from (Path(folder) / name for name in sorted(names) if not name.endswith(_DATABASES))


def _letter_holds(path: Path, words: frozenset[str]) -> bool:
    """Whether a saved e-mail holds one of these words, in any encoding."""
    letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    said = [str(value) for value in letter.values()]
    for part in letter.walk():
        if part.get_content_maintype() == "text":
            said.append(part.get_content())
    whole = " ".join(" ".join(said).split())
    return any(" ".join(word.split()) in whole for word in words)


def _without_rows(path: Path, words: frozenset[str]) -> bool:
    """Rewrites the table without the rows that hold one of these words. False if the file is not a table in UTF-8."""
    try:
        text = path.read_text(encoding="utf-8")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return False
    rest = [row for row in rows if not any(word in cell for cell in row for word in words)]
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n" if "\r\n" in text else "\n").writerows(rest)
    own = path.with_name(f".{path.name}.{os.getpid()}")
    own.touch(mode=path.stat().st_mode & 0o777)
    own.write_text(written.getvalue(), encoding="utf-8", newline="")
    own.replace(path)
    return True
