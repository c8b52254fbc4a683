"""Why the harness was not fit to measure a part of a call, or why a measurement is doubtful."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from harness.text.counted import counted

UnfitKind = Literal[
    "packet_late",
    "packets_late",
    "overflow",
    "read_late",
    "buffer_grew",
    "jittered",
    "slow_round_trip",
    "audio_missing",
    "no_cpu_left",
    "line_away",
    "self_fault",
    "other",
]
_SHARED = "the service shares this machine, which had no CPU left, and "


class _Reason(BaseModel):
    """A kind with a `detail`. Runs from before there were kinds have a sentence instead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detail: str = ""

    @model_validator(mode="before")
    @classmethod
    def _of_words(cls, value: Any) -> Any:
        return {"kind": "other", "detail": value} if isinstance(value, str) else value


class Unfit(_Reason):
    """A reason why the harness was not fit.

    Attributes:
        kind: The kind of reason.
        figure: A delay or duration in ms, or a number of packets or seconds.
        of: The total number of packets or seconds.
        name: The name of a fault of the harness, from `measure/self_check.py`.
        detail: Further text for some kinds.
    """

    kind: UnfitKind
    figure: float | None = None
    of: int | None = None
    name: str = ""

    @property
    def in_short(self) -> str:
        """The reason without figures, so that reasons of a kind can be counted."""
        match self.kind:
            case "self_fault":
                return self.name
            case "other":
                return self.detail
            case kind:
                return _SHORT[kind]

    def __str__(self) -> str:
        figure = f"{self.figure or 0:.0f}"
        match self.kind:
            case "packet_late":
                return f"a packet left {figure} ms late"
            case "packets_late":
                return f"{figure} of {counted(self.of or 0, 'packet')} left over 20 ms late"
            case "overflow":
                return _SHORT[self.kind]
            case "read_late":
                return f"our own reading lagged by {figure} ms at the agent's onset"
            case "buffer_grew":
                return f"{_SHARED}the jitter buffer grew to {figure} ms"
            case "jittered":
                return f"{_SHARED}packets jittered by {figure} ms"
            case "slow_round_trip":
                return f"{_SHARED}a round trip took {figure} ms"
            case "audio_missing":
                return f"{_SHARED}{figure} ms of audio were missing"
            case "no_cpu_left":
                return f"{_SHARED}no reply came: {figure} of {counted(self.of or 0, 'second')} were without"
            case "line_away":
                return f"our own connection to the room was away by {figure} ms"
            case "self_fault":
                return f"{self.name}: {self.detail}"
            case "other":
                return self.detail


_SHORT: dict[UnfitKind, str] = {
    "packet_late": "a packet left late",
    "packets_late": "packets left over 20 ms late",
    "overflow": "a receive queue overflowed",
    "read_late": "our own reading lagged at the agent's onset",
    "buffer_grew": "the jitter buffer grew",
    "jittered": "packets jittered",
    "slow_round_trip": "a round trip was slow",
    "audio_missing": "audio was missing",
    "no_cpu_left": "no reply came from a machine without CPU left",
    "line_away": "our own connection to the room was away",
}


DoubtKind = Literal[
    "wrong_voice",
    "late_answer",
    "older_answer",
    "stop_or_pause",
    "went_on",
    "backchannel",
    "before_words",
    "noise",
    "sound",
    "other",
]


class Doubt(_Reason):
    """Why a measurement may not be what it is taken for; `detail` is a sentence for people."""

    kind: DoubtKind

    @property
    def is_agents(self) -> bool:
        """Whether a failure of the agent caused it; then the harness is not at fault."""
        return self.kind == "late_answer"

    @property
    def is_of_time(self) -> bool:
        """Whether the answer to this turn came at that time or later: it can be known to be late, but never fast."""
        return self.kind in ("late_answer", "older_answer")

    @property
    def in_short(self) -> str:
        """The reason without figures, as in `Unfit.in_short`."""
        return self.detail if self.kind == "other" else _DOUBTS[self.kind]

    def __str__(self) -> str:
        return self.detail


_DOUBTS: dict[DoubtKind, str] = {
    "wrong_voice": "another was taken for the agent",
    "late_answer": "the first voice may be an older answer",
    "older_answer": "the first voice may be an older answer",
    "went_on": "the agent may have interrupted, or its last reply gone on",
    "stop_or_pause": "the agent may have paused and not stopped",
    "backchannel": "the agent may have acknowledged and not answered",
    "before_words": "a breath or another sound may have come before its words",
    "sound": "its reply may have been taken for a sound",
    "noise": "noise may hide where a voice begins or ends",
}
