"""voice-harness: calls a voice agent over LiveKit and measures how it behaves.

These names are for scripts; everything else may change. Make a run as `voice-harness run` does, or read one:

    import harness

    run = harness.make_run(["scenarios/smoke.yaml"], target="embedded", agent="demo")
    assert run.summary.verdict == "pass", run.summary.reasons

    run = harness.read_run("reports/20260102-101500-smoke")
    for call in run.calls:
        print(call.call, [turn.ttfa_ms for turn in call.turns])
    summary = harness.rebuild("reports/20260102-101500-smoke", remeasure=True)
    print(summary.verdict, summary.metrics["turn.ttfa"])

`harness.testing` has test doubles, `harness.locust` the user class for a locustfile.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.errors import HarnessError
    from harness.metrics.registry import METRICS
    from harness.record.recorded_run import RecordedRun
    from harness.record.result import CallResult, TurnResult
    from harness.record.run_directory import read_run
    from harness.record.summary import Summary
    from harness.run.finish import rebuild
    from harness.run.make_run import make_run
    from harness.timeline.timeline import read_timeline

__version__ = "0.1.0"
__all__ = [
    "METRICS",
    "CallResult",
    "HarnessError",
    "RecordedRun",
    "Summary",
    "TurnResult",
    "__version__",
    "make_run",
    "read_run",
    "read_timeline",
    "rebuild",
]
_HOMES = {
    "METRICS": "harness.metrics.registry",
    "CallResult": "harness.record.result",
    "HarnessError": "harness.errors",
    "RecordedRun": "harness.record.recorded_run",
    "Summary": "harness.record.summary",
    "TurnResult": "harness.record.result",
    "make_run": "harness.run.make_run",
    "read_run": "harness.record.run_directory",
    "read_timeline": "harness.timeline.timeline",
    "rebuild": "harness.run.finish",
}


def __getattr__(name: str) -> Any:
    # Imported on demand: commands that need none of it start at once.
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
