"""The scenario's JSON Schema, for completion and validation in editors."""

from __future__ import annotations

from typing import Any

from harness.metrics.registry import METRICS
from harness.scenario.model import Scenario


def scenario_schema() -> dict[str, Any]:
    """Builds the schema (JSON Schema, draft 2020-12)."""
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "voice-harness scenario"
    # If the name is left out, the file's name is used.
    schema["required"] = [name for name in schema["required"] if name != "name"]
    schema["$defs"]["Step"]["oneOf"] = [{"required": [kind]} for kind in ("say", "type", "wait")]
    names = "|".join(metric.replace(".", r"\.") for metric in METRICS)
    thresholds = schema["properties"]["thresholds"]
    thresholds["propertyNames"] = {"pattern": rf"^({names})(\{{[^{{}}]*\}})?$"}
    one = {"type": ["string", "number"]}
    limit = {"anyOf": [one, {"$ref": "#/$defs/ThresholdLimit"}]}
    thresholds["additionalProperties"] = {"anyOf": [*limit["anyOf"], {"type": "array", "items": limit, "minItems": 1}]}
    for name in ("contains", "contains_any"):
        found = schema["$defs"]["Reply"]["properties"][name]
        found["anyOf"] = [one, *found["anyOf"]]
    for name in ("ExpectedTime", "ExpectedRatio", "ExpectedTrue", "ExpectedEnd"):  # the limit alone, or with more
        whole = schema["$defs"][name]
        schema["$defs"][name] = {"anyOf": [whole["properties"]["limit"], whole]}
    tools = schema["$defs"]["Expect"]["properties"]["calls_tool"]
    [wanted] = [kind for kind in tools["anyOf"] if kind["type"] == "array"]
    tool = {"anyOf": [one, wanted["items"]]}
    tools["anyOf"] = [*tool["anyOf"], wanted | {"items": tool}, {"type": "null"}]
    return schema
