"""Groups the events of a timeline by subject: the call's milestones, its turns and waits, the agent's voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from harness.clock import NS_PER_MS
from harness.hearing.voice import Voice
from harness.timeline.agent_voices import AgentVoices
from harness.timeline.events import (
    AgentEnd,
    AgentHandover,
    AgentJoined,
    AgentOnset,
    AgentSecond,
    AgentSeen,
    BargedIn,
    CallerSpoke,
    CallerTyped,
    EchoHeard,
    Event,
    Failed,
    HeardOverflow,
    JunkCame,
    LoopWasLate,
    MediaSecond,
    ParticipantSeen,
    RoomConnected,
    RoomConnecting,
    RoomReconnected,
    RoomReconnecting,
    SecondPassed,
    SendLate,
    SessionCreated,
    SessionRequested,
    TextCame,
    ToolCalled,
    ToolJunkCame,
    TrackCame,
    TrackGone,
    TurnEnded,
    TurnStarted,
    WaitEnded,
    WaitStarted,
)

E = TypeVar("E", bound=Event)
Stage = Literal["session", "join", "agent_join"]


@dataclass
class TurnSpan:
    """A turn as recorded in the timeline; times in ns, None if the event did not happen."""

    turn: int
    step: int
    kind: str
    text: str
    fixture: str | None
    language: str
    started_ns: int
    ended_ns: int | None = None
    why: str | None = None
    caller_start_ns: int | None = None
    caller_end_ns: int | None = None
    said_end_ns: int | None = None
    barged_onset_ns: int | None = None
    echo_heard: EchoHeard | None = None


@dataclass(frozen=True)
class StageSpan:
    """A stage of setting up a call that began: `ended_ns` is None if it never ended.

    They are the session's creation, and from the join request on our own join and the agent's audio.
    """

    started_ns: int
    ended_ns: int | None


@dataclass
class WaitSpan:
    """A wait as recorded in the timeline."""

    step: int
    after_turn: int
    started_ns: int
    ended_ns: int | None = None


@dataclass
class LineGap:
    """A loss of our own connection, from its last sign of life on; `until_ns` is None if it never came back."""

    from_ns: int
    until_ns: int | None = None

    def touches(self, start_ns: int, end_ns: int) -> bool:
        """Whether the gap overlaps the interval."""
        return self.from_ns <= end_ns and (self.until_ns is None or self.until_ns >= start_ns)


@dataclass
class CallSpans:
    """The events of a timeline, grouped.

    `first` holds the first event of each class; `one` and `at` look it up. `voices` are the agent's, merged over its
    tracks; `background` is its other sound, including sounds that were no voice or that preceded one (`sounds`, with
    their tracks). `margins_db` is how far a voice is above the noise, `sure_ms` the time from its start until it was
    certainly speech, both keyed by the time of its end.
    """

    heard: AgentVoices = field(default_factory=AgentVoices)
    background: list[Voice] = field(default_factory=list)
    sounds: list[tuple[str, Voice]] = field(default_factory=list)
    gaps: list[LineGap] = field(default_factory=list)
    choices: list[AgentSeen] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    joined: list[AgentJoined] = field(default_factory=list)
    handovers: list[AgentHandover] = field(default_factory=list)
    other_texts: int = 0
    first: dict[type[Event], Event] = field(default_factory=dict)
    turns: list[TurnSpan] = field(default_factory=list)
    waits: list[WaitSpan] = field(default_factory=list)
    ears: dict[int, int] = field(default_factory=dict)
    read_late_ms: dict[int, float] = field(default_factory=dict)
    texts: list[TextCame] = field(default_factory=list)
    spaces: list[JunkCame] = field(default_factory=list)
    junk: int = 0
    tool_calls: list[ToolCalled] = field(default_factory=list)
    tool_junk: int = 0
    other_tool_frames: int = 0
    failures: list[Failed] = field(default_factory=list)
    seconds: list[SecondPassed] = field(default_factory=list)
    media: list[MediaSecond] = field(default_factory=list)
    voice_ends: list[AgentEnd] = field(default_factory=list)
    margins_db: dict[int, float] = field(default_factory=dict)
    sure_ms: dict[int, float] = field(default_factory=dict)
    late: list[SendLate] = field(default_factory=list)
    lags: list[LoopWasLate] = field(default_factory=list)
    overflows: list[int] = field(default_factory=list)
    last_ns: int = 0

    @property
    def voices(self) -> list[Voice]:
        """The agent's voices."""
        return self.heard.voices

    @property
    def agent_joined_ns(self) -> int | None:
        """When the agent's audio was first subscribed, ignoring a participant that was chosen by mistake."""
        first = self.heard.identities[:1]
        times = [event.t_ns for event in self.joined if [event.identity] == first]
        return times[0] if times else self.at(AgentJoined)

    @property
    def set_up(self) -> dict[Stage, StageSpan]:
        """The stages of setting up the call that began, in their order."""
        join_ns = self.at(RoomConnecting)
        stages: tuple[tuple[Stage, int | None, int | None], ...] = (
            ("session", self.at(SessionRequested), self.at(SessionCreated)),
            ("join", join_ns, self.at(RoomConnected)),
            ("agent_join", join_ns, self.agent_joined_ns),
        )
        return {stage: StageSpan(start_ns, end_ns) for stage, start_ns, end_ns in stages if start_ns is not None}

    def one(self, kind: type[E]) -> E | None:
        """The first event of a class."""
        event = self.first.get(kind)
        return event if isinstance(event, kind) else None

    def at(self, kind: type[Event]) -> int | None:
        """The time of the first event of a class."""
        event = self.first.get(kind)
        return None if event is None else event.t_ns


def _end_voice(spans: CallSpans, t_ns: int, event: AgentEnd) -> None:
    """Ends the track's last voice; the end event may correct when it began, or reveal that it was noise."""
    track = event.track
    onset_ns = spans.heard.last_onset_ns(track)
    began_ns = onset_ns if event.began == "onset" else event.began
    if began_ns is None or began_ns > onset_ns:
        spans.sounds.append((track, Voice(onset_ns, t_ns if began_ns is None else began_ns)))
    spans.heard.end(track, t_ns, began_ns)
    if began_ns is None:
        return
    spans.read_late_ms[began_ns] = spans.read_late_ms[onset_ns]
    if onset_ns in spans.ears:
        spans.ears[began_ns] = spans.ears[onset_ns] + began_ns - onset_ns
    spans.voice_ends.append(event)
    if event.sure_ms is not None:
        spans.sure_ms[t_ns] = event.sure_ms
    if event.noise_dbfs is not None and event.active_dbfs is not None:
        spans.margins_db[t_ns] = event.active_dbfs - event.noise_dbfs


def _begin_gap(spans: CallSpans, t_ns: int) -> None:
    """Starts a gap, backdated to when the agent's media stopped: the loss is noticed later than it happens."""
    from_ns = t_ns
    for event in reversed(spans.media):
        if event.received > 0 or not spans.heard.is_agents(event.track):
            break
        from_ns = min(from_ns, event.t_ns - 1000 * NS_PER_MS)
    spans.gaps.append(LineGap(from_ns))


def gather(events: Sequence[Event]) -> CallSpans:
    """Groups the events of one call, which are in the order in which they became known."""
    spans = CallSpans()
    turns: dict[int, TurnSpan] = {}
    junk: list[JunkCame] = []
    tool_junk: list[ToolJunkCame] = []
    for event in events:
        t_ns = event.t_ns
        spans.first.setdefault(type(event), event)
        spans.last_ns = max(spans.last_ns, t_ns)
        match event:
            case TurnStarted():
                turns[event.turn] = TurnSpan(
                    event.turn,
                    event.step,
                    event.kind,
                    event.text,
                    event.fixture,
                    event.language,
                    t_ns,
                )
            case CallerSpoke():
                turns[event.turn].caller_start_ns = event.voiced_start
                turns[event.turn].caller_end_ns = event.voiced_end
                turns[event.turn].said_end_ns = event.voiced_end if event.said_end is None else event.said_end
            case CallerTyped():
                turns[event.turn].caller_start_ns = turns[event.turn].caller_end_ns = t_ns
            case BargedIn():
                turns[event.turn].barged_onset_ns = event.onset
            case EchoHeard():
                turns[event.turn].echo_heard = event
            case TurnEnded():
                turns[event.turn].ended_ns = t_ns
                turns[event.turn].why = event.why
            case WaitStarted():
                spans.waits.append(WaitSpan(event.step, event.after_turn, t_ns))
            case WaitEnded():
                spans.waits[-1].ended_ns = t_ns
            case ParticipantSeen():
                spans.heard.participant(event.identity, event.on_behalf_of)
                if event.kind == "agent" and event.on_behalf_of is None:
                    spans.agents.add(event.identity)
            case TrackCame():
                spans.heard.track_came(t_ns, event.track, event.identity, name=event.name, source=event.source)
            case TrackGone():
                spans.heard.track_gone(t_ns, event.track)
            case AgentSeen():
                spans.choices.append(event)
                spans.heard.chosen(event.identity)
            case AgentSecond():
                spans.agents.add(event.identity)
            case AgentHandover():
                spans.handovers.append(event)
                spans.heard.handed_over(event.to)
            case AgentJoined():
                spans.joined.append(event)
            case RoomReconnecting():
                _begin_gap(spans, t_ns)
            case RoomReconnected():
                for gap in spans.gaps:
                    gap.until_ns = gap.until_ns or t_ns
            case AgentOnset():
                spans.heard.onset(event.track, t_ns)
                spans.read_late_ms[t_ns] = event.read_late_ms
                if event.ear is not None:
                    spans.ears[t_ns] = event.ear
            # `self_check` reports an end without a voice.
            case AgentEnd() if spans.heard.voiced(event.track):
                _end_voice(spans, t_ns, event)
            case TextCame():
                spans.texts.append(event)
            case JunkCame():
                junk.append(event)
            case ToolCalled():
                spans.tool_calls.append(event)
            case ToolJunkCame():
                tool_junk.append(event)
            case Failed():
                spans.failures.append(event)
            case SecondPassed():
                spans.seconds.append(event)
            case MediaSecond():
                spans.media.append(event)
            case SendLate():
                spans.late.append(event)
            case LoopWasLate():
                spans.lags.append(event)
            case HeardOverflow():
                spans.overflows.append(t_ns)
            case _:
                pass
    spans.turns = list(turns.values())
    spans.heard.passed(spans.last_ns)
    spans.sounds = [(track, sound) for track, sound in spans.sounds if spans.heard.is_agents(track)]
    sounds = [sound for _, sound in spans.sounds]
    spans.background = sorted([*spans.heard.background(), *sounds], key=lambda voice: voice.onset_ns)
    frames = len(spans.texts) + len(junk)
    spans.texts = [event for event in spans.texts if _is_agents(spans, event)]
    junk = [event for event in junk if _is_agents(spans, event)]
    spans.junk = len(junk)
    spans.other_texts = frames - len(spans.texts) - len(junk)
    spans.spaces = [event for event in junk if event.written is not None]
    frames = len(spans.tool_calls) + len(tool_junk)
    spans.tool_calls = [event for event in spans.tool_calls if _is_agents(spans, event)]
    spans.tool_junk = sum(_is_agents(spans, event) for event in tool_junk)
    spans.other_tool_frames = frames - len(spans.tool_calls) - spans.tool_junk
    spans.agents |= set(spans.heard.identities)
    spans.agents = {identity for identity in spans.agents if spans.heard.speaks_for(identity) == identity}
    spans.media = [event for event in spans.media if spans.heard.is_agents(event.track)]
    spans.voice_ends = [event for event in spans.voice_ends if _is_voice(spans, event)]
    return spans


def _is_agents(spans: CallSpans, event: TextCame | JunkCame | ToolCalled | ToolJunkCame) -> bool:
    """Whether a frame is the agent's. One that arrived before the agent was known may be another participant's."""
    identity = event.identity
    return identity is None or spans.heard.is_agent(identity) or not spans.heard.identities


def _is_voice(spans: CallSpans, event: AgentEnd) -> bool:
    track = event.track
    return spans.heard.is_agents(track) and not spans.heard.is_background(track)
