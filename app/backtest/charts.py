"""The charts of a backtest, as values. app/charts draws them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agreements.words import ClockName
from app.backtest.lines import move_lines
from app.backtest.report import Backtest, GroupFound, Share, SideFound
from app.backtest.route_report import RoutingFound
from app.backtest.wording import basis
from app.charts.kinds import Bar, Bars, Chart, Cohort, Curve, Curves, Funnel, Load, Rate, Rates, RepLoad, Shares, Step
from app.charts.parts import Part

CHANCE = "The line is the range that chance alone could give."
#: Colours of the four moves: both, only the draft, only the other version, neither.
_MOVES = (4, 0, 1, None)
#: The titles of the promises that reps would miss.
_MISSED: Mapping[ClockName, str] = {
    "acceptance": "Acceptances expected to be missed",
    "first_attempt": "First attempts expected to be missed",
}
#: Shares are drawn where the outcome of at least this many leads is known.
ENOUGH = 30


def won_part(one: Share) -> Part:
    """Return the won leads among those with a known outcome."""
    return Part(one.won, one.known)


def moves(found: Backtest) -> Iterator[Chart]:
    """Yield who qualifies under which version, and how many of these leads were won; nothing where there is one version."""
    lines = [(line.name, line.shares[0]) for line in move_lines(found)]
    if not lines:
        return
    yield Bars(title="Leads", rows=tuple(Bar(name, share.leads, tone) for (name, share), tone in zip(lines, _MOVES, strict=True)))
    yield Rates(
        title=f"Share {basis(found)}",
        note=CHANCE,
        rows=tuple(Rate(name, won_part(share)) for name, share in lines),
        if_empty="No outcome is known.",
    )


def thresholds(found: Backtest) -> Iterator[Chart]:
    """Yield the thresholds against volume, and against won share where enough outcomes are known: a handful can have any share."""
    yield Curves(title="Leads that qualify", axis="points needed", curves=tuple(_volume(side) for side in found.sides))
    shares = tuple(_shares(side) for side in found.sides)
    if any(curve.steps for curve in shares):
        note = "The shaded range is what chance alone could give. It ends where too few outcomes are known."
        yield Curves(title=f"Share {basis(found)}", note=note, axis="points needed", curves=shares, shares=True)


def _volume(side: SideFound) -> Curve:
    return Curve(side.reference, tuple(Step(at, one.leads) for at, one in enumerate(side.curve)), side.threshold)


def _shares(side: SideFound) -> Curve:
    last = max((at for at, one in enumerate(side.curve) if one.known >= ENOUGH), default=-1)
    steps = (
        Step(at, one.share, *one.interval)
        for at, one in enumerate(side.curve[: last + 1])
        if one.share is not None and one.interval is not None
    )
    return Curve(side.reference, tuple(steps), side.threshold)


def rules(found: Backtest) -> Iterator[Chart]:
    """Yield for each version how many leads each of its rules decided for, all on one scale."""
    most = max((one.mattered for side in found.sides for one in side.criteria), default=0)
    for tone, side in enumerate(found.sides):
        rows = tuple(Bar(one.words, one.mattered, tone) for one in side.criteria if one.mattered)
        yield Bars(title=f"{side.reference}: decided for", rows=rows, end=most, if_empty="No rule decided for any lead.")


def groups(found: Backtest, *, shown: Sequence[GroupFound]) -> Iterator[Chart]:
    """Yield the won share of each group, and how many of it qualify under the draft."""
    won = tuple(Rate(group.value, won_part(group.leads)) for group in shown)
    yield Rates(title=f"Share {basis(found)}", note=CHANCE, rows=won, if_empty="No outcome is known.")
    qualified = tuple(Rate(group.value, Part(group.draft.leads, group.leads.leads)) for group in shown)
    yield Shares(title=f"Qualify under {found.draft.reference}", rows=qualified)


def stages(found: Backtest) -> Iterator[Chart]:
    """Yield for each version how far the leads came that qualify, and the others."""
    for side in found.sides:
        if side.stages:
            cohorts = (
                ("qualify", [one.qualified for one in side.stages]),
                ("do not", [one.others for one in side.stages]),
            )
            yield Funnel(
                title=f"{side.reference}: stages reached, so far",
                stages=("leads", *(one.name for one in side.stages)),
                cohorts=tuple(Cohort(name, (parts[0].of, *(one.count for one in parts)), mature=True) for name, parts in cohorts),
            )


def routing(found: RoutingFound, *, tone: int) -> Iterator[Chart]:
    """Yield how many of the routed leads each rep gets, the most that each has open at once, and the missed promises."""
    yield Bars(title="Routed leads", rows=tuple(Bar(one.name, one.leads, tone) for one in found.reps), if_empty="No lead was routed.")
    yield Load(title="Most open leads at once", reps=tuple(RepLoad(one.name, one.most_open, one.capacity) for one in found.reps))
    if found.answers:
        for name, title in _MISSED.items():
            promises = ((one.name, promise) for one in found.reps for promise in one.promises if promise.name == name)
            rows = tuple(Rate(rep, promise.missed) for rep, promise in promises if promise.missed)
            yield Rates(title=title, note=CHANCE, rows=rows)
