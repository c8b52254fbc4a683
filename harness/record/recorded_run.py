"""A recorded run, as it is read back from its directory: what every report is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harness.record.capacity import Capacity
from harness.record.result import CallResult
from harness.record.settings import RunSettings
from harness.record.summary import Summary


@dataclass(frozen=True)
class RecordedRun:
    """`settings` is run.json; `calls` are the lines of calls.jsonl, in the order in which the calls ended.

    `capacity` is capacity.json, of a search for it.
    """

    folder: Path
    settings: RunSettings
    calls: list[CallResult] = field(default_factory=list)
    summary: Summary | None = None
    capacity: Capacity | None = None
