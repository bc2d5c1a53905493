"""When a lead is ready, in words: definitions beside their rules, aims, facts, personas, screen, and what a note states."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.clauses.aims import MEASURES
from agreements.model import Agreement, ChannelThreshold, DeclaredField, EngagementCriterion, FitCriterion, Persona, ScreenRule, Threshold
from agreements.wording import vocabulary as say
from agreements.wording.document import Beside, Line, Lines, Section, Table, Text, lines, told

_SCREENED = {"disqualify": "disqualified", "suppress": "suppressed", "attach": "added to the existing account or deal"}
_ON_CHANGE = {
    "rescore": "the lead is scored again",
    "ignore": "nothing happens",
    "new-linked-lead": "a new lead starts, linked to the earlier one",
}
_MUST_STATE = {"why_qualified": "why the lead is qualified", "pain_point": "the pain point of the lead"}


def definitions(agreement: Agreement) -> Section:
    """Define lead, MQL, SAL and SQL, the prose beside the deciding rules, and every other word that the file defines."""
    rules = {"lead": _lead(agreement), "mql": _mql(agreement), "sal": _sal(agreement), "sql": _sql(agreement)}
    told = {word.lower(): (word, prose) for word, prose in agreement.definitions.items()}
    words = [*rules, *(word for word in told if word not in rules)]
    nothing = "No words are agreed for this. The rules decide."
    blocks = (Beside(_name(told.get(word, (word,))[0]), told[word][1] if word in told else nothing, rules.get(word, ())) for word in words)
    return Section("words", "What the words mean", tuple(blocks))


def _name(word: str) -> str:
    return word.upper() if word.lower() in ("mql", "sal", "sql") else say.sentence(word).rstrip(".")


def _lead(agreement: Agreement) -> tuple[Lines, ...]:
    leads = say.condition(agreement.applies_to, otherwise="every lead, unless another agreement covers it")
    return lines(f"Under this agreement: {leads}.", f"Sorted out before scoring: {len(agreement.screen) + 1} rules, see below.")


def _mql(agreement: Agreement) -> tuple[Lines, ...]:
    rules = agreement.qualification
    lane = say.listed((say.plain(name) for name in rules.fast_lane), "or")
    channels = (f"From {say.plain(channel)}: {changed_threshold(changed)}." for channel, changed in rules.by_channel.items())
    return (
        *lines(_threshold(rules.mql), *channels, title="By points"),
        *lines(f"By: {lane}." if lane else "", title="Or right away, whatever the points"),
        *lines(f"{say.sentence(say.listed(map(say.yes, rules.require)))}" if rules.require else "", title="And only if we know that"),
        *lines(*map(_fit, rules.fit), title="Points for fit"),
        *lines(*map(_engagement, rules.engagement), title="Points for engagement"),
    )


def _threshold(wanted: Threshold) -> str:
    fit, engagement = wanted.fit_at_least, wanted.engagement_at_least
    return f"At least {wanted.total} of 100 points, fit at least {fit}, engagement at least {engagement}."


def changed_threshold(changed: ChannelThreshold) -> str:
    """Say how a channel changes the minimums."""
    asked = {"points": changed.total, "fit": changed.fit_at_least, "engagement": changed.engagement_at_least}
    return say.listed(f"{what} at least {least}" for what, least in asked.items() if least is not None) or "no other points"


def _fit(rule: FitCriterion) -> Line:
    return Line(f"{question_of(rule)}{say.because(rule.why)}", say.points(rule.points), rule.points)


def _engagement(rule: EngagementCriterion) -> Line:
    most = f", at most {rule.at_most} in all" if rule.at_most is not None else ""
    fades = f", halved every {rule.half_life}" if rule.half_life else ""
    each = " each time" if rule.activity else ""
    return Line(f"{question_of(rule)}{each}{most}{fades}{say.because(rule.why)}", say.points(rule.points), rule.points)


def question_of(rule: FitCriterion | EngagementCriterion) -> str:
    """Return in words what a criterion asks."""
    if rule.external_score:
        return f"in proportion to {say.fact(rule.external_score)}, out of {say.number(rule.out_of)}"
    if isinstance(rule, FitCriterion):
        return f"persona {rule.persona}" if rule.persona or rule.when is None else say.condition(rule.when)
    if rule.last_touch:
        return f"spoken to within {rule.last_touch.within}"
    return say.plain(rule.activity) + (f" on {rule.path}" if rule.path else "")


def _sal(agreement: Agreement) -> tuple[Lines, ...]:
    clock = agreement.clocks.acceptance
    stated = say.listed(_MUST_STATE.get(name, f"the {say.plain(name)}") for name in agreement.note.must_state)
    return lines(
        f"The rep accepts the lead {say.by_tier(clock.within)}.",
        f"Before that, the note states {stated}." if stated else "",
        f"Otherwise the rep rejects the lead with one of {len(agreement.reasons)} reasons, see below.",
    )


def _sql(agreement: Agreement) -> tuple[Lines, ...]:
    clocks, touches = agreement.clocks, agreement.clocks.outcome.touches
    tried = f"; a lead counts as out of reach only after {say.touches(touches)}" if touches.at_least else ""
    return lines(
        f"The rep tries to reach the lead {say.by_tier(clocks.first_attempt.within)}.",
        f"The rep says what came of the lead {say.by_tier(clocks.outcome.within)}{tried}.",
    )


def objectives(agreement: Agreement) -> Section:
    """List each side's aims, and what each figure measures."""
    sides = {"marketing": agreement.objectives.marketing, "sales": agreement.objectives.sales}
    rows = ((side, say.plain(name), str(aim), MEASURES[side].get(name, "")) for side, aims in sides.items() for name, aim in aims.items())
    table = Table(("who", "aim", "at least", "measured as"), tuple(rows))
    return Section("objectives", "What each side aims at", (table,) if table.rows else ())


def facts(agreement: Agreement) -> Section:
    """List the declared facts, which rules may ask for besides the built-in ones, and how their values are written."""
    rows = tuple((name, _kind(field), _writing(field), say.value(field.if_missing)) for name, field in agreement.fields.items())
    table = Table(("fact", "kind", "how its values are written", "if missing"), rows)
    return Section("facts", "Which facts count, and how they are written", (table,) if rows else ())


def _kind(field: DeclaredField) -> str:
    values = f": {', '.join(field.values)}" if field.values else ""
    late = "; known only after sales contacted the lead" if field.known == "after_contact" else ""
    return f"{say.plain(field.type)}{values}{late}{say.because(field.why)}"


def _writing(field: DeclaredField) -> str:
    meant = dict.fromkeys(map(say.value, field.synonyms.values()))
    same = [f"{one}: also {', '.join(k for k, v in field.synonyms.items() if say.value(v) == one)}" for one in meant]
    if field.bands:
        same.append(", ".join(f"{written} is taken as {say.number(stands)}" for written, stands in field.bands.items()))
    if field.null_values:
        same.append(f"no answer: {', '.join(field.null_values)}")
    return "; ".join(same) or "as they are"


def personas(agreement: Agreement) -> Section:
    """Describe the personas: what they buy and their pain points. A lead has the first persona that matches."""
    products = dict.fromkeys(persona.product for persona in agreement.personas)
    blocks = (
        block
        for product in products
        for block in lines(
            *(_persona(one) for one in agreement.personas if one.product == product),
            title=f"Who buys {product}" if product else "Without a product",
            numbered=len(products) == 1,
        )
    )
    order = Text(f"The first persona that matches counts, in this order: {', '.join(one.name for one in agreement.personas)}.")
    return Section("personas", "Personas and their pain points", (*blocks, order) if agreement.personas else ())


def _persona(one: Persona) -> Line:
    hurts = f" Pain points: {'; '.join(one.pain_points)}." if one.pain_points else ""
    return Line(f"{say.sentence(say.condition(one.match))}{hurts}", f"{one.name}:")


def screen(agreement: Agreement) -> Section:
    """List the screen rules, which come before scoring, in the order in which they are tested."""
    first = told("everybody who asked not to be contacted or is on the suppression list.", "Suppressed:")
    rules = lines(first, *map(_screened, agreement.screen), numbered=True)
    return Section("screen", "Which leads are sorted out before scoring", (Text("The first rule that matches counts."), *rules))


def _screened(rule: ScreenRule) -> Line:
    return told(f"when {say.condition(rule.when)}{say.because(rule.why)}.", f"{what_follows(rule).capitalize()}:")


def what_follows(rule: ScreenRule) -> str:
    """Say what happens to a lead that matches a screen rule."""
    return "".join(_what_follows(rule))


def _what_follows(rule: ScreenRule) -> Iterator[str]:
    yield f"to the {say.plain(rule.to)}, without a score" if rule.then == "route" else _SCREENED[rule.then]
    yield f" ({rule.as_})" if rule.as_ else ""
    yield f", at tier {rule.tier}" if rule.tier else ""
    yield f"; the {say.plain(rule.tell)} is told".replace("the marketing", "marketing") if rule.tell else ""


def changes(agreement: Agreement) -> Section:
    """Say what a change of role or company does to a known lead, and how leads that sales brings in are treated."""
    change, own = agreement.qualification.on_change, agreement.qualification.sales_sourced
    clocks = say.listed(say.plain(name) for name in own.clocks)
    rules = "must qualify by the same rules" if own.same_rules else "do not have to qualify, and go to the rep who brought them in"
    return Section(
        "changes",
        "Changed leads, and leads from sales",
        lines(
            told(f"{_ON_CHANGE[change.job_title]}.", "Another role:"),
            told(f"{_ON_CHANGE[change.company]}.", "Another company:"),
            told(f"they {rules}. Clocks for them: {clocks or 'none'}.", "Leads that sales brings in:"),
        ),
    )


def note(agreement: Agreement) -> Section:
    """Say what the note must state before sales gets the lead."""
    must = say.listed(_MUST_STATE.get(name, f"the {say.plain(name)}") for name in agreement.note.must_state)
    asks = f"Sales hears of a lead only when the note states {must}." if must else "The note may be empty."
    return Section("note", "What sales is told", lines(asks, Line(agreement.note.next_step, "Next step, as agreed:")))
