"""A recorded run, as read from its directory. All reports are made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harness.record.capacity import Capacity
from harness.record.comparison import Comparison
from harness.record.observed import Observed
from harness.record.result import CallResult
from harness.record.settings import RunSettings
from harness.record.summary import Summary


@dataclass(frozen=True)
class RecordedRun:
    """A run, read from its directory.

    Attributes:
        folder: The run directory.
        settings: The content of run.json.
        calls: The lines of calls.jsonl, in the order in which the calls ended.
        summary: The run's summary, if it was judged.
        capacity: The content of capacity.json, if the run was a capacity search.
        comparison: The content of comparison.json, if the run was judged and compared.
        observed: The content of observed.json, if the agent's hosts were observed.
        cut_off: Whether the last line of calls.jsonl is incomplete.
    """

    folder: Path
    settings: RunSettings
    calls: list[CallResult] = field(default_factory=list)
    summary: Summary | None = None
    capacity: Capacity | None = None
    comparison: Comparison | None = None
    observed: Observed | None = None
    cut_off: bool = False
