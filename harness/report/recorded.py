"""A recorded run, as it is read back from its directory: what every report is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.capacity.record import Capacity
from harness.judge.summary import Summary
from harness.measure.result import CallResult


@dataclass(frozen=True)
class RecordedRun:
    """`settings` is run.json; `calls` are the lines of calls.jsonl, in the order in which the calls ended.

    run.json has: version (of the format), run (its name), started (UTC), command (argv with secrets removed), target,
    agent, engine, seed, calls, repeat, rate_per_min, total, record, thresholds ([{metric, limit, where}]),
    scenarios ({name: {path, agent, tags, overrides, model, places}}), ending ({dropped, interrupted, extra, decided}),
    harness_version, python, platform, packages ({name: version}), machine ({cpu, cores, memory_gb}).
    `capacity` is capacity.json, of a search for it.
    """

    folder: Path
    settings: dict[str, Any]
    calls: list[CallResult] = field(default_factory=list)
    summary: Summary | None = None
    capacity: Capacity | None = None
