"""Doubts about turns of a recorded conversation that a call can settle with its script. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from harness.clock import NS_PER_MS, NS_PER_S
from harness.hearing.voice import BACKCHANNEL_NS, Voice, setting_in
from harness.measure.two_voices import SpokenTurn
from harness.record.unfit import Doubt

SPOKE_ON_NS = 1 * NS_PER_S  # a caller who goes on this soon after an "mm-hmm" may only have paused, or been answered


def doubt_of_reply(turn: SpokenTurn, following: SpokenTurn | None, agent: Sequence[Voice]) -> Doubt | None:
    """A doubt if all the agent said before the caller went on may have been a backchannel ("mm-hmm"), or None."""
    if following is None:
        return None
    said = setting_in(agent, turn.end_ns, following.start_ns)
    if not said:
        return None
    onset_ns, end_ns = agent[said[0]].onset_ns, agent[said[-1]].end_ns
    if end_ns is None or end_ns - onset_ns >= BACKCHANNEL_NS or following.start_ns - end_ns >= SPOKE_ON_NS:
        return None
    detail = (
        f"all that the agent said took {(end_ns - onset_ns) / NS_PER_MS:.0f} ms, and the caller went on "
        f"{max(0, following.start_ns - end_ns) / NS_PER_MS:.0f} ms later: it may have been an acknowledgement in a "
        "pause, and the reply came later"
    )
    return Doubt(kind="backchannel", detail=detail)


def doubt_of_noise(margin_db: float | None, *, least_db: float) -> Doubt | None:
    """A doubt if noise may mask the caller's soft final sounds; `margin_db` is how far the voice is above the noise."""
    if margin_db is None or margin_db >= least_db:
        return None
    detail = (
        f"noise in the caller's channel reaches up to {margin_db:.0f} dB below its voice: where the caller ended may "
        "be told too early"
    )
    return Doubt(kind="noise", detail=detail)
