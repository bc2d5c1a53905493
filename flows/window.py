"""What a run shows of itself in Prefect's windows beside its state."""

from __future__ import annotations

from prefect.artifacts import acreate_markdown_artifact


async def show_note(markdown: str) -> None:
    """Puts the handoff note on the run's page; it holds no personal data."""
    await acreate_markdown_artifact(markdown=markdown, description="Why this lead is qualified, and what it was assigned on.")
