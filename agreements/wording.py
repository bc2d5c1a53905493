"""The contract in words, as people read it."""

from __future__ import annotations

from agreements.model import Agreement


def contract_in_words(agreement: Agreement) -> str:
    """The contract as a manager reads it: who owes whom what by when, and what each reason leads to."""
    rules = agreement.qualification
    lines = [f"# {agreement.agreement}, version {agreement.version}", f"In force from {agreement.effective.from_} ({agreement.timezone})."]
    lines += ["", "## Who owes what by when", "", "| clock | owed by | within | when missed |", "|---|---|---|---|"]
    for name in type(agreement.clocks).model_fields:
        clock = agreement.clocks.named(name)
        within = "; ".join(f"{tier}: {term}" for tier, term in clock.within.items())
        rungs = ", then ".join(
            f"{'after ' + str(rung.after) + ' ' if rung.after else ''}{rung.do.replace('-', ' ')}" for rung in clock.when_missed
        )
        lines.append(f"| {name.replace('_', ' ')} | {clock.owed_by} | {within} | {rungs} |")
    lines += [
        "",
        "## What is qualified",
        "",
        f"At least {rules.mql.total} of 100 points; fit {rules.mql.fit_at_least}, engagement {rules.mql.engagement_at_least}.",
    ]
    lines += [f"At once: {', '.join(rules.fast_lane).replace('_', ' ')}." if rules.fast_lane else ""]
    lines += ["", "## Reasons", "", *(f"- {reason.words}: {reason.then.replace('-', ' ')}" for reason in agreement.reasons)]
    if agreement.definitions:
        lines += ["", "## Words", "", *(f"- **{word}**: {meaning}" for word, meaning in agreement.definitions.items())]
    return "\n".join(lines)
