"""The meaning of every key of an agreement, in one line, with an example: for editors, and for messages about mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Key(NamedTuple):
    """A key of a clause: its meaning, and an example of its value as a file writes it."""

    meaning: str
    example: str


_WHEN = Key("what is asked of which fact; all of it must hold", "{country: [GB, IE]}")
_WHY = Key("why it is so, for people; it changes nothing", "two thirds of last year's wins")
_ELAPSED = "elapsed time"
_EXTERNAL = Key("a number that somebody else gives: the field that holds it; points are given in proportion", "lead_score")
_OUT_OF = Key("the highest external score there is", "100")
_CLOCK = "{owed_by: sales, calendar: rep, within: 4 working hours, when_missed: [{do: reassign, at_most: 2}, {do: nurture}]}"

#: Clause -> key -> its meaning. A test checks that every key of every clause is here.
KEYS: Mapping[str, Mapping[str, Key]] = {
    "Agreement": {
        "agreement": Key("its name: letters, digits, - _ and .", "b2b-saas"),
        "version": Key("1, 2, 3 …; a changed text is a new version", "1"),
        "effective": Key("from which day on new leads run under it, and until which", "{from: 2026-12-01}"),
        "timezone": Key("in which days and times of day are meant", "Europe/London"),
        "applies_to": Key("which leads it is for; all of them where left out", "{source: [web, webinar]}"),
        "default": Key("whether it takes the leads that no other agreement is for", "true"),
        "signers": Key("who signs, by party: addresses", "{marketing: [cmo@example.com], sales: [cro@example.com]}"),
        "definitions": Key("what the words mean, in prose", "{mql: A lead that sales should speak to.}"),
        "objectives": Key("what each side aims at", "{marketing: {mqls: 120 per month}, sales: {speed_to_lead: 90%}}"),
        "fields": Key("the facts that leads bring along, and how their values are written", "{industry: {type: choice}}"),
        "personas": Key(
            "who buys which product, and what hurts them", "[{name: ops-leader, match: {job_title: {contains: [operations]}}}]"
        ),
        "screen": Key("what is sorted out before anything is scored", "[{when: {email: disposable}, then: disqualify, as: spam}]"),
        "qualification": Key("when a lead is ready for sales", "{fast_lane: [demo_requested], mql: {total: 60}}"),
        "note": Key("what is written down before sales is told", "{must_state: [why_qualified, buying_signal, next_step]}"),
        "tiers": Key("classes of leads with times and channels of their own", "[{name: normal}]"),
        "calendars": Key("when work is done", '{office: {timezone: Europe/London, hours: {mon-fri: "09:00-17:30"}}}'),
        "routing": Key("who gets a lead", "{segments: [{team: emea}], default_acceptor: dora}"),
        "notify": Key("how a rep is told, and how that is proven", "{confirmed_on: 2, channels: [crm, email, chat]}"),
        "attention": Key("which leads interrupt; all else waits for the morning digest", "{interrupt: [hot]}"),
        "clocks": Key("who owes what by when", f"{{acceptance: {_CLOCK}}}"),
        "legs": Key("the hands that a lead passes through on the way to the opportunity", "[sdr, ae]"),
        "reasons": Key("why sales rejects or returns a lead, and what follows", "[{code: not-now, then: nurture, revisit: 60 days}]"),
        "dispute": Key("how long marketing may dispute a rejection, and who decides", "{within: 2 working days}"),
        "recycling": Key("how often and when nurtured leads are looked at again", "{at_most: 3, revisit: 90 days}"),
        "crm": Key("the company's own words for a stage", "{accepted: {status: Working}}"),
        "in_flight": Key("what a deploy does to handoffs under way", "{default: finish}"),
        "retention": Key("how long things are kept", "{trail: 3 years, personal: 2 years after last activity}"),
        "review": Key("when the leads are reviewed, in the agreement's zone", "{weekly: monday 09:00}"),
    },
    "Effective": {
        "from": Key("the first day, in the agreement's zone", "2026-12-01"),
        "until": Key("the day on which it no longer counts; none where left out", "2027-12-01"),
    },
    "Objectives": {
        "marketing": Key("what marketing aims at: mqls, accepted, pipeline, delivery", "{mqls: 120 per month, accepted: 70%}"),
        "sales": Key("what sales aims at: speed_to_lead, worked, answered …", "{speed_to_lead: 90%}"),
    },
    "DeclaredField": {
        "type": Key("choice, text, number, yes_no or date", "choice"),
        "values": Key("of a choice: all values that there are; open where left out", "[software, logistics]"),
        "synonyms": Key("what is written: what it means", '{"IT services": software}'),
        "bands": Key("of a number: a range as it is written, and the number that stands for it", '{"51-200": 51}'),
        "null_values": Key("what stands there when nothing is known", '[Select, "n/a"]'),
        "if_missing": Key("what is taken when nothing is known; unknown answers no", "unknown"),
        "known": Key("whether it is there before sales contacts the lead", "before_contact"),
        "why": _WHY,
    },
    "Persona": {
        "name": Key("how fit rules name it", "ops-leader"),
        "product": Key("what this person buys", "platform"),
        "pain_points": Key("what hurts this person; the note states it", "[manual handover]"),
        "match": Key("whom it describes", "{job_title: {contains: [operations]}}"),
    },
    "ScreenRule": {
        "when": _WHEN,
        "then": Key("disqualify, suppress, attach or route (to the account's owner)", "disqualify"),
        "as": Key("the reason that is written down", "spam"),
        "to": Key("who gets a routed lead", "account-owner"),
        "tell": Key("who is told", "account-owner"),
        "tier": Key("the tier of a routed lead", "normal"),
        "why": _WHY,
    },
    "Qualification": {
        "fast_lane": Key("activities that qualify at once, without a score", "[demo_requested, quote_requested]"),
        "mql": Key("the points that make a marketing-qualified lead", "{total: 60, fit_at_least: 30, engagement_at_least: 15}"),
        "fit": Key("points for who the lead is", "[{when: {industry: [software]}, points: 20}]"),
        "engagement": Key("points for what the lead did", "[{activity: webinar_attended, points: 20, half_life: 30 days}]"),
        "by_channel": Key("other minimums for an entry channel", "{trade_show: {engagement_at_least: 0}}"),
        "require": Key("what must be known and not a no: budget, authority, need, timeline", "[authority]"),
        "on_change": Key("what a change of role or company does to a known lead", "{job_title: rescore, company: new-linked-lead}"),
        "sales_sourced": Key("leads that sales brings in itself", "{same_rules: true}"),
    },
    "Threshold": {
        "total": Key("points in all, 0 to 100", "60"),
        "fit_at_least": Key("the least for fit", "30"),
        "engagement_at_least": Key("the least for engagement", "15"),
    },
    "ChannelThreshold": {
        "total": Key("points in all, 0 to 100; as in `mql` where left out", "50"),
        "fit_at_least": Key("the least for fit; as in `mql` where left out", "20"),
        "engagement_at_least": Key("the least for engagement; as in `mql` where left out", "0"),
    },
    "FitCriterion": {
        "when": _WHEN,
        "persona": Key("a persona that the lead is", "ops-leader"),
        "external_score": _EXTERNAL,
        "out_of": _OUT_OF,
        "points": Key("-100 to 100", "20"),
        "why": _WHY,
    },
    "EngagementCriterion": {
        "activity": Key("what the lead did", "webinar_attended"),
        "path": Key("only on this page or below it", "/pricing"),
        "points": Key("-100 to 100, for each time", "20"),
        "at_most": Key("the most that this rule gives, either way", "20"),
        "half_life": Key(f"after this time an activity counts half; {_ELAPSED}", "30 days"),
        "last_touch": Key("that somebody of us spoke to them lately", "{within: 2 days}"),
        "external_score": _EXTERNAL,
        "out_of": _OUT_OF,
        "why": _WHY,
    },
    "LastTouch": {"within": Key(f"how long ago at most; {_ELAPSED}", "2 days")},
    "OnChange": {
        "job_title": Key("rescore or ignore", "rescore"),
        "company": Key("new-linked-lead, rescore or ignore", "new-linked-lead"),
    },
    "SalesSourced": {
        "same_rules": Key("whether they must qualify like all others", "true"),
        "clocks": Key("which clocks run for their rep", "[first_attempt, outcome]"),
    },
    "Note": {
        "must_state": Key(
            "what must be there: why_qualified, buying_signal, next_step, campaign, pain_point", "[why_qualified, next_step]"
        ),
        "next_step": Key("what is to be done", "Call, find out the need, agree the next meeting."),
    },
    "Tier": {
        "name": Key("how clocks name it; the last one is normal", "hot"),
        "when": _WHEN,
        "channels": Key("instead of notify.channels", "[email, crm, chat]"),
        "routing": Key("round-robin or first-to-claim", "round-robin"),
        "release": Key("how fast they are given out", "10 per rep per working day"),
        "why": _WHY,
    },
    "Routing": {
        "segments": Key("which team takes which leads; the first match counts", "[{when: {country: [US]}, team: americas}, {team: emea}]"),
        "capacity": Key("how many leads a rep may have open", "{per_rep: 15}"),
        "default_acceptor": Key("who gets a lead that nobody else can take: an id from the roster", "dora"),
        "on_call": Key("who is asked first when everyone is away: an id from the roster", "dora"),
        "everyone_away": Key("hold, on-call-or-hold, route-anyway or default-acceptor", "hold"),
        "everyone_full": Key("default-acceptor, route-anyway or manager", "default-acceptor"),
    },
    "Segment": {
        "when": _WHEN,
        "team": Key("a team of the roster", "emea"),
        "strategy": Key("round-robin or weighted-round-robin", "round-robin"),
        "why": _WHY,
    },
    "Capacity": {
        "open_means": Key("what counts as open: assigned, accepted-untouched, working", "[assigned, accepted-untouched]"),
        "per_rep": Key("how many at most; `capacity` of a person in the roster goes before it", "15"),
    },
    "Notify": {
        "confirmed_on": Key("on how many channels an assignment must be proven", "2"),
        "within": Key(f"by when, else the ladder of `delivery`; {_ELAPSED}", "10 minutes"),
        "channels": Key("crm, email, chat, manager-email, sms, webhook", "[crm, email, chat]"),
        "fallback": Key("used when the others have not proven enough", "[manager-email]"),
        "no_bounce_for": Key(f"after what time an e-mail that has not come back has arrived; {_ELAPSED}", "2 minutes"),
        "undo": Key(f"how long an answer may be taken back; {_ELAPSED}", "5 minutes"),
    },
    "Attention": {"interrupt": Key("the tiers whose reminders and warnings are messages of their own", "[hot]")},
    "Clocks": {
        "delivery": Key("marketing's: from qualified to assigned", "{owed_by: marketing, within: 12 hours, when_missed: [{do: nurture}]}"),
        "acceptance": Key("the rep's: from the proof that the rep was told to accepted or rejected", _CLOCK),
        "first_attempt": Key("the rep's: from that proof to the first attempt to reach the lead", _CLOCK),
        "outcome": Key("the rep's: from the first attempt to the opportunity or the return", _CLOCK),
        "note": Key(
            "marketing's: from being asked to the complete note", "{owed_by: marketing, within: 12 hours, when_missed: [{do: nurture}]}"
        ),
        "decision": Key(
            "the manager's: from being asked to the decision",
            "{owed_by: manager, calendar: rep, within: 2 working days, when_missed: [{do: nurture}]}",
        ),
    },
    "Clock": {
        "owed_by": Key("marketing, sales or manager", "sales"),
        "from": Key("from what it runs; each clock has one meaning", "assigned"),
        "to": Key("what ends it; each clock has one meaning", "[accepted, rejected]"),
        "within": Key("the time, or one by tier; a tier that is not named takes normal", "{normal: 4 working hours}"),
        "calendar": Key("rep (or holder): of who owes it; or a name from `calendars`", "rep"),
        "at_least": Key("of first_attempt: what is left to the rep from the acceptance on", "1 working hour"),
        "total": Key("the bound over all reassignments, or one by tier", "{normal: 12 working hours}"),
        "on_reassign": Key("restart or remainder: what the next rep has", "restart"),
        "pauses": Key("what stops the clock", "[fix_note]"),
        "at": Key("what is done at shares of its time", "{50%: remind, 80%: tell-manager}"),
        "respect_requested_time": Key(f"of first_attempt: a time the lead asked for moves it, plus this; {_ELAPSED}", "30 minutes"),
        "touches": Key("of outcome: how many attempts, and on how many channels", "{at_least: 6, channels: 2}"),
        "check_in": Key("daily-digest: the rep is asked each working morning, in the digest", "daily-digest"),
        "when_missed": Key(
            "the ladder: one rung after another, the last one changes the stage", "[{do: reassign, at_most: 2}, {do: nurture}]"
        ),
        "why": _WHY,
    },
    "Rung": {
        "do": Key("what is done", "nurture"),
        "after": Key("a further time before it is done", "1 day"),
        "at_most": Key("how often it is done, 1 to 20", "1"),
        "track": Key("of nurture: which track", "unworked"),
    },
    "Touches": {
        "at_least": Key("how many attempts", "6"),
        "channels": Key("on how many channels", "2"),
    },
    "Leg": {
        "name": Key("sdr, ae …", "sdr"),
        "segments": Key("whose teams; of the first leg `routing.segments`", "[{team: closers}]"),
        "clocks": Key("clocks of its own; one that is not named is that of the agreement", f"{{acceptance: {_CLOCK}}}"),
    },
    "LegSegment": {"when": _WHEN, "team": Key("a team of the roster", "closers")},
    "LegClocks": {
        "acceptance": Key("instead of the agreement's", _CLOCK),
        "first_attempt": Key("instead of the agreement's", _CLOCK),
        "outcome": Key("instead of the agreement's", _CLOCK),
    },
    "Reason": {
        "code": Key("its name in figures and in the trail", "not-now"),
        "label": Key("how people read it", '"Interested, but not now"'),
        "then": Key("what follows", "nurture"),
        "track": Key("which nurture track; the code where left out", "value"),
        "revisit": Key(f"when it is looked at again; {_ELAPSED}", "{asked_date_or: 60 days}"),
        "back_to": Key("same-rep, other-rep or anyone", "same-rep"),
        "counts_against": Key("marketing, routing or nobody", "nobody"),
        "text": Key("optional or required: whether a few words go with it", "required"),
        "needs": Key("touches: only after as many attempts as the outcome clock asks for", "touches"),
        "ask": Key("what the rep is asked as well: colleague, renewal_date, channel, all", "[colleague]"),
        "alert_above": Key("RevOps is told when more than this share of a month's rejections have it", "10%"),
        "why": _WHY,
    },
    "Revisit": {"asked_date_or": Key(f"the day that the lead asked for, else after this; {_ELAPSED}", "60 days")},
    "Dispute": {
        "within": Key("how long; silence is agreement", "2 working days"),
        "decided_by": Key("who decides", "manager"),
    },
    "Recycling": {
        "at_most": Key("how many times in all", "3"),
        "revisit": Key(f"when, unless its reason says otherwise; {_ELAPSED}", "90 days"),
        "needs": Key("what must be new", "{any: [{score_rise: 10}, {new_activity: true}]}"),
    },
    "Needs": {
        "any": Key("one of these is enough", "[{score_rise: 10}, {new_activity: true}]"),
        "all": Key("all of these", "[{score_rise: 10}, {new_activity: true}]"),
    },
    "Evidence": {
        "score_rise": Key("so many points more than when it left", "10"),
        "new_activity": Key("something that it did since", "true"),
    },
    "InFlight": {"default": Key("finish, requalify or recall", "finish")},
    "Retention": {
        "trail": Key("how long the trail is kept", "3 years"),
        "personal": Key("how long what is personal is kept, from the last activity on", "2 years after last activity"),
    },
    "Review": {
        "weekly": Key("day and time", "monday 09:00"),
        "monthly": Key("on the first working day, at which time", "first working day 09:00"),
    },
}
