"""A recorded run beside which something was observed, with hostile names and labels."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.observe.ask import unasked
from harness.record.observed import ObservedSeries, ServerClock
from harness.record.run_directory import OBSERVED_FILE, RunDirectory, read_run
from harness.target.observe import Observing

HOSTILE = "<img src=x onerror=alert(1)> \u202egnp.exe"


def observed_run(recorded: Path, folder: Path) -> Path:
    """Copies a recorded run and adds the file: two series of a query with a gap, and a query that was refused."""
    shutil.copytree(recorded, folder)
    observing = Observing("https://prometheus.example", {"queue": "queue_length", HOSTILE: HOSTILE}, step_s=1.0)
    observed = unasked(observing, read_run(folder).calls)
    assert observed is not None
    observed.clock = ServerClock(offset_s=-31.2, uncertainty_s=0.002)
    times = [float(second) for second in range(int(observed.until_s)) if not 5 < second < 10]
    observed.queries[0].series = [
        ObservedSeries(labels={"host": host, "job": "agent"}, points=[(at_s, at_s % 7 + more) for at_s in times])
        for more, host in enumerate(("a", HOSTILE))
    ]
    observed.queries[1].error = f"Prometheus answered 400: {HOSTILE}"
    RunDirectory(folder).write_text(OBSERVED_FILE, observed.to_json())
    return folder
