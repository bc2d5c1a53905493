"""Read an agreement file: YAML 1.2 in, a frozen Agreement out, or every mistake with its line and what to write instead."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from agreements.checks import findings
from agreements.clauses.generations import NEWEST, completed
from agreements.errors import InvalidAgreement
from agreements.mistakes import mistakes
from agreements.model import Agreement
from agreements.places import Place, example, fields_of, place_of
from agreements.yaml_reader import MAX_BYTES, Mistake, Path, Unreadable, Written, read, too_large

__all__ = ["MAX_BYTES", "MOST_TOLD", "agreement_text", "as_published", "content_hash", "read_agreement"]

#: A file with more mistakes than this is probably no agreement.
MOST_TOLD = 500
#: Mending one clause can reveal another mistake in it. This many rounds are enough.
_ROUNDS = 30


def content_hash(text: str) -> str:
    """Return the SHA-256 of the file's UTF-8 bytes with LF line ends, in hex. People sign this hash, and leads are pinned to it."""
    return hashlib.sha256(text.replace("\r\n", "\n").replace("\r", "\n").encode()).hexdigest()


def agreement_text(content: bytes, *, name: str = "agreement") -> str:
    """Return the text of a file's content. For a large file, passing MAX_BYTES and one byte of it is enough.

    Raises InvalidAgreement for more than MAX_BYTES, and for bytes that are not UTF-8, with the line of the first.
    """
    if len(content) > MAX_BYTES:
        raise InvalidAgreement([too_large().told(name)])
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"is not UTF-8, its first bad byte is 0x{content[error.start]:02x} on this line; save it as UTF-8"
        raise InvalidAgreement([Mistake(line, (), what).told(name)]) from error


def read_agreement(text: str, *, name: str = "agreement") -> Agreement:
    """Return the agreement that this text describes. name: the file's name for messages.

    Raises InvalidAgreement with every problem as `name:line: where: what is wrong; what to write instead`, in the order of the
    file. In a file with mistakes, the checks run too, except those that depend on a mistake.
    """
    try:
        written = _written(text)
    except Unreadable as error:
        raise InvalidAgreement(_lines(error.mistakes, name)) from error
    if not isinstance(written.value, Mapping):
        what = "an agreement is a mapping; begin with `agreement: name`"
        raise InvalidAgreement(_lines([*written.mistakes, Mistake(1, (), what)], name))
    reading = _Reading(written)
    if found := [*written.mistakes, *reading.mistakes]:
        raise InvalidAgreement(_lines(found, name))
    assert reading.agreement is not None, "an agreement without mistakes is one"
    return reading.agreement


def as_published(text: str, *, name: str = "agreement", generation: int = NEWEST) -> Agreement:
    """Return the agreement of a published text, which passed its checks then. Only its shape is validated.

    generation: of the defaults with which it was published. What the text leaves out means what it meant then.

    So a check that a later version of Baton adds cannot strand the leads under this agreement. Raises InvalidAgreement if even
    the shape is no longer known.
    """
    try:
        return Agreement.model_validate(completed(_written(text).value, generation))
    except (Unreadable, ValidationError):
        return read_agreement(text, name=name)


@lru_cache(maxsize=2)
def _written(text: str) -> Written:
    """Return the content of this text, for reading only. Whoever publishes a text checks it and uses it next, and reading takes longest."""
    return read(text)


def _lines(found: Iterable[Mistake], name: str) -> list[str]:
    told = list(dict.fromkeys(one.told(name) for one in sorted(found, key=lambda one: (one.line, ".".join(map(str, one.path)), one.what))))
    if len(told) > MOST_TOLD:
        return [*told[:MOST_TOLD], f"{name}:1: {len(told) - MOST_TOLD} more mistakes; mend these first"]
    return told


class _Reading:
    """Finds what is wrong with the values of a file: first their shape, then whether they fit together.

    The example of its key replaces a value of the wrong shape, so that the other values can be checked. Problems inside a
    replaced place, or that depend on one, are not reported.
    """

    def __init__(self, written: Written) -> None:
        self._written, self._tree = written, written.value
        self._mended: set[Path] = set()
        self._thinned: set[Path] = set()  # clauses that had unknown keys
        self.mistakes: list[Mistake] = []
        self.agreement = self._shaped()
        if self.agreement is not None:
            self._fitted(self.agreement)

    def _shaped(self) -> Agreement | None:
        for _ in range(_ROUNDS):
            try:
                return Agreement.model_validate(self._tree)
            except ValidationError as error:
                found = list(mistakes(error, self._tree))
            if self._tree is self._written.value:
                self._tree = deepcopy(self._tree)  # the text may be read again: only the copy is mended
            for path, what in found:
                if path not in self._thinned and not self._is_doubtful(path):
                    self._tell(path, what)
            before = set(self._mended)
            for path, _ in found:
                if not any(one in self._mended and one not in before for one in _prefixes(path)):
                    self._mend(path)
        return None

    def _fitted(self, agreement: Agreement) -> None:
        parents = {above for path in self._mended | self._written.doubtful for above in _prefixes(path)}
        for finding in findings(agreement):
            hangs = (path for path in finding.needs if path in parents or self._is_doubtful(path))
            if not self._is_doubtful(finding.where) and not any(hangs):
                self._tell(finding.where, finding.what)

    def _tell(self, path: Path, what: str) -> None:
        while path and path not in self._written.lines and path[:-1] in self._written.scalars:
            path = path[:-1]  # a single time is the time of every tier
        self.mistakes.append(Mistake(self._written.line(path), path, what))

    def _is_doubtful(self, path: Path) -> bool:
        """Whether the value there, or a value that contains it, was replaced or could not be read."""
        return any(one in self._mended or one in self._written.doubtful for one in _prefixes(path))

    def _mend(self, path: Path) -> None:
        """Replace the value at this path by a valid one, or else drop the key, or else try one step above."""
        while path in self._mended:
            above = _at(self._tree, path[:-1])
            if isinstance(above, dict) and above.pop(path[-1], None) is not None:
                return
            path = path[:-1]
        if not path:
            return
        place = place_of(path)
        if place.free:
            path = path[: len(path) - place.free + 1]
            self._mended.add(path)
            above = _at(self._tree, path[:-1])
            if isinstance(above, dict):
                above.pop(path[-1], None)
                return
        if place.owner and place.field is None:
            clause = _at(self._tree, path[:-1])
            clause.pop(path[-1], None)
            self._mended.add(path)
            meant = [key for key in get_close_matches(str(path[-1]), fields_of(place.owner), n=1) if key not in clause]
            if not meant:
                self._thinned.add(path[:-1])
                return
            path = (*path[:-1], *meant)
            place = place_of(path)
        self._mended.add(_put_example(self._tree, path, place))


def _put_example(tree: Any, path: Path, place: Place) -> Path:
    """Put the key's example in the tree. Return where: this path, or its key if the example is not as deep."""
    if not place.owner or not place.known:
        return path
    value = example(place.owner.__name__, place.key)
    for _ in place.inside:
        if not value or not isinstance(value, (dict, list)):
            path, value = path[: -len(place.inside)], example(place.owner.__name__, place.key)
            break
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
    _at(tree, path[:-1])[path[-1]] = value
    return path


def _prefixes(path: Path) -> Iterable[Path]:
    return (path[:length] for length in range(len(path) + 1))


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = tree[step]
    return tree
