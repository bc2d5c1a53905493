"""Where in a roster file a mistake is, and mistakes between teams."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

if TYPE_CHECKING:
    from agreements.roster import Roster


def with_lines(text: str, problems: Sequence[str]) -> list[str]:
    """Return these problems of a readable roster file, each `where: what`, with the line of the nearest place that the file has."""
    node = YAML(typ="safe", pure=True).compose(io.StringIO(text))
    lines = dict(_lines(node, "")) if node is not None else {}
    found = []
    for problem in problems:
        where = problem.partition(": ")[0]
        while where and where not in lines:
            where = where.rpartition(".")[0]
        found.append(f"line {lines.get(where, 1)}: {problem}")
    return found


def _lines(node: Node, path: str) -> Iterator[tuple[str, int]]:
    parts = []
    if isinstance(node, MappingNode):
        parts = [(str(key.value), key.start_mark.line + 1, value) for key, value in node.value]
    elif isinstance(node, SequenceNode):
        parts = [(str(number), value.start_mark.line + 1, value) for number, value in enumerate(node.value)]
    for name, line, value in parts:
        here = f"{path}.{name}" if path else name
        yield here, line
        yield from _lines(value, here)


def circles(people: Roster) -> Iterator[str]:
    """Yield each circle of managers: of two or more people who decide for each other, so that nobody decides in the end."""
    told: set[frozenset[str]] = set()
    for name, team in people.teams.items():
        chain = [team.manager]
        while (above := people.manager_of(chain[-1])) not in chain and above in people.people:
            chain.append(above)
        circle = chain[chain.index(above) :] if above in chain else []
        if len(circle) > 1 and frozenset(circle) not in told and people.operator not in circle:
            told.add(frozenset(circle))
            names = " -> ".join([*circle, circle[0]])
            yield f"teams.{name}.manager: the managers decide for each other in a circle ({names}); take one of them out of the team"
