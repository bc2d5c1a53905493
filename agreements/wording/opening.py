"""The beginning of the contract: the parties, who owes what to whom by when, and the stages of a lead."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from agreements.lifecycle import OPEN_STAGES, TRANSITIONS, Stage
from agreements.model import Agreement
from agreements.wording import vocabulary as say
from agreements.wording.document import Line, Section, Table, Text, told
from agreements.words import CLOCK_NAMES, ClockName

#: Clock -> what is owed, and from when its time counts.
OWED: Mapping[ClockName, tuple[str, str]] = {
    "delivery": ("every qualified lead, assigned to a rep who is not away", "the moment the lead qualifies"),
    "note": ("the missing parts of a handoff note", "the request to marketing"),
    "acceptance": ("an answer (accepted, or rejected with a reason)", "the proof that the rep was told"),
    "first_attempt": ("a first attempt to reach the lead", "the same proof (not the acceptance)"),
    "outcome": ("an outcome (an opportunity, or returned with a reason)", "the first attempt"),
    "decision": ("a decision on a lead", "the request for a decision"),
}
#: Stage -> who owns the lead there, and which clocks run, or a word if none runs.
_STAGES: Mapping[Stage, tuple[str, tuple[ClockName, ...] | str]] = {
    Stage.INQUIRY: ("Baton", "screened and scored at once"),
    Stage.MQL: ("marketing", ("delivery", "note")),
    Stage.ASSIGNED: ("the rep, once there is proof that they were told; until then Baton", ("acceptance",)),
    Stage.ACCEPTED: ("the rep", ("first_attempt",)),
    Stage.WORKING: ("the rep", ("outcome",)),
    Stage.STUCK: ("the operator of Baton", "none: the operator has to look"),
}


def summary(agreement: Agreement) -> tuple[Line, ...]:
    """Return the contract in a few lines: who, from when, for which leads."""
    force = agreement.effective
    until = f" until {say.day(force.until)}. After that the earlier version applies again" if force.until else ""
    return (
        *(
            Line(f"{say.listed(people)} {'sign' if len(people) > 1 else 'signs'} for it", f"{party.capitalize()}:")
            for party, people in agreement.signers.items()
        ),
        told(f"from {say.day(force.from_)}{until}. Times are in {agreement.timezone}", "In force:"),
        told(_leads(agreement), "For:"),
    )


def _leads(agreement: Agreement) -> str:
    asked = say.condition(agreement.applies_to, otherwise="")
    if asked and agreement.is_default:
        return f"leads for which this is true: {asked}; also every lead that no other agreement covers"
    if asked:
        return f"leads for which this is true: {asked}"
    return "every lead that no other agreement covers" if agreement.is_default else "every lead, unless another agreement covers it"


def promises(agreement: Agreement) -> Section:
    """List who owes what to whom by when, including the few promises with a time but no clock."""
    rows = [_promise(agreement, name) for name in CLOCK_NAMES]
    proof = f"proof on {say.count(agreement.notify.confirmed_on, 'channel')} that the rep was told"
    rows += [
        ("Baton", proof, "sales", f"within {agreement.notify.within}", "the assignment"),
        ("marketing", "its objection, if it disputes a rejection", "sales", f"within {agreement.dispute.within}", "the rejection"),
    ]
    return Section("promises", "Who owes whom what by when", (Table(("who", "owes", "to", "by when", "counted from"), tuple(rows)),))


def _promise(agreement: Agreement, name: ClockName) -> tuple[str, str, str, str, str]:
    clock = agreement.clocks.named(name)
    what, start = OWED[name]
    return say.party(clock.owed_by), what, say.other_party(clock.owed_by), say.by_tier(clock.within), start


def way_of_a_lead(agreement: Agreement) -> Section:
    """List every stage with its owner, its clocks and its exits."""
    rows = tuple((say.plain(stage.value), *_stage(agreement, stage), _ways_out(agreement, stage)) for stage in OPEN_STAGES)
    revisits = agreement.recycling
    nurture = f"after {revisits.revisit} or the time that its reason names; at most {revisits.at_most} times"
    rows += (
        (Stage.NURTURING.value, "marketing, on a nurture track", f"looked at again {nurture}", "inquiry, with new evidence; disqualified"),
        (Stage.OPPORTUNITY.value, "the rep, in the CRM", "none", "the end of the handoff"),
    )
    common = say.listed(sorted({target for _, target in _common_exits()}), "or")
    table = Table(("stage", "owner", "clock", "ways out"), rows)
    return Section("stages", "The path of a lead", (table, Text(f"From every open stage a lead may also become {common}.")))


def _stage(agreement: Agreement, stage: Stage) -> tuple[str, str]:
    owner, clocks = _STAGES.get(stage, ("the rep", "none"))
    if isinstance(clocks, str):
        return owner, clocks
    return owner, "; ".join(f"{say.plain(name)}: {say.by_tier(agreement.clocks.named(name).within)}" for name in clocks)


#: Event -> its exit in words. For any other event, the stage to which it leads is named.
_WAYS = {
    "routed": "MQL, for the account's owner",
    "taken": "accepted, for the rep who brought the lead in",
    "taken-at-work": "working, for the rep who brought the lead in",
    "acceptance-undone": "assigned, if the acceptance is taken back",
    "attempted": "working, after a first attempt",
    "attempt-undone": "accepted, if the attempt is taken back",
    "sql": "the next leg, as an SQL",
    "reassigned": "another rep",
    "note-returned": "marketing, to correct the note",
}


def _ways_out(agreement: Agreement, stage: Stage) -> str:
    ways: dict[str, None] = {}
    for event, to in TRANSITIONS[stage].items():
        is_own = to.stage != stage and (event, to.stage.value) not in _common_exits()
        if is_own and (event != "sql" or len(agreement.legs) > 1):
            ways[_WAYS.get(event, say.plain(to.stage.value))] = None
    return "; ".join(ways) or "the ways out of every open stage"


@cache
def _common_exits() -> frozenset[tuple[str, str]]:
    """Return the events that every open stage has, with the stages to which they lead."""
    ways = ({(event, to.stage.value) for event, to in TRANSITIONS[stage].items()} for stage in OPEN_STAGES)
    return frozenset(set.intersection(*ways))
