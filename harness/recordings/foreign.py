"""The numbers of a recording that something else made: only the sound is known."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.judge.summary import MetricSummary, RateSummary
from harness.judge.verdict import summarise
from harness.measure.call import measure_call
from harness.measure.onset import SAMPLE_RATE
from harness.measure.samples import samples_of
from harness.measure.two_voices import as_timeline
from harness.recordings.two_channels import Side, hear_recording

# All others are of what a recording does not tell: a session, texts, packets, the harness itself.
METRICS = (
    "turn.ttfa",
    "turn.interrupted",
    "turn.talk_over",
    "turn.dead_air",
    "bargein.stop",
    "audio.clipped",
    "audio.level_dbfs",
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RecordedTurn(_Part):
    """One turn; times are positions in the recording or durations, in ms. None: it did not come to that."""

    turn: int
    kind: Literal["say", "barge_in"]
    caller_start_ms: float
    caller_end_ms: float
    agent_onset_ms: float | None
    ttfa_ms: float | None
    interrupted: bool
    backchannels: int
    talk_over_ms: float | None
    dead_air_ms: float | None
    stop_ms: float | None


_TURN_KEYS = set(RecordedTurn.model_fields)  # they are named as those of a call's turn


class MeasuredRecording(_Part):
    """A recording's numbers; `notes` are what a person should know of it."""

    file: str
    caller: Side
    recorded_rate: int
    duration_s: float
    caller_level_dbfs: float
    agent_level_dbfs: float | None
    turns: list[RecordedTurn]
    metrics: dict[str, MetricSummary | RateSummary] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)


def measure_recording(path: Path, caller: Side) -> MeasuredRecording:
    """The numbers of the recording at `path`.

    Raises:
        FixtureError: It cannot be measured; see `hear_recording`.
    """
    heard = hear_recording(path, caller)
    call = measure_call(as_timeline(path.name, heard.caller.edges, heard.agent.edges, heard.frames))
    found = summarise(list(samples_of([call])))
    return MeasuredRecording(
        file=str(path),
        caller=caller,
        recorded_rate=heard.recorded_rate,
        duration_s=round(heard.frames / SAMPLE_RATE, 3),
        caller_level_dbfs=round(heard.caller.level_dbfs, 1),
        agent_level_dbfs=call.media.level_dbfs,
        turns=[RecordedTurn(**turn.model_dump(include=_TURN_KEYS)) for turn in call.turns],
        metrics={name: found[name] for name in METRICS if name in found},
        notes=list(heard.notes),
    )
