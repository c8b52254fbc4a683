"""The published JSON of a run: everything that its reports show, in one document."""

from __future__ import annotations

from typing import Literal

from harness.formats import Recorded
from harness.record.capacity import Capacity
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
    """

    version: Literal[1] = 1
    run: RunSettings
    summary: Summary | None
    calls: list[CallResult]
    capacity: Capacity | None = None


def published(run: RecordedRun) -> Published:
    """Returns the document of a recorded run."""
    return Published(
        run=run.settings,
        summary=run.summary,
        calls=sorted(run.calls, key=lambda call: call.call),
        capacity=run.capacity,
    )
