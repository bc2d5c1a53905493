"""Turns a context into a letter by the templates of its message. What a lead wrote is only ever text: it opens no tag or line.

Nothing is sent here, no link is signed here and no clock is read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError, pass_context, select_autoescape
from jinja2.runtime import Context as TemplateValues
from jinja2.sandbox import SandboxedEnvironment

from agreements.errors import HandoffError
from notifications.letter import CodeContext, Context, Letter, SigningContext

TEMPLATES = Path(__file__).parent / "templates"
SUBJECT_MAX = 150
"""Longest subject, in characters."""

_NO_FACTS: Mapping[str, str] = MappingProxyType({})
#: Longest text of a field in a letter, in characters; with them the HTML part stays under 100 kB whatever a lead sends.
_LIMITS = {"message": 3000, "text": 2000, "what": 500, "promise": 500, "statements": 500, "link": 4000, "page": 4000, "zone": 60}
#: Of a contract nothing is cut: where it is too long, it is left out as a whole.
_LIMITS |= dict.fromkeys(("words", "title", "prose", "rows", "differences"), 100_000)
_LIMIT = 200
_KEEP_LINES = frozenset({"message", "text"})
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\ud800-\udfff]")
_MENTION = re.compile(r"(?<!\w)@(?=(?:everyone|here|channel|all)\b)", re.IGNORECASE)
_CHAT_MARKS = str.maketrans("<>[]`|", "‹›()'/")
_PHONE = re.compile(r"\s*(\+?)([\d\s().\-/]+)")
_Value = TypeVar("_Value")


class MessageFaulty(HandoffError):  # noqa: N818 - errors here are named as states
    """This message cannot be written. Mend the template that is named."""

    def __init__(self, file: str, problem: str) -> None:
        self.file, self.problem = file, problem
        super().__init__(f"{file}: {problem}")


def message_names() -> list[str]:
    """The names of all messages that can be rendered, sorted."""
    return sorted(folder.name for folder in TEMPLATES.iterdir() if (folder / "subject.txt").is_file())


def render(
    message: str,
    context: Context | CodeContext | SigningContext,
    *,
    key: str,
    thread: str = "",
    facts: Mapping[str, str] = _NO_FACTS,
    folder: Path | None = None,
) -> Letter:
    """A letter whose subject is one line and whose parts all say the same, with times in the reader's zone.

    folder: templates that go before Baton's own, file by file (folder/<message>/subject.txt …). Texts that are too long are
    cut, and end in "…".
    Raises: MessageFaulty if there is no such message, or a template is missing or has a mistake.
    """
    if message not in message_names():
        raise MessageFaulty(message, f"there is no such message; there are {', '.join(message_names())}")
    told = _tidy(context)
    return Letter(
        key=key,
        message=message,
        to=context.to,
        subject=_cut(one_line(_written(f"{message}/subject.txt", told, folder)), SUBJECT_MAX),
        text=_spaced(_written(f"{message}/body.txt", told, folder)),
        html=_written(f"{message}/body.html", told, folder),
        chat=_spaced(_written(f"{message}/chat.txt", _tidy(context, _without_chat_marks), folder)),
        link=context.link,
        thread=thread,
        facts={name: clean(value) for name, value in facts.items()},
    )


def clean(text: str) -> str:
    """The text with plain line ends and without control characters or marks that turn the direction of what follows."""
    return _UNPRINTABLE.sub("\ufffd", _DIRECTION_MARKS.sub("", _LINE_ENDS.sub("\n", text)))


def one_line(text: str) -> str:
    """The text cleaned and on one line, fit for a header: every run of white space is one space."""
    return " ".join(clean(text).split())


def _written(file: str, context: Context | CodeContext | SigningContext, folder: Path | None) -> str:
    zone = _zone(context.to.timezone)
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    try:
        return _environment(folder).get_template(file).render(values, zone=zone.key)
    except TemplateSyntaxError as error:
        raise MessageFaulty(error.name or file, f"line {error.lineno}: {error.message}") from error
    except TemplateError as error:
        raise MessageFaulty(file, error.message or f"{type(error).__name__}") from error
    except Exception as error:  # a user's template may fail in any way, and no lead may stop because of it
        raise MessageFaulty(file, f"{type(error).__name__}: {error}") from error


@lru_cache(maxsize=8)
def _environment(folder: Path | None) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=FileSystemLoader([folder, TEMPLATES] if folder else [TEMPLATES]),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=False),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(when=_when, day=_day, short=_cut, quoted=_quoted, tel=tel, mailto=mailto, label=label)
    return environment


def _tidy(value: _Value, defuse: Callable[[str], str] = str, name: str = "") -> _Value:
    """The value with every text in it cleaned, cut and, but for a few, on one line; what the link says is left alone."""
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
    told = clean(text).strip() if name in _KEEP_LINES else one_line(text)
    return _cut(told if name in ("link", "page") else defuse(told), _LIMITS.get(name, _LIMIT))


def _without_chat_marks(text: str) -> str:
    """Chat services make links and mentions of these signs, which a lead could use to show a false link."""
    return _MENTION.sub("@\u200b", text.translate(_CHAT_MARKS))


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
    """`Tue 1 Dec 13:00` in the reader's zone; the hour that comes twice in autumn also says which of the two."""
    if instant.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown")
    local = instant.astimezone(ZoneInfo(str(values["zone"])))
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%a} {local.day} {local:%b %H:%M}" + (f" {local:%Z}" if twice else "")


@pass_context
def _day(values: TemplateValues, instant: datetime) -> str:
    """`1 Dec 2026` in the reader's zone, for what is long ago."""
    local = instant.astimezone(ZoneInfo(str(values["zone"])))
    return f"{local.day} {local:%b %Y}"


def _cut(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def label(name: str) -> str:
    """A name such as `buying_signal` as people read it: Buying signal."""
    words = name.strip().replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def tel(phone: str) -> str:
    """A tel: link, "" where no number can be read; "(0)" after a country code and extensions are left out."""
    found = _PHONE.match(phone.replace("(0)", "") if phone.strip().startswith("+") else phone)
    digits = re.sub(r"[^0-9]", "", found[2]) if found else ""
    return f"tel:{found[1]}{digits}" if found and 3 <= len(digits) <= 15 else ""


def mailto(address: str) -> str:
    """A mailto: link, "" for what is no address."""
    return "mailto:" + quote(address, safe="@+.-_") if "@" in address else ""
