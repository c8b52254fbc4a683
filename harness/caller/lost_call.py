"""The result of a call that could not finish because its process is gone."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import asdict

from harness.caller.prepare import Prepared
from harness.errors import OwnFailure
from harness.failures import FailureKind
from harness.record.result import CallResult, FailureSeen
from harness.record.role import ORDINARY, Role

DIED: FailureKind = "harness.shard_died"


def shard_died(why: str) -> OwnFailure:
    """Returns the failure of a call whose process is gone."""
    return OwnFailure(DIED, f"the process that made this call is gone: {why}")


def how_it_ended(code: int) -> str:
    """Describes the exit code of a child process in words."""
    if code >= 0:
        return f"it ended with {code}"
    with contextlib.suppress(ValueError):
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it was ended by signal {-code}"


def lost_call(
    call: str, prepared: Prepared, *, target: str, started: str, failure: OwnFailure, role: Role = ORDINARY
) -> CallResult:
    """Returns the result of a failed call that has no measurements.

    Args:
        call: The call's id.
        prepared: Its scenario.
        target: The target, as reports name it.
        started: The start time, UTC, ISO 8601.
        failure: Why it was lost.
        role: What it is in its run.
    """
    return CallResult(
        call=call,
        scenario=prepared.loaded.name,
        tags=list(prepared.loaded.model.tags),
        target=target,
        agent=prepared.agent,
        started=started,
        **asdict(role),
        ok=False,
        failure=failure.kind,
        failures=[FailureSeen(kind=failure.kind, what=failure.what, hint=failure.hint or "", ended=True)],
    )
