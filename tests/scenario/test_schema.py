"""The JSON Schema says of the scenarios what the loader says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ScenarioError
from harness.parsing.yaml_places import plain, read_yaml
from harness.scenario.load import load_scenario
from harness.scenario.schema import scenario_schema

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
SCHEMA = scenario_schema()
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


def fits(value: Any, schema: Any) -> bool:
    """A validator of the part of JSON Schema that the schema uses."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema and not any(fits(value, one) for one in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(fits(value, one) for one in schema["oneOf"]) != 1:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "type" in schema:
        types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(isinstance(value, _TYPES[one]) and not (one == "number" and value is True) for one in types):
            return False
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            return False
        return all(fits(one, schema.get("items", True)) for one in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        if any(name not in value for name in schema.get("required", [])):
            return False
        if not all(fits(name, schema.get("propertyNames", True)) for name in value):
            return False
        return all(
            fits(inner, known[name] if name in known else schema.get("additionalProperties", True))
            for name, inner in value.items()
        )
    return True


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_scenarios_fit(path: Path) -> None:
    assert fits(plain(read_yaml(path, error=ScenarioError)), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "turns: [{say: a}]\n",
        "turns: [{type: 9, expect: {reply: {contains: 9, matches: 9}, ttfa: 2s}}]\n",
        "turns: [{say: {text: hello there}}, {say: b, barge_in: 1s, expect: {keeps_talking: true}}, {wait: 2s}]\n",
        "turns: [{say: a, expect: {calls_tool: b}}, {type: a, expect: {calls_tool: [b, 7]}}]\n",
        "turns: [{type: a, expect: {calls_tool: {name: b, arguments: {c: 4, d: true, e: f}}}}]\n",
        "turns: [{type: a, expect: {calls_tool: [{name: b}, c]}}]\n",
        "pass: 9/10\nturns: [{say: a, expect: {pass: 1/2, wer: {limit: 0.3, pass: {rate: 90%, confidence: 0.9}}}}]\n",
        "greeting: {within: {limit: 2s}, pass: 1/2}\nturns: [{say: a, expect: {ends_call: {limit: true}}}]\n",
        "turns: [{wait: 2s, expect: {agent_silent: {limit: true, pass: 1/2}}}]\n",
        "turns: [{type: a, expect: {reply: {matches: b, pass: 1/2}, calls_tool: {name: c, pass: 1/2}}}]\n",
        "greeting: false\nturns: [{say: a}]\nthresholds: {turn.ttfa: max<2s, 'turn.wer{kind:say}': [avg<0.1]}\n",
        "turns: [{say: a}]\nthresholds: {turn.ttfa: {limit: max<2s, abort_on_fail: true, delay: 9s}}\n",
        "turns: [{say: a}]\nthresholds: {calls.failed: [rate<1%, {limit: rate<0.5, abort_on_fail: true}]}\n",
        "agent: 7\ntags: [1]\nsession: {language: fr}\ntimeouts: {reply: 1s}\nturns: [{say: a, expect: {wer: 0.3}}]\n",
    ],
)
def test_what_the_loader_takes_fits(tmp_path: Path, text: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    load_scenario(file)
    assert fits(plain(read_yaml(file, error=ScenarioError)), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "turns: []\n",
        "turns: [{sya: a}]\n",
        "turns: [{say: a, type: b}]\n",
        "turns: [{say: a, expect: {tfa: 2s}}]\n",
        "turns: [{say: a}]\nthresholds: {turn.tfa: max<2s}\n",
        "turns: [{say: a}]\nthresholds: {turn.ttfa: [{abort_on_fail: true}]}\n",
        "turns: [{say: a}]\ngreeting: true\n",
        "turns: [{say: a}]\nstop_on_failure: maybe\n",
        "turns: [{wait: 2}]\n",
        "pass: 9 of 10\nturns: [{say: a}]\n",
        "pass: {confidence: 0.9}\nturns: [{say: a}]\n",
        "turns: [{say: a, expect: {ttfa: {limt: 2s}}}]\n",
        "turns: [{say: a, expect: {ttfa: {pass: 1/2}}}]\n",
        "turns: [{say: a, expect: {calls_tool: []}}]\n",
        "turns: [{say: a, expect: {calls_tool: true}}]\n",
        "turns: [{say: a, expect: {calls_tool: {nme: b}}}]\n",
        "turns: [{say: a, expect: {calls_tool: {name: b, arguments: {c: [1]}}}}]\n",
    ],
)
def test_what_the_loader_refuses_does_not_fit(tmp_path: Path, text: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError):
        load_scenario(file)
    assert not fits(plain(read_yaml(file, error=ScenarioError)), SCHEMA)
