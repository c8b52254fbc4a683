"""Compares the clock of a server with our own."""

from __future__ import annotations

from harness.clock import NS_PER_S, Clock
from harness.observe.api import PrometheusApi, Trouble
from harness.record.observed import ServerClock

PROBES = 3


async def compared_clock(api: PrometheusApi, clock: Clock) -> ServerClock | Trouble:
    """How far the server's clock is ahead of ours, from the quickest of a few exchanges.

    The server read its clock at some moment between our request and its answer. The middle of these is the best guess,
    and is wrong by at most half of the time between them (F. Cristian, "Probabilistic clock synchronization",
    Distributed Computing 3, 1989).
    """
    best: ServerClock | None = None
    for _ in range(PROBES):
        sent_s, sent_ns = clock.utc().timestamp(), clock.now_ns()
        server_s = await api.time_s()
        if isinstance(server_s, Trouble):
            return best if best is not None else server_s
        half_s = (clock.now_ns() - sent_ns) / NS_PER_S / 2
        if best is None or half_s < best.uncertainty_s:
            offset_s = server_s - (sent_s + half_s)
            best = ServerClock(offset_s=round(offset_s, 4), uncertainty_s=round(half_s, 4))
    assert best is not None  # noqa: S101 - there was a probe
    return best
