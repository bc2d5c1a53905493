"""Where leads would go, as people read it: lines and sentences for both the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agreements.backtest.answer_times import ENOUGH
from app.backtest.past import counted
from app.backtest.report import Backtest
from app.backtest.route_report import PromiseFound, RepFound, RoutingFound
from app.backtest.sample import AT_MOST
from app.charts.parts import Part, lasting

DASH = "–"
NAMES = {"acceptance": "acceptance", "first_attempt": "first attempt"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of a table. few: a share of so few leads that it says little, so it is shown in grey."""

    text: str
    few: bool = False


@dataclass(frozen=True, slots=True)
class RepLine:
    """A rep's line: the name, the team, and a cell for each of HEAD."""

    name: str
    team: str
    cells: tuple[Cell, ...]


#: The columns of a rep's line behind the name.
HEAD = ("leads", "a week", "busiest week", "most open at once", "acceptance missed", "first attempt missed")


def rep_lines(found: RoutingFound) -> Iterator[RepLine]:
    """Yield a line for each rep."""
    for one in found.reps:
        cells = (
            share(Part(one.leads, found.sampled.count)),
            Cell(a_week(one.a_week)),
            Cell(_busiest(one)),
            Cell(f"{one.most_open:,} of {one.capacity:,}"),
            *(missed(promise) for promise in one.promises),
        )
        yield RepLine(one.name, one.team, cells)


def share(part: Part) -> Cell:
    """18 of 68 (26.5 %)"""
    return Cell(part.words, part.few)


def missed(one: PromiseFound) -> Cell:
    """3 of 40 (7.5 %); a dash where nobody knows."""
    return share(one.missed) if one.missed else Cell(DASH)


def a_week(leads: float) -> str:
    """12.3 leads a week, or 120 from a hundred on."""
    return f"{leads:,.0f}" if leads >= 100 else f"{leads:.1f}"


def _busiest(one: RepFound) -> str:
    return f"{one.busiest:,.0f} (week of {one.week.day} {one.week:%b %Y})" if one.week else DASH


def basis(found: RoutingFound) -> str:
    """Say which leads were routed, and how."""
    said = (
        f"{found.sampled.count:,} of {counted(found.sampled.of, 'lead', 'leads')} that would go to sales, over"
        f" {counted(found.weeks, 'week', 'weeks')}: routed in the order of their time, by the rules that route a lead today, with the"
        " roster of today."
    )
    if found.sampled.count < found.sampled.of:
        said += (
            f" The sample is the same each time: the {AT_MOST:,} leads whose place in the file has the smallest checksum. Leads a week are"
            " those that all leads would bring."
        )
    return said


def model(found: RoutingFound) -> str:
    """Say how the missed promises were calculated, or why they are not known."""
    if not found.answers:
        return (
            "Baton knows no past answers of reps, so nobody can say how many promises would be missed. A lead counts as open until its"
            " first attempt is due."
        )
    own = f"{counted(found.own_times, 'rep has', 'reps have')} times of their own"
    return (
        f"How long a rep takes is drawn from past answers, in the rep's working time: {counted(found.answers, 'acceptance', 'acceptances')}"
        f" of the last year. {own}, which takes {ENOUGH}; the others answer as all reps together. A lead that a rep never answered is"
        " missed. The model tells each rep at once, passes nothing on after a miss, and leaves out contact times that leads ask for. The"
        " first attempt is judged for leads that would be accepted in time."
    )


def promise_lines(found: RoutingFound) -> Iterator[tuple[str, Cell, Cell]]:
    """Yield each promise with the leads for which it would be missed, and those for which the time would end while the rep is off."""
    for one in found.promises:
        yield NAMES[one.name], missed(one), share(one.off)


def sentences(found: RoutingFound) -> Iterator[str]:
    """Yield what else there is to say: leads without a rep, reps without a lead, leads that waited."""
    nobody = sum(found.nobody.values())
    if nobody:
        reasons = "; ".join(f"{why}: {count:,}" for why, count in found.nobody.items())
        yield f"Nobody would have taken {Part(nobody, found.sampled.count).words}. {reasons}."
    elif found.sampled.count:
        yield "Every routed lead would have had a rep."
    if found.idle and found.sampled.count:
        yield f"No lead for {', '.join(found.idle)}."
    if found.waited.count:
        yield f"{found.waited.words} would have waited for their rep, at most {lasting(found.longest.total_seconds())}."
    if found.why:
        yield f"Why they went there: {'; '.join(f'{why} ({count:,})' for why, count in found.why.items())}."


def stage_lines(found: Backtest) -> Iterator[tuple[str, tuple[Cell, ...]]]:
    """Yield for each stage how many leads reached it: of those that qualify and of the others, for each version."""
    for at, one in enumerate(found.draft.stages):
        stages = [side.stages[at] for side in found.sides]
        yield one.name, tuple(share(part) for stage in stages for part in (stage.qualified, stage.others))
