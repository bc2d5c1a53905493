"""Judges past leads by a draft and by another version, and counts: who qualifies, what became of them, what mattered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from agreements.asked import facts_asked
from agreements.backtest.columns import Judged, LeadColumns, judge, meets
from agreements.calendar.working_time import CalendarError
from agreements.clauses.scoring import EngagementCriterion, FitCriterion
from agreements.model import Agreement, Threshold
from agreements.qualification import threshold_for
from app.backtest.crew import NO_ROSTER, Crew
from app.backtest.past import BLANK, PastLeads, counted
from app.backtest.report import FEW, Backtest, CriterionFound, GroupFound, Moves, Share, SideFound, StageFound
from app.backtest.route_report import RoutingFound
from app.backtest.routed import routed
from app.backtest.sample import sample
from app.charts.parts import Part

#: The most groups that the report shows: where there are more, each value belongs to a single lead and not to a kind of lead.
GROUPS_AT_MOST = 1_000


def compare(
    draft: Agreement,
    other: Agreement | None,
    past: PastLeads,
    *,
    crew: Crew | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Backtest:
    """Return what the draft would have made of these leads, beside the other version where there is one.

    crew: who takes the leads, None for not known. progress: called with the step, its number and the number of steps.
    """
    agreements = [draft, other] if other else [draft]
    names = _names(agreements)
    tell = progress or (lambda what, done, whole: None)
    found, no_routing = [], "" if crew else NO_ROSTER
    for number, (agreement, name) in enumerate(zip(agreements, names, strict=True)):
        tell(f"judging by {name}", 2 * number, 2 * len(agreements))
        side = _Side(agreement, past)
        tell(f"counting for {name}", 2 * number + 1, 2 * len(agreements))
        routing: RoutingFound | None = None
        try:
            routing = side.routing(crew, progress=partial(tell, f"routing for {name}")) if crew else None
        except CalendarError as error:
            no_routing = f"{name}: a rep's calendar never opens, so nobody can say where the leads would go. {error}"
        found.append((side, replace(side.found(name), routing=routing)))
    tell("done", 2 * len(agreements), 2 * len(agreements))
    count = _Counting(past)
    all_leads = count(pl.repeat(True, past.height, eager=True))
    return Backtest(
        origin=past.origin,
        leads=all_leads,
        word=past.outcomes.word,
        losses=past.outcomes.losses,
        by=past.by,
        draft=found[0][1],
        other=found[1][1] if other else None,
        moves=_moves(count, found[0][0].ready, found[1][0].ready) if other else None,
        groups=tuple(_groups(past, [side.ready for side, _ in found])),
        left_out=tuple(past.left_out),
        warnings=(*past.warnings, *_warnings(agreements, names, past, all_leads)),
        no_routing=no_routing,
    )


def _names(agreements: Sequence[Agreement]) -> list[str]:
    """Return the versions' names; a draft with the other version's name gets a different one."""
    names = [agreement.reference for agreement in agreements]
    return [f"{names[0]} (draft)", *names[1:]] if len(set(names)) < len(names) else names


def _unknown(agreement: Agreement, past: PastLeads) -> Iterator[tuple[str, list[str]]]:
    for name, places in facts_asked(agreement).items():
        if name != "suppressed" and all(value in (None, "") for value in past.leads.column(name).values):
            yield name, places


class _Counting:
    """Counts leads, and among them those with a known outcome and the won ones."""

    def __init__(self, past: PastLeads) -> None:
        self.known, self.won = past.outcomes.known, past.outcomes.won

    def __call__(self, mask: pl.Series) -> Share:
        return Share(int(mask.sum()), int((mask & self.known).sum()), int((mask & self.won).sum()))

    def by(self, column: pl.Series, mask: pl.Series) -> dict[str | int, Share]:
        """Count the same for each value of a column, among the leads of the mask."""
        frame = pl.DataFrame({"value": column, "known": self.known, "won": self.won}).filter(mask)
        rows = frame.group_by("value").agg(pl.len(), pl.col("known").sum(), pl.col("won").sum()).rows()
        return {value: Share(leads, known, won) for value, leads, known, won in rows}


def _moves(count: _Counting, draft: pl.Series, other: pl.Series) -> Moves:
    return Moves(count(draft & other), count(draft & ~other), count(other & ~draft), count(~draft & ~other))


def _groups(past: PastLeads, ready: Sequence[pl.Series]) -> Iterator[GroupFound]:
    count = _Counting(past)
    everybody = pl.repeat(True, past.height, eager=True)
    all_of, *of_sides = [count.by(past.groups, mask) for mask in (everybody, *ready)]
    nobody = Share()
    ordered = sorted(all_of, key=lambda value: (-all_of[value].leads, str(value)))
    for value in ordered[:GROUPS_AT_MOST]:
        sides = [side.get(value, nobody) for side in of_sides]
        yield GroupFound(BLANK if value is None else str(value), all_of[value], *sides)


def _warnings(agreements: Sequence[Agreement], names: Sequence[str], past: PastLeads, all_leads: Share) -> Iterator[str]:
    for agreement, called in zip(agreements, names, strict=True):
        unknown = "; ".join(f"{name} ({', '.join(places)})" for name, places in _unknown(agreement, past))
        if unknown:
            yield f"{called} asks for facts that no lead here has: {unknown}."
    if all_leads.known and all_leads.won < FEW:
        word = past.outcomes.word
        yield f"Only {counted(all_leads.won, 'lead', 'leads')} {word}: differences between shares are likely to be chance."
    if past.groups.n_unique() > GROUPS_AT_MOST:
        yield f"There are {past.groups.n_unique():,} different values of {past.by}; the {GROUPS_AT_MOST:,} with the most leads are shown."


class _Side:
    """One version applied to the leads. Masks and columns have one row a lead."""

    def __init__(self, agreement: Agreement, past: PastLeads) -> None:
        self.agreement, self.past, self.count = agreement, past, _Counting(past)
        self.judged: Judged = judge(agreement, past.leads)
        verdicts = self.judged.verdicts
        self.applies = applies_to(agreement, past)
        self.passes = passes = self.applies & (verdicts["screened"] == "")
        self.ready = verdicts["is_mql"] & self.applies
        self.asked = passes & (verdicts["fast_lane"] != "")
        #: The leads that points alone decide about: nothing else blocks them, and nothing else helps them.
        self.by_points = passes & (verdicts["fast_lane"] == "") & _required(agreement, past.leads)
        channel = past.leads.column("entry_channel")
        wanted = [threshold_for(agreement, value or "web") for value in channel.values]
        own_total = [(value or "web") in _own_totals(agreement) for value in channel.values]
        self.scores = pl.DataFrame(
            {
                "fit": verdicts["fit"],
                "engagement": verdicts["engagement"],
                "total_asked": channel.spread([one.total for one in wanted], pl.Int32),
                "fit_asked": channel.spread([one.fit_at_least for one in wanted], pl.Int32),
                "engagement_asked": channel.spread([one.engagement_at_least for one in wanted], pl.Int32),
                "own_total": channel.spread(own_total, pl.Boolean),
            }
        )

    def found(self, name: str) -> SideFound:
        """Return everything, counted. name: of the version."""
        verdicts = self.judged.verdicts
        screened = self.count.by(verdicts["screened"], self.applies & (verdicts["screened"] != ""))
        tiers, teams = (self.count.by(verdicts[name], self.ready) for name in ("tier", "team"))
        routing = self.agreement.routing
        reached = self.scores.select(_reached(pl.col("fit"), pl.col("engagement"))).to_series()
        return SideFound(
            reference=name,
            threshold=self.agreement.qualification.mql.total,
            elsewhere=self.count(~self.applies),
            screened={str(name): screened[name] for name in sorted(screened, key=lambda name: (-screened[name].leads, str(name)))},
            qualified=self.count(self.ready),
            below=self.count(self.passes & ~self.ready),
            fast_lane=self.count(self.asked),
            only_by_asking=self.count(self.asked & ~reached),
            tiers={tier.name: tiers.get(tier.name, Share()) for tier in self.agreement.tiers},
            teams={
                **{one.team: teams.get(one.team, Share()) for one in routing.segments},
                **({routing.default_acceptor: teams[""]} if "" in teams else {}),
            },
            criteria=tuple(self._criteria()),
            curve=self._curve(),
            stages=tuple(self._stages()),
        )

    def routing(self, crew: Crew, *, progress: Callable[[int, int], None]) -> RoutingFound:
        """Return where the leads of this version would go."""
        some = sample(self.agreement, self.past, self.judged, ready=self.ready, applies=self.applies)
        return routed(self.agreement, crew, some, progress=progress)

    def _stages(self) -> Iterator[StageFound]:
        others = self.applies & ~self.ready
        for name, reached in self.past.outcomes.reached.items():
            found = [Part(int((reached & mask).sum()), int(mask.sum())) for mask in (self.ready, others)]
            yield StageFound(name, *found)

    def _criteria(self) -> Iterator[CriterionFound]:
        rules: list[FitCriterion | EngagementCriterion] = [*self.agreement.qualification.fit, *self.agreement.qualification.engagement]
        ready = pl.DataFrame({"ready": self.ready, "decides": self.by_points})
        for rule, (name, points) in zip(rules, self.judged.points.items(), strict=True):
            place, _, words = name.partition(": ")
            rows = self.scores.hstack(ready).with_columns(points=points).filter(pl.col("decides") & (pl.col("points") != 0))
            without = pl.col("fit" if place.startswith("fit") else "engagement") - pl.col("points")
            is_fit = place.startswith("fit")
            reached = _reached(without if is_fit else pl.col("fit"), pl.col("engagement") if is_fit else without)
            mattered = int(rows.select((reached != pl.col("ready")).sum()).item())
            held = int((self.judged.applies[name] & self.passes).sum())
            given = int(points.filter(self.passes).cast(pl.Int64).sum())
            yield CriterionFound(place, words, rule.points, held, given, mattered, rule.why)

    def _curve(self) -> tuple[Share, ...]:
        """Return who would qualify at each threshold of the total; a channel with its own total keeps that total."""
        minimums = (pl.col("fit") >= pl.col("fit_asked")) & (pl.col("engagement") >= pl.col("engagement_asked"))
        moving = self.by_points & self.scores.select(minimums & ~pl.col("own_total")).to_series()
        by_total = self.count.by(self.judged.verdicts["total"], moving)
        reached = self.count(self.ready & ~moving)
        steps = []
        for threshold in range(100, -1, -1):
            reached = reached + by_total.get(threshold, Share())
            steps.append(reached)
        return tuple(reversed(steps))


def _reached(fit: pl.Expr, engagement: pl.Expr) -> pl.Expr:
    """Return whether these points reach every minimum."""
    total = (fit + engagement).clip(0, 100)
    return (total >= pl.col("total_asked")) & (fit >= pl.col("fit_asked")) & (engagement >= pl.col("engagement_asked"))


def _own_totals(agreement: Agreement) -> set[str]:
    return {name for name, changed in agreement.qualification.by_channel.items() if changed.total is not None}


def _required(agreement: Agreement, leads: LeadColumns) -> pl.Series:
    """Select the leads for which every required fact is known. An agreement without other rules lets exactly these pass."""
    if not agreement.qualification.require:
        return pl.repeat(True, leads.height, eager=True)
    anybody = Threshold(total=0, fit_at_least=-100, engagement_at_least=-100)
    asks = {"fast_lane": (), "mql": anybody, "fit": (), "engagement": (), "by_channel": {}}
    rules = agreement.qualification.model_copy(update=asks)
    return judge(agreement.model_copy(update={"qualification": rules, "screen": ()}), leads).verdicts["is_mql"]


def applies_to(agreement: Agreement, past: PastLeads) -> pl.Series:
    """Select the leads that the agreement is for: the default one is for all that no other agreement is for."""
    if agreement.is_default and past.of_others is not None:
        return ~past.of_others
    if agreement.is_default or not agreement.applies_to.tests:
        return pl.repeat(True, past.height, eager=True)
    return meets(agreement, past.leads, agreement.applies_to)
