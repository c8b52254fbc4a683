"""The result of a call whose process died."""

from __future__ import annotations

import contextlib
import signal

from harness.caller.prepare import Prepared
from harness.errors import OwnFailure
from harness.failures import FailureKind
from harness.record.result import CallResult, FailureSeen

DIED: FailureKind = "harness.shard_died"


def shard_died(why: str) -> OwnFailure:
    """What a call failed by whose process is gone."""
    return OwnFailure(DIED, f"the process that made this call is gone: {why}")


def how_it_ended(code: int) -> str:
    """An exit code of a child process in words."""
    if code >= 0:
        return f"it ended with {code}"
    with contextlib.suppress(ValueError):
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it was ended by signal {-code}"


def lost_call(
    call: str, prepared: Prepared, *, target: str, started: str, failure: OwnFailure, canary: bool = False
) -> CallResult:
    """A failed call without a number.

    Args:
        call: Its id.
        prepared: Its scenario.
        target: As reports name it.
        started: UTC, ISO 8601.
        failure: Why it is lost.
        canary: See `CallResult`.
    """
    return CallResult(
        call=call,
        scenario=prepared.loaded.name,
        tags=list(prepared.loaded.model.tags),
        target=target,
        agent=prepared.agent,
        started=started,
        canary=canary,
        ok=False,
        failure=failure.kind,
        failures=[FailureSeen(kind=failure.kind, what=failure.what, hint=failure.hint or "", ended=True)],
    )
