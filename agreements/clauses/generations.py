"""Which defaults an agreement was signed with: what it leaves out keeps meaning what it meant then.

A default that changes gets a new generation. Publishing stores the generation beside the text. Reading a published text writes
the defaults of its generation into what the text leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agreements.clauses import defaults

Tree = dict[str, Any]


def _turn_alone(tree: Tree) -> Tree:
    """Before generation 2 a lead went to whose turn it was, at work or not."""
    tiers = [{"prefer": "turn", **tier} for tier in tree.get("tiers") or ({"name": "normal"},)]
    return {**tree, "tiers": tiers}


def _asks_everybody(tree: Tree) -> Tree:
    """Before generation 2 the contract said that first-to-claim asks everybody who can take the lead."""
    tiers = [{"told": "all", **tier} if tier.get("routing") == "first-to-claim" else tier for tier in tree["tiers"]]
    return {**tree, "tiers": tiers}


def _kept_on_leave(tree: Tree) -> Tree:
    """Before generation 2 leads stayed with a rep who went on leave."""
    routing = tree.get("routing")
    return {**tree, "routing": {"on_leave": dict.fromkeys(("assigned", "accepted", "working"), "keep"), **routing}} if routing else tree


def _colleagues_by_turn(tree: Tree) -> Tree:
    """Before generation 2 the colleague of a person whom a rep has went to whose turn it was."""
    routing = tree.get("routing")
    return {**tree, "routing": {"same_company": {"to": "by-turn"}, **routing}} if routing else tree


def _proven_by_anybody(tree: Tree) -> Tree:
    """Before generation 2 a message to the manager, or on a channel that nobody reads, proved that the rep was told."""
    return {**tree, "notify": {"proof": {"counts": ["rep", "manager", "unread"]}, **(tree.get("notify") or {})}}


def _day_and_night(tree: Tree) -> Tree:
    """Before generation 2 the usual clocks of marketing ran day and night."""
    clocks = tree.get("clocks")
    return {**tree, "clocks": {**_ELAPSED, **clocks}} if isinstance(clocks, Mapping) else {**tree, "clocks": dict(_ELAPSED)}


_ELAPSED: Mapping[str, Any] = {
    "delivery": {
        "owed_by": "marketing",
        "within": "12 hours",
        "when_missed": [{"do": "tell-marketing-ops"}, {"after": "1 day", "do": "default-acceptor"}],
    },
    "note": {
        "owed_by": "marketing",
        "within": "12 hours",
        "when_missed": [{"do": "tell-marketing-ops"}, {"after": "2 days", "do": "nurture"}],
    },
}


def _silent_in_hand(tree: Tree) -> Tree:
    """Before generation 2 nobody was told what a lead did while a rep had it."""
    return {**tree, "on_activity": {"fast_lane": "page", "other": "page", **(tree.get("on_activity") or {})}}


def _without_touches(tree: Tree) -> Tree:
    """Before generation 2 the usual `no-response` needed no attempts."""
    return tree if tree.get("reasons") else {**tree, "reasons": [dict(one) for one in defaults.reasons(touches=0)]}


def _at_any_hour(tree: Tree) -> Tree:
    """Before generation 2 a first call was due at any hour of the prospect's day."""
    return {"prospect_hours": "always", **tree}


def _all_at_opening(tree: Tree) -> Tree:
    """Before generation 2 the leads of a night were not spread over the morning."""
    routing = tree.get("routing")
    return {**tree, "routing": {"overnight_pace": "none", **routing}} if isinstance(routing, Mapping) else tree


#: By generation: how a text of an earlier one is completed.
_BEFORE: Mapping[int, tuple[Callable[[Tree], Tree], ...]] = {
    2: (
        _turn_alone,
        _asks_everybody,
        _kept_on_leave,
        _colleagues_by_turn,
        _proven_by_anybody,
        _day_and_night,
        _without_touches,
        _at_any_hour,
        _silent_in_hand,
        _all_at_opening,
    ),
}
#: The generation of an agreement that is published now.
NEWEST = max(_BEFORE)


def completed(tree: Any, generation: int) -> Any:
    """Return the tree of a published text, with the defaults of its generation where they have changed since."""
    for number, changes in sorted(_BEFORE.items(), reverse=True):
        for complete in changes if generation < number and isinstance(tree, Mapping) else ():
            tree = complete(dict(tree))
    return tree
