"""What comes from the agent: voices, texts and tool calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from harness.timeline.events.base import LEFT_OUT, UNKNOWN_TRACK, Event


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
