"""Check a folder of templates before it is used: write each message for several made-up leads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agreements.words import TemplateName
from notifications.html_shape import Shape
from notifications.letter import Fault, Letter
from notifications.rendering import TEMPLATES, message_names, render
from notifications.samples import bare, full_of, sample

HTML_MAX = 100_000
"""Longest HTML part, in bytes. Mail programs cut longer ones."""
PARTS = ("subject.txt", "body.txt", "body.html", "chat.txt")
#: Hostile texts that a lead could type into a form.
_HOSTILE = (
    '"><script>alert(1)</script></td></table><a href="https://evil.example">Review this lead</a><!--',
    "{{ 7 * 7 }} {% for x in y %} \u202e\r\nBcc: all@evil.example\r\n\r\n",
    "'\"&<>" * 2000,
)


def problems_of(folder: Path | None) -> list[Fault]:
    """Return every fault in the templates of this folder, each once. Without a folder, check Baton's own templates."""
    if folder is not None and not folder.is_dir():
        return [Fault(str(folder), "there is no such folder; BATON_TEMPLATES names one, or is not set.")]
    found = [*(_misplaced(folder) if folder else ()), *_unreadable(folder)]
    for message in message_names():
        found += _problems(message, folder)
    return list(dict.fromkeys(found))


def _misplaced(folder: Path) -> Iterator[Fault]:
    """Find files that no message uses. Files that begin with an underscore or a dot are ignored."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        parts = name.split("/")
        if path.is_dir() or any(part.startswith((".", "_")) for part in parts):
            continue
        if len(parts) == 1:
            yield Fault(name, f"no message uses it; put it into the folder of its message, as in assigned/{name}.")
        elif parts[0] not in message_names():
            yield Fault(name, f"there is no message {parts[0]}; there are {', '.join(message_names())}.")
        elif "/".join(parts[1:]) not in PARTS:
            yield Fault(name, f"a message has {', '.join(PARTS)}; what several share is called with an underscore, as in _end.txt.")


def _unreadable(folder: Path | None) -> Iterator[Fault]:
    for path in sorted((folder or TEMPLATES).rglob("_*.*")):
        name = path.relative_to(folder or TEMPLATES).as_posix()
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            yield Fault(name, "it is not written in UTF-8; save it as UTF-8.")
        except OSError as error:
            yield Fault(name, f"it cannot be read: {error.strerror}.")


def _problems(message: TemplateName, folder: Path | None) -> Iterator[Fault]:
    usual = sample(message)
    letter, plain = _letter(message, usual, folder), _letter(message, full_of(usual, "plain"), folder)
    hostile = [_letter(message, full_of(usual, text), folder) for text in _HOSTILE]
    for one in (letter, _letter(message, bare(usual), folder), *hostile):
        yield from one.faults
    yield from _without_link(message, letter, _letter(message, usual, None) if folder else letter)
    if any(len(one.html.encode()) > HTML_MAX for one in hostile):
        problem = f"with long texts it has over {HTML_MAX:,} bytes, which mail programs cut; show less, or {{{{ text|short(200) }}}}."
        yield Fault(f"{message}/body.html", problem)
    ours = _ours(plain)
    if any(_ours(one) != ours for one in hostile):
        problem = "what a lead wrote becomes a part of the page; take out |safe, and put quotes around attributes."
        yield Fault(f"{message}/body.html", problem)


def _letter(message: str, context: Any, folder: Path | None) -> Letter:
    return render(message, context, key="check", folder=folder)


def _ours(letter: Letter) -> tuple[list[str], list[str]]:
    shape = Shape(letter.html)
    links = [link for link in shape.links if not link.startswith(("mailto:", "tel:"))]
    return [tag for tag in shape.tags if tag.split(" ")[0] not in ("a", "/a")], links


def _without_link(message: str, letter: Letter, own: Letter) -> Iterator[Fault]:
    """Find parts that lack the link of the message: people could read them, but not answer."""
    for file, part, needed in (
        ("body.txt", letter.text, own.text),
        ("body.html", letter.html, own.html),
        ("chat.txt", letter.chat, own.chat),
    ):
        if letter.link in needed and letter.link not in part:
            yield Fault(f"{message}/{file}", "the link is not in it, so nobody could answer; write {{ link }} where it belongs.")
