"""The marketing automation of this installation, from its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.wiring.settings import Settings
from tasks.wiring.wrong_setting import WrongSetting

if TYPE_CHECKING:
    from notifications.automation import MarketingAutomation


def wire_automation(settings: Settings) -> MarketingAutomation | None:
    """Return the marketing automation, None where BATON_NURTURE_URL is not set. Raises WrongSetting."""
    if not settings.nurture_url:
        return None
    from notifications.automation import WebhookAutomation  # imported where it is used: most commands send nothing
    from notifications.channels.webhook import SignedDoor

    try:
        return WebhookAutomation(SignedDoor(settings.nurture_url, settings.nurture_secret, "nurture"))
    except ValueError as error:
        raise WrongSetting([f"BATON_NURTURE_URL or BATON_NURTURE_SECRET: {error}"]) from error
