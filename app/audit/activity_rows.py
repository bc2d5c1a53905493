"""Reads the export of activities and joins them to leads: the first touch, how many touches, and when the status changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from app.audit.activity_map import TOUCHES, ActivityMap
from app.audit.left_out import LeftOutRows
from app.audit.possible import earlier
from app.audit.texts import TextFile, meaning_of, no_block, with_times
from app.backtest.instants import Instants
from app.csv_import.audit_columns import StatusMeaning
from app.csv_import.dates import Dates

_REMEDY = "Write what the columns are called in a map of activities, and name it with --activities-map"
#: The changes of status whose first time an audit keeps.
CHANGES: tuple[StatusMeaning, ...] = ("accepted", "opportunity", "rejected", "recycled", "won", "lost")


@dataclass(frozen=True, slots=True)
class Activities:
    """by_lead: `row` of the lead, touch (the first one), touch_day, touches, and `accepted_change` … for the first change to each
    status, `last_change`: the meaning of the last one. count: the activities that belong to a lead. automatic: touches by no
    person. unmapped: types that the map does not name. changes: whether the file has changes of status. last: the newest time."""

    by_lead: pl.DataFrame
    count: int
    automatic: int
    unmapped: Mapping[str, int] = field(default_factory=dict)
    changes: bool = False
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActivitySource:
    """The file of the activities, its map, the zone of times without a zone, and the words for statuses."""

    path: Path
    mapping: ActivityMap
    zone: ZoneInfo
    statuses: Mapping[StatusMeaning, tuple[str, ...]]


def read_activities(
    source: ActivitySource, leads: pl.DataFrame, *, now: datetime, left_out: LeftOutRows, progress: Callable[[str, int, int], None]
) -> Activities:
    """Return what the activities say about these leads. leads: line, source_id, created and created_day, one row each.

    A touch before its lead, an activity in the future, and one of an unknown lead are noted and left out. Raises UnreadableFile.
    """
    reading = _Reading(source, leads.select("source_id").with_row_index("row"), now, left_out)
    mapping = source.mapping
    columns = {"lead": mapping.lead, "at": mapping.at, "type": mapping.type}
    columns |= {name: column for name, column in (("by", mapping.by), ("to", mapping.to)) if column}
    file = TextFile(source.path, columns, _REMEDY, mapping.encoding)
    frames = [
        reading.take(frame) for frame in file.blocks(left_out, no_block, set(), lambda done, whole: progress("activities", done, whole))
    ]
    rows = pl.concat(frames) if frames else pl.DataFrame(schema=_SCHEMA)
    created = leads.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), "source_id", "created", "created_day")
    rows = rows.join(created, on="row", how="left")
    early = earlier("at", "created", source.zone.key).fill_null(False) & pl.col("meaning").is_in(TOUCHES)
    left_out.add_frame("touched before the lead was created", source.path.name, rows.filter(early), lambda row: _too_early(row, source))
    rows = rows.filter(~early)
    return _folded(rows, reading)


_SCHEMA: dict[str, type[pl.DataType] | pl.DataType] = {
    "line": pl.Int64,
    "row": pl.UInt32,
    "at": pl.Datetime("us", "UTC"),
    "at_day": pl.Boolean,
    "meaning": pl.String,
    "to": pl.String,
    "automatic": pl.Boolean,
}


@dataclass(slots=True)
class _Reading:
    """Reads one file block by block, and keeps of each activity only what is counted."""

    source: ActivitySource
    ids: pl.DataFrame
    now: datetime
    left_out: LeftOutRows
    unmapped: Counter[str] = field(default_factory=Counter)
    count: int = 0
    last: datetime | None = None
    instants: Instants = field(init=False)

    def __post_init__(self) -> None:
        self.instants = Instants(self.source.zone, self.now.year, Dates(self.source.mapping.dates))

    def take(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the activities of this block that can be used."""
        mapping, name = self.source.mapping, self.source.path.name
        if mapping.separator:
            frame = _for_each_lead(frame, mapping.separator)
        frame = frame.join(self.ids, left_on="lead", right_on="source_id", how="left", maintain_order="left")
        self.left_out.add_frame(
            "activity of a lead that is not in the file",
            name,
            frame.filter(pl.col("row").is_null()),
            lambda row: f"{mapping.lead}: {row['lead'][:40] or 'is empty'}",
        )
        frame = frame.filter(pl.col("row").is_not_null())
        frame = with_times(frame, "at", self.instants, column=mapping.at, file=name, left_out=self.left_out)
        future = frame.filter(pl.col("at") > self.now)
        self.left_out.add_frame("time in the future", name, future, lambda row: f"{mapping.at}: {row['at']:%Y-%m-%d %H:%M}")
        frame = frame.filter((pl.col("at") <= self.now).fill_null(False))
        self.count += frame.height
        newest = frame["at"].max()
        self.last = max(self.last or newest, newest) if isinstance(newest, datetime) else self.last
        meant = meaning_of(frame["type"], mapping.kinds)
        self.unmapped.update(dict(frame["type"].filter(meant.fill_null("") == "").value_counts().iter_rows()))
        to = meaning_of(frame["to"], self.source.statuses) if mapping.to else pl.repeat(None, frame.height, dtype=pl.String, eager=True)
        automatic = [cell.casefold() for cell in mapping.automatic]
        by = frame["by"].str.to_lowercase().is_in(automatic) if mapping.by else pl.repeat(False, frame.height, eager=True)
        made = frame.with_columns(meant.alias("meaning"), to.alias("to"), by.alias("automatic"))
        return made.select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items()).filter(pl.col("meaning").fill_null("") != "")


def _for_each_lead(frame: pl.DataFrame, separator: str) -> pl.DataFrame:
    """Return a row for each lead of an activity."""
    several = frame["lead"].str.split(separator).to_list()
    rows = frame[[place for place, ids in enumerate(several) for _ in ids]]
    return rows.with_columns(pl.Series("lead", [one.strip() for ids in several for one in ids], dtype=pl.String))


def _too_early(row: dict[str, object], source: ActivitySource) -> str:
    at, created = (value.astimezone(source.zone) if isinstance(value := row[name], datetime) else None for name in ("at", "created"))
    return f"{source.mapping.at}: {at:%Y-%m-%d %H:%M}, the lead was created on {created:%Y-%m-%d %H:%M} (lead {str(row['source_id'])[:40]})"


def _folded(rows: pl.DataFrame, reading: _Reading) -> Activities:
    """Return one row for each lead that has an activity."""
    touch = pl.col("meaning").is_in(TOUCHES) & ~pl.col("automatic")
    change = (pl.col("meaning") == "status") & pl.col("to").is_not_null() & (pl.col("to") != "")
    kept = rows.with_columns(touch=touch, change=change).sort("row", "at", maintain_order=True)
    by_lead = kept.group_by("row", maintain_order=True).agg(
        touch_at=pl.col("at").filter("touch").first(),
        touch_day=pl.col("at_day").filter("touch").first(),
        touches=pl.col("touch").sum().cast(pl.UInt32),
        last_change=pl.col("to").filter("change").last(),
        **{f"{name}_change": pl.col("at").filter(pl.col("change") & (pl.col("to") == name)).first() for name in CHANGES},
    )
    automatic = int(rows.select((pl.col("meaning").is_in(TOUCHES) & pl.col("automatic")).sum()).item())
    return Activities(by_lead, reading.count, automatic, dict(reading.unmapped.most_common()), bool(kept["change"].any()), reading.last)


def no_activities() -> Activities:
    """Return what an audit knows without a file of activities."""
    rows = pl.DataFrame(schema=_SCHEMA)
    made = (
        rows.with_columns(touch=pl.lit(False))
        .group_by("row")
        .agg(
            touch_at=pl.col("at").first(),
            touch_day=pl.col("at_day").first(),
            touches=pl.col("touch").sum().cast(pl.UInt32),
            last_change=pl.col("to").last(),
            **{f"{name}_change": pl.col("at").first() for name in CHANGES},
        )
    )
    return Activities(made, 0, 0)
