"""The compose file and the page about more machines: Baton, Prefect or the proxy reads every setting that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import Settings as PrefectSettings
from prefect.settings import get_current_settings
from prefect.settings.base import PrefectBaseSettings
from ruamel.yaml import YAML

from tasks.wiring.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = ROOT / "examples" / "compose"
#: Read by prefect-redis, which is not part of the locked installation.
OF_PREFECT_REDIS = {"PREFECT_REDIS_MESSAGING_URL", "PREFECT_REDIS_WORKER_CLEANUP_QUEUE_URL"}
#: Read by the Caddyfile, from the balancer's environment.
OF_THE_BALANCER = {"PREFECT_APIS", "BATON_WEBS"}
_NAME = re.compile(r"\b(?:BATON|PREFECT)_[A-Z0-9_]+\b")
#: Prefect's parts that hold state for several API servers, and their default, which is the memory of one server.
SHARED = {
    "PREFECT_SERVER_DOCKET_URL": "memory://",
    "PREFECT_SERVER_EVENTS_MESSAGING_BROKER": "prefect.server.utilities.messaging.memory",
    "PREFECT_SERVER_EVENTS_MESSAGING_CACHE": "prefect.server.utilities.messaging.memory",
    "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect.server.events.ordering.memory",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.memory",
    "PREFECT_SERVER_WORKER_CHANNEL_CLEANUP_QUEUE_STORAGE": "prefect.server.worker_communication.cleanup_queue.memory",
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """Return the compose file with its anchors resolved."""
    return dict(YAML(typ="safe", pure=True).load(COMPOSE / "compose.yaml"))


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Return every setting of Prefect and of Baton, as an environment variable."""
    return {*settings_of(PrefectSettings)} | OF_PREFECT_REDIS | {f"BATON_{name.upper()}" for name in Settings.model_fields}


def settings_of(model: type[PrefectBaseSettings]) -> Iterator[str]:
    """Return the environment variables of this model's settings and of the models within it."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, PrefectBaseSettings):
            yield from settings_of(field.annotation)
        else:
            yield f"{model.model_config['env_prefix']}{name}".upper()


def environments(compose: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for name, service in compose["services"].items():
        yield name, dict(service.get("environment", {}))


def test_every_setting_in_the_compose_file_is_one_that_is_read(compose: dict[str, Any], known: set[str]) -> None:
    """A name that nobody reads would be passed over in silence."""
    named = {setting for _, environment in environments(compose) for setting in environment if _NAME.fullmatch(setting)}

    assert len(named) > 20
    assert named - known == set()


def test_every_setting_on_the_page_is_one_that_is_read(known: set[str]) -> None:
    page = (ROOT / "docs" / "scaling-out.md").read_text(encoding="utf-8")

    assert set(_NAME.findall(page)) - known - OF_THE_BALANCER - {"PREFECT_AUTH"} == set()


def test_every_value_that_has_to_be_given_is_in_the_example(compose: dict[str, Any]) -> None:
    """Whoever copies it sees all that is asked for, and nothing that nobody asks for."""
    text = (COMPOSE / "compose.yaml").read_text(encoding="utf-8")
    example = (COMPOSE / "example.env").read_text(encoding="utf-8")

    assert set(re.findall(r"\$\{(\w+):\?\}", text)) == set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_whatever_several_api_servers_share_is_kept_in_none_of_them(compose: dict[str, Any]) -> None:
    """The defaults keep it in the memory of one server: the other would not know."""
    settings = get_current_settings().to_environment_variables(exclude_unset=False)
    servers = [dict(environment) for name, environment in environments(compose) if name.startswith("prefect-")]

    assert {name: settings[name] for name in SHARED} == SHARED
    assert len(servers) == 4
    assert all(environment[name] != default for environment in servers for name, default in SHARED.items())


def test_there_is_more_than_one_of_each_part(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert {"prefect-api-1", "prefect-api-2", "baton-web-1", "baton-web-2"} <= set(services)
    assert services["baton-worker"]["deploy"]["replicas"] >= 3
    assert all("--no-services" in services[name]["command"] for name in ("prefect-api-1", "prefect-api-2"))


def test_every_part_of_baton_signs_with_the_same_keys(compose: dict[str, Any]) -> None:
    """Without them each container would make keys of its own."""
    parts = [environment for name, environment in environments(compose) if name.startswith("baton-")]

    assert parts
    assert all({"BATON_SECRETS", "BATON_TRAIL_KEY", "BATON_DATABASE_URL"} <= set(environment) for environment in parts)


def test_what_a_service_waits_for_is_there(compose: dict[str, Any]) -> None:
    """A name that is misspelt stops the whole file."""
    services, volumes = compose["services"], set(compose["volumes"])

    assert [one for service in services.values() for one in service.get("depends_on", {}) if one not in services] == []
    named = {mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert {one for one in named if not one.startswith("./")} <= volumes
    assert all((COMPOSE / one).exists() for one in named if one.startswith("./"))


def test_the_balancer_names_the_services_that_there_are(compose: dict[str, Any]) -> None:
    addresses = re.findall(r"\b([a-z0-9-]+):\d{4}\b", (COMPOSE / "Caddyfile").read_text(encoding="utf-8"))

    assert len(addresses) == 4
    assert [name for name in addresses if name not in compose["services"]] == []
