"""Identifies scenarios, so that only calls of the same script are compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from harness.record.baseline import ScenarioIdentity
from harness.record.settings import RunSettings

_DIGITS = 16  # of a SHA-256, in hex


def identities(settings: RunSettings) -> dict[str, ScenarioIdentity]:
    """Returns the identity of each scenario of a run, by name."""
    return {name: identity_of(scenario.model) for name, scenario in settings.scenarios.items()}


def identity_of(model: Mapping[str, Any]) -> ScenarioIdentity:
    """Returns the identity of a scenario from its model, without defaults, as run.json has it.

    The script is what the caller does: its turns, whether it waits for a greeting, and its timeouts. What a run changes
    on purpose is not in it: prompt, greeting and language of the session, the agent, tags, thresholds.
    """
    turns = [dict(turn) for turn in model.get("turns", ())]
    expected = [turn.pop("expect", None) for turn in turns]
    greeting = model.get("greeting")
    script = {"turns": turns, "greets": greeting is not False, "timeouts": model.get("timeouts")}
    return ScenarioIdentity(script=_hash(script), expected=_hash({"turns": expected, "greeting": greeting}))


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
