"""Compare Baton with the CRM, lead by lead. What differs is looked at twice, so that what is only under way is no finding."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from agreements import crm_words
from agreements.crm_comparison import DAYS, CrmNumber, DealHere, Finding, LeadHere, RecordState, compared, compared_deal, stray
from agreements.errors import CrmError
from storage import crm_standing
from storage.crm.port import Crm
from tasks.background.read_crm import read_crm
from tasks.wiring.toolbox import Toolbox

#: How many leads are compared at once. Each vendor cuts them into its own batches.
AT_ONCE = 500
#: How often one question is asked while the CRM is busy, and the longest pause between, in seconds.
TRIES, LONGEST_PAUSE_SECONDS = 4, 30.0
#: A CRM is read to its end before the comparison: at most so many readings, since people go on working.
_READINGS = 50
T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]
#: What differs, by the id of the handoff or the opportunity here.
Differs = dict[int, list[Finding]]


@dataclass(frozen=True, slots=True)
class Compared:
    """The result. leads, opportunities: how many were compared. moving: leads that were left out, since something is under way."""

    leads: int
    opportunities: int
    moving: int
    findings: tuple[Finding, ...]


def in_words(found: Compared) -> str:
    """Say the result in one line."""
    count = len(found.findings)
    differ = "Nothing differs" if not count else f"{count} {'difference' if count == 1 else 'differences'}"
    left = f"{found.moving} {'lead was' if found.moving == 1 else 'leads were'} left out, since something is under way."
    said = f"{differ} in {_many(found.leads, 'lead')} and {_many(found.opportunities, 'opportunity')}."
    return f"{said} {left}" if found.moving else said


def _many(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what.removesuffix('y')}{'ies' if what.endswith('y') else 's'}"


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One comparison under way. since: from when ended leads count, aware. told: called with how many leads have been compared."""

    box: Toolbox
    since: datetime
    pause: Pause
    told: Callable[[int], object]

    async def ask(self, question: Callable[[Crm], Awaitable[T]]) -> T:
        """Ask the CRM, again where that may help. Raises CrmError."""
        for attempt in range(1, TRIES):
            try:
                return await question(self.box.crm)
            except CrmError as error:
                wait = error.retry_after_seconds or float(attempt)
                if error.permanent or wait > LONGEST_PAUSE_SECONDS:
                    raise
            await self.pause(wait)
        return await question(self.box.crm)


def _to_nobody(done: int) -> None:
    return None


async def compare_crm(
    box: Toolbox, *, days: int = DAYS, told: Callable[[int], object] = _to_nobody, pause: Pause = asyncio.sleep
) -> Compared:
    """Compare every open lead, and those that ended within these days, with the CRM; and the CRM's numbers with Baton's leads.

    The CRM is read first, and once more before the second look at what differs. told: is called with how many leads have been
    compared so far. pause: waits that many seconds while the CRM is busy. Raises CrmError where the CRM does not answer.
    """
    now = await box.read(lambda session, now: now)
    comparison = _Comparison(box, now - timedelta(days=days), pause, told)
    await _read_to_the_end(comparison)
    leads, count, moving = await _leads(comparison)
    deals, deal_count = await _deals(comparison)
    strays = await comparison.ask(lambda crm: _strays(comparison, crm))
    if leads or deals or strays:
        await _read_to_the_end(comparison)
    found = [*await _leads_again(comparison, leads), *await _deals_again(comparison, deals), *await _strays_again(comparison, strays)]
    return Compared(count, deal_count, moving, tuple(sorted(found, key=lambda one: (one.lead, one.where, one.kind, one.what))))


async def _read_to_the_end(comparison: _Comparison) -> None:
    for _ in range(_READINGS):
        if not await comparison.ask(lambda crm: read_crm(comparison.box)):
            return


async def _leads(comparison: _Comparison) -> tuple[Differs, int, int]:
    """Return what differs, how many leads were compared, and how many were left out."""
    differs: Differs = {}
    after: int | None = 0
    count = moving = 0
    while after is not None:
        here = await comparison.box.read(
            lambda session, now, after=after: crm_standing.leads_after(  # type: ignore[misc]
                session, after, since=comparison.since, now=now, limit=AT_ONCE
            )
        )
        differs |= await _leads_against_crm(comparison, here.leads)
        count, moving, after = count + len(here.leads), moving + here.moving, here.last
        comparison.told(count)
    return differs, count, moving


async def _leads_against_crm(comparison: _Comparison, here: Mapping[int, LeadHere]) -> Differs:
    if not here:
        return {}
    fields = frozenset(name for one in here.values() if one.agreement for name in crm_words.watched(one.agreement)) - {crm_words.OWNER}
    numbers = [one.number for one in here.values()]
    there = await comparison.ask(lambda crm: crm.records(numbers, fields=fields))
    return {ident: findings for ident, one in here.items() if (findings := compared(one, there.get(one.number)))}


async def _leads_again(comparison: _Comparison, differs: Differs) -> list[Finding]:
    """Return what still differs in the same way. A lead that has moved on either side meanwhile is left to the next comparison."""
    kept: list[Finding] = []
    for some in _slices(list(differs)):
        here = await comparison.box.read(
            lambda session, now, some=some: crm_standing.leads_of(session, some, now=now)  # type: ignore[misc]
        )
        kept += _still(differs, await _leads_against_crm(comparison, here))
    return kept


async def _deals(comparison: _Comparison) -> tuple[Differs, int]:
    """Return what differs, and how many opportunities were compared."""
    differs: Differs = {}
    after: int | None = 0
    count = 0
    while after is not None:
        here, after = await comparison.box.read(
            lambda session, now, after=after: crm_standing.opportunities_after(  # type: ignore[misc]
                session, after, since=comparison.since, limit=AT_ONCE
            )
        )
        differs |= await _deals_against_crm(comparison, here)
        count += len(here)
    return differs, count


async def _deals_against_crm(comparison: _Comparison, here: Mapping[int, DealHere]) -> Differs:
    if not here:
        return {}
    there = await comparison.ask(lambda crm: crm.deals([one.crm_id for one in here.values()]))
    return {ident: findings for ident, one in here.items() if (findings := compared_deal(one, there.get(one.crm_id)))}


async def _deals_again(comparison: _Comparison, differs: Differs) -> list[Finding]:
    kept: list[Finding] = []
    for some in _slices(list(differs)):
        here = await comparison.box.read(
            lambda session, now, some=some: crm_standing.opportunities_of(session, some)  # type: ignore[misc]
        )
        kept += _still(differs, await _deals_against_crm(comparison, here))
    return kept


async def _strays(comparison: _Comparison, crm: Crm) -> list[CrmNumber]:
    """Return the records of the CRM whose number belongs to no lead of Baton."""
    found: list[CrmNumber] = []
    async for page in crm.numbered():
        unknown = await _unknown(comparison, [one.number for one in page])
        found += [one for one in page if one.number in unknown]
    return found


async def _strays_again(comparison: _Comparison, strays: Sequence[CrmNumber]) -> list[Finding]:
    kept: list[Finding] = []
    for some in _slices(strays):
        numbers = sorted({one.number for one in some})
        there = await comparison.ask(lambda crm, numbers=numbers: crm.records(numbers, fields=()))  # type: ignore[misc]
        unknown = await _unknown(comparison, numbers)
        still = (one for one in some if one.number in unknown and one.number in there and there[one.number].state != RecordState.DELETED)
        kept += [stray(one, erased=unknown[one.number]) for one in still]
    return kept


async def _unknown(comparison: _Comparison, numbers: Sequence[int]) -> dict[int, bool]:
    return await comparison.box.read(lambda session, now: crm_standing.erased_or_unknown(session, numbers))


def _still(before: Differs, again: Differs) -> list[Finding]:
    return [one for ident, findings in again.items() for one in findings if one in before[ident]]


def _slices(many: Sequence[T]) -> list[Sequence[T]]:
    return [many[start : start + AT_ONCE] for start in range(0, len(many), AT_ONCE)]
