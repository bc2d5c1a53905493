"""The routing measure: it deals every lead to somebody of the right team, fairly."""

from __future__ import annotations

from benchmarks.measures.routing import TEAMS, agreed, dealt, staffed


def test_each_lead_of_the_measure_goes_to_a_rep_by_turns() -> None:
    people = staffed(120)

    got = dealt(agreed(), people, iter(range(1200)), 1200)

    assert sum(got.values()) == 1200
    assert got["dora"] == 0, "nobody was full"
    by_team = {team: sorted(got[name] for name in people.reps_of(team)) for team in TEAMS}
    assert all(240 <= sum(counts) <= 360 for counts in by_team.values())
    assert all(counts[0] >= 1 for counts in by_team.values())
