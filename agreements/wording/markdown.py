"""Write a contract as Markdown. Texts from the agreement are escaped: they cannot open a heading, table or tag."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agreements.wording.document import Beside, Block, Contract, Line, Lines, Table, Text

_MARKS = re.compile(r"[\\`*<>\[\]|~&]|(?<!\w)_|_(?!\w)")
_OPENS = re.compile(r"^(\d*)([#+=.)-])")


def markdown(contract: Contract) -> str:
    """Return the contract as Markdown. The caller adds a table of contents if it wants one."""
    parts = [f"# {escaped(contract.title)}", "\n".join(map(_line, contract.summary))]
    for section in contract.sections:
        parts += [f"## {escaped(section.title)}", *(text for block in section.blocks for text in _block(block))]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return the text on one line, with all markup escaped."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Text):
        yield _unopened(block.words)
    elif isinstance(block, Lines):
        yield from _list(block)
    elif isinstance(block, Table):
        yield _table(block)
    else:
        yield from _beside(block)


def _list(block: Lines) -> Iterator[str]:
    if block.title:
        yield f"**{escaped(block.title)}**"
    yield "\n".join(_line(line, f"{number}. " if block.numbered else "- ") for number, line in enumerate(block.lines, start=1))


def _line(line: Line, mark: str = "- ") -> str:
    if not line.name:
        return mark + _unopened(line.words)
    return f"{mark}**{escaped(line.name)}**" + (f" {escaped(line.words)}" if line.words else "")


def _unopened(text: str) -> str:
    """Return text for the start of a line, where it begins no heading, list or rule."""
    return _OPENS.sub(r"\1\\\2", escaped(text))


def _table(block: Table) -> str:
    rows = [block.head, *block.rows]
    written = [f"| {' | '.join(escaped(cell) or ' ' for cell in row)} |" for row in rows]
    return "\n".join([written[0], "|" + "---|" * len(block.head), *written[1:]])


def _beside(block: Beside) -> Iterator[str]:
    yield f"### {escaped(block.word)}"
    yield _unopened(block.prose)
    for rules in block.rules:
        yield from _list(rules)
