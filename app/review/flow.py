"""Reviews: make those that the agreements name, when they are due.

The flow is here and not in flows/, because a review with its page and its charts is made in this folder. Nobody could hand the
maker to a flow in flows/: one of Prefect's own workers imports the flow alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Completed

from agreements.wording.markdown import escaped
from tasks.background.frequent_reasons import tell_frequent_reasons
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox

if TYPE_CHECKING:
    from app.review.making import MadeReview


@flow(name="review", retries=0, persist_result=False)
async def review() -> State:
    """Make each review that is due by its agreement and was not made, and tell the signers about reasons above their limits.

    The run shows counts, without people and leads.
    """
    make_due = await asyncio.to_thread(_make_due)
    box = toolbox.current()
    told = await tell_frequent_reasons(box)
    made = await make_due(box)
    if made:
        await _show(made)
    return Completed(message=in_words(made, told))


def _make_due() -> Callable[[Toolbox], Awaitable[tuple[MadeReview, ...]]]:
    """Import what makes reviews, which is slow, in a thread and not when a worker starts."""
    from app.review.making import make_due

    return make_due


async def _show(made: Sequence[MadeReview]) -> None:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    about = "The reviews that this run made. `baton review show NUMBER --out DIR` writes one with its page."
    with suppress(httpx.HTTPError, PrefectHTTPStatusError):  # the reviews are kept all the same
        async with get_client() as client:
            new = ArtifactCreate(type="markdown", data=summary(made), description=about, flow_run_id=context.flow_run.id)
            await client.create_artifact(new)


def in_words(made: Sequence[MadeReview], told: int = 0) -> str:
    """Return in a sentence which reviews were made. told: how many mails say that a reason is given too often."""
    named = ", ".join(f"the {one.due.kind} review of {one.review.agreement} for {one.days} (number {one.number})" for one in made)
    mails = f" Mails about a reason that sales gives too often: {told}." if told else ""
    return (f"Made: {named}." if made else "No review was due.") + mails


def summary(made: Sequence[MadeReview]) -> str:
    """Return the reviews as Markdown: for each its number, its days and its counts. It names no person, no company and no lead."""
    from app.review import wording

    parts = [
        f"### Review {one.number}: {one.due.kind}, {escaped(one.review.agreement)}, {one.days}\n\n"
        f"| | |\n|---|---|\n"
        f"| MQLs | {one.review.funnel.mqls:,} |\n"
        f"| accepted | {wording.of(one.review.funnel.accepted)} |\n"
        + "".join(f"| promises kept by {side.side} | {wording.of(side.kept)} |\n" for side in one.review.sides)
        + f"| open leads | {one.review.open_leads:,} |\n"
        f"| things to decide | {len(one.review.to_decide)} |\n| mails to signers | {one.signers} |\n"
        for one in made
    ]
    return "\n".join(parts).strip()
