"""Bodies: JSON, forms and forms in parts, in declared charsets; whatever cannot be read says why."""

from __future__ import annotations

import codecs
from typing import Any

import pytest

from app.intake_doors import payload
from app.intake_doors.payload import PayloadUnreadable

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
LINE = "----x9"


def parts(*fields: tuple[str, bytes], boundary: str = LINE) -> bytes:
    """A form in parts. Each field: the header's parameters, and the content."""
    pieces = [f"--{boundary}\r\nContent-Disposition: form-data; {how}\r\n\r\n".encode() + content + b"\r\n" for how, content in fields]
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        (b'{"a": 1}', JSON, {"a": 1}),
        (b'{"a": 1}', "application/vnd.api+json; charset=utf-8", {"a": 1}),
        (b'{"a": 1}', "", {"a": 1}),
        (b" [1]", "text/plain", [1]),
        (b'{"id": 123456789012345678901234567890}', JSON, {"id": 123456789012345678901234567890}),
        (codecs.BOM_UTF8 + b'{"a": 1}', JSON, {"a": 1}),
        ('{"a": "ä"}'.encode("utf-16"), JSON, {"a": "ä"}),
        ('{"a": "ä"}'.encode("utf-16"), "application/json; charset=utf-8", {"a": "ä"}),
        ('{"a": "ä"}'.encode("cp1252"), "application/json; charset=windows-1252", {"a": "ä"}),
        ('{"a": "ł"}'.encode("iso-8859-2"), 'application/json; charset="ISO-8859-2"', {"a": "ł"}),
        (b"a=1&b=x+y&b=z&c=", FORM, {"a": "1", "b": ["x y", "z"], "c": ""}),
        (b"a=%C3%A4&d%5B0%5D=1", FORM, {"a": "ä", "d[0]": "1"}),
        (b"a=1%00", FORM, {"a": "1\ufffd"}),
        (b"", FORM, {}),
        (
            parts(('name="a"', b"1"), ('name="b"', "ä".encode()), ('name="a"', b"2")),
            f"multipart/form-data; boundary={LINE}",
            {"a": ["1", "2"], "b": "ä"},
        ),
        (parts(('name="a"; filename=""', b"")), f"multipart/form-data; boundary={LINE}", {}),
    ],
    ids=lambda one: str(one)[:40] if isinstance(one, str) else "",
)
def test_what_a_body_says(body: bytes, kind: str, value: Any) -> None:
    assert payload.read(body, kind).value == value


def test_files_are_left_out_with_a_note() -> None:
    body = parts(('name="a"', b"1"), ('name="cv"; filename="cv.pdf"', b"%PDF\x00\xff" * 100), ('name="b"', b"2"))

    read = payload.read(body, f"multipart/form-data; boundary={LINE}")

    assert read.value == {"a": "1", "b": "2"}
    assert read.notes == ("The file in 'cv' was left out.",)


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"", JSON, "line 1, column 1"),
        (b'{"a": ', JSON, "line 1, column 7"),
        (b'{"a": 1, "a": 2}', JSON, "is given twice"),
        (b"[" * 100_000, JSON, "nested more than 20 deep"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, JSON, "nested more than 20 deep"),
        (b'{"a": NaN}', JSON, "is not a number"),
        (b'{"a": "\xff"}', JSON, "Byte 8 is not UTF-8"),
        (b'{"a": "\xff"}', "application/json; charset=klingon", "The charset 'klingon' is unknown"),
        (b'{"a": "\xff"}', "application/json; charset=base64", "The charset 'base64' is unknown"),
        (b"a=%ff", FORM, "The form cannot be read"),
        (b"&".join(b"a=1" for _ in range(501)), FORM, "The form cannot be read"),
        (b"<a/>", "application/xml", "Content-Type application/xml cannot be read"),
        (b"hello", "text/plain", "Content-Type text/plain cannot be read"),
        (b"hello", "", "Content-Type (none) cannot be read"),
        (b"a", "multipart/form-data", "no boundary"),
        (b"a", f"multipart/form-data; boundary={LINE}", "The form cannot be read"),
        (parts(*[('name="a"', b"1")] * 501), f"multipart/form-data; boundary={LINE}", "more than 500 fields"),
        (parts(('name="a"', b"\xff")), f"multipart/form-data; boundary={LINE}", "Byte 1 is not UTF-8"),
    ],
    ids=lambda one: str(one)[:40] if isinstance(one, str) else "",
)
def test_what_cannot_be_read_says_why(body: bytes, kind: str, said: str) -> None:
    with pytest.raises(PayloadUnreadable) as found:
        payload.read(body, kind)
    assert said in str(found.value)
    assert len(str(found.value)) < 300
