"""Intake doors at the command line: try a map out, see what each door did, and take kept payloads in again."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.table import Column, Table
from sqlmodel import Session

from agreements.lead import IncomingLead
from app import terminal
from app.csv_import.errors import UnreadableFile
from app.intake_doors import doors, mapping, payload, replaying
from app.intake_doors.door_map import DoorMap, read_door
from app.intake_doors.fetched import as_mapped
from app.intake_doors.mapping import Part
from app.intake_doors.replaying import Became
from app.intake_doors.taking import problems_of, untimely
from storage import door_days, kept_payloads
from storage.tables import KeptPayload
from tasks.wiring.intake_secrets import secret_of
from tasks.wiring.toolbox import Toolbox
from tasks.wiring.wrong_setting import WrongSetting

#: What a file is, by the ending of its name.
_KINDS = {".json": "application/json", ".form": "application/x-www-form-urlencoded", ".txt": "application/x-www-form-urlencoded"}
_DAYS = 30


def try_map(
    map_file: Annotated[Path, typer.Argument(metavar="MAP", help="A map file, such as examples/maps/intake/typeform.yaml.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A payload as the sender sends it: the body of its request.")],
    content_type: Annotated[str, typer.Option("--type", help="The Content-Type of the payload. Otherwise the file's ending says it.")] = "",
    fetched: Annotated[Path | None, typer.Option("--fetched", help="JSON as the vendor's API answers, for a map with `fetch`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a map makes of a payload. Needs no installation and changes nothing. Exit code 1 if a lead has mistakes."""
    with terminal.told():
        try:
            door = read_door(map_file)
            kind = content_type or _KINDS.get(file.suffix.lower(), "application/json")
            read = payload.read(file.read_bytes(), kind)
            more = payload.read(fetched.read_bytes(), "application/json").value if fetched else None
            more = as_mapped(door.fetch.source, more) if door.fetch and more is not None else more
            shown = [_shown(door, part, more) for part in mapping.parts_of(door, read.value)]
        except UnreadableFile as error:
            terminal.fail(terminal.USAGE, str(error))
        except (payload.PayloadUnreadable, mapping.TooMany) as error:
            terminal.fail(terminal.FINDINGS, f"{file}: {error}")
    if as_json:
        print(json.dumps({"leads": shown, "notes": list(read.notes)}, ensure_ascii=False, indent=2))
    else:
        _print_shown(shown, read.notes, door)
    if not shown or any("problems" in one for one in shown):
        raise typer.Exit(terminal.FINDINGS)


def _shown(door: DoorMap, part: Part, fetched: Any) -> dict[str, Any]:
    if not mapping.is_meant(door, part):
        return {"passed_over": True}
    if door.fetch and fetched is None:
        ident = mapping.fetch_id(door, part)
        return (
            {"fetch": ident, "from": door.fetch.source} if ident else {"problems": [{"field": door.fetch.id.text, "problem": "is missing"}]}
        )
    now = datetime.now(UTC)
    facts, problems = mapping.facts_of(door, Part(fetched, part.whole) if door.fetch else part, now=now)
    try:
        lead = IncomingLead.model_validate(facts)
        problems += untimely(lead, now)
    except ValidationError as error:
        named = {one["field"] for one in problems}
        problems += [one for one in problems_of(error) if one["field"] not in named]
    return {"problems": problems} if problems else {"lead": lead.model_dump(mode="json", exclude_defaults=True)}


def _print_shown(shown: list[dict[str, Any]], notes: tuple[str, ...], door: DoorMap) -> None:
    say = terminal.console.print
    if not shown:
        say(f"There is no lead at {door.leads.text if door.leads else ''!r}.", markup=False)
    for number, one in enumerate(shown, 1):
        if "lead" in one:
            say(f"Lead {number}:", markup=False)
            for name, value in one["lead"].items():
                say(f"  {name}: {value}", markup=False, soft_wrap=True)
        elif "fetch" in one:
            say(f"Lead {number}: Baton would fetch {one['fetch']} ({one['from']}).", markup=False)
        elif "problems" in one:
            say(f"Lead {number} could not be taken in:", markup=False)
            for problem in one["problems"]:
                say(f"  {problem['field']} {problem['problem']}", markup=False, soft_wrap=True)
        else:
            say(f"Lead {number}: passed over, `only` asks for something else.", markup=False)
    for note in notes:
        say(note, markup=False)


def sources(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the intake doors, with what came in the last 30 days. Exit code 1 if one is closed, because of its map or a secret."""
    box = terminal.open_box()
    with terminal.told():
        found = [_source(box, name) for name in doors.names(box.settings.folder)]
        for name in doors.strays(box.settings.folder):
            remedy = "name a map with small letters, digits and hyphens, and the ending .yaml"
            terminal.complaints.print(f"{doors.FOLDER}/{name} is no door: {remedy}.", markup=False, soft_wrap=True)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        _print_sources(found, box)
    if any(one["problem"] for one in found):
        raise typer.Exit(terminal.FINDINGS)


def _source(box: Toolbox, name: str) -> dict[str, Any]:
    def work(session: Session, now: datetime) -> dict[str, Any]:
        days = [row for row in door_days.lately(session, now=now, days=_DAYS) if row.door == name]
        last = door_days.last_at(session, name)
        counts: dict[str, Any] = {counted: sum(getattr(row, counted) for row in days) for counted in door_days.COUNTED}
        return {"last": last.isoformat() if last else "", **counts}

    return {"door": name, "path": f"/intake/{name}", "problem": _problem(box, name), **box.read_now(work)}


def _problem(box: Toolbox, name: str) -> str:
    try:
        door = doors.door(box.settings.folder, name)
        for secret in secrets_of(door) if door else ():
            secret_of(secret)
    except (UnreadableFile, WrongSetting) as error:
        return str(error)
    return ""


def secrets_of(door: DoorMap) -> list[str]:
    """Return the names of the secrets that this door needs."""
    given = [door.signed.secret, door.signed.verify] if door.signed else []
    given += [door.form.token] if door.form else []
    given += [door.fetch.token] if door.fetch else []
    return [name for name in given if name]


def _print_sources(found: list[dict[str, Any]], box: Toolbox) -> None:
    if not found:
        where = doors.folder_of(box.settings.folder)
        terminal.console.print(f"There is no door. Copy a map from examples/maps/intake into {where}.", markup=False, soft_wrap=True)
        return
    table = Table(*(Column(name, no_wrap=True) for name in ("door", "last")), *(name.replace("_", " ") for name in door_days.COUNTED))
    for one in found:
        table.add_row(one["path"], one["last"][:16].replace("T", " ") or "never", *(str(one[name]) for name in door_days.COUNTED))
    terminal.console.print(table)
    for one in found:
        if one["problem"]:
            terminal.console.print(f"{one['path']} is closed: {one['problem']}", markup=False, soft_wrap=True)


def failed(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with what was sent.")] = False) -> None:
    """List the payloads that had a right signature and could not be taken in, each with its reason. Exit code 1 if there are any."""
    box = terminal.open_box()
    with terminal.told():
        rows = list(replaying.every_failed(box))
    if as_json:
        print(json.dumps([_as_json(row) for row in rows], ensure_ascii=False, indent=2))
    else:
        for row in rows:
            terminal.console.print(f"{row.id}  {row.door}  {row.at:%Y-%m-%d %H:%M}  {row.reason}", markup=False, soft_wrap=True)
        if not rows:
            terminal.console.print("Nothing waits to be looked at.")
    if rows:
        raise typer.Exit(terminal.FINDINGS)


def _as_json(row: KeptPayload) -> dict[str, Any]:
    content = {"content": row.content, "content_type": row.content_type, "is_base64": row.is_base64}
    return {"id": row.id, "door": row.door, "at": row.at.isoformat(), "reason": row.reason, "tries": row.tries, **content}


def replay(
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="The numbers that `baton intake failed` shows.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Take in all that are kept.")] = False,
) -> None:
    """Take kept payloads in again, by the map of today. Exit code 3 if some still cannot be taken in."""
    if bool(ids) == every:
        terminal.fail(terminal.USAGE, "Name the numbers of payloads, or write --all.")
    box = terminal.open_box()
    outcomes: Counter[Became] = Counter()
    with terminal.told():
        for row in replaying.every_failed(box) if every else _rows(box, ids or []):
            became, why = replaying.replay(box, row)
            outcomes[became] += 1
            if why:
                terminal.complaints.print(f"{row.id}: {why}", markup=False, soft_wrap=True)
    terminal.console.print(replaying.counted(outcomes))
    if outcomes["kept"]:
        raise typer.Exit(terminal.PARTLY)


def drop(
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="The numbers that `baton intake failed` shows.")],
) -> None:
    """Delete kept payloads that are no leads, such as a vendor's trial."""
    box = terminal.open_box()
    with terminal.told():
        rows = _rows(box, ids)
        gone = box.write_now(lambda session, now: kept_payloads.remove(session, [row.id for row in rows]))
    terminal.console.print(f"{gone} deleted.")


def _rows(box: Toolbox, ids: list[int]) -> list[KeptPayload]:
    found = box.read_now(lambda session, now: [session.get(KeptPayload, ident) for ident in ids])
    if missing := [str(ident) for ident, row in zip(ids, found, strict=True) if row is None]:
        terminal.fail(terminal.FINDINGS, f"There is no kept payload {', '.join(missing)}. `baton intake failed` lists them.")
    return [row for row in found if row]
