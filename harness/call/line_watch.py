"""What happens on a call's line, as it happens: to the timeline, the ear, the agent watch and the recorder.

Each second it also records what the call cost us: packets sent, how late they left, and the lag of the event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from harness.call.agent_watch import AgentWatch
from harness.call.anchors import HeardAnchors
from harness.call.chat import TOPIC_IN, Chat, Junk
from harness.call.ear import Ear
from harness.call.echo_watch import EchoWatch
from harness.call.engines.line import AudioTrack, Heard, Line, Media, Participant
from harness.call.plan import CallPlan
from harness.call.recorder import Recorder
from harness.call.script import Script
from harness.call.tool_calls import TOPIC as TOOL_TOPIC
from harness.call.tool_calls import read_tool_call
from harness.clock import NS_PER_MS, NS_PER_S, Clock, ms
from harness.errors import AgentFailure, CallFailure, OwnFailure, RoomFailure
from harness.machine.loop_lag import LoopLag
from harness.machine.stall import Stall
from harness.timeline.agent_voices import AgentVoices
from harness.timeline.events import (
    AgentHungUp,
    HeardOverflow,
    JunkCame,
    LoopWasLate,
    MediaSecond,
    RoomReconnected,
    RoomReconnecting,
    SecondPassed,
    SendLate,
    TextCame,
    ToolCalled,
    ToolJunkCame,
)
from harness.timeline.timeline import Timeline

LATE_NS = 20 * NS_PER_MS  # a packet later than this gets an event of its own
MOST_TOOL_CALLS = 1000  # kept of one call; an agent that reports more would fill the disk


class LineWatch:
    """A call's `LineEvents`: see the module."""

    def __init__(
        self, plan: CallPlan, *, clock: Clock, lag: LoopLag, timeline: Timeline, recorder: Recorder | None
    ) -> None:
        self._plan = plan
        self._lag = lag
        self._timeline = timeline
        self._recorder = recorder
        self.voices = AgentVoices()
        self.agents = AgentWatch(
            clock,
            timeline,
            self.voices,
            last_packet_ns=self._last_packet_ns,
            named=plan.agent_identity,
            comes_until_ns=self._agent_comes_until_ns,
            on_anew=self._on_anew,
            on_gone=self._on_agent_gone,
        )
        self.ear = Ear(clock, timeline, self.voices, self.agents.voice)
        self.chat = Chat()
        self.echo = EchoWatch()
        self._anchors = HeardAnchors(timeline)
        self._line: Line | None = None
        self._script: Script | None = None
        self.failure: CallFailure | None = None
        """What ended the call, if that was not the script."""
        self.ended_early = asyncio.Event()
        """Set with `failure`."""
        self._lost_timer: asyncio.TimerHandle | None = None
        self._tool_calls = 0
        self._agent_due_ns = 0
        self._second_ns = 0
        self._second_sent = 0
        self._second_late_ns = 0
        self._second_heard: Counter[str] = Counter()
        self._second_read_late_ns = 0
        self._second_lag_ns = 0

    def start(self) -> None:
        """Starts to record the event loop's lag."""
        self._lag.watch(self._on_lag)

    def joined(self, line: Line) -> None:
        """The room is joined."""
        self._line = line

    def begin(self, script: Script, connected_ns: int, *, agent_due_ns: int) -> None:
        """The call may go on: its seconds and its recording begin, and the script receives what concerns it.

        Args:
            script: The call's script.
            connected_ns: When the room was joined.
            agent_due_ns: Until when an agent that is not there yet may join.
        """
        self._agent_due_ns = agent_due_ns
        self._second_ns = connected_ns + NS_PER_S
        if self._recorder is not None:
            self._recorder.start(connected_ns)
        self._script = script

    def end(self) -> None:
        """Ends all of it; the line was hung up before."""
        self.agents.close()
        if self._lost_timer is not None:
            self._lost_timer.cancel()
        self._lag.unwatch(self._on_lag)
        self._anchors.end()

    def _end_call(self, failure: CallFailure) -> None:
        self.failure = self.failure or failure
        self.ended_early.set()
        if self._script is not None:
            self._script.end(failure)

    def on_participant(self, t_ns: int, participant: Participant) -> None:
        """See `LineEvents`."""
        self.agents.participant(t_ns, participant)

    def on_participant_left(self, t_ns: int, identity: str) -> None:
        """See `LineEvents`."""
        self.agents.participant_left(t_ns, identity)
        self.ear.wake()

    def on_audio_track(self, t_ns: int, track: AudioTrack) -> None:
        """See `LineEvents`."""
        self.agents.track_came(t_ns, track)

    def on_audio_track_gone(self, t_ns: int, track: str) -> None:
        """See `LineEvents`."""
        self.ear.ended(track)
        self._anchors.ended(track)
        self.agents.track_gone(t_ns, track)

    def on_track_muted(self, t_ns: int, track: str, *, muted: bool) -> None:
        """See `LineEvents`."""
        self.agents.track_muted(t_ns, track, muted=muted)

    def _last_packet_ns(self, track: str) -> int | None:
        return None if self._line is None else self._line.last_packet_ns(track)

    def _agent_comes_until_ns(self) -> int:
        begun = self._script is not None and self._script.has_begun
        return 0 if begun else self._agent_due_ns

    def _on_anew(self) -> None:
        if self._script is not None:
            self._script.agent_is_another()

    def _on_agent_gone(self, since_ns: int, failure: AgentFailure) -> None:
        if failure.kind == "agent.left":
            self._agent_left(since_ns, failure)
        else:
            self._end_call(failure)

    def _agent_left(self, since_ns: int, failure: AgentFailure) -> None:
        """Handles the agent leaving or ending the call, which the script may have been waiting for."""
        if self._script is not None and self._script.awaits_hang_up:
            self._timeline.add(AgentHungUp(t_ns=since_ns))
            self._script.hung_up()
        else:
            self._end_call(failure)

    def on_heard(self, heard: Heard) -> None:
        """See `LineEvents`."""
        self._second_heard[heard.track] += heard.samples.size
        self._second_read_late_ns = max(self._second_read_late_ns, heard.late_ns)
        self.ear.hear(heard)
        self.agents.heard(heard.track)
        if heard.track == self.voices.newest():  # the caller's echo is looked for where the agent speaks
            self.echo.heard(heard)
        self._anchors.heard(heard, self._recorder.heard(heard) if self._recorder is not None else None)

    def on_media(self, t_ns: int, media: Media) -> None:
        """See `LineEvents`."""
        self._timeline.add(MediaSecond(t_ns=t_ns, **asdict(media)))
        self.agents.second(t_ns, media)

    def on_data(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """See `LineEvents`."""
        if topic == TOPIC_IN:
            self._text_came(t_ns, payload, identity)
        elif topic == TOOL_TOPIC:
            self._tool_call_came(t_ns, payload, identity)

    def _text_came(self, t_ns: int, payload: bytes, identity: str | None) -> None:
        received = self.chat.received(payload, of_agent=self.agents.is_agents_text(identity))
        if isinstance(received, Junk):
            space = received.space.fields() if received.space else {}
            self._timeline.add(JunkCame(t_ns=t_ns, why=received.why, identity=identity, **space))
        else:
            self._timeline.add(TextCame(t_ns=t_ns, **received.fields(), identity=identity))
            if received.role == "reply" and self._script is not None:
                self._script.reply_written(t_ns, received.text, None if received.own_id else received.segment)

    def _tool_call_came(self, t_ns: int, payload: bytes, identity: str | None) -> None:
        received = read_tool_call(payload, self._timeline.writable)
        self._tool_calls += not isinstance(received, Junk)
        if self._tool_calls > MOST_TOOL_CALLS:
            received = Junk(f"more than {MOST_TOOL_CALLS:,} tool calls")
        if isinstance(received, Junk):
            self._timeline.add(ToolJunkCame(t_ns=t_ns, why=received.why, identity=identity))
        else:
            self._timeline.add(ToolCalled(t_ns=t_ns, **received.fields(), identity=identity))

    def on_sent(self, due_ns: int, left_ns: int, samples: NDArray[np.int16] | None) -> None:
        """See `LineEvents`."""
        late_ns = max(0, left_ns - due_ns)
        self._second_sent += 1
        self._second_late_ns = max(self._second_late_ns, late_ns)
        if late_ns > LATE_NS:
            self._timeline.add(SendLate(t_ns=due_ns, late_ms=ms(late_ns)))
        if samples is not None:
            self.echo.sent(left_ns, samples)
            if self._recorder is not None:
                # By its deadline, as `Speaking.left_ns`: a single late frame is not heard any later.
                self._recorder.sent(due_ns, samples)
        if left_ns >= self._second_ns:
            self._close_second()

    def _close_second(self) -> None:
        self._timeline.add(
            SecondPassed(
                t_ns=self._second_ns,
                sent=self._second_sent,
                send_late_ms=ms(self._second_late_ns),
                lag_ms=ms(max(self._second_lag_ns, self._lag.longest_ns(self._second_ns - NS_PER_S))),
                heard=max(self._second_heard.values(), default=0),
                read_late_ms=ms(self._second_read_late_ns),
                **(asdict(self._lag.machine) if self._lag.machine is not None else {}),
            )
        )
        self._second_ns += NS_PER_S
        self._second_sent = self._second_late_ns = 0
        self._second_heard.clear()
        self._second_read_late_ns = self._second_lag_ns = 0

    def on_overflow(self, t_ns: int) -> None:
        """See `LineEvents`."""
        self._timeline.add(HeardOverflow(t_ns=t_ns))

    def on_broken(self, t_ns: int, what: str) -> None:
        """See `LineEvents`."""
        self._end_call(OwnFailure("harness.bug", what))

    def on_reconnecting(self, t_ns: int, why: str) -> None:
        """See `LineEvents`."""
        self._timeline.add(RoomReconnecting(t_ns=t_ns, why=why))
        if self._lost_timer is None:
            within_s = self._plan.timeouts.connect
            self._lost_timer = asyncio.get_running_loop().call_later(within_s, self._stays_lost, why)

    def on_reconnected(self, t_ns: int, how: str) -> None:
        """See `LineEvents`."""
        self._timeline.add(RoomReconnected(t_ns=t_ns, how=how))
        self.agents.reconnected()
        if self._lost_timer is not None:
            self._lost_timer.cancel()
            self._lost_timer = None

    def _stays_lost(self, why: str) -> None:
        what = f"the room was lost ({why}), and not joined again within {self._plan.timeouts.connect:g} s"
        self._end_call(RoomFailure("room.lost", what, hint="is the LiveKit server well?"))

    def on_disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """See `LineEvents`."""
        if by_service:
            what = f"the call was ended from the other side ({reason})"
            self._agent_left(t_ns, AgentFailure("agent.left", what))
        else:
            self._end_call(
                RoomFailure("room.lost", f"the room was lost ({reason})", hint="is the LiveKit server well?")
            )

    def _on_lag(self, due_ns: int, late_ns: int, stall: Stall) -> None:
        # A lag across a second's boundary may be reported after that second was closed: it counts for the next.
        self._second_lag_ns = max(self._second_lag_ns, late_ns)
        self._timeline.add(LoopWasLate(t_ns=due_ns, late_ms=ms(late_ns), **asdict(stall)))
