"""A load from outside of Locust: its target made ready, its run directory, and in the end its reports."""

from __future__ import annotations

import contextlib
import json
import secrets
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.caller.lost_call import lost_call, shard_died
from harness.caller.prepare import Prepared
from harness.clock import Clock
from harness.errors import EXIT_INFRASTRUCTURE, EXIT_UNFIT, StackError
from harness.judge.thresholds import Threshold
from harness.load.locust.messages import MARK_FILE
from harness.load.order import LoadOrder
from harness.record.result import CallResult
from harness.record.run_directory import CALLS_FILE, TRUTH_FILE, RunDirectory, read_run
from harness.record.settings import RunSettings
from harness.record.summary import Ending, Reason, Summary
from harness.run.execute import reachable
from harness.run.finish import finish_run
from harness.shards.protocol import write_prepared
from harness.target.target import Target
from harness.text.counted import counted
from harness.timeline.events import CallStarted
from harness.timeline.timeline import read_timeline

Say = Callable[[str], None]


@dataclass(frozen=True)
class LoadRequest:
    """A load, decided in all but where its master is and where its target listens; `order` has what is known."""

    order: LoadOrder
    scenarios: Sequence[Prepared]
    target: Target
    thresholds: Sequence[Threshold]
    settings: RunSettings


class LoadRun:
    """One load; an async context manager that gives what processes of Locust are to be told.

    Args:
        request: What is to be done.
        directory: Where it is written; it exists. None for a worker, whose master has it.
        say: Takes lines for a person.
        clock: The only reader of time.
    """

    def __init__(self, request: LoadRequest, directory: RunDirectory | None, say: Say, clock: Clock) -> None:
        self._request = request
        self._directory = directory
        self._say = say
        self._clock = clock
        self._stack = AsyncExitStack()
        self._fallen: StackError | None = None
        self.order = request.order

    async def __aenter__(self) -> LoadRun:
        """Makes the target reachable and leaves the scenarios for the processes.

        Raises:
            StackError: The embedded stack did not come up.
        """
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _open(self) -> None:
        request, directory = self._request, self._directory
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="voice-harness-"))
        prepared = Path(folder) / "scenarios"
        write_prepared(request.scenarios, prepared)
        known: dict[str, Any] = {"prepared": str(prepared)}
        target = request.target
        if directory is not None:
            directory.write_settings(request.settings)
            known |= {"directory": str(directory.path.resolve()), "mark": secrets.token_hex(16)}
            (directory.path / MARK_FILE).write_text(known["mark"])
            target, fallen = await self._stack.enter_async_context(
                reachable(
                    target,
                    agents=[each.agent for each in request.scenarios],
                    truth_log=directory.path / TRUTH_FILE,
                    say=self._say,
                )
            )
            if fallen is not None:
                fallen.add_done_callback(self._fell)
        key = target.api_key
        known |= {"url": target.url, "api_key": None if key is None else key.reveal()}
        self.order = request.order.model_copy(update=known)

    def _fell(self, task: Any) -> None:
        if not task.cancelled() and task.exception() is None:
            self._fallen = task.result()
            self._say(str(self._fallen))

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def finish(self, ending: dict[str, Any] | None, *, interrupted: bool) -> tuple[list[CallResult], Summary]:
        """Gives every call that started an end, judges all and writes the reports.

        Args:
            ending: What the master last said of the load; None where it vanished before.
            interrupted: Whether somebody asked for the end.
        """
        directory = self._directory
        if directory is None:
            raise RuntimeError("a worker has no run")
        (directory.path / MARK_FILE).unlink(missing_ok=True)
        calls = self._every_call(directory)
        told = ending or {}
        extra = []
        if self._fallen is not None:
            extra.append(Reason(code=EXIT_INFRASTRUCTURE, what=f"the embedded stack fell: {self._fallen.what}"))
        if ending is None:
            extra.append(Reason(code=EXIT_UNFIT, what="the master of the load vanished: its last calls are lost"))
        extra += [Reason(code=EXIT_INFRASTRUCTURE, what=problem) for problem in told.get("problems", []) if not calls]
        update = {"workers": told.get("workers", []), "refused": told.get("refused", [])}
        settings = self._request.settings.model_copy(update=update)
        dropped = int(told.get("dropped", 0))
        end = Ending(dropped=dropped, interrupted=interrupted, extra=extra)
        return calls, finish_run(directory, settings, calls, self._request.thresholds, end)

    def _every_call(self, directory: RunDirectory) -> list[CallResult]:
        """The calls that have a line, and one for each whose process died before it could write it."""
        by_id: dict[str, CallResult] = {}
        lines = read_run(directory.path).calls
        for call in lines:
            if call.call not in by_id or by_id[call.call].failure == "harness.shard_died":
                by_id[call.call] = call
        timelines = sorted((directory.path / "timelines").glob("*.jsonl"))
        lost = [self._lost(path) for path in timelines if path.stem not in by_id]
        for call in lost:
            by_id[call.call] = call
            directory.append_call(call)
        if lost:
            self._say(f"{counted(len(lost), 'call')} ended with a process that died")
        if len(by_id) < len(lines) + len(lost):  # a worker came back after its calls were given up
            directory.write_text(CALLS_FILE, "".join(call.model_dump_json() + "\n" for call in by_id.values()))
        return list(by_id.values())

    def _lost(self, timeline: Path) -> CallResult:
        first = None
        with contextlib.suppress(ValueError):  # damaged: it tells nothing
            first = next((event for event in read_timeline(timeline) if isinstance(event, CallStarted)), None)
        named = {prepared.loaded.name: prepared for prepared in self._request.scenarios}
        prepared = named.get(first.scenario if first is not None else "", self._request.scenarios[0])
        written = datetime.fromtimestamp(timeline.stat().st_mtime, UTC).isoformat()
        return lost_call(
            timeline.stem,
            prepared,
            target=self.order.described,
            started=(first.utc if first is not None else "") or written,
            failure=shard_died("it ended before the call did"),
            canary=first is not None and first.canary,
        )


def settings_with(settings: RunSettings, order: LoadOrder) -> RunSettings:
    """run.json's settings with the load's own."""
    plan = json.loads(order.plan.model_dump_json(exclude_none=True))
    return settings.model_copy(
        update={
            "load": plan,
            "weights": list(order.weights),
            "call_duration_s": order.call_duration_s,
            "session_rate_per_min": order.session_rate_per_min,
        }
    )
