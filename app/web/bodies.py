"""Reads bodies of requests with care: never more than was allowed, and only JSON that can mean just one thing."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from starlette.requests import Request

MAX_DEPTH = 20
"""The deepest nesting of objects and lists."""

_MAX_FORM_FIELDS = 200
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


class BodyTooLarge(Exception):
    """The request's body is larger than its limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"At most {limit:,} bytes can be sent at once.")


class NotJson(ValueError):
    """The body is not readable JSON."""


async def body_of(request: Request, limit: int) -> bytes:
    """Return the whole body, of at most limit bytes.

    Raises: BodyTooLarge as soon as the headers announce more, or more comes in spite of them.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise BodyTooLarge(limit)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise BodyTooLarge(limit)
        parts.append(part)
    return b"".join(parts)


def read_form(body: bytes, *, most: int = _MAX_FORM_FIELDS) -> dict[str, str]:
    """Return the fields of a browser's form, without white space around the values. Of several fields with one name, the first that
    is not empty counts. A body that is no such form, or has more fields than `most`, has none."""
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), errors="replace", max_num_fields=most)
    except ValueError:
        return {}
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields[name] = fields.get(name) or value.strip()
    return fields


def read_json(body: bytes) -> Any:
    """Return the value of a JSON text in UTF-8.

    Raises: NotJson with the place or the name of the mistake: no JSON, a key twice in one object, a number that is none
    (NaN, 1e999), text that is no Unicode, more than MAX_DEPTH levels.
    """
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number, parse_float=_float)
        _look_through(value)
    except UnicodeDecodeError as error:
        raise NotJson(f"Byte {error.start + 1} is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise NotJson(f"Not readable as JSON at line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise _too_deep() from error
    except NotJson:
        raise
    except ValueError as error:  # a whole number of thousands of digits
        raise NotJson("A number is too long to be one.") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise NotJson(f"{_shown(twice)} is given twice in one object; nobody can know which one counts.")
    return read


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _no_number(digits)
    return number


def _no_number(word: str) -> NoReturn:
    raise NotJson(f"{_shown(word)} is not a number that can be kept.")


def _look_through(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        for one in level:
            if isinstance(one, str):
                _check(one)
            elif isinstance(one, dict):
                for key in one:
                    _check(key)
        inner = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list)))
        level = [item for items in inner for item in items]
        if not level:
            return
    raise _too_deep()


def _check(text: str) -> None:
    if _NO_TEXT.search(text):
        raise NotJson(f"{_shown(text)} holds an invalid character (U+0000, or half of a pair).")


def _too_deep() -> NotJson:
    return NotJson(f"Objects and lists are nested more than {MAX_DEPTH} deep.")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")
