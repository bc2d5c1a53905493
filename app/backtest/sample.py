"""Which past leads are routed in a backtest: at most 10,000, the same ones each time, as values that a replay takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any
from zlib import crc32

import polars as pl

from agreements.backtest.columns import Judged
from agreements.backtest.replayed import ReplayedLead
from agreements.company import company_key
from agreements.lead import domain_of
from agreements.model import Agreement
from agreements.qualification import asked_for
from agreements.screening import screen
from app.backtest.past import PastLeads

#: The most leads that are routed. A replay of more would take minutes, and say the same.
AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Sample:
    """Leads to route. of: how many leads would go to sales."""

    leads: tuple[ReplayedLead, ...]
    of: int

    @property
    def stands_for(self) -> float:
        """Return how many leads each of them stands for."""
        return self.of / len(self.leads) if self.leads else 1.0


def sample(
    agreement: Agreement, past: PastLeads, judged: Judged, *, ready: pl.Series, applies: pl.Series, at_most: int = AT_MOST
) -> Sample:
    """Return the leads that would go to sales: those that are ready, and those that the screen sends to the owner of their account.

    Of more than at_most those are taken whose place has the smallest checksum. The place of a lead does not depend on the agreement,
    so two agreements route the same leads where both let them through. ready, applies: one row for each lead.
    """
    named = {rule.as_ or rule.then for rule in agreement.screen if rule.then == "route"}
    owners = _owners(agreement, past, (applies & judged.verdicts["screened"].is_in(named)).arg_true().to_list()) if named else {}
    every = sorted([*ready.arg_true().to_list(), *owners])
    chosen = sorted(nsmallest(at_most, every, key=_checksum)) if len(every) > at_most else every
    return Sample(tuple(_leads(agreement, past, judged, chosen, owners)), len(every))


def _checksum(place: int) -> int:
    return crc32(place.to_bytes(8))


def _owners(agreement: Agreement, past: PastLeads, places: list[int]) -> dict[int, tuple[str, str]]:
    """Return by place the owner and the tier of the leads that the screen sends to the owner of their account."""
    found = {}
    for place, facts in zip(places, _facts(past, places), strict=True):
        rule = screen(agreement, facts).rule
        if rule is not None and rule.then == "route" and (owner := str(facts.get("account.owner") or "")):
            found[place] = (owner, rule.tier)
    return found


def _facts(past: PastLeads, places: list[int]) -> Iterator[dict[str, Any]]:
    for row in past.leads.values[places].iter_rows(named=True):
        yield {**row, "email_domain": domain_of(str(row["email"] or ""))} if "email" in row else row


def _leads(
    agreement: Agreement, past: PastLeads, judged: Judged, places: list[int], owners: dict[int, tuple[str, str]]
) -> Iterator[ReplayedLead]:
    verdicts = judged.verdicts[places].iter_rows(named=True)
    emails = past.emails.gather(places).to_list() if past.emails is not None else [""] * len(places)
    products = {one.name: one.product for one in agreement.personas}
    for place, facts, verdict, at, email in zip(
        places, _facts(past, places), verdicts, past.leads.at.gather(places).to_list(), emails, strict=True
    ):
        owner, tier = owners.get(place, ("", ""))
        tier = tier or verdict["tier"]
        known = {
            "fast_lane": verdict["fast_lane"] != "",
            **asked_for(agreement, verdict["fast_lane"]),
            "score": verdict["total"],
            "persona": verdict["persona"],
            "product": products.get(verdict["persona"], ""),
            "tier": tier,
        }
        yield ReplayedLead(place, at, {**facts, **known}, tier, company_key(email or ""), owner)
