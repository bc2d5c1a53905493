"""Deals with one delivery: takes its leads in, queues those whose values are elsewhere, and keeps what cannot be taken."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from agreements.lead import mail_key
from app.intake_doors import mapping, payload
from app.intake_doors.door_map import DoorMap
from app.intake_doors.mapping import Part, TooMany
from app.intake_doors.paths import find, is_empty, words
from app.intake_doors.taking import take_in
from storage import door_days, kept_payloads
from storage.door_days import Counted
from storage.kept_payloads import NewPayload
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.intake")
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")
_JSON = "application/json"
#: Results that mean that the lead is in, or is not meant by the map.
PASSED_OVER = "passed over"


@dataclass(slots=True)
class Delivered:
    """What became of a delivery: one result for each lead, with a status as in HTTP, and the keys of what was kept."""

    results: list[dict[str, Any]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """Return the status of the whole: 422 where something was kept and nothing taken, so that nobody believes that it was."""
        counts = self.counts
        if len(self.results) == 1:
            return int(self.results[0]["status"])
        return 422 if counts["kept"] and not counts["taken"] + counts["known"] + counts["queued"] else 200

    @property
    def counts(self) -> Counter[Counted]:
        """Return how many leads became what."""
        return Counter(_counted(one) for one in self.results)


def _counted(result: dict[str, Any]) -> Counted:
    if result["status"] >= 400:
        return "kept"
    if result["result"] == PASSED_OVER:
        return "passed_over"
    return "queued" if result["result"] == "queued" else "known" if result["result"] == "repeated" else "taken"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that may come in. name: of the door; content_type: as the sender declares it; mark: of its signature, empty for none."""

    name: str
    door: DoorMap
    body: bytes
    content_type: str
    mark: str = ""

    @property
    def actor(self) -> str:
        """Return the name of the sender in the trail."""
        return f"intake:{self.name}"


def deliver(box: Toolbox, sent: Delivery) -> Delivered:
    """Deal with one delivery and count it. The same delivery again changes nothing more: ids, keys and marks recognise it.

    Each lead goes in by itself. What cannot be read or taken is kept with its reason. Raises OperationalError where the database
    fails; then send the same again.
    """
    done = Delivered()
    try:
        read = payload.read(sent.body, sent.content_type)
        done.notes = read.notes
        parts = mapping.parts_of(sent.door, read.value)
    except (payload.PayloadUnreadable, TooMany) as error:
        _keep(box, sent, done, _whole(sent), _unread(str(error)))
    else:
        for part in parts:
            _take(box, sent, done, part)
        if not parts and sent.door.leads and not is_empty(sent.door.leads, read.value):
            _keep(box, sent, done, _whole(sent), _unread(f"There is no list of leads at {sent.door.leads.text!r}."))
    box.write_now(lambda session, now: _count(session, sent, done, now))
    return done


def _unread(error: str) -> dict[str, Any]:
    return {"status": 422, "error": error}


def _count(session: Session, sent: Delivery, done: Delivered, now: datetime) -> None:
    door_days.add(session, sent.name, done.counts, now=now)
    if sent.mark and done.status < 400:
        kept_payloads.remember(session, sent.mark, now=now)


def _take(box: Toolbox, sent: Delivery, done: Delivered, part: Part) -> None:
    if not mapping.is_meant(sent.door, part):
        done.results.append({"status": 200, "result": PASSED_OVER})
    elif sent.door.fetch:
        _queue(box, sent, done, part)
    else:
        result = take_part(box, sent, part)
        if result["status"] < 400:
            done.results.append(result)
        else:
            _keep(box, sent, done, new_payload(sent, part), result)


def take_part(box: Toolbox, sent: Delivery, part: Part) -> dict[str, Any]:
    """Take in the lead in this part; return its result. Raises OperationalError where the database fails."""
    now = box.read_now(lambda session, now: now)
    facts, problems = mapping.facts_of(sent.door, part, now=now)
    if problems:
        return {"status": 422, "error": "This lead has mistakes, so it was not taken in.", "problems": problems}
    try:
        status, said = take_in(box, facts, actor=sent.actor)
    except OperationalError:
        raise
    except Exception as error:  # one lead that cannot be stored must not lose the others
        log.exception("a lead from the intake door %s could not be stored", sent.name)
        return _unread(f"This lead could not be stored ({type(error).__name__}).")
    return {"status": status, **said}


def _queue(box: Toolbox, sent: Delivery, done: Delivered, part: Part) -> None:
    """Store first what is to be fetched; a worker fetches it."""
    ident = mapping.fetch_id(sent.door, part)
    if not ident:
        where = sent.door.fetch.id.text if sent.door.fetch else ""
        _keep(box, sent, done, new_payload(sent, part), _unread(f"There is no id at {where!r}."))
        return
    new = new_payload(sent, part, key=_key(sent.name, "fetch", ident, _conversion(sent.door, part)))
    box.write_now(lambda session, now: kept_payloads.keep(session, new, now=now, next_at=now))
    done.kept.add(new.key)
    done.results.append({"status": 202, "result": "queued"})


def _conversion(door: DoorMap, part: Part) -> str:
    """Return the id of what the lead did, as far as the notification has it: a sender that repeats itself repeats this id."""
    paths = [path for path in door.columns.get("conversion_id", ()) if path.whole]
    value = next((one for path in paths if (one := find(path, part.value, part.whole)) is not None), None)
    return "" if isinstance(value, (dict, list)) else words(value)


def _keep(box: Toolbox, sent: Delivery, done: Delivered, new: NewPayload, result: dict[str, Any]) -> None:
    kept = NewPayload(new.key, new.door, new.content, new.content_type, reason_of(result), new.addresses)
    box.write_now(lambda session, now: kept_payloads.keep(session, kept, now=now))
    done.kept.add(new.key)
    done.results.append({**result, "kept": True})


def reason_of(result: dict[str, Any]) -> str:
    """Return why this lead was not taken in, in one line."""
    problems = [f"{one['field']} {one['problem']}".strip() for one in result.get("problems", ())]
    return "; ".join(problems) or str(result["error"])


def new_payload(sent: Delivery, part: Part, *, key: str = "") -> NewPayload:
    """Return what to keep of one lead: the payload with only this lead in it, as JSON."""
    text = json.dumps(part.whole, ensure_ascii=False, sort_keys=True)
    return NewPayload(key or _key(sent.name, text), sent.name, text.encode(), _JSON, addresses=addresses_in(text))


def _whole(sent: Delivery) -> NewPayload:
    text = sent.body.replace(b"\0", b"").decode("utf-8", "replace")  # UTF-16 becomes readable enough to find addresses
    found = tuple({*addresses_in(text), *addresses_in(unquote_plus(text))})
    digest = hashlib.sha256(sent.body).hexdigest()
    return NewPayload(_key(sent.name, sent.content_type, digest), sent.name, sent.body, sent.content_type, addresses=found)


def addresses_in(text: str) -> tuple[str, ...]:
    """Return the e-mail addresses in this text, as an erasure looks for them."""
    return tuple(dict.fromkeys(mail_key(found) for found in _ADDRESS.findall(text)))


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
