"""Turn a context into a letter with the templates of its message. A lead's words stay text: they open no tag and no line.

This module sends nothing, signs no link and reads no clock. sandbox.py limits what a template may do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, pass_context
from jinja2.runtime import Context as TemplateValues

from agreements.lead import is_address
from agreements.words import TEMPLATE_NAMES, TemplateName, word
from notifications.faults import MessageFaulty, fault_of
from notifications.letter import Fault, Letter, Told
from notifications.plain_text import clean, one_line, tel
from notifications.sandbox import Compiled, Sandbox

TEMPLATES = Path(__file__).parent / "templates"
SUBJECT_MAX = 150
"""Longest subject, in characters."""

_NO_FACTS: Mapping[str, str] = MappingProxyType({})
#: Longest text of a field in a letter, in characters. They keep the HTML part under 100 kB whatever a lead sends.
_LIMITS = {
    "message": 3000,
    "text": 2000,
    "what": 500,
    "todo": 300,
    "promise": 500,
    "statements": 500,
    "link": 4000,
    "page": 4000,
    "colleague_link": 4000,
    "colleague": 600,
    "zone": 60,
}
#: A contract is never cut: one that is too long is left out as a whole.
_LIMITS |= dict.fromkeys(("words", "title", "prose", "rows", "differences"), 100_000)
_LIMIT = 200
#: Characters after the limit that are still looked at: enough for most addresses that begin before it. Far more would take long.
_LOOKAHEAD = 100
_KEEP_LINES = frozenset({"message", "text"})
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
#: Text that a chat service turns into a link. E-mail addresses match first, so that they stay as they are.
_LINK_IN_CHAT = re.compile(r"[\w.+-]+@[\w.-]+|(?<=:)(?=//)|(?<=\w\.)(?=[^\W\d_]{2})")
_CHAT_MARKS = str.maketrans("<>[]`|", "‹›()'/")
_Value = TypeVar("_Value")


def message_names() -> list[TemplateName]:
    """Return the names of all messages, sorted."""
    return sorted(TEMPLATE_NAMES)


def render(
    message: str,
    context: Told,
    *,
    key: str,
    thread: str = "",
    facts: Mapping[str, str] = _NO_FACTS,
    folder: Path | None = None,
) -> Letter:
    """Write a letter: the subject on one line, every part with the same content, times in the reader's zone.

    folder: templates that replace Baton's own, file by file (folder/<message>/subject.txt …). Where one is faulty, Baton's own
    template writes the part and the letter names the mistake in `faults`: no lead waits for a template. Texts that are too long
    are cut and end in "…".
    Raises: MessageFaulty if there is no such message, or Baton's own template has a mistake.
    """
    name = word(message, TEMPLATE_NAMES)
    if name is None:
        raise MessageFaulty(Fault(message, f"there is no such message; there are {', '.join(message_names())}"))
    told, said = _tidy(context), _tidy(context, _without_chat_marks)
    faults: list[Fault] = []

    def part(file: str, values: Told) -> str:
        try:
            return _written(f"{message}/{file}", values, folder)
        except MessageFaulty as error:
            if folder is None:
                raise
            faults.append(error.fault)
            return _written(f"{message}/{file}", values, None)

    return Letter(
        key=key,
        message=name,
        to=context.to,
        subject=_cut(one_line(part("subject.txt", told)), SUBJECT_MAX),
        text=_spaced(part("body.txt", told)),
        html=part("body.html", told),
        chat=_spaced(part("chat.txt", said)),
        link=context.link,
        thread=thread,
        facts={name: clean(value) for name, value in facts.items()},
        faults=tuple(faults),
    )


def _written(file: str, context: Told, folder: Path | None) -> str:
    values: dict[str, Any] = {field.name: getattr(context, field.name) for field in fields(cast(Any, context))}
    values["zone"] = _zone(context.to.timezone).key
    values["to"] = replace(context.to, chat="")  # a chat address may hold a secret
    try:
        return _sandbox(folder).written(file, values)
    except Exception as error:  # a company's template may fail in any way, and no lead may stop because of that
        raise MessageFaulty(fault_of(file, error, values=values, folders=_folders(folder))) from error


def _folders(folder: Path | None) -> list[Path]:
    return [folder, TEMPLATES] if folder else [TEMPLATES]


#: A template of Baton's is compiled once a process, however many folders of templates are used beside it.
_COMPILED = Compiled()


@lru_cache(maxsize=8)
def _sandbox(folder: Path | None) -> Sandbox:
    return Sandbox(
        FileSystemLoader(_folders(folder)),
        compiled=_COMPILED,
        when=_when,
        clock=_clock,
        day=_day,
        short=_cut,
        quoted=_quoted,
        tel=tel,
        mailto=mailto,
        label=label,
    )


def _tidy(value: _Value, defuse: Callable[[str], str] = str, name: str = "") -> _Value:
    """Return the value with every text cleaned and cut, and most texts on one line. Links stay as they are."""
    tidied: object = value
    if isinstance(value, str):
        tidied = _tidy_text(value, defuse, name)
    elif isinstance(value, Mapping):
        tidied = {one_line(str(key)): _tidy(item, defuse, key if key in _LIMITS else name) for key, item in value.items()}
    elif isinstance(value, tuple):
        tidied = tuple(_tidy(item, defuse, name) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        tidied = replace(value, **{field.name: _tidy(getattr(value, field.name), defuse, field.name) for field in fields(value)})
    return cast(_Value, tidied)


def _tidy_text(text: str, defuse: Callable[[str], str], name: str) -> str:
    told, limit = clean(text).strip() if name in _KEEP_LINES else one_line(text), _LIMITS.get(name, _LIMIT)
    return _cut(told if name in ("link", "page", "colleague_link") else defuse(told[: limit + _LOOKAHEAD]), limit)


def _without_chat_marks(text: str) -> str:
    """Break the characters, addresses and names that chat services turn into links and mentions: a lead could fake a link.

    Addresses and names get a space of no width, so that they read as before.
    """
    return _LINK_IN_CHAT.sub(lambda found: found[0] or "\u200b", _MENTION.sub("@\u200b", text.translate(_CHAT_MARKS)))


def _spaced(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):  # a wrong zone in the roster must not keep a lead from its rep
        return ZoneInfo("UTC")


@pass_context
def _when(values: TemplateValues, instant: datetime) -> str:
    """`Tue 1 Dec 13:00` in the reader's zone. In the hour that comes twice in autumn the text says which one is meant."""
    if instant.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown")
    local = instant.astimezone(ZoneInfo(str(values["zone"])))
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%a} {local.day} {local:%b %H:%M}" + (f" {local:%Z}" if twice else "")


@pass_context
def _clock(values: TemplateValues, instant: datetime) -> str:
    """`13:00` in the reader's zone, for times less than a day away."""
    told = _when(values, instant)
    return told[told.index(":") - 2 :]


@pass_context
def _day(values: TemplateValues, instant: datetime) -> str:
    """`1 Dec 2026` in the reader's zone, for times long ago."""
    local = instant.astimezone(ZoneInfo(str(values["zone"])))
    return f"{local.day} {local:%b %Y}"


def _cut(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


#: Words that people write in capitals.
_ABBREVIATIONS = frozenset({"crm", "mql", "sal", "sms", "sql"})


def label(name: str) -> str:
    """Return a name such as `buying_signal` as people read it: Buying signal. An abbreviation of the trade is in capitals: MQL."""
    words = name.strip().replace("_", " ").replace("-", " ").split(" ")
    text = " ".join(word.upper() if word in _ABBREVIATIONS else word for word in words)
    return text[:1].upper() + text[1:]


def mailto(address: str) -> str:
    """Return a mailto: link, "" for a text that is not one plain address."""
    return "mailto:" + quote(address, safe="@+.-_") if is_address(address) else ""
