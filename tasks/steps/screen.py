"""Screen: sort out the leads that must not be scored."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements import presence, screening
from agreements.lead import domain_of
from agreements.model import Agreement, ScreenRule
from agreements.words import Move
from storage import deliveries, handoffs, leads, roster
from storage.crm.port import Account
from storage.tables import Handoff, Lead
from tasks.messages.tell import tell, tell_its_rep
from tasks.steps.qualify import rate
from tasks.steps.sales_sourced import has_its_rep, take
from tasks.wiring.toolbox import Toolbox
from tasks.work import AskCrm, Doing, Work


def screen(work: Work) -> Doing:
    """Asks the CRM about the company, then lets the first screen rule that matches decide. May raise CrmError."""
    account: Account | None = yield question(handoffs.lead_of(work.session, work.handoff))
    session, handoff, now = work.session, work.handoff, work.now
    agreement = handoffs.agreement_of(session, handoff)
    handoff.account = account.as_facts() if account else {}
    session.add(handoff)
    result = screening.screen(agreement, leads.facts_for(session, handoff).values)
    if result.rule is not None:
        _sort_out(session, handoff, agreement, result.rule, account, now)
    elif has_its_rep(session, handoff) and not agreement.qualification.sales_sourced.same_rules:
        rate(session, handoff, agreement, now)
        take(session, handoff, agreement, now=now)
    else:
        handoffs.move(session, handoff, "screened", now=now)


def question(lead: Lead) -> AskCrm:
    """The question to the CRM about the lead's company."""
    return AskCrm(lead.company, domain_of(lead.email))


async def account_of(box: Toolbox, handoff_id: int) -> Account | None:
    """Return the lead's company as the CRM has it; None where the CRM does not know it. Raises CrmError."""
    asks = await box.read(lambda session, now: question(handoffs.lead_of(session, handoffs.get(session, handoff_id))))
    return await box.crm.account(company=asks.company, domain=asks.domain)


def _sort_out(session: Session, handoff: Handoff, agreement: Agreement, rule: ScreenRule, account: Account | None, now: datetime) -> None:
    handoff.reason = rule.as_ or rule.then
    why = rule.why or str(rule.when)
    if rule.then == "route" and not (account and account.owner):
        handoffs.move(session, handoff, "screened", now=now, why=why)
        return
    _tell(session, handoff, rule, account, why, now)
    if rule.then == "route" and account:
        handoff.wanted_rep, handoff.routed = account.owner, True
        rate(session, handoff, agreement, now, tier=rule.tier, routed_by=why)
        handoffs.move(session, handoff, "routed", now=now, why=why, to=account.owner, tier=handoff.tier)
        return
    events: dict[str, Move] = {"disqualify": "disqualified", "suppress": "suppressed", "attach": "attached"}
    tell_its_rep(session, handoff, key=f"sorted-out:{handoff.id}", now=now, what=f"The lead you brought in was sorted out: {why}.")
    handoffs.move(session, handoff, events[rule.then], now=now, reason=handoff.reason, why=why)


def _tell(session: Session, handoff: Handoff, rule: ScreenRule, account: Account | None, why: str, now: datetime) -> None:
    """Sends a message to the person that the rule names, and to an owner a note in the CRM too. The owner of an account to
    which the lead is attached always gets this note."""
    company = (account and account.name) or handoffs.lead_of(session, handoff).company or "This company"
    owner = account.owner if account else ""
    what = f"{company} asked again while you are working with them."
    if rule.tell == "marketing":
        said = f"{company} was sorted out ({rule.then}): {why}."
        tell(session, handoff, presence.marketing(roster.current(session), now), key=f"screen:{handoff.id}", now=now, what=said)
    elif rule.tell and account:
        owner = (account.opportunity_owner if rule.tell == "opportunity-owner" else "") or owner
        said = what if rule.then == "attach" else f"{company} asked again ({rule.then}): {why}."
        if owner:
            tell(session, handoff, owner, key=f"screen:{handoff.id}", now=now, what=said, channels=("crm", "email"))
            return
    if rule.then == "attach" and owner:
        key = f"attached:{handoff.id}"
        deliveries.queue(
            session, handoff, deliveries.Message("attached", context={"what": what}), deliveries.Copy(key, "crm", owner), now=now
        )
