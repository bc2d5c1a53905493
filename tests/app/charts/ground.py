"""One chart of each kind, with figures that show: gaps, few leads, nothing at all, and names as people write them."""

from __future__ import annotations

from app.charts.kinds import (
    Aging,
    Band,
    Bar,
    Bars,
    Chart,
    Cohort,
    Curve,
    Curves,
    Funnel,
    Line,
    Load,
    Rate,
    Rates,
    RepLoad,
    Shares,
    Spent,
    Stack,
    StackedBars,
    Step,
    TimeSpent,
    Trend,
)
from app.charts.parts import Part

WEEKS = tuple(f"W{week}" for week in range(36, 49))
MARKETING = tuple(Part(30 + week % 7, 40) if week != 5 else None for week in range(13))
SALES = tuple(Part(20 + week, 41) if week < 12 else Part(5, 12) for week in range(13))
NAMES = ("Trade fair in a hall whose name takes a whole line and more", "Webinar", "Müller & Söhne <GmbH>", "مؤتمر المبيعات", "展示会")


def every_kind(name: str = "") -> tuple[Chart, ...]:
    """A chart of each kind. name: takes the place of every name in them, where one is given."""
    names = (name,) * 5 if name else NAMES
    first, second = names[0], names[1]
    line = Curve(first, tuple(Step(at, 100 - at) for at in range(101)), 60)
    share = Curve(first, tuple(Step(at, 0.1 + at / 1000, 0.05, 0.4) for at in range(80)), 60)
    return (
        Trend(title=name or "Promises kept", periods=WEEKS, lines=(Line(first, MARKETING, 0.9), Line(second, SALES))),
        Rates(title=name or "Opportunities", rows=(Rate(first, Part(31, 140)), Rate(second, Part(1, 12)), Rate("nobody", Part(0, 0)))),
        Shares(title=name or "Promises", rows=(Rate(first, Part(77, 80), 0.95), Rate(second, Part(0, 0), 0.9))),
        StackedBars(title=name or "Reasons", parts=names, rows=(Stack(first, (5, 0, 12, 30, 1), 200), Stack(second, (1, 2, 3, 4, 5)))),
        Aging(title=name or "Open leads", bands=(Band(first, 12, 3, 0), Band(second, 0, 1, 17))),
        Funnel(
            title=name or "Funnel",
            stages=("MQL", "SAL", "SQL", "Opp.", "Won"),
            cohorts=(Cohort(first, (412, 320, 180, 90, 31), True), Cohort(second, (390, 310, 120, 40, 2), False)),
        ),
        TimeSpent(title=name or "Time", leads=120, rows=(Spent(first, 144_000), Spent(second, 1200), Spent("routing", 0))),
        Load(title=name or "Load", reps=(RepLoad(first, 12, 25), RepLoad(second, 31, 25), RepLoad("Emil", 0), RepLoad("Dora", 7))),
        Bars(title=name or "Touches", rows=(Bar(first, 20), Bar(second, 55, 1), Bar("6 or more", 0))),
        Curves(title=name or "Leads that qualify", axis=name or "points needed", curves=(line, Curve(second, line.steps[:40]))),
        Curves(title=name or "Share won", axis="points needed", shares=True, curves=(share,)),
    )
