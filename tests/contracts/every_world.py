"""Every CRM that Baton knows, as a world for the suite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.contracts.crm_worlds import World
from tests.contracts.hubspot_world import HubSpotWorld
from tests.contracts.local_world import LocalWorld
from tests.contracts.salesforce_world import SalesforceWorld

#: Every CRM, and those in which people have records of leads that Baton did not make.
EVERY = ("local", "hubspot", "salesforce")
VENDORS = ("hubspot", "salesforce")


def world_of(name: str, fixture: Callable[[str], Any], folder: Path, **of_vendors: Any) -> World:
    """Return the world of this CRM. fixture: returns the fixture of a name: the vendors' stand-ins have the names of the CRMs."""
    if name == "local":
        return LocalWorld(folder)
    return (HubSpotWorld if name == "hubspot" else SalesforceWorld)(fixture(name), **of_vendors)
