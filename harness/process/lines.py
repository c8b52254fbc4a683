"""Messages between a process and its children: one JSON object a line, with one format for errors.

{"ready": 4711}
{"error": {"kind": "ConfigError", "what": "there is no agent x", "where": "agents.yaml:3:5", "hint": "…"}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from harness.errors import (
    ConfigError,
    FixtureError,
    HarnessError,
    KnowledgeError,
    ScenarioError,
    SeveralErrors,
    StackError,
    UsageError,
)

ERROR = "error"
_KINDS: dict[str, type[HarnessError]] = {
    kind.__name__: kind for kind in (UsageError, ScenarioError, FixtureError, ConfigError, KnowledgeError, StackError)
}


def line_of(message: Mapping[str, Any]) -> str:
    """The message as a line with its newline: plain ASCII, whatever the pipe's encoding. Models in it become JSON."""
    return json.dumps(message, default=_of_model) + "\n"


def message_in(line: str | bytes) -> dict[str, Any] | None:
    """The message in a line; None if it is not a JSON object."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def error_message(error: HarnessError) -> dict[str, Any]:
    """An error as a message."""
    return {ERROR: _told(error)}


def error_in(message: Mapping[str, Any]) -> HarnessError:
    """The error in a message; a kind that is not passed between processes becomes a `StackError`."""
    return _error(message[ERROR])


def _told(error: HarnessError) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": type(error).__name__,
        "what": error.what,
        "where": None if error.where is None else str(error.where),
        "hint": error.hint,
    }
    if isinstance(error, SeveralErrors):
        told["errors"] = [_told(each) for each in error.errors]
    return told


def _error(told: Mapping[str, Any]) -> HarnessError:
    several = [each for each in map(_error, told.get("errors", ())) if isinstance(each, UsageError)]
    if several:
        return SeveralErrors(several)
    return _KINDS.get(told["kind"], StackError)(told["what"], where=told["where"], hint=told["hint"])


def _of_model(value: BaseModel) -> Any:
    return value.model_dump(mode="json")
