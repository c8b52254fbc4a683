"""Runs whose calls are over, to be observed and finished as `run` does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.clock import SystemClock
from harness.process.signals import Signals
from harness.record.observed import Observed
from harness.record.result import CallResult
from harness.record.summary import Ending, Summary
from harness.run.pacing import Pace
from harness.run.request import Request
from harness.run.run import Run, begin
from harness.run.settings import Planned
from harness.target.observe import Observing
from harness.target.target import Target
from tests.prepared import prepared

LASTED_S = 60.0


@dataclass
class Made:
    """A run of two calls that began a minute ago, one of them 10 s after the other.

    Attributes:
        began: The start of the first call.
        said: What the run printed.
    """

    folder: Path
    observing: Observing | None
    lasted_s: float = LASTED_S
    began: datetime = field(init=False)
    run: Run = field(init=False)
    calls: list[CallResult] = field(init=False)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = (datetime.now(UTC) - timedelta(seconds=self.lasted_s)).replace(microsecond=0)
        scenario = prepared("x")
        target = Target("staging", "session", url="https://voice.example/session", observe=self.observing)
        request = Request(name="x", scenarios=[scenario.loaded], target=target, seed=1, out=self.folder)
        planned = Planned(Pace(1, 2, None, 2))
        self.run = begin(request, [scenario], planned, clock=SystemClock(), say=self.said.append)
        self.run.directory.write_settings(self.run.settings)
        self.calls = [self._call(0, 0, self.lasted_s - 5), self._call(1, 10, self.lasted_s - 10)]
        for call in self.calls:
            self.run.directory.append_call(call)

    def _call(self, number: int, after_s: float, lasts_s: float) -> CallResult:
        started = (self.began + timedelta(seconds=after_s)).isoformat()
        values: dict[str, Any] = {"call": f"{number:04}-x", "scenario": "x", "started": started, "ok": True}
        return CallResult.model_validate(values | {"duration_ms": lasts_s * 1000})

    async def finished(self, signals: Signals | None = None) -> tuple[Observed | None, Summary]:
        """What was observed, and the verdict: the end of every run."""
        observed = await self.run.observe(self.calls, signals)
        return observed, self.run.finish(self.calls, Ending())

    @property
    def observed_file(self) -> Path:
        return self.folder / "observed.json"


def observing(url: str, *queries: str, **more: Any) -> Observing:
    """Queries of these words, each of that name."""
    return Observing(url, {query: query for query in queries}, **more)
