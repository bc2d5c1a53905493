"""Screen: sort out what must not be scored."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements import screening
from agreements.lead import domain_of
from agreements.model import ScreenRule
from storage import deliveries, handoffs, leads
from storage.crm.port import Account
from storage.tables import Handoff
from tasks import toolbox
from tasks.turn import Turn, step


@step
async def screen(turn: Turn) -> Turn:
    """Asks the CRM about the company, then lets the first screen rule that matches decide."""
    account = await account_of(turn.handoff_id)

    def work(session: Session, handoff: Handoff, now: datetime) -> None:
        agreement = handoffs.agreement_of(session, handoff)
        facts = leads.facts_for(session, handoff, account=account.as_facts() if account else None)
        result = screening.screen(agreement, facts.values)
        if result.rule is None:
            handoffs.move(session, handoff, "screened", now=now)
            return
        _sort_out(session, handoff, result.rule, account, now)

    return await turn.save(work)


async def account_of(handoff_id: int) -> Account | None:
    """What the CRM knows of the lead's company; None where it knows nothing. Raises CrmError."""
    box = toolbox.current()

    def who(session: Session, now: datetime) -> tuple[str, str]:
        lead = handoffs.lead_of(session, handoffs.get(session, handoff_id))
        return lead.company, domain_of(lead.email)

    company, domain = await box.read(who)
    return await box.crm.account(company=company, domain=domain)


def _sort_out(session: Session, handoff: Handoff, rule: ScreenRule, account: Account | None, now: datetime) -> None:
    handoff.reason = rule.as_ or rule.then
    why = rule.why or str(rule.when)
    if rule.then == "route" and account and account.owner:
        handoff.wanted_rep = account.owner
        handoff.tier = rule.tier or handoff.tier
        handoffs.move(session, handoff, "routed", now=now, why=why, to=account.owner)
        return
    if rule.then == "route":
        handoffs.move(session, handoff, "screened", now=now, why=why)
        return
    event = {"disqualify": "disqualified", "suppress": "suppressed", "attach": "attached"}[rule.then]
    if rule.then == "attach" and account and account.owner:
        deliveries.queue(
            session,
            handoff,
            "attached",
            key=f"attached:{handoff.id}",
            channel="crm",
            person=account.owner,
            now=now,
            context={"what": f"{account.name or 'This company'} asked again while you are working with them."},
        )
    handoffs.move(session, handoff, event, now=now, reason=handoff.reason, why=why)
