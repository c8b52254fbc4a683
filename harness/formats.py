"""Versioned file formats: a reader names a version that it does not know, and reads all older ones.

Each file of a run has a `version`: `run.json`, `summary.json` and `capacity.json` at the top level, `calls.jsonl` in
every line, a timeline in its first event. A model lists the versions that it reads as `Literal`s; its default is the
one that it writes. Files without a version predate versions and are version 1.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

OTHER_VERSION = "report it with the version that made it (harness_version in run.json), or restore the file"

DAMAGED = "restore the file from a copy of the run's folder, such as the artifact of the CI job; nothing else has it"


class Recorded(BaseModel):
    """A model of a file or a part of one; unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid")


def why_unread(model: type[BaseModel], problem: ValidationError) -> str:
    """The message for a file or line that does not match the model."""
    errors = problem.errors()
    for error in errors:
        if error["loc"] == ("version",):
            return unknown_version(error["input"], get_args(model.model_fields["version"].annotation))
    keys = ".".join(map(str, errors[0]["loc"]))
    if keys:
        return f"it is not as this version writes it, at {keys}"
    if not is_json(problem):
        return f"it is damaged, and no longer JSON ({errors[0]['ctx']['error']})"
    return "it is not as this version writes it"


def is_json(problem: ValidationError) -> bool:
    """Whether the text that a model refused is JSON at all; if not, the file is damaged and not of another version."""
    return problem.errors()[0]["type"] != "json_invalid"


def unknown_version(found: Any, known: tuple[int, ...]) -> str:
    """The message for an unknown version."""
    versions = " and ".join(map(str, known))
    return f"its format is version {json.dumps(found)}, and this voice-harness reads {versions}"
