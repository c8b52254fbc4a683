"""Resumes a lost signalling connection: retries until it works, is refused, or time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit.protocol import rtc

from harness.clock import Clock
from harness.errors import JoinFailure, RoomFailure
from harness.secret import Secret
from harness.transport.signalling import Signalling

RESUME_S = 10.0  # seconds for which a lost connection is retried
_WAITS_S = (0.0, 0.3, 0.6, 1.2)  # before each attempt; the last one repeats


class NotResumedError(Exception):
    """Resuming failed; the text says why."""


async def resume(
    url: str, token: Callable[[], Secret], clock: Clock, joined: rtc.JoinResponse, *, within_s: float
) -> Signalling:
    """A new signalling connection for the stay that `joined` began. Media is not affected.

    Raises:
        NotResumedError: The server refuses, or did not answer in time.
    """
    problem: RoomFailure | None = None
    try:
        async with asyncio.timeout(within_s):
            for tried in range(10**6):
                await asyncio.sleep(_WAITS_S[min(tried, len(_WAITS_S) - 1)])
                try:
                    return await Signalling.connect(url, token(), clock, resumes=joined)
                except RoomFailure as failure:
                    problem = failure
                    if failure.kind == "room.refused":
                        break
    except TimeoutError:
        last = f"; last try: {_why(problem)}" if problem is not None else ""
        raise NotResumedError(f"not resumed within {within_s:g} s{last}") from None
    raise NotResumedError(f"not resumed: {_why(problem)}")


def _why(problem: RoomFailure | None) -> str:
    if problem is None:
        return "no answer"
    return problem.why if isinstance(problem, JoinFailure) else problem.what
