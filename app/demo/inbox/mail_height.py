"""Estimates from its words how tall an HTML message is, so that the inbox shows the message without cutting it off."""

from __future__ import annotations

import math
from html.parser import HTMLParser

#: Characters on one line of a message, on a desk and on a phone of 375 pixels.
WIDE_LINE, NARROW_LINE = 70, 38
#: Pixels of one line of words, and of the extra space around a paragraph, a cell or a list entry.
_LINE, _SPACE = 25, 10
#: Pixels around the words of a whole message: its margins, and a little more.
_AROUND = 170
_BLOCKS = frozenset("p div td th tr table li ul ol h1 h2 h3 h4 blockquote br hr section".split())
_SILENT = frozenset("style script title head".split())


def pixels(html: str, *, line: int) -> int:
    """Return the height in pixels of this message with so many characters a line: never too small for our own messages."""
    reader = _Blocks()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:
        # HTMLParser raises this for an unknown "<![..."; the height of what it read before that is the best guess.
        pass
    reader.end_block()
    return _AROUND + sum(math.ceil(length / line) * _LINE + _SPACE for length in reader.lengths)


class _Blocks(HTMLParser):
    """Counts the characters of each block of words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lengths: list[int] = []
        self._words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCKS:
            self.end_block()

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words.append(data)

    def end_block(self) -> None:
        """Count the words since the last block."""
        length = len(" ".join("".join(self._words).split()))
        self._words.clear()
        if length:
            self.lengths.append(length)
