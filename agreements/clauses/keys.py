"""The meaning of every key of an agreement, in one line, with an example: for editors, and for messages about mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agreements.words import DISPUTABLE


class Key(NamedTuple):
    """A key of a clause: its meaning, and an example of its value as a file writes it."""

    meaning: str
    example: str


_WHEN = Key("the condition: each fact with its question; every question must hold", "{country: [GB, IE]}")
_WHY = Key("an explanation for people; it changes nothing", "two thirds of last year's wins")
_ELAPSED = "elapsed time"
_EXTERNAL = Key("the field with a score from another system; points in proportion", "lead_score")
_OUT_OF = Key("the highest possible external score", "100")
_CLOCK = "{owed_by: sales, calendar: rep, within: 4 working hours, when_missed: [{do: reassign, at_most: 2}, {do: nurture}]}"

#: Clause -> key -> its meaning. A test checks that every key of every clause is here.
KEYS: Mapping[str, Mapping[str, Key]] = {
    "Agreement": {
        "agreement": Key("the name of the agreement: letters, digits, - _ and .", "b2b-saas"),
        "version": Key("1, 2, 3 …; a changed text needs a new version", "1"),
        "effective": Key("the days from and until which new leads run under this version", "{from: 2026-12-01}"),
        "timezone": Key("the time zone of days and times of day", "Europe/London"),
        "applies_to": Key("the leads of this agreement; all leads if left out", "{source: [web, webinar]}"),
        "default": Key("whether this agreement takes the leads that no other agreement covers", "true"),
        "signers": Key("who signs: e-mail addresses, by party", "{marketing: [cmo@example.com], sales: [cro@example.com]}"),
        "definitions": Key("what the words mean, in sentences", "{mql: A lead that sales should speak to.}"),
        "objectives": Key("the goals of each side", "{marketing: {mqls: 120 per month}, sales: {speed_to_lead: 90%}}"),
        "fields": Key("the facts that leads bring along, and the spellings of their values", "{industry: {type: choice}}"),
        "personas": Key("who buys which product, and their problems", "[{name: ops-leader, match: {job_title: {contains: [operations]}}}]"),
        "screen": Key("the leads that are sorted out before scoring", "[{when: {email: disposable}, then: disqualify, as: spam}]"),
        "qualification": Key("when a lead is ready for sales", "{fast_lane: [demo_requested], mql: {total: 60}}"),
        "note": Key("what the handoff note states before a rep gets the lead", "{must_state: [why_qualified, buying_signal, next_step]}"),
        "tiers": Key("classes of leads with their own times and channels", "[{name: normal}]"),
        "calendars": Key("working hours and holidays", '{office: {timezone: Europe/London, hours: {mon-fri: "09:00-17:30"}}}'),
        "routing": Key("who gets a lead", "{segments: [{team: emea}], default_acceptor: dora}"),
        "notify": Key("how a rep gets a message, and what proves that it arrived", "{confirmed_on: 2, channels: [crm, email, chat]}"),
        "on_activity": Key("what a lead does while a rep has it", "{fast_lane: raise-tier, other: digest}"),
        "attention": Key("the tiers that interrupt; all others wait for the morning digest", "{interrupt: [hot]}"),
        "prospect_hours": Key("the hours, by the lead's own clock, in which a first call may be due; or always", '"08:00-20:00"'),
        "clocks": Key("who has to act by when", f"{{acceptance: {_CLOCK}}}"),
        "legs": Key("the teams that have a lead one after another, up to the opportunity", "[sdr, ae]"),
        "reasons": Key("why sales rejects or returns a lead, and what follows", "[{code: not-now, then: nurture, revisit: 60 days}]"),
        "dispute": Key("how long marketing can dispute a rejection, and who decides", "{within: 2 working days}"),
        "recycling": Key("how often and when Baton looks at nurtured leads again", "{at_most: 3, revisit: 90 days}"),
        "nurture": Key("how a nurtured lead gets into its track at the marketing automation", "{enrol: webhook}"),
        "crm": Key(
            "the company's own CRM words for each stage",
            "{accepted: {status: Working, create: opportunity}, rejected: {status: Unqualified}}",
        ),
        "in_flight": Key("what a deploy does to open handoffs", "{default: finish}"),
        "retention": Key("how long the trail and personal data are kept", "{trail: 3 years, personal: 2 years after last activity}"),
        "review": Key("when both sides review the leads, in the agreement's time zone", "{weekly: monday 09:00}"),
    },
    "Effective": {
        "from": Key("the first day, in the agreement's time zone", "2026-12-01"),
        "until": Key("the first day on which the version no longer counts; no end if left out", "2027-12-01"),
    },
    "Objectives": {
        "marketing": Key("marketing's goals: mqls, accepted, pipeline, delivery", "{mqls: 120 per month, accepted: 70%}"),
        "sales": Key("sales' goals: speed_to_lead, worked, answered …", "{speed_to_lead: 90%}"),
    },
    "DeclaredField": {
        "type": Key("choice, text, number, yes_no or date", "choice"),
        "values": Key("for a choice: every possible value; any value if left out", "[software, logistics]"),
        "synonyms": Key("each spelling and its meaning", '{"IT services": software}'),
        "bands": Key("for a number: each range as written, and the number that Baton takes for it", '{"51-200": 51}'),
        "null_values": Key("what forms write when the value is unknown", '[Select, "n/a"]'),
        "if_missing": Key("the value that Baton takes when nothing is known; `unknown` answers no", "unknown"),
        "known": Key("before_contact or after_contact: when the value becomes known", "before_contact"),
        "why": _WHY,
    },
    "Persona": {
        "name": Key("the persona's name, for fit rules", "ops-leader"),
        "product": Key("what this person buys", "platform"),
        "pain_points": Key("this person's problems; the note states them", "[manual handover]"),
        "match": Key("the leads that have this persona", "{job_title: {contains: [operations]}}"),
    },
    "ScreenRule": {
        "when": _WHEN,
        "then": Key("disqualify, suppress, attach or route (to the account's owner)", "disqualify"),
        "as": Key("the reason that the trail keeps", "spam"),
        "to": Key("who gets a routed lead", "account-owner"),
        "tell": Key("who gets a message", "account-owner"),
        "tier": Key("the tier of a routed lead", "normal"),
        "why": _WHY,
    },
    "Qualification": {
        "fast_lane": Key("activities that qualify a lead at once, without a score", "[demo_requested, quote_requested]"),
        "mql": Key("the points that make a marketing-qualified lead", "{total: 60, fit_at_least: 30, engagement_at_least: 15}"),
        "fit": Key("points for who the lead is", "[{when: {industry: [software]}, points: 20}]"),
        "engagement": Key("points for what the lead did", "[{activity: webinar_attended, points: 20, half_life: 30 days}]"),
        "by_channel": Key("other minimums for an entry channel", "{trade_show: {engagement_at_least: 0}}"),
        "require": Key("what must be known and not be `no`: budget, authority, need, timeline", "[authority]"),
        "on_change": Key("what a change of role or company does to a known lead", "{job_title: rescore, company: new-linked-lead}"),
        "sales_sourced": Key("leads that reps bring in", "{same_rules: true}"),
    },
    "Threshold": {
        "total": Key("total points, 0 to 100", "60"),
        "fit_at_least": Key("the minimum for fit", "30"),
        "engagement_at_least": Key("the minimum for engagement", "15"),
    },
    "ChannelThreshold": {
        "total": Key("total points, 0 to 100; as in `mql` if left out", "50"),
        "fit_at_least": Key("the minimum for fit; as in `mql` if left out", "20"),
        "engagement_at_least": Key("the minimum for engagement; as in `mql` if left out", "0"),
    },
    "FitCriterion": {
        "when": _WHEN,
        "persona": Key("the name of a persona", "ops-leader"),
        "external_score": _EXTERNAL,
        "out_of": _OUT_OF,
        "points": Key("-100 to 100", "20"),
        "why": _WHY,
    },
    "EngagementCriterion": {
        "activity": Key("what the lead did", "webinar_attended"),
        "path": Key("only on this page or below it", "/pricing"),
        "points": Key("-100 to 100, for each time", "20"),
        "at_most": Key("the limit for the points of this rule, upwards and downwards", "20"),
        "half_life": Key(f"after this time an activity counts half; {_ELAPSED}", "30 days"),
        "last_touch": Key("a recent contact: sales spoke to the lead within this time", "{within: 2 days}"),
        "external_score": _EXTERNAL,
        "out_of": _OUT_OF,
        "why": _WHY,
    },
    "LastTouch": {"within": Key(f"the longest time since the contact; {_ELAPSED}", "2 days")},
    "OnChange": {
        "job_title": Key("rescore or ignore", "rescore"),
        "company": Key("new-linked-lead, rescore or ignore", "new-linked-lead"),
    },
    "SalesSourced": {
        "same_rules": Key("whether these leads must qualify like all others", "true"),
        "clocks": Key("the clocks that run for the rep who brought the lead in", "[first_attempt, outcome]"),
    },
    "Note": {
        "must_state": Key(
            "what the note must state: why_qualified, buying_signal, next_step, campaign, pain_point", "[why_qualified, next_step]"
        ),
        "next_step": Key("the next step that the note states", "Call, find out the need, agree the next meeting."),
    },
    "Tier": {
        "name": Key("the tier's name, for clocks; the last tier is `normal`", "hot"),
        "when": _WHEN,
        "channels": Key("the channels of this tier, instead of notify.channels", "[email, crm, chat]"),
        "routing": Key("round-robin, or first-to-claim: several reps are asked at once", "round-robin"),
        "told": Key("how many reps at work first-to-claim asks at once, from 2 on, or all", "3"),
        "release": Key("how fast reps get the leads of this tier", "10 per rep per working day"),
        "prefer": Key("open: somebody who is at work, else whoever opens first; turn: whose turn it is, at work or not", "open"),
        "why": _WHY,
    },
    "Routing": {
        "segments": Key("which team takes which leads; the first match counts", "[{when: {country: [US]}, team: americas}, {team: emea}]"),
        "capacity": Key("how many leads a rep may have open", "{per_rep: 15}"),
        "default_acceptor": Key("who gets a lead that nobody else can take: an id from the roster", "dora"),
        "on_call": Key("who gets the lead first when everyone is away: an id from the roster", "dora"),
        "everyone_away": Key("hold, on-call-or-hold, route-anyway or default-acceptor", "hold"),
        "everyone_full": Key("default-acceptor, route-anyway or manager", "default-acceptor"),
        "overnight_pace": Key(f"how long a rep has for each lead that waits at the opening, or none; {_ELAPSED}", "10 minutes"),
        "same_company": Key("whether a colleague of a person whom a rep has goes to the same rep", "{to: same-rep, within: 30 days}"),
        "on_leave": Key("what becomes of a rep's leads when an absence begins", "{assigned: somebody-else, accepted: deputy}"),
    },
    "OnActivity": {
        "fast_lane": Key("a request such as demo_requested: raise-tier, tell, digest or page", "raise-tier"),
        "other": Key("anything else that the lead does: digest or page", "digest"),
    },
    "SameCompany": {
        "to": Key("same-rep: the rep who has or had a colleague, else by turn; by-turn: always by turn", "same-rep"),
        "within": Key(f"how long a rep who had the colleague counts; {_ELAPSED}", "30 days"),
        "waits": Key(f"how much later the rep may be at work than the first who could take the lead; {_ELAPSED}", "2 hours"),
    },
    "OnLeave": {
        "assigned": Key("leads that wait for the rep's answer: somebody-else, deputy or keep", "somebody-else"),
        "accepted": Key("leads that the rep has not tried to reach yet: deputy, somebody-else, manager-decides or keep", "deputy"),
        "working": Key("leads that the rep works on: deputy, somebody-else, manager-decides or keep", "deputy"),
        "back_after": Key("whether what nobody has worked on meanwhile comes back when the rep is back", "true"),
    },
    "Segment": {
        "when": _WHEN,
        "team": Key("a team of the roster", "emea"),
        "strategy": Key("round-robin, weighted-round-robin or least-open", "round-robin"),
        "why": _WHY,
    },
    "Capacity": {
        "open_means": Key("which leads count as open: assigned, accepted-untouched, working", "[assigned, accepted-untouched]"),
        "per_rep": Key("the most open leads per rep; `capacity` of a person in the roster replaces this number", "15"),
    },
    "Notify": {
        "confirmed_on": Key("how many channels must prove that the assignment arrived", "2"),
        "within": Key(f"the time for that proof; afterwards the ladder of `delivery` starts; {_ELAPSED}", "10 minutes"),
        "channels": Key("crm, email, chat, manager-email, sms, webhook", "[crm, email, chat]"),
        "fallback": Key("the channels to use when the others have too little proof", "[manager-email]"),
        "no_bounce_for": Key(f"an e-mail counts as arrived when it does not come back for this time; {_ELAPSED}", "2 minutes"),
        "undo": Key(f"how long a rep can take an answer back; {_ELAPSED}", "5 minutes"),
        "proof": Key("which messages prove that the rep was told", "{counts: [rep]}"),
    },
    "Proof": {
        "counts": Key("rep: messages to the rep; manager: also to somebody else; unread: also on a channel that nobody reads", "[rep]"),
    },
    "Attention": {
        "interrupt": Key("the tiers whose reminders and warnings are separate messages", "[hot]"),
        "tell_marketing": Key(
            "the outcomes of leads that marketing is told at once; the others are in its morning digest", f"[{', '.join(DISPUTABLE)}]"
        ),
    },
    "Clocks": {
        "delivery": Key("marketing's: from qualified to assigned", "{owed_by: marketing, within: 12 hours, when_missed: [{do: nurture}]}"),
        "acceptance": Key("the rep's: from the proof that the message arrived to accepted or rejected", _CLOCK),
        "first_attempt": Key("the rep's: from that proof to the first attempt to reach the lead", _CLOCK),
        "outcome": Key("the rep's: from the first attempt to the opportunity or the return", _CLOCK),
        "note": Key(
            "marketing's: from the request to the complete note", "{owed_by: marketing, within: 12 hours, when_missed: [{do: nurture}]}"
        ),
        "decision": Key(
            "the manager's: from the request to the decision",
            "{owed_by: manager, calendar: rep, within: 2 working days, when_missed: [{do: nurture}]}",
        ),
    },
    "Clock": {
        "owed_by": Key("marketing, sales or manager", "sales"),
        "from": Key("the event that starts the clock; each clock has exactly one", "assigned"),
        "to": Key("the events that end the clock; each clock has exactly these", "[accepted, rejected]"),
        "within": Key("one time, or a time for each tier; a tier that is not named has the time of `normal`", "{normal: 4 working hours}"),
        "calendar": Key("rep (or holder): the calendar of the person who has to act; or a name from `calendars`", "rep"),
        "at_least": Key("for first_attempt: the least time that a rep has after the acceptance", "1 working hour"),
        "total": Key("the longest time for all assignments together, or one for each tier", "{normal: 12 working hours}"),
        "on_reassign": Key("restart or remainder: the time of the next rep", "restart"),
        "pauses": Key("what stops the clock", "[fix_note]"),
        "at": Key("what happens at shares of the time", "{50%: remind, 80%: tell-manager}"),
        "respect_requested_time": Key(f"for first_attempt: the due time is the requested time plus this; {_ELAPSED}", "30 minutes"),
        "touches": Key("for outcome: how many attempts, and on how many channels", "{at_least: 6, channels: 2}"),
        "check_in": Key("daily-digest: the digest asks the rep each working morning", "daily-digest"),
        "when_missed": Key(
            "the ladder: one rung after another; the last rung changes the stage", "[{do: reassign, at_most: 2}, {do: nurture}]"
        ),
        "why": _WHY,
    },
    "Rung": {
        "do": Key("the action of this rung", "nurture"),
        "after": Key("a further time to wait before this rung", "1 day"),
        "at_most": Key("how often, 1 to 20", "1"),
        "track": Key("for nurture: the track", "unworked"),
    },
    "RequestedTime": {
        "tolerance": Key(f"how long after the requested time the first attempt is due; {_ELAPSED}", "30 minutes"),
        "outside_hours": Key("next-opening or keep: what becomes of a time at which the rep is closed", "next-opening"),
    },
    "Touches": {
        "at_least": Key("how many attempts", "6"),
        "channels": Key("on how many channels", "2"),
    },
    "Leg": {
        "name": Key("sdr, ae …", "sdr"),
        "segments": Key("the teams of this leg; the first leg uses `routing.segments`", "[{team: closers}]"),
        "clocks": Key("the clocks of this leg; for all others the agreement's clocks count", f"{{acceptance: {_CLOCK}}}"),
    },
    "LegSegment": {"when": _WHEN, "team": Key("a team of the roster", "closers")},
    "LegClocks": {
        "acceptance": Key("replaces the agreement's clock", _CLOCK),
        "first_attempt": Key("replaces the agreement's clock", _CLOCK),
        "outcome": Key("replaces the agreement's clock", _CLOCK),
    },
    "Reason": {
        "code": Key("the reason's name in figures and in the trail", "not-now"),
        "label": Key("the name for people", '"Interested, but not now"'),
        "then": Key("what follows", "nurture"),
        "track": Key("the nurture track; the code if left out", "value"),
        "revisit": Key(f"when Baton looks at the lead again; {_ELAPSED}", "{asked_date_or: 60 days}"),
        "back_to": Key("same-rep, other-rep or anyone", "same-rep"),
        "counts_against": Key("marketing, routing or nobody", "nobody"),
        "text": Key("optional or required: whether the rep must add a few words", "required"),
        "needs": Key("touches: only after the attempts that `clocks.outcome.touches` asks for", "touches"),
        "ask": Key(
            "what the page also asks the rep: colleague, renewal_date, channel or all (what the person refuses)",
            "[colleague]",
        ),
        "alert_above": Key(
            "the signers get a message when more than this share of a month's rejections have this reason, from 20 rejections on", "10%"
        ),
        "crm": Key("the values in the CRM that say this reason, by field", "{reason: Not now}"),
        "why": _WHY,
    },
    "Revisit": {"asked_date_or": Key(f"the day that the lead asked for, otherwise after this time; {_ELAPSED}", "60 days")},
    "Dispute": {
        "within": Key("how long marketing can dispute; silence means agreement", "2 working days"),
        "decided_by": Key("who decides", "manager"),
    },
    "Recycling": {
        "at_most": Key("the number of revisits; afterwards the lead is disqualified", "3"),
        "revisit": Key(f"the time to the next look, unless the reason says otherwise; {_ELAPSED}", "90 days"),
        "needs": Key("what must be new for another handoff", "{any: [{score_rise: 10}, {new_activity: true}]}"),
    },
    "Nurture": {
        "enrol": Key("webhook or hubspot-list; marketing enrols leads itself if left out", "webhook"),
        "lists": Key("for hubspot-list: the number of the list of each track; `other` for all others", "{not-now: 412, other: 400}"),
        "confirm_within": Key("how soon the marketing automation has to confirm it, on marketing's calendar", "1 working day"),
    },
    "Needs": {
        "any": Key("one of these is enough", "[{score_rise: 10}, {new_activity: true}]"),
        "all": Key("all of these", "[{score_rise: 10}, {new_activity: true}]"),
    },
    "Evidence": {
        "score_rise": Key("this many points more than when the lead left", "10"),
        "new_activity": Key("an activity since the lead left", "true"),
    },
    "InFlight": {"default": Key("finish, requalify or recall", "finish")},
    "Retention": {
        "trail": Key("how long the trail is kept", "3 years"),
        "personal": Key("how long personal data is kept, counted from the last activity", "2 years after last activity"),
    },
    "Review": {
        "weekly": Key("day and time", "monday 09:00"),
        "monthly": Key("the time on the first working day", "first working day 09:00"),
    },
}
