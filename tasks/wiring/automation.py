"""The marketing automation of this installation, from its settings. Its libraries are imported where it is used."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agreements.clauses.nurturing import EnrolBy
from tasks.wiring.crm import read_crm_url, read_token
from tasks.wiring.settings import Settings
from tasks.wiring.wrong_setting import WrongSetting

if TYPE_CHECKING:
    from tasks.automation.port import MarketingAutomation


def wire_automation(settings: Settings, by: EnrolBy) -> MarketingAutomation | None:
    """Return what tells the marketing automation in this way, None where it is not set up. Raises WrongSetting."""
    return _webhook(settings) if by == "webhook" else _hubspot_lists(settings)


def _webhook(settings: Settings) -> MarketingAutomation | None:
    if not settings.nurture_url:
        return None
    from notifications.channels.webhook import SignedDoor
    from tasks.automation.webhook import WebhookAutomation

    try:
        return WebhookAutomation(SignedDoor(settings.nurture_url, settings.nurture_secret, "nurture"))
    except ValueError as error:
        raise WrongSetting([f"BATON_NURTURE_URL or BATON_NURTURE_SECRET: {error}"]) from error


def _hubspot_lists(settings: Settings) -> MarketingAutomation | None:
    """Over the HubSpot account that is the CRM, with the CRM's token."""
    try:
        address = read_crm_url(settings.crm_url)
    except ValueError as error:
        raise WrongSetting([f"BATON_CRM_URL: {error}"]) from error
    if address.kind != "hubspot":
        return None
    from storage.crm.hubspot_api import HubSpotApi
    from storage.crm.hubspot_lists import HubSpotLists
    from tasks.automation.hubspot_lists import HubSpotListAutomation

    return HubSpotListAutomation(HubSpotLists(HubSpotApi(address.api, token=partial(read_token, settings))))
