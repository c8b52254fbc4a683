"""The events of a timeline, one class each.

The writer and the reader (`codec.py`) and the table of `docs/run-directory.md` use these classes; the table shows the
first line of each docstring.

A line of a timeline is a flat JSON object: `t` (`t_ns` here), `event` (the class's `event`) and the fields under their
own names. A field annotated `LEFT_OUT` is omitted if it has its default. A new event takes a class here, an entry in
`EVENTS`, and the code that emits it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

UNKNOWN_TRACK = ""  # the agent's only track, in timelines from before tracks had names
TurnKind = Literal["say", "type", "barge_in"]
# Which of two versions a call belongs to: the one to compare with, or the one that is judged.
Side = Literal["baseline", "run"]
LEFT_OUT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at `t_ns` on the monotonic clock."""

    event: ClassVar[str] = ""
    t_ns: Annotated[int, Field(alias="t")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(Event):
    """The call starts."""

    event: ClassVar[str] = "call.started"
    version: Annotated[int, "of the format"] = 1
    call: str = ""
    scenario: str = ""
    agent: str = ""
    target: str = ""
    utc: str = ""
    engine: str = "sdk"
    due: Annotated[int | None, "ns: its intended start"] = None
    warm_up: bool = False
    canary: bool = False
    side: Annotated[Side, "of two versions", LEFT_OUT] = "run"
    block: Annotated[int | None, "of neighbouring calls to both versions", LEFT_OUT] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequested(Event):
    """A session was requested from the session service."""

    event: ClassVar[str] = "session.requested"
    held_back_ms: Annotated[float, "waited for our own session rate limit"] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreated(Event):
    """The session service returned credentials."""

    event: ClassVar[str] = "session.created"
    room: str | None = None
    on_this_machine: Annotated[bool, "whether the media server runs on this machine"] = False
    retries: Annotated[int, "after a 429"] = 0
    retry_wait_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomConnecting(Event):
    """The join request was sent."""

    event: ClassVar[str] = "room.connecting"
    held_back_ms: Annotated[float, "waited for our own gate"] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomConnected(Event):
    """The room was joined."""

    event: ClassVar[str] = "room.connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class MicPublished(Event):
    """The caller's microphone was published."""

    event: ClassVar[str] = "mic.published"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantSeen(Event):
    """A participant is in the room, or more is known about it."""

    event: ClassVar[str] = "participant"
    identity: str
    kind: str
    on_behalf_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLeft(Event):
    """A participant left the room."""

    event: ClassVar[str] = "participant.left"
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackCame(Event):
    """An audio track was subscribed."""

    event: ClassVar[str] = "track.came"
    track: Annotated[str, "names the stream"]
    identity: str
    name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackGone(Event):
    """An audio track ended."""

    event: ClassVar[str] = "track.gone"
    track: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackMuted(Event):
    """An audio track was muted."""

    event: ClassVar[str] = "track.muted"
    track: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackUnmuted(Event):
    """An audio track was unmuted."""

    event: ClassVar[str] = "track.unmuted"
    track: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSeen(Event):
    """The agent was identified, for the whole call; repeated if another participant turns out to be the agent."""

    event: ClassVar[str] = "agent.seen"
    identity: str
    by: Annotated[str, "`kind`: it is of kind AGENT; `audio`: it publishes audio; `name`: `agent_identity`"] = "kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSecond(Event):
    """A second agent is in the room; only in timelines from before `participant`."""

    event: ClassVar[str] = "agent.second"
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentJoined(Event):
    """The agent's audio was subscribed."""

    event: ClassVar[str] = "agent.joined"
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHandover(Event):
    """The agent left and another agent took over."""

    event: ClassVar[str] = "agent.handover"
    identity: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLeft(Event):
    """The agent left and no other took over."""

    event: ClassVar[str] = "agent.left"
    identity: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHungUp(Event):
    """The agent left, as the scenario expects."""

    event: ClassVar[str] = "agent.hung_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomReconnecting(Event):
    """The caller's own connection was lost."""

    event: ClassVar[str] = "room.reconnecting"
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomReconnected(Event):
    """The caller's own connection is back."""

    event: ClassVar[str] = "room.reconnected"
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingAwaited(Event):
    """The wait for the greeting starts."""

    event: ClassVar[str] = "greeting.awaited"


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingAnew(Event):
    """Another participant is the agent, and the wait for its greeting starts."""

    event: ClassVar[str] = "greeting.anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingEnded(Event):
    """The wait for the greeting ended: it was heard, or did not come."""

    event: ClassVar[str] = "greeting.ended"
    why: Annotated[str, "`heard`, `silent`, `barge_in`"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(Event):
    """A step of the script that is a turn starts."""

    event: ClassVar[str] = "turn.started"
    turn: Annotated[int, "from 1"]
    step: Annotated[int, "from 0"]
    kind: TurnKind
    text: str
    fixture: str | None
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSpoke(Event):
    """The caller spoke an utterance; times in ns, when the packets left."""

    event: ClassVar[str] = "caller.spoke"
    turn: int
    voiced_start: int
    voiced_end: int
    said_end: Annotated[int | None, "when the sample of the voiced end was handed over"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerTyped(Event):
    """The caller typed a text; `t` is when it left."""

    event: ClassVar[str] = "caller.typed"
    turn: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoHeard(Event):
    """The caller's echo was found in the agent's channel."""

    event: ClassVar[str] = "own_voice"
    turn: int
    delay_ms: float
    gain_db: float
    alike: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BargedIn(Event):
    """The caller is about to barge in."""

    event: ClassVar[str] = "barge_in"
    turn: int
    onset: Annotated[int | None, "ns, of the speech to interrupt; null if there is none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded(Event):
    """The turn ended."""

    event: ClassVar[str] = "turn.ended"
    turn: int
    why: Annotated[str, "`replied`, `no_reply`, `barge_in`, `interrupted`, `no_reply_needed`, `failed`, `cut`"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStarted(Event):
    """A step that only waits starts."""

    event: ClassVar[str] = "wait.started"
    step: int
    after_turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEnded(Event):
    """The wait ended."""

    event: ClassVar[str] = "wait.ended"
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOnset(Event):
    """A voice starts, on any track."""

    event: ClassVar[str] = "agent.onset"
    ear: Annotated[int | None, "ns, at the ear"] = None
    track: str = UNKNOWN_TRACK
    position: Annotated[int | None, "samples of the stream heard"] = None
    level_dbfs: float | None = None
    found: Annotated[int | None, "ns: when it was detected"] = None
    read_late_ms: Annotated[float, "of its packet"] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEnd(Event):
    """A voice ends."""

    event: ClassVar[str] = "agent.end"
    began: Annotated[
        int | Literal["onset"] | None, "ns: its onset as it is known now; null where it was noise", LEFT_OUT
    ] = "onset"
    track: str = UNKNOWN_TRACK
    position: int | None = None
    level_dbfs: float | None = None
    active_dbfs: float | None = None
    active_ms: float = 0.0
    clipped: float = 0.0
    dropouts: int = 0
    dropout_ms: float = 0.0
    noise_dbfs: Annotated[
        float | None, "what the noise before it hardly ever exceeds; null where that is not known"
    ] = None
    sound: Annotated[bool, "it was a sound, not a voice", LEFT_OUT] = False
    sure_ms: Annotated[int | None, "how long after `began` it was certainly speech, if asked", LEFT_OUT] = None
    found: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAnchor(Event):
    """Maps a stream position to its time and place; once a second, at shifts in the recording, and at the end."""

    event: ClassVar[str] = "heard"
    track: str = UNKNOWN_TRACK
    position: int
    ear: int | None = None
    place: Annotated[int | None, "samples of the recording; null where there is none"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCame(Event):
    """A text was received on `voice.reply`."""

    event: ClassVar[str] = "text"
    role: Annotated[Literal["echo", "transcript", "reply"], "the sender, and whether it is an echo"]
    text: str
    type: Annotated[str, "the type in the frame"] = ""
    written: Annotated[str | None, "with leading and trailing spaces", LEFT_OUT] = None
    segment: Annotated[str | None, "the id of its segment", LEFT_OUT] = None
    own_id: Annotated[bool, "the id may be that of the frame only", LEFT_OUT] = False
    final: Annotated[bool | None, "whether the segment is complete", LEFT_OUT] = None
    identity: Annotated[str | None, "its sender"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JunkCame(Event):
    """A frame was ignored; one with only spaces may separate two tokens."""

    event: ClassVar[str] = "text.junk"
    why: str = ""
    role: Annotated[str | None, LEFT_OUT] = None
    text: Annotated[str | None, LEFT_OUT] = None
    type: Annotated[str | None, LEFT_OUT] = None
    written: Annotated[str | None, LEFT_OUT] = None
    segment: Annotated[str | None, LEFT_OUT] = None
    own_id: Annotated[bool, LEFT_OUT] = False
    final: Annotated[bool | None, LEFT_OUT] = None
    identity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled(Event):
    """The agent reported a tool call, on `voice.tool_call`."""

    event: ClassVar[str] = "agent.tool_call"
    name: str
    arguments: Mapping[str, Any]
    result: Any = None
    ms: Annotated[float | None, "how long it took, as the agent says"] = None
    ok: Annotated[bool, "whether it succeeded"] = True
    shortened: Annotated[bool, "arguments or result were too long and are cut", LEFT_OUT] = False
    identity: Annotated[str | None, "its sender"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolJunkCame(Event):
    """A frame on `voice.tool_call` was ignored."""

    event: ClassVar[str] = "agent.tool_call.junk"
    why: str = ""
    identity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPassed(Event):
    """Per second: what the call cost the harness, and the load of the machine."""

    event: ClassVar[str] = "second"
    sent: Annotated[int, "frames"]
    send_late_ms: float
    lag_ms: float
    heard: Annotated[int, "samples"]
    read_late_ms: float = 0.0
    own_cpu: float | None = None
    loop_cpu: float | None = None
    busy: float | None = None
    steal: float | None = None
    throttled_ms: float | None = None
    udp_dropped: int | None = None
    clock_step_ms: float | None = None
    gc_ms: float | None = None
    gc_longest_ms: float | None = None
    disk_ms: Annotated[float | None, "the longest write"] = None
    waited_ms: Annotated[float | None, "for a CPU"] = None
    page_faults: float | None = None
    preempted: float | None = None

    @property
    def tells_of_machine(self) -> bool:
        """Whether the machine's load was sampled."""
        return self.busy is not None or self.own_cpu is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSecond(Event):
    """Per second: the reception of a track."""

    event: ClassVar[str] = "media"
    track: str = UNKNOWN_TRACK
    received: int
    lost: int
    samples: int | None = None
    concealed: int | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    jitter_buffer_ms: float | None = None
    behind_ms: Annotated[float | None, "by how much the sender's clock fell behind the packets' arrivals"] = None
    server_heard: Annotated[bool | None, "whether anything was received from the server"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLate(Event):
    """A frame left more than 20 ms late."""

    event: ClassVar[str] = "send.late"
    late_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopWasLate(Event):
    """The event loop was more than 10 ms late; the fields say what happened meanwhile."""

    event: ClassVar[str] = "loop.lag"
    late_ms: float
    cpu_ms: Annotated[float, LEFT_OUT] = 0.0
    others_ms: Annotated[float, LEFT_OUT] = 0.0
    waited_ms: Annotated[float, LEFT_OUT] = 0.0
    page_faults: Annotated[int, LEFT_OUT] = 0
    gc_ms: Annotated[float, LEFT_OUT] = 0.0
    disk_ms: Annotated[float, LEFT_OUT] = 0.0
    measuring_ms: Annotated[float, LEFT_OUT] = 0.0
    saving_ms: Annotated[float, LEFT_OUT] = 0.0
    hearing_ms: Annotated[float, LEFT_OUT] = 0.0
    sending_ms: Annotated[float, LEFT_OUT] = 0.0
    joining: Annotated[int, LEFT_OUT] = 0

    @property
    def tells_why(self) -> bool:
        """Whether the cause was recorded; if so, some CPU time was used at least."""
        return self.cpu_ms > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardOverflow(Event):
    """A receive queue overflowed."""

    event: ClassVar[str] = "heard.overflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """A failure, of a fixed set of kinds."""

    event: ClassVar[str] = "failure"
    kind: str
    what: str
    hint: str = ""
    turn: int | None = None
    ended: Annotated[bool, "it ended the script"] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Event):
    """The harness cut the call short, on request."""

    event: ClassVar[str] = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp(Event):
    """The caller left the room."""

    event: ClassVar[str] = "hung_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """The call has ended and everything is released."""

    event: ClassVar[str] = "call.ended"


EVENTS: Mapping[str, type[Event]] = {
    kind.event: kind
    for kind in (
        *(CallStarted, SessionRequested, SessionCreated, RoomConnecting, RoomConnected, MicPublished),
        *(ParticipantSeen, ParticipantLeft, TrackCame, TrackGone, TrackMuted, TrackUnmuted),
        *(
            AgentSeen,
            AgentSecond,
            AgentJoined,
            AgentHandover,
            AgentLeft,
            AgentHungUp,
            RoomReconnecting,
            RoomReconnected,
        ),
        *(GreetingAwaited, GreetingAnew, GreetingEnded),
        *(TurnStarted, CallerSpoke, CallerTyped, EchoHeard, BargedIn, TurnEnded, WaitStarted, WaitEnded),
        *(AgentOnset, AgentEnd, StreamAnchor, TextCame, JunkCame, ToolCalled, ToolJunkCame),
        *(SecondPassed, MediaSecond, SendLate, LoopWasLate, HeardOverflow, Failed, Cut, HungUp, CallEnded),
    )
}
