"""A call that is recorded while it runs, and measured and judged when it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Literal

from harness.call.background_file import BackgroundFile
from harness.call.call import Call, SessionSource
from harness.call.engines.line import Engine
from harness.call.plan import CallPlan
from harness.call.recorder import Recorder
from harness.caller.prepare import Prepared
from harness.clock import Clock
from harness.errors import OwnFailure
from harness.failures import HINTS
from harness.judge.expectations import judge_call
from harness.machine.loop_lag import LoopLag
from harness.machine.own_work import OWN_WORK
from harness.measure.call import measure_call
from harness.record.result import CallResult, FailureSeen
from harness.record.run_directory import RunDirectory
from harness.secret import Secret, masked, without_secrets
from harness.timeline.events import CallStarted, Event
from harness.timeline.timeline import Timeline

RecordMode = Literal["none", "failed", "all"]

_log = logging.getLogger(__name__)


class RecordedCall:
    """One call of a run; see `RunningCall`."""

    def __init__(
        self,
        plan: CallPlan,
        prepared: Prepared,
        *,
        directory: RunDirectory,
        record: RecordMode,
        sessions: SessionSource,
        engine: Engine,
        clock: Clock,
        lag: LoopLag,
        on_event: Callable[[str, Event], None] | None = None,
        secrets: Sequence[Secret | None] = (),
        measuring: asyncio.Semaphore | None = None,
    ) -> None:
        self._measuring = measuring or asyncio.Semaphore()
        self._plan = plan
        self._prepared = prepared
        self._directory = directory
        self._record = record
        self._timeline = Timeline(
            BackgroundFile(directory.timeline(plan.call), encoding="utf-8"),
            (lambda event: on_event(plan.call, event)) if on_event else None,
            secrets=secrets,
        )
        self._recorder = Recorder(directory.audio(plan.call)) if record != "none" else None
        self._call = Call(
            plan,
            sessions=sessions,
            engine=engine,
            clock=clock,
            lag=lag,
            timeline=self._timeline,
            recorder=self._recorder,
        )
        self._secrets = secrets

    def cut(self) -> None:
        """See `RunningCall`."""
        self._call.cut()

    async def make(self) -> CallResult:
        """See `RunningCall`."""
        try:
            await self._call.make()
            # In threads, so that other calls' packets wait neither for the disk nor for this measurement.
            await asyncio.to_thread(self._timeline.close)
            async with self._measuring:
                result = await asyncio.to_thread(self._measured)
        except Exception as problem:  # one call's bug must not affect other calls  # noqa: BLE001
            _log.debug("a call could not be measured", exc_info=problem)
            result = self._lost_to_bug(problem)
        if self._recorder is not None:
            await self._keep_recording(result, self._recorder)
        for broken in (self._timeline.broken, self._recorder.broken if self._recorder else None):
            if broken is not None:
                _note(result, broken)
                break
        return result

    def _measured(self) -> CallResult:
        loaded = self._prepared.loaded
        with OWN_WORK.doing("measuring"):
            result = measure_call(self._timeline.events, tags=loaded.model.tags)
            return judge_call(result, loaded.model, lambda *keys: str(loaded.place(*keys)))

    async def _keep_recording(self, result: CallResult, recorder: Recorder) -> None:
        with OWN_WORK.doing("saving"):
            if self._record == "all" or not result.ok:
                if await asyncio.to_thread(recorder.save, self._call.is_agents_track):
                    result.recording = f"audio/{result.call}.wav"
            else:
                await asyncio.to_thread(recorder.discard)  # deleting a large file takes time

    def _lost_to_bug(self, problem: Exception) -> CallResult:
        what = without_secrets(masked(f"{type(problem).__name__}: {problem}"), self._secrets)
        events = self._timeline.events
        return CallResult(
            call=self._plan.call,
            scenario=self._plan.scenario.name,
            target=self._plan.target,
            agent=self._plan.agent,
            started=events[0].utc if events and isinstance(events[0], CallStarted) else "",
            **asdict(self._plan.role),
            ok=False,
            failure="harness.bug",
            failures=[FailureSeen(kind="harness.bug", what=what, hint=HINTS["harness.bug"], ended=True)],
        )


def _note(result: CallResult, failure: OwnFailure) -> None:
    """Adds a failure of our own; an existing failure remains the call's failure."""
    result.failures.append(FailureSeen(kind=failure.kind, what=failure.what, hint=failure.hint or ""))
    if not result.cut:
        result.failure = result.failure or failure.kind
        result.ok = False
