"""Takes one entry out of a list of an agreement's text. Comments above the other entries stay with them."""

from __future__ import annotations

from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode


def without(text: str, path: Sequence[str | int]) -> str | None:
    """Return the text without the entry at this path. None where there is none, it is the only one, or the list is written in one line."""
    *way, last = path
    entries = _under(YAML().compose(text), way)
    if not isinstance(entries, SequenceNode) or entries.flow_style or not isinstance(last, int) or not last < len(entries.value) > 1:
        return None
    lines = text.splitlines(keepends=True)
    first = entries.value[last].start_mark.line
    following = entries.value[last + 1].start_mark.line if last + 1 < len(entries.value) else entries.end_mark.line
    while following > first + 1 and _is_blank(lines[following - 1]):
        following -= 1
    return "".join((*lines[:first], *lines[following:]))


def _under(node: Node, way: Sequence[str | int]) -> Node | None:
    """Return the node at the end of this way; None where it ends before."""
    for name in way:
        found = [value for key, value in node.value if key.value == name] if isinstance(node, MappingNode) else []
        if not found:
            return None
        node = found[0]
    return node


def _is_blank(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
