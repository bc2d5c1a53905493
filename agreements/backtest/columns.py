"""The rules for a million leads at once: columns in, verdicts out.

Each criterion runs once for each distinct value of a column, through the functions that judge a single lead. Its answers
are then spread over the rows. So each rule has one definition, and few evaluations make it fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any, NamedTuple

import polars as pl

from agreements.clauses.facts import DeclaredField
from agreements.criteria import Condition, Test
from agreements.fields import value_as_it_came, value_of
from agreements.lead import domain_of
from agreements.model import Agreement, EngagementCriterion, FitCriterion
from agreements.qualification import threshold_for
from agreements.scoring import PARTS, decay, is_done, is_there, points_in_proportion

INSTANT = pl.Datetime("us", "UTC")
#: The screen's word for a lead that nobody may contact, as for a single lead.
SUPPRESSED = "do-not-contact"


@dataclass(frozen=True)
class LeadColumns:
    """Leads as columns, one row for each lead. All columns have the same length.

    values: one column for each fact, as it came, by name (`industry`, `account.status`); null for unknown. at: when to judge
    each lead, INSTANT. activities: `row` (index of the lead), `kind`, `path`, `at` (INSTANT), in order of row and then time.
    last_touch, since: as in LeadFacts, null for a lead without one; None if no lead has one.
    """

    values: pl.DataFrame
    at: pl.Series
    activities: pl.DataFrame
    last_touch: pl.Series | None = None
    since: pl.Series | None = None
    _known: dict[str, _Column] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def height(self) -> int:
        """The number of leads."""
        return len(self.at)

    def column(self, name: str) -> _Column:
        """Return the column of that fact. Its distinct values are searched for only once."""
        if name not in self._known:
            if name in self.values.columns:
                self._known[name] = _Column.of(self.values[name])
            elif name == "email_domain":
                self._known[name] = self.column("email").turned(lambda email: domain_of(str(email or "")) or None)
            else:
                self._known[name] = _Column([None], pl.zeros(self.height, pl.UInt32, eager=True))
        return self._known[name]

    @cached_property
    def done(self) -> pl.DataFrame:
        """What each lead has done by the time it is judged: row, what (index into `deeds`), age in microseconds, whether it is fresh."""
        now = self.at.gather(self.activities["row"])
        frame = self.activities.with_columns(age=(now - self.activities["at"]).dt.total_microseconds(), what=self._deeds.codes)
        if self.since is not None:
            since = self.since.gather(self.activities["row"])
            frame = frame.with_columns(fresh=(frame["at"] > since).fill_null(True))
        else:
            frame = frame.with_columns(fresh=pl.lit(True))
        return frame.filter(pl.col("age") >= 0).select("row", "what", "age", "fresh")

    @property
    def deeds(self) -> list[tuple[str, str]]:
        """The distinct pairs of kind and path."""
        return [(pair["kind"], pair["path"] or "") for pair in self._deeds.values]

    @cached_property
    def _deeds(self) -> _Column:
        return _Column.of(self.activities.select("kind", "path").to_struct("deed"))


class _Column:
    """A column as its distinct values and, for each row, the index of its value."""

    def __init__(self, values: list[Any], codes: pl.Series) -> None:
        self.values, self.codes = values, codes
        self._read: list[tuple[DeclaredField | None, list[Any]]] = []
        self._answers: dict[tuple[int, Test], pl.Series] = {}

    @classmethod
    def of(cls, series: pl.Series) -> _Column:
        distinct = series.unique(maintain_order=True)
        table = distinct.to_frame("value").with_row_index("code")
        codes = series.to_frame("value").join(table, on="value", how="left", nulls_equal=True, maintain_order="left")["code"]
        return cls(distinct.to_list(), codes)

    def turned(self, into: Callable[[Any], Any]) -> _Column:
        """Return the same rows with other values."""
        return _Column([into(value) for value in self.values], self.codes)

    def spread(self, answers: Iterable[Any], kind: Any) -> pl.Series:
        """Spread a result for each distinct value over the rows."""
        return pl.Series(list(answers), dtype=kind).gather(self.codes)

    def _meant(self, declared: DeclaredField | None) -> int:
        """Return the index of the cached values as this declaration reads them. Versions with equal declarations share them."""
        for number, (known, _) in enumerate(self._read):
            if known == declared:
                return number
        meant = [value_of(declared, raw) if declared else value_as_it_came(raw) for raw in self.values]
        self._read.append((declared, meant))
        return len(self._read) - 1

    def meant(self, declared: DeclaredField | None) -> list[Any]:
        """Return the distinct values as the rules see them."""
        return self._read[self._meant(declared)][1]

    def answers(self, test: Test, declared: DeclaredField | None) -> pl.Series:
        """Return for each row whether its value passes."""
        key = (self._meant(declared), test)
        if key not in self._answers:
            self._answers[key] = self.spread(map(test.answers, self.meant(declared)), pl.Boolean)
        return self._answers[key]


@dataclass(frozen=True, slots=True)
class Judged:
    """verdicts: one row for each lead, with `screened` (empty if it passes, else the rule's name for it), `is_mql` (false if it
    is screened out), `fast_lane`, `fit`, `engagement`, `total`, `tier`, `team` (empty if no segment matches), `persona`.
    points: for each criterion in the order of the file, the points it gave each lead; applies: whether it held."""

    verdicts: pl.DataFrame
    points: Mapping[str, pl.Series]
    applies: Mapping[str, pl.Series]


def judge(agreement: Agreement, leads: LeadColumns) -> Judged:
    """Judge every lead, each at its own instant. The verdict equals the verdict on the single lead."""
    return _Judge(agreement, leads).judged()


def meets(agreement: Agreement, leads: LeadColumns, condition: Condition) -> pl.Series:
    """Return for each lead whether its facts, as they came, meet the condition. No verdict (score, tier) can be asked for."""
    return _Judge(agreement, leads).holds(condition)


class _Scored(NamedTuple):
    """One criterion over all leads."""

    name: str
    points: pl.Series
    applies: pl.Series


class _Judge:
    """One agreement over these leads."""

    def __init__(self, agreement: Agreement, leads: LeadColumns) -> None:
        self.agreement, self.leads = agreement, leads
        self.found: dict[str, _Column] = {}

    def judged(self) -> Judged:
        rules = self.agreement.qualification
        who = [_Scored(f"fit {number}: {words_of(rule)}", *self._fit(rule)) for number, rule in enumerate(rules.fit, start=1)]
        did = [
            _Scored(f"engagement {number}: {words_of(rule)}", *self._engagement(rule))
            for number, rule in enumerate(rules.engagement, start=1)
        ]
        fit, engagement = self._sum(who), self._sum(did)
        total = (fit + engagement).clip(0, 100)
        lane, screened = self._fast_lane(), self._screened()
        ready = ((lane != "") | (self._reached(fit, engagement, total) & self._required())) & (screened == "")
        persona, product = self._personas()
        self.found = {
            "fast_lane": _Column.of(lane != ""),
            **({} if "asked" in self.agreement.fields else {"asked": _Column.of(lane)}),
            "score": _Column.of(total),
            "persona": _Column.of(persona),
            "product": _Column.of(product),
        }
        tier = self._tiers()
        self.found["tier"] = _Column.of(tier)
        verdicts = pl.DataFrame(
            {
                "screened": screened,
                "is_mql": ready,
                "fast_lane": lane,
                "fit": fit,
                "engagement": engagement,
                "total": total,
                "tier": tier,
                "team": self._teams(),
                "persona": persona.fill_null(""),
            }
        )
        return Judged(verdicts, {one.name: one.points for one in who + did}, {one.name: one.applies for one in who + did})

    def _sum(self, criteria: Sequence[_Scored]) -> pl.Series:
        return reduce(lambda one, other: one + other, (criterion.points for criterion in criteria), self._same(0, pl.Int32))

    def _same(self, value: Any, kind: Any) -> pl.Series:
        return pl.Series([value], dtype=kind).new_from_index(0, self.leads.height)

    def _column(self, name: str) -> _Column:
        return self.found.get(name) or self.leads.column(name)

    def _declared(self, name: str) -> DeclaredField | None:
        return self.agreement.fields.get(name)

    def holds(self, condition: Condition | None) -> pl.Series:
        """Return for each row whether all of the condition's tests hold."""
        tests = condition.tests if condition else ()
        masks = (self._column(test.field).answers(test, self._declared(test.field)) for test in tests)
        return reduce(lambda one, other: one & other, masks, self._same(True, pl.Boolean))

    def _first(self, named: Sequence[tuple[pl.Series, str]], otherwise: str | None) -> pl.Series:
        """Return for each row the name of the first mask that holds."""
        result = self._same(otherwise, pl.String)
        for mask, name in reversed(named):
            result = result.zip_with(~mask, self._same(name, pl.String))
        return result

    def _screened(self) -> pl.Series:
        suppressed = self.leads.column("suppressed")
        never = suppressed.spread((bool(value) for value in suppressed.values), pl.Boolean)
        owner = self._column("account.owner")
        owned = owner.spread(map(bool, owner.meant(self._declared("account.owner"))), pl.Boolean)
        first = self._first([(never, "")] + [(self.holds(rule.when), str(at)) for at, rule in enumerate(self.agreement.screen)], "")
        named = [(never, SUPPRESSED)]
        for at, rule in enumerate(self.agreement.screen):
            ends = (first == str(at)) & owned if rule.then == "route" else first == str(at)
            named.append((ends, rule.as_ or rule.then))
        return self._first(named, "")

    def _fit(self, rule: FitCriterion) -> tuple[pl.Series, pl.Series]:
        if rule.external_score:
            return self._external(rule)
        if rule.persona:
            persona = next((one for one in self.agreement.personas if one.name == rule.persona), None)
            applies = self.holds(persona.match) if persona else self._same(False, pl.Boolean)
        else:
            applies = self.holds(rule.when)
        return applies.cast(pl.Int32) * rule.points, applies

    def _external(self, rule: FitCriterion | EngagementCriterion) -> tuple[pl.Series, pl.Series]:
        column = self._column(rule.external_score)
        scores = column.meant(self._declared(rule.external_score))
        points = column.spread((points_in_proportion(rule.points, rule.out_of, score) for score in scores), pl.Int32)
        return points, column.spread((score is not None for score in scores), pl.Boolean)

    def _engagement(self, rule: EngagementCriterion) -> tuple[pl.Series, pl.Series]:
        if rule.external_score:
            return self._external(rule)
        if rule.last_touch:
            applies = self._touched_within(rule.last_touch.within.length)
            return applies.cast(pl.Int32) * rule.points, applies
        fitting = [number for number, (kind, path) in enumerate(self.leads.deeds) if is_done(rule, kind, path)]
        done = self.leads.done.filter(pl.col("what").is_in(fitting))
        parts = pl.Series(map(decay(rule), done["age"].to_list()), dtype=pl.Int64)
        sums = done.select("row", parts=parts).group_by("row").agg(pl.col("parts").sum())
        points = (sums["parts"] + PARTS // 2) // PARTS
        if rule.at_most is not None:
            points = points.clip(-rule.at_most, rule.at_most)
        rows = sums["row"]
        return self._put(rows, points.cast(pl.Int32), 0), self._put(rows, self._same(True, pl.Boolean).head(len(rows)), False)

    def _put(self, rows: pl.Series, values: pl.Series, otherwise: Any) -> pl.Series:
        return self._same(otherwise, values.dtype).scatter(rows, values)

    def _touched_within(self, length: Any) -> pl.Series:
        touched, now = self.leads.last_touch, self.leads.at
        if touched is None:
            return self._same(False, pl.Boolean)
        within: pl.Series = ((touched <= now) & (now < touched + length)).fill_null(False)
        return within

    def _fast_lane(self) -> pl.Series:
        lane = set(self.agreement.qualification.fast_lane)
        kinds = [kind for kind, _ in self.leads.deeds]
        asked = [number for number, kind in enumerate(kinds) if kind in lane]
        newest = self.leads.done.filter(pl.col("fresh") & pl.col("what").is_in(asked)).group_by("row", maintain_order=True).last()
        return self._put(newest["row"], pl.Series([kinds[what] for what in newest["what"].to_list()], dtype=pl.String), "")

    def _reached(self, fit: pl.Series, engagement: pl.Series, total: pl.Series) -> pl.Series:
        channel = self.leads.column("entry_channel")
        thresholds = [threshold_for(self.agreement, "web" if value is None else value) for value in channel.values]
        asked = (
            (total, [one.total for one in thresholds]),
            (fit, [one.fit_at_least for one in thresholds]),
            (engagement, [one.engagement_at_least for one in thresholds]),
        )
        return reduce(lambda one, other: one & other, (have >= channel.spread(want, pl.Int32) for have, want in asked))

    def _required(self) -> pl.Series:
        masks = []
        for name in self.agreement.qualification.require:
            column = self._column(name)
            masks.append(column.spread(map(is_there, column.meant(self._declared(name))), pl.Boolean))
        return reduce(lambda one, other: one & other, masks, self._same(True, pl.Boolean))

    def _personas(self) -> tuple[pl.Series, pl.Series]:
        masks = [(self.holds(persona.match), persona) for persona in self.agreement.personas]
        names = self._first([(mask, persona.name) for mask, persona in masks], None)
        products = self._first([(mask, persona.product) for mask, persona in masks], None)
        return names, products

    def _tiers(self) -> pl.Series:
        tiers = self.agreement.tiers
        return self._first([(self.holds(tier.when), tier.name) for tier in tiers[:-1]], tiers[-1].name)

    def _teams(self) -> pl.Series:
        return self._first([(self.holds(segment.when), segment.team) for segment in self.agreement.routing.segments], "")


def words_of(rule: FitCriterion | EngagementCriterion) -> str:
    """Return a criterion as people name it."""
    if rule.external_score:
        return f"{rule.external_score} out of {rule.out_of:g}"
    if isinstance(rule, FitCriterion):
        return f"persona {rule.persona}" if rule.persona else str(rule.when)
    if rule.last_touch:
        return f"spoken to within {rule.last_touch.within}"
    return rule.activity.replace("_", " ") + (f" {rule.path}" if rule.path else "")
