"""What comes after, in words: reasons, disputes, leads that come back, the CRM's words, and retention."""

from __future__ import annotations

from collections.abc import Mapping

from agreements.clauses.clocks import CRM_STAGES
from agreements.crm_words import CREATE, DETAILS, LOST, STALLED, values_at, values_of
from agreements.model import Agreement, Reason
from agreements.wording import vocabulary as say
from agreements.wording.document import Block, Line, Section, Table, lines, told

_THEN = {
    "nurture": "back to nurture",
    "disqualify": "disqualified",
    "attach": "added to the existing account or deal",
    "merge": "merged with the earlier lead",
    "suppress": "suppressed: nobody contacts the person",
    "hand-to": "to the colleague whom the rep names",
    "fix-note": "marketing corrects the note, then back to the same rep",
    "marketing-triage": "marketing decides",
}
_BACK_TO = {"same-rep": "the same rep", "other-rep": "another rep", "anyone": "the next in turn"}
#: Consequences after which a lead may come back to a rep.
_RETURNING = ("nurture", "marketing-triage")
_ASKS = {
    "colleague": "which colleague",
    "renewal_date": "when their contract is renewed",
    "channel": "which ways of contact the person refuses",
    "all": "which ways of contact the person refuses",
}
_IN_FLIGHT = {
    "finish": "finish under the version they started with",
    "requalify": "that are not yet assigned start again under the new version",
    "recall": "that are not yet assigned or not yet answered start again under the new version, and their reps are told",
}


def reasons(agreement: Agreement) -> Section:
    """Describe each reason to reject or return a lead: what follows, to whom it may come back, which side it counts against."""
    head = ("reason", "then", "comes back to", "counts against", "asked of the rep")
    rows = tuple(_row(reason) for reason in agreement.reasons)
    return Section("reasons", "Why a lead is rejected or returned, and what follows", (Table(head, rows),))


def _row(reason: Reason) -> tuple[str, ...]:
    named = f"{reason.words} ({reason.code}){say.because(reason.why)}"
    returns = reason.then in _RETURNING or reason.back_to != "anyone"
    return named, consequence(reason), _BACK_TO[reason.back_to] if returns else "–", reason.counts_against, asked(reason) or "–"


def consequence(reason: Reason) -> str:
    """Say what follows from a reason: back to nurture, track value, looked at again after 60 days."""
    track = f", track {reason.track}" if reason.track else ""
    again = f", again on the requested day, otherwise after {reason.revisit.asked_date_or}" if reason.revisit else ""
    alert = f"; the signers get a message above {reason.alert_above}% of a month's rejections" if reason.alert_above is not None else ""
    one_way = "; if the person refuses only the phone or only e-mail: back to nurture, without that way" if reason.asks_channel else ""
    return f"{_THEN[reason.then]}{track}{again}{one_way}{alert}"


def reason_in_words(reason: Reason) -> str:
    """Return a reason in one line: what follows, to whom the lead comes back, what the rep is asked, which side it counts against."""
    back = f"; comes back to {_BACK_TO[reason.back_to]}" if reason.then in _RETURNING else ""
    against = f"; counts against {reason.counts_against}" if reason.counts_against != "nobody" else ""
    return f"{consequence(reason)}{back}{f'; asked: {asked(reason)}' if asked(reason) else ''}{against}"


def asked(reason: Reason) -> str:
    """Say what the rep must state or must have done, empty for nothing."""
    parts = ["a few words"] if reason.text == "required" else []
    parts += dict.fromkeys(_ASKS[one] for one in reason.ask)
    parts += [f"the agreed {reason.needs} first"] if reason.needs else []
    return "; ".join(parts)


def afterwards(agreement: Agreement) -> Section:
    """Describe disputes, and how often to revisit a nurtured lead."""
    again = agreement.recycling
    dispute = f"within {agreement.dispute.within} marketing may dispute a rejection; the {agreement.dispute.decided_by} decides"
    needs = say.listed(map(str, again.needs.any or again.needs.all), "or" if again.needs.any else "and")
    return Section(
        "afterwards",
        "Disputes, and leads that come back",
        lines(
            told(f"{dispute}. Without a dispute the rejection stands.", "Disputes:"),
            told(f"a nurtured lead is looked at again after {again.revisit}, unless its reason says otherwise.", "Looked at again:"),
            told(f"with {needs}, if the lead qualifies under the version that is then in force.", "It comes back:"),
            told(f"after {say.count(again.at_most, 'unsuccessful look')} the lead is disqualified as exhausted.", "It ends:"),
            *_enrolled(agreement),
        ),
    )


def _enrolled(agreement: Agreement) -> tuple[Line, ...]:
    if not agreement.nurture.enrol:
        return ()
    late = f"If the marketing automation has not confirmed it within {agreement.nurture.confirm_within}, it is marketing's task."
    lists = "".join(f" {track} is list {number}." for track, number in agreement.nurture.lists.items())
    how = f"Over HubSpot's lists.{lists}" if agreement.nurture.enrol == "hubspot-list" else "Over a signed webhook."
    return (told(f"Baton enrols a nurtured lead in its track, and takes it out when it leaves nurture. {how} {late}", "Enrolled:"),)


def crm(agreement: Agreement) -> Section:
    """List the values that Baton writes into the CRM at each stage and for each reason. A person who sets them there gives the answer."""
    stages = [(stage, values_at(agreement, stage)) for stage in CRM_STAGES]
    told_reasons = [(f"rejected: {reason.words}", values_of(agreement, reason)) for reason in agreement.reasons]
    rows = tuple((at, _fields(values)) for at, values in [*stages, *told_reasons] if values)
    table = (Table(("at", "the CRM says"), rows),) if rows else ()
    return Section("crm", "What the CRM says", (*table, *_beside(agreement)))


def _fields(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _beside(agreement: Agreement) -> tuple[Block, ...]:
    """What the CRM does and tells beside the values of each stage."""
    creates = agreement.crm.get("accepted", {}).get(CREATE)
    created = [told(f"accepting a lead creates its {creates} in the CRM.", "Created:")] if creates else []
    read = ", ".join(f"{name.replace('_', ' ')} from {field}" for name, field in agreement.crm.get(DETAILS, {}).items())
    details = [told(f"{read}.", "Read with a reason:")] if read else []
    found = [*created, *_loss(agreement), *_stalled(agreement), *details]
    return lines(*found) if found else ()


def _loss(agreement: Agreement) -> list[Line]:
    """Say what follows a lost opportunity."""
    said = agreement.crm.get(LOST)
    if said is None:
        return []
    track = f", track {said['track']}" if "track" in said else ""
    again = f", again after {said['revisit']}" if "revisit" in said else ""
    then = said.get("then", "")
    return [told(f"{_THEN.get(then, then)}{track}{again}, unless its reason leads elsewhere.", "A lost opportunity:")]


def _stalled(agreement: Agreement) -> list[Line]:
    """Say when an open opportunity is stalled, where that is agreed."""
    after = agreement.crm.get(STALLED, {}).get("after")
    return [told(f"one that is open and has not changed in the CRM for {after}.", "A stalled opportunity:")] if after else []


def housekeeping(agreement: Agreement) -> Section:
    """Describe what a new version does to open handoffs, how long data is kept, and when leads are reviewed."""
    kept, review = agreement.retention, agreement.review
    when = f"every week on {review.weekly.capitalize()} and every month on the {review.monthly}"
    reviews = [told(f"{when}. Baton does not prepare these reviews yet.", "Reviewed:")] if "review" in agreement.model_fields_set else []
    return Section(
        "housekeeping",
        "New versions, data and reviews",
        lines(
            told(f"leads under way {_IN_FLIGHT[agreement.in_flight.default]}, unless the deploy says otherwise.", "A new version:"),
            told(f"the trail for {say.kept(kept.trail)}; personal data for {say.kept(kept.personal)} after the last activity.", "Kept:"),
            *reviews,
        ),
    )
