"""An agent's `shape`: its kind of participant, its tracks, who else is in the room, and how it and the line end.

    shape:
      kind: standard
      first: true
      tracks: {background: {before: true, sound: tone}}

What an agent says and how soon is set elsewhere; any keys here can be combined, except those that `Shape` rejects
together. Replies are counted from 1; 0 is the greeting.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from harness.parsing.durations import duration_s
from harness.stack.file_words import Duration, Right, Strict

Kind = Literal["agent", "standard", "sip"]
EVER = "ever"


def _duration_or_ever(value: str) -> str:
    if value != EVER:
        duration_s(value)
    return value


AfterReply = Annotated[int, Field(ge=0, le=1000)]


class Background(Strict):
    """A second track of the agent, as players of background audio publish."""

    source: Literal["unknown", "microphone"] = "unknown"
    before: bool = Field(True, description="true: published before the voice's track; false: after it.")
    sound: Literal["silence", "noise", "tone", "hum"] = "silence"
    dbfs: float = Field(-45.0, ge=-90, le=-10, description="RMS level of the sound, in dBFS.")


class Tracks(Strict):
    """The agent's audio tracks. All but `late` need LiveKit's client (engine sdk)."""

    background: Background | None = None
    republish: Literal["overlap", "gap"] | None = Field(
        None,
        description="After each reply the voice moves to a new track. overlap: the new track is published before the "
        "old one is removed; gap: after it.",
    )
    late: Duration | None = Field(None, description="How long after the agent joins the voice's track is published.")
    muted: bool = Field(False, description="The voice's track is muted while the agent says nothing.")
    stereo: bool = Field(False, description="Two channels, with the right one at half the level.")

    @property
    def late_s(self) -> float:
        """`late` in seconds; 0 if it is not set."""
        return 0.0 if self.late is None else duration_s(self.late)

    @property
    def needs_sdk(self) -> bool:
        """Whether it needs the SDK: a line at the socket has a single track, which it cannot mute."""
        return self.background is not None or self.republish is not None or self.muted or self.stereo


class Avatar(Strict):
    """A second participant of kind AGENT publishes the voice on the agent's behalf; the agent sends the texts."""

    first: bool = Field(False, description="The avatar joins before the agent it speaks for.")


class Observer(Strict):
    """A participant of kind AGENT without audio, such as a note taker or monitor; joins before the agent."""

    sends: bool = Field(False, description="It sends its own frame on voice.reply for each text it receives.")


class Beside(Strict):
    """Other participants, who join before the agent and the caller."""

    observer: Observer | None = None
    hold_music: Literal["leaves", "goes_silent", "stays"] | None = Field(
        None, description="A standard participant that plays music; what it does when the agent joins."
    )
    recorder: bool = Field(
        False, description="A participant of kind EGRESS that subscribes to everything and says nothing."
    )


class Handover(Strict):
    """The agent leaves, and a second participant, `agent-NAME-2`, takes over."""

    after_reply: AfterReply = 1
    gap: Duration = Field("200ms", description="Time between the first agent's leaving and the second agent's joining.")
    overlap: bool = Field(False, description="The second agent joins before the first one leaves; there is no gap.")
    greets: bool = Field(False, description="The second agent greets as well.")

    @property
    def gap_s(self) -> float:
        """`gap` in seconds."""
        return duration_s(self.gap)


class HangsUp(Strict):
    """The agent leaves properly once its reply has been spoken and played out."""

    after_reply: AfterReply = 1
    room: bool = Field(False, description="It deletes the room instead of leaving it.")


class Crash(Strict):
    """The agent disappears after a reply or in the middle of one."""

    after_reply: AfterReply | None = None
    in_reply: int | None = Field(None, ge=1, le=1000)
    how: Literal["leave", "vanish"] = Field(
        "vanish",
        description="leave: its connection is closed; vanish: its process is killed; the server notices after 20 s.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.after_reply is None) == (self.in_reply is None):
            raise ValueError("write exactly one of after_reply and in_reply")
        return self


class Publish(Strict):
    """How the voice is published."""

    dtx: bool = Field(True, description="true: in silence one small packet every 400 ms; false: a packet every 20 ms.")
    red: bool = Field(False, description="Each packet also contains the one before (RED), as LiveKit's client does it.")
    in_silence: Literal["packets", "nothing"] = Field(
        "packets", description="nothing: no packets are sent while the agent is silent."
    )


class CallerToken(Strict):
    """The token that the session service gives the caller."""

    without: list[Right] = Field(default_factory=list, description="Rights that the token does not grant.")
    shared: bool = Field(
        False, description="All callers get the same room and identity, so each one removes the one before."
    )


class Cut(Strict):
    """The caller's signalling is cut, and new connections are refused for a time."""

    after_reply: AfterReply = 1
    lasts: Annotated[str, AfterValidator(_duration_or_ever)] = Field(
        "2s", description="A duration, or `ever`: then its media ends too, as if the server was killed."
    )

    @property
    def lasts_s(self) -> float | None:
        """`lasts` in seconds; None for ever."""
        return None if self.lasts == EVER else duration_s(self.lasts)


class CallerLine(Strict):
    """The caller's connection to the server."""

    cut: Cut | None = None


class Shape(Strict):
    """An agent's shape; see the module."""

    kind: Kind = Field("agent", description="The kind in its token; standard: a token without a kind.")
    first: bool | None = Field(
        None,
        description="true: it joins before the session is answered; false: it joins after the caller. "
        "By default whichever is faster.",
    )
    tracks: Tracks = Tracks()
    avatar: Avatar | None = None
    beside: Beside = Beside()
    handover: Handover | None = None
    hangs_up: HangsUp | None = None
    crash: Crash | None = None
    publish: Publish = Publish()
    token: CallerToken = CallerToken()
    line: CallerLine = CallerLine()

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        ends = [name for name in ("handover", "hangs_up", "crash") if getattr(self, name) is not None]
        if len(ends) > 1:
            raise ValueError(f"{' and '.join(ends)} cannot be combined; keep one")
        if self.avatar is not None and self.kind != "agent":
            raise ValueError("avatar needs kind: agent; remove the other kind")
        return self

    @property
    def needs_sdk(self) -> bool:
        """Whether it needs the SDK, because a line at the socket cannot do it."""
        return self.tracks.needs_sdk or self.avatar is not None or self.publish.red or not self.publish.dtx

    @property
    def session_waits(self) -> bool:
        """Whether the session is answered only once someone is in the room, or the agent's own process is up."""
        beside = self.beside
        someone = beside.observer is not None or beside.hold_music is not None or beside.recorder
        return self.first is True or someone or self.dies

    @property
    def dies(self) -> bool:
        """Whether the agent crashes by killing its process, and so needs one of its own."""
        return self.crash is not None and self.crash.how == "vanish"

    @property
    def caller_returns(self) -> bool:
        """Whether a caller that has left may come back, or be replaced by another."""
        return self.token.shared or (self.line.cut is not None and self.line.cut.lasts_s is not None)
