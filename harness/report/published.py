"""The published JSON of a run: everything that its reports show, in one document."""

from __future__ import annotations

import json
import math
from typing import Any, Literal

from harness.formats import Recorded
from harness.record.capacity import Capacity
from harness.record.observed import Observed
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult
from harness.record.settings import RunSettings
from harness.record.summary import Summary


class Published(Recorded):
    """A run as one JSON document, made of the models of its files.

    Attributes:
        version: The version of this document; its parts have their own.
        run: The content of `run.json`.
        summary: The content of `summary.json`; None if the run was never judged.
        calls: The lines of `calls.jsonl`, sorted by the call's id.
        capacity: The content of `capacity.json`, of a capacity search.
        observed: The content of `observed.json`, if the agent's hosts were observed.
    """

    version: Literal[1] = 1
    run: RunSettings
    summary: Summary | None
    calls: list[CallResult]
    capacity: Capacity | None = None
    observed: Observed | None = None


def published(run: RecordedRun) -> Published:
    """Returns the document of a recorded run."""
    return Published(
        run=run.settings,
        summary=run.summary,
        calls=sorted(run.calls, key=lambda call: call.call),
        capacity=run.capacity,
        observed=run.observed,
    )


def render_json(run: RecordedRun) -> str:
    """Renders the document of a recorded run as JSON in ASCII: control characters and texts of agents are escaped.

    Its schema is `published_schema()`. A lone surrogate in a text becomes U+FFFD, since it could not be read elsewhere.
    """
    document = _readable(published(run).model_dump(mode="json", warnings=False))
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _readable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_readable(key): _readable(each) for key, each in value.items()}
        case list():
            return [_readable(each) for each in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def published_schema() -> dict[str, Any]:
    """Returns the JSON Schema (draft 2020-12) of the document.

    All fields that this version writes are required. Others are allowed: a later version may add some without a new
    `version`.
    """
    schema = Published.model_json_schema(mode="serialization")
    for part in (schema, *schema["$defs"].values()):
        part.pop("additionalProperties", None)
        if "properties" in part:
            part["required"] = list(part["properties"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "voice-harness run"}
