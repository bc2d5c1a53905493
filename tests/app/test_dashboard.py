"""The Grafana dashboard and the Prometheus rules of examples/: they ask for what /metrics serves, in the form that Grafana documents."""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from itertools import combinations
from typing import Any, get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from sqlmodel import Session

from agreements.words import ALARM_KINDS
from storage import deliveries, worker_beats
from storage.keys import Scope
from storage.measures import Standing
from storage.tables import KeptPayload, MailFinding
from tasks.trail.sealing import seal_trail
from tests.app.stage import stage
from tests.conftest import ROOT

DASHBOARD = ROOT / "examples/grafana/baton.json"
RULES = ROOT / "examples/prometheus/baton-rules.yml"
SCRAPE = ROOT / "examples/prometheus/prometheus.yml"
#: The labels that Prometheus itself gives to everything that it scrapes.
SCRAPED = {"job", "instance"}
_NAME = re.compile(r"\bbaton_\w+")
_GROUP = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_SELECTED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"")
_SHOWN = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    return [panel for panel in board()["panels"] if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    return found


def queries() -> Iterator[tuple[str, str]]:
    """Each query of the dashboard and the rules, with the words that show its labels."""
    yield from ((target["expr"], target["legendFormat"]) for panel in panels() for target in panel["targets"])
    yield from ((rule["expr"], rule["annotations"]["summary"]) for rule in rules())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Set[str]]]:
    """What the site serves after everything has happened that it measures: the labels of each name."""
    with stage(tmp_path_factory.mktemp("company")) as company:
        company.box.write_now(_everything)
        asyncio.run(seal_trail(company.box))
        key = company.key("prometheus", Scope.METRICS)
        answer = company.browser(headers={"authorization": f"Bearer {key}"}).get("/metrics")
        labels: dict[str, set[str]] = defaultdict(set)
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                labels[sample.name] |= set(sample.labels)
        yield labels


def _everything(session: Session, now: Any) -> None:
    worker_beats.beat(session, "here:1", real=now, ticked_at=now, prefect_away_since=None)
    session.add(KeptPayload(key="k", door="forms", content="{}", at=now))
    session.add(MailFinding(key="m", delivery_id=1, person="ana", kind="complaint", source="mail", at=now))
    deliveries.queue(session, None, deliveries.Message("told"), deliveries.Copy("1", "email", "ana"), now=now)


def test_the_dashboard_shows_everything_that_is_measured_and_nothing_else(served: Mapping[str, Set[str]]) -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

    assert set(_NAME.findall(DASHBOARD.read_text(encoding="utf-8"))) == set(served)
    assert set(_NAME.findall(RULES.read_text(encoding="utf-8"))) <= set(served)
    assert set(re.findall(r"`(baton_\w+)`", page)) == set(served)
    assert [kind for kind in ALARM_KINDS if f"`{kind}`" not in page] == []


def test_a_query_groups_by_labels_that_its_numbers_have_and_shows_only_these(served: Mapping[str, Set[str]]) -> None:
    wrong = []
    for query, shown in queries():
        known = set.intersection(*({*served[name]} for name in _NAME.findall(query))) if _NAME.search(query) else set()
        groups = [{label.strip() for label in group.split(",") if label.strip()} for group in _GROUP.findall(query)]
        asked = {label for group in groups for label in group} | {label for label, _ in _SELECTED.findall(query)}
        left = groups[0] if groups else known
        wrong += [f"{query}: no label {label}" for label in asked - known - SCRAPED]
        wrong += [f"{query}: {label} is shown and grouped away" for label in set(_SHOWN.findall(shown)) - left]

    assert wrong == []


def test_a_query_selects_values_that_exist() -> None:
    [job] = YAML(typ="safe", pure=True).load(SCRAPE.read_text(encoding="utf-8"))["scrape_configs"]
    known = {"sla": get_args(Standing), "job": [job["job_name"]]}

    selected = [found for query, _ in queries() for found in _SELECTED.findall(query)]

    assert len(selected) >= 2
    assert [(label, value) for label, value in selected if value not in known[label]] == []


def test_the_dashboard_has_the_form_that_grafana_documents() -> None:
    """https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/"""
    found = board()

    assert (found["title"], found["schemaVersion"], found["editable"]) == ("Baton", 39, True)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{8,40}", found["uid"])
    assert set(found["time"]) == {"from", "to"}
    [source] = found["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    for panel in found["panels"]:
        assert {"id", "type", "title", "gridPos"} <= set(panel)
        assert set(panel["gridPos"]) == {"x", "y", "w", "h"}
    for panel in panels():
        assert {"defaults", "overrides"} <= set(panel["fieldConfig"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": "prometheus", "uid": f"${{{source['name']}}}"}
    assert len({panel["id"] for panel in found["panels"]}) == len(found["panels"])


def test_no_panel_lies_over_another_or_beside_the_page() -> None:
    """Grafana divides a page into 24 columns."""
    places = {panel["title"]: panel["gridPos"] for panel in board()["panels"]}

    assert [title for title, at in places.items() if at["x"] + at["w"] > 24] == []
    assert [
        (one, other)
        for (one, a), (other, b) in combinations(places.items(), 2)
        if a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
    ] == []


def test_the_example_configuration_asks_for_the_metrics_with_a_key_and_reads_the_rules() -> None:
    configuration = YAML(typ="safe", pure=True).load(SCRAPE.read_text(encoding="utf-8"))
    [job] = configuration["scrape_configs"]

    assert (job["metrics_path"], job["authorization"]["type"]) == ("/metrics", "Bearer")
    assert configuration["rule_files"] == [RULES.name]
    assert all(rule["alert"] and rule["expr"] and rule["annotations"]["summary"] for rule in rules())
    assert [rule["for"] for rule in rules() if "for" in rule and not re.fullmatch(r"\d+[smhd]", rule["for"])] == []
