"""The dashboard for Grafana against Grafana's own types, and its queries against what is exposed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from harness.telemetry.families import FAMILIES, Family

FILE = Path(__file__).parents[2] / "docs" / "grafana" / "voice-harness.json"
TOLD: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
QUERIES = [target["expr"] for panel in TOLD["panels"] for target in panel["targets"]]
SERIES = {name: family for family in FAMILIES.values() for name in family.series}
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$scenario": ".*"}


def filled(query: str) -> str:
    """The query with a value for each of Grafana's variables."""
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def test_grafanas_types_know_everything_in_it() -> None:
    register_default_plugins()
    read = Dashboard.from_json(TOLD)
    again = json.loads(json.dumps(read, cls=JSONEncoder))
    assert lost(TOLD, again) == []


def lost(told: Any, again: Any, place: str = "") -> list[str]:
    """What is in a document and not in what Grafana's types make of it."""
    if isinstance(told, dict) and isinstance(again, dict):
        return [found for key in told for found in lost(told[key], again.get(key, "(gone)"), f"{place}.{key}")]
    if isinstance(told, list) and isinstance(again, list) and len(told) == len(again):
        return [found for i, one in enumerate(told) for found in lost(one, again[i], f"{place}[{i}]")]
    return [] if told == again else [f"{place}: {told!r} became {again!r}"]


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_is_promql_about_what_is_exposed(query: str) -> None:
    query = filled(query)
    promql_parser.parse(query)
    assert "$" not in query
    for name in named(query):
        assert name in SERIES, f"nothing is exposed as {name}"


def test_each_label_of_a_query_is_one_of_its_metric() -> None:
    for query in map(filled, QUERIES):
        families = [SERIES[name] for name in named(query)]
        for labels in re.findall(r"by \(([^)]*)\)", query) + re.findall(r"\{(\w+)=~", query):
            for label in filter(None, re.split(r",\s*", labels)):
                assert all(has(family, label) for family in families), (query, label)


def has(family: Family, label: str) -> bool:
    return label in family.labels or (label == "le" and family.kind == "histogram")


def named(query: str) -> list[str]:
    """The metrics of a query."""
    return re.findall(r"\bvoice_\w+", query)


def test_it_has_what_a_team_wants_to_see() -> None:
    used = {SERIES[name].name for query in QUERIES for name in named(query)}
    assert used >= {
        "voice_turn_ttfa_seconds",
        "voice_calls_alive",
        "voice_calls_total",
        "voice_call_failures_total",
        "voice_turn_interrupted_total",
        "voice_turn_transcript_seconds",
        "voice_turns_unfit_total",
    }
    (listed,) = [each["query"] for each in TOLD["templating"]["list"] if each["name"] == "scenario"]
    assert named(listed)[0] in SERIES
