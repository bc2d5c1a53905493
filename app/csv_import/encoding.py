"""Reads a file as text in UTF-8, whatever its encoding, and says of a file that is no text what it is."""

from __future__ import annotations

import codecs
import io
import zipfile
from pathlib import Path

from app.csv_import.errors import UnreadableFile

UTF_8 = "utf-8"
#: A byte order mark and the encoding that it stands for. UTF-32 comes first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: How files begin that are no text, and what to do with each.
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook (.xls), not CSV: open it, save it as CSV UTF-8, and name that file"),
    (b"%PDF", "is a PDF, not CSV: export the list as CSV where it came from, and name that file"),
    (b"\x1f\x8b", "is compressed with gzip: unpack it, and name the CSV file in it"),
    (b"PAR1", "is a Parquet file, not CSV: export it as CSV, and name that file"),
)
_PAGES = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<head", b"<meta")
#: How much of a file shows its kind.
_START = 2_000


def utf8_of(path: Path, encoding: str = "") -> bytes:
    """Return the text of this file in UTF-8, without a byte order mark, its lines ended by \\n.

    encoding: of the file; empty for UTF-8. A byte order mark counts more. Bytes that are not UTF-8 stay where the file has no
    other encoding: the reader of lines names the first one when it comes there. Raises UnreadableFile for a file that cannot be
    opened, that is no text, or whose bytes do not fit the encoding.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    marked = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), None)
    if marked:
        content, encoding = content[len(marked[0]) :], marked[1]
    elif what := _other_kind(content):
        raise UnreadableFile(f"{path}: {what}")
    name = _codec(encoding, path)
    if name != UTF_8:
        content = _decoded(content, name, path).encode()
    elif not marked:
        _refuse_unmarked_utf16(content, path)
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in content else content


def unreadable(path: Path, error: OSError) -> UnreadableFile:
    """Return what to say of a file that cannot be opened or read."""
    return UnreadableFile(f"{path}: {error.strerror or error}; name a CSV file that can be read")


def known_encoding(name: str) -> str:
    """Return this name of a text encoding. Raises ValueError for a name that is none; empty stays empty."""
    if not name:
        return name
    try:
        "".encode(name)  # refuses codecs that are no text, such as base64
        codecs.lookup(name)
    except (LookupError, ValueError):
        raise ValueError(f"{name[:40]!r} is no encoding; write one such as utf-8, windows-1252 or utf-16") from None
    return name


def _codec(encoding: str, path: Path) -> str:
    try:
        name = codecs.lookup(known_encoding(encoding) or UTF_8).name
    except ValueError as error:
        raise UnreadableFile(f"{path}: {error}") from error
    return UTF_8 if name in ("utf-8-sig", "ascii") else name


def _decoded(content: bytes, name: str, path: Path) -> str:
    if not name.startswith("utf") and not content.isascii() and _is_utf8(content):
        raise UnreadableFile(f"{path}: is UTF-8, and would be garbled if it were read as {name}: leave the encoding out")
    try:
        return content.decode(name)
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(name, errors="replace").replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
        found = " ".join(f"0x{byte:02x}" for byte in content[error.start : error.end][:4])
        raise UnreadableFile(
            f"{path}:{line}: is not {name}, its first bad byte is {found} on this line; name its encoding, or save it as UTF-8"
        ) from error
    except ValueError as error:  # a codec that cannot read this at all
        raise UnreadableFile(f"{path}: is not {name}: {str(error)[:100]}; name its encoding, or save it as UTF-8") from error


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse_unmarked_utf16(content: bytes, path: Path) -> None:
    """Raise UnreadableFile for UTF-16 without a mark: of nearly all of its pairs of bytes one is zero, always the same one."""
    start = content[: _START // 2 * 2]
    pairs = len(start) // 2
    if pairs < 4:
        return
    for name, zeros, others in (("utf-16-le", start[1::2], start[0::2]), ("utf-16-be", start[0::2], start[1::2])):
        if zeros.count(0) > 0.8 * pairs and others.count(0) < 0.1 * pairs:
            raise UnreadableFile(f"{path}: is UTF-16 without a byte order mark: say so with --encoding {name}, or save it as UTF-8")


def _other_kind(content: bytes) -> str:
    """Return what a file is that is no CSV, and what to do; empty for one that may be CSV."""
    if content.startswith(b"PK\x03\x04"):
        return _kind_of_archive(content)
    start = content[:_START].lstrip()
    if start[:10].lower().startswith(_PAGES):
        return "is a web page or XML, which some systems call .xls, not CSV: export the list as CSV, and name that file"
    if start.startswith((b'{"', b'[{"', b"{\n", b"[\n")):
        return "is JSON, not CSV: send it to POST /api/leads, or export the list as CSV"
    return next((what for begin, what in _OTHERS if content.startswith(begin)), "")


def _kind_of_archive(content: bytes) -> str:
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        names = []
    if any(name.startswith("xl/") for name in names):
        return "is an Excel workbook (.xlsx), not CSV: open it, choose Save As, CSV UTF-8, and name that file"
    if "content.xml" in names:
        return "is an OpenDocument spreadsheet (.ods), not CSV: open it, save it as CSV in UTF-8, and name that file"
    return "is a zip archive: unpack it, and name the CSV file in it"
