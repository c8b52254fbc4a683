"""Measures a recording made by other software, of which only the sound is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.clock import NS_PER_S
from harness.errors import FixtureError, Place
from harness.hearing.crosstalk import Find, Leak, is_mix, leaks, without_leaks
from harness.hearing.echo import LONGEST_MS, RATE, Echo, find_echo
from harness.hearing.onset import SAMPLE_RATE
from harness.hearing.voice import Voice
from harness.hearing.voice_finder import FoundEdge
from harness.hearing.voice_place import UNSURE_DB
from harness.judge.summarise import summarise
from harness.measure.call import measure_call
from harness.measure.media_health import media_health
from harness.measure.two_voices import as_timeline, at_ns, edges_of, spoken_turns, voice_events, voices_of
from harness.metrics.registry import METRICS
from harness.metrics.samples import samples_of
from harness.record.result import TurnResult
from harness.record.summary import MetricSummary, RateSummary
from harness.record.unfit import Doubt
from harness.recordings.doubts import doubt_of_noise, doubt_of_reply
from harness.recordings.two_channels import APART, CANNOT, Side, TwoChannels, excerpt, hear_recording
from harness.timeline.events import AgentEnd

KNOWN_BY_S = 3.0  # of an utterance: enough to find it in the other channel (see `find_echo`)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RecordedTurn(_Part):
    """One turn; times are positions in the recording or durations, in ms, or None if the event did not happen."""

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
    own_voice_db: float | None
    doubtful: list[Doubt]


class Sound(_Part):
    """The quality of one side's voice: its active level, its clipped share, its dropouts."""

    level_dbfs: float | None
    clipped: float | None
    dropouts: int
    dropout_ms: float


_TURN_KEYS = set(RecordedTurn.model_fields)  # the names are the same as in a call's turn


class MeasuredRecording(_Part):
    """A recording's measurements; `notes` are remarks for the reader."""

    file: str
    caller: Side
    recorded_rate: int
    duration_s: float
    caller_sound: Sound
    agent_sound: Sound
    turns: list[RecordedTurn]
    metrics: dict[str, MetricSummary | RateSummary] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)


def measure_recording(path: Path, caller: Side) -> MeasuredRecording:
    """Measures the recording at `path`, in which the caller is in the channel `caller`.

    Raises:
        FixtureError: It cannot be measured; see `hear_recording`.
    """
    heard = hear_recording(path, caller)
    said, spoken, echoes, notes = _apart(heard, caller)
    _check_both_spoke(path, caller, said, spoken)
    call = measure_call(as_timeline(path.name, said, spoken, heard.frames, heard=echoes))
    _add_doubts(call.turns, voices_of(said), voices_of(spoken), heard.caller.margin_db)
    found = summarise(list(samples_of([call])))
    return MeasuredRecording(
        file=str(path),
        caller=caller,
        recorded_rate=heard.recorded_rate,
        duration_s=round(heard.frames / SAMPLE_RATE, 3),
        caller_sound=_sound(said),
        agent_sound=_sound(spoken),
        turns=[RecordedTurn(**turn.model_dump(include=_TURN_KEYS)) for turn in call.turns],
        metrics={name: found[name] for name, metric in METRICS.items() if metric.in_recordings and name in found},
        notes=[
            *heard.notes,
            *notes,
            *call.notes,
            *_told(call.turns),
        ],
    )


def _check_both_spoke(path: Path, caller: Side, said: Sequence[FoundEdge], spoken: Sequence[FoundEdge]) -> None:
    """Checks that each side has a voice of its own.

    Raises:
        FixtureError: A channel holds only the other side's voice.
    """
    for who, other, edges in (("caller", "agent", said), ("agent", "caller", spoken)):
        if not voices_of(edges):
            what = f"all that is heard in the {who}'s channel is the {other}'s voice"
            hint = f"is --caller {caller} right? If so, {APART}"
            raise FixtureError(f"{CANNOT}: {what}", where=Place(path), hint=hint)


def _add_doubts(
    turns: Sequence[TurnResult], said: Sequence[Voice], spoken: Sequence[Voice], margin_db: float | None
) -> None:
    """Adds the doubts that arise because only the sound is known to each turn."""
    spoken_of = spoken_turns(said, spoken)
    in_noise = doubt_of_noise(margin_db, least_db=UNSURE_DB)
    for turn, spoke, following in zip(turns, spoken_of, [*spoken_of[1:], None], strict=True):
        found = (doubt_of_reply(spoke, following, spoken), in_noise)
        turn.doubtful += [doubt for doubt in found if doubt is not None]


def _told(turns: Sequence[TurnResult]) -> Iterator[str]:
    """Yields each doubt once, with the turns that it affects."""
    about: dict[str, list[int]] = {}
    for turn in turns:
        for doubt in turn.doubtful:
            about.setdefault(str(doubt), []).append(turn.turn)
    for what, numbers in about.items():
        one = len(numbers) == 1
        which = f"turn {numbers[0]} is" if one else f"turns {', '.join(map(str, numbers))} are"
        yield f"{which} doubtful: {what}"


def _apart(heard: TwoChannels, caller: Side) -> tuple[list[FoundEdge], list[FoundEdge], list[Leak], list[str]]:
    """The edges of the caller's and the agent's own voice, the caller's leaks into the agent's channel, and notes."""
    end_ns = at_ns(heard.frames)
    said, spoken = voices_of(heard.caller.edges), voices_of(heard.agent.edges)
    of_caller = 0 if caller == "left" else 1

    find_caller, find_agent = _finder(heard, of_caller), _finder(heard, 1 - of_caller)

    agents_mix = is_mix(said, spoken, find_caller, find_agent)
    callers_mix = is_mix(spoken, said, find_agent, find_caller)
    echoes = leaks(said, spoken, find_caller, mixed=agents_mix)
    spoken = without_leaks(spoken, echoes, known_until_ns=end_ns)
    bled = leaks(spoken, said, find_agent, mixed=callers_mix)
    own = without_leaks(said, bled, known_until_ns=end_ns)
    notes = [
        f"the {side}'s channel holds both people, as loud as they are: {APART}"
        for side, mixed in (("agent", agents_mix), ("caller", callers_mix))
        if mixed
    ]
    if len(own) < len(said):
        notes.append(f"the agent is heard in the caller's channel: {len(said) - len(own)} stretches were left out")
    return edges_of(heard.caller.edges, own), edges_of(heard.agent.edges, spoken), echoes, notes


def _finder(heard: TwoChannels, side: int) -> Find:
    """Returns a function that looks for an utterance in the other channel; cached, because it reads the file."""
    known: dict[tuple[int, int | None], Echo | None] = {}

    def find(said: Voice) -> Echo | None:
        span = said.onset_ns, said.end_ns
        if span not in known:
            known[span] = _find(heard, said, side)
        return known[span]

    return find


def _find(heard: TwoChannels, said: Voice, side: int) -> Echo | None:
    """Looks for an utterance of one side in the other side's channel."""
    lasts_s = min(KNOWN_BY_S, ((said.end_ns or said.onset_ns) - said.onset_ns) / NS_PER_S)
    both = excerpt(heard, said.onset_ns / NS_PER_S, lasts_s + LONGEST_MS / 1000, RATE)
    return find_echo(both[: round(lasts_s * RATE), side], both[:, 1 - side])


def _sound(edges: Sequence[FoundEdge]) -> Sound:
    health = media_health(None, [end for end in voice_events(edges) if isinstance(end, AgentEnd)])
    return Sound.model_validate(health.model_dump(include=set(Sound.model_fields)))
