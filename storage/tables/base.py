"""The building blocks for the columns of all tables."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar
from uuid import uuid4

from pydantic import GetPydanticSchema
from sqlalchemy import JSON, Column, Index, text
from sqlmodel import AutoString, Field

from storage.database import UtcDateTime

_W = TypeVar("_W")
#: A column of text that holds one word of a vocabulary: mypy knows the words, the database sees text.
#: A loaded row holds that text, also where the vocabulary is an enum: compare it with a member, and do not ask it for its `value`.
#: Compare `Wait.kind` with a word, and not `col(Wait.kind)`, which mypy lets stand beside anything.
#: A column with a `Field` of its own names the type there again: `kind: Word[EventKind] = Field(index=True, sa_type=AutoString)`.
Word = Annotated[_W, GetPydanticSchema(lambda _, handler: handler(str)), Field(sa_type=AutoString)]


def new_id() -> str:
    """A random name of 122 bits that is never used again."""
    return uuid4().hex


def row_id() -> Any:
    """The primary key: a number that the database gives at the insert. A row has its number once it has been flushed."""
    return Field(default=None, primary_key=True)


def instant(*, index: bool = False, nullable: bool = False) -> Any:
    """A column of an aware instant, kept in UTC."""
    return Field(sa_column=Column(UtcDateTime, index=index, nullable=nullable), default=None)


def mapping() -> Any:
    """A column of a mapping, kept as JSON."""
    return Field(sa_column=Column(JSON, nullable=False), default_factory=dict)


def index_where(name: str, *columns: str, where: str, on_sqlite: str = "", unique: bool = False) -> Index:
    """An index over the rows that meet the condition. unique: no two of these rows are alike in these columns.

    A query uses the index only where the query states the condition in the same words. on_sqlite: the words for SQLite, where they differ.
    """
    return Index(name, *columns, unique=unique, sqlite_where=text(on_sqlite or where), postgresql_where=text(where))
