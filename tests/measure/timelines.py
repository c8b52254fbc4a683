"""Timelines made by hand: what happened when, in milliseconds since the caller was connected."""

from __future__ import annotations

from typing import Any, Self

from harness.hearing.voice import Voice
from harness.measure.call import measure_call
from harness.record.result import CallResult
from harness.timeline.events import Event
from tests.events import typed

ZERO_NS = 5_000_000_000
SECOND = {"sent": 100, "send_late_ms": 1.0, "lag_ms": 1.0, "heard": 48_000, "read_late_ms": 0.0, "busy": 0.3}
COUNTED = {"received": 50, "lost": 0, "samples": 48_000, "concealed": 0}
MEDIA = {**COUNTED, "jitter_ms": 1.0, "rtt_ms": 0.5, "jitter_buffer_ms": 30.0}


def ns(at_ms: float) -> int:
    return ZERO_NS + round(at_ms * 1e6)


def voices(*spans: tuple[float, float | None]) -> list[Voice]:
    """Stretches of voice from (onset, end) in ms; an end of None lasts."""
    return [Voice(ns(onset), None if end is None else ns(end)) for onset, end in spans]


class CallMade:
    """A call that was connected at 0, with the agent there at 300 ms and its greeting heard from 500 to 1,500 ms."""

    def __init__(
        self,
        *,
        greeting: tuple[float, float] | None = (500, 1500),
        awaited: bool = True,
        on_this_machine: bool = False,
    ) -> None:
        self._entries: list[dict[str, Any]] = []
        self._turn = 0
        self._step = -1
        self.event(-400, "call.started", call="0001-x", scenario="x", agent="demo", target="embedded", utc="2030")
        self.event(-350, "session.requested")
        self.event(-250, "session.created", room="room-1", on_this_machine=on_this_machine)
        self.event(-240, "room.connecting")
        self.event(0, "room.connected")
        self.event(100, "agent.seen", identity="agent", by="kind")
        self.event(300, "agent.joined", identity="agent")
        if awaited:
            self.event(310, "greeting.awaited")
            self.event(
                (greeting[1] + 1500) if greeting else 5310, "greeting.ended", why="heard" if greeting else "silent"
            )
        if greeting:
            self.agent(*greeting)

    def event(self, at_ms: float, name: str, /, **fields: Any) -> Self:
        self._entries.append({"t": ns(at_ms), "event": name, **fields})
        return self

    def agent(
        self,
        onset: float,
        end: float | None = None,
        *,
        ear: float | None = None,
        read_late_ms: float = 0,
        noise_dbfs: float | None = None,
    ) -> Self:
        """The agent's voice, active at -20 dBFS."""
        heard = {"ear": None if ear is None else ns(ear), "found": ns(onset + 80), "read_late_ms": read_late_ms}
        self.event(onset, "agent.onset", level_dbfs=-20.0, **heard)
        if end is not None:
            known = {"active_dbfs": -20.0, "noise_dbfs": noise_dbfs} if noise_dbfs is not None else {}
            self.event(end, "agent.end", level_dbfs=-20.0, found=ns(end + 200), **known)
        return self

    def say(
        self,
        start: float,
        end: float,
        ended: float | None = None,
        *,
        text: str = "When do you open?",
        why: str = "replied",
        kind: str = "say",
        over: float | None = None,
    ) -> Self:
        """A spoken turn, voiced from `start` to `end`; `over` is the onset of the speech that it talks over."""
        self._begin(start - 100, kind, text, "a-fixture")
        if kind == "barge_in":
            self.event(start - 90, "barge_in", turn=self._turn, onset=None if over is None else ns(over))
        spoke = {"turn": self._turn, "start": ns(start - 100), "voiced_start": ns(start), "voiced_end": ns(end)}
        self.event(start - 100, "caller.spoke", **spoke)
        return self._end(ended, why)

    def barge_in(self, start: float, end: float, ended: float, *, over: float | None, **more: Any) -> Self:
        return self.say(start, end, ended, kind="barge_in", over=over, **more)

    def type(self, sent: float, ended: float | None = None, *, text: str = "Hello?", why: str = "replied") -> Self:
        """A typed turn."""
        self._begin(sent - 5, "type", text, None)
        self.event(sent, "caller.typed", turn=self._turn, text=text)
        return self._end(ended, why)

    def begun(self, start: float, *, kind: str = "say", ended: float | None = None, why: str = "failed") -> Self:
        """A turn that ended before the caller had spoken."""
        self._begin(start, kind, "Hello?", None)
        return self._end(ended, why)

    def wait(self, start: float, ended: float | None) -> Self:
        self._step += 1
        self.event(start, "wait.started", step=self._step, after_turn=self._turn)
        return self if ended is None else self.event(ended, "wait.ended", step=self._step)

    def text(self, at_ms: float, role: str, text: str) -> Self:
        return self.event(at_ms, "text", role=role, text=text, type="reply" if role == "reply" else "user_text")

    def failure(self, at_ms: float, kind: str, *, turn: int | None = None, ended: bool = False) -> Self:
        return self.event(at_ms, "failure", kind=kind, what="it went wrong", turn=turn, ended=ended)

    def late(self, at_ms: float, late_ms: float, *, count: int = 1) -> Self:
        for number in range(count):
            self.event(at_ms + 10 * number, "send.late", late_ms=late_ms)
        return self

    def lag(self, at_ms: float, late_ms: float) -> Self:
        return self.event(at_ms, "loop.lag", late_ms=late_ms)

    def hung_up(self, at_ms: float) -> Self:
        return self.event(at_ms, "hung_up").event(at_ms, "call.ended")

    def entries(self) -> list[dict[str, Any]]:
        """The lines of its timeline."""
        return sorted(self._entries, key=lambda entry: entry["t"])

    def events(self) -> list[Event]:
        return typed(self.entries())

    def measured(self) -> CallResult:
        return measure_call(self.events(), tags=["smoke"])

    def _begin(self, at_ms: float, kind: str, text: str, fixture: str | None) -> None:
        self._turn += 1
        self._step += 1
        what = {"kind": kind, "text": text, "fixture": fixture, "language": "en" if fixture else ""}
        self.event(at_ms, "turn.started", turn=self._turn, step=self._step, **what)

    def _end(self, ended: float | None, why: str) -> Self:
        return self if ended is None else self.event(ended, "turn.ended", turn=self._turn, why=why)


def long_call(minutes: int) -> CallMade:
    """A call of so many minutes, each alike: a spoken turn, a typed one, one that is talked over, and a wait.

    The agent echoes what is typed and transcribes what is said, says things in two stretches, and puts in an "mm-hmm";
    every second minute it plays the caller's voice back. Now and then a packet of ours is late.
    """
    call = CallMade()
    for minute in range(minutes):
        at = 4000 + 60_000 * minute
        call.say(at, at + 2000, at + 9000).text(at + 2300, "transcript", "When do you open?")
        call.agent(at + 500, at + 900).agent(at + 3000, at + 4500).agent(at + 4800, at + 7400, ear=at + 4830)
        call.text(at + 3100, "reply", "At nine.").text(at + 4900, "reply", "Every day.")
        if minute % 2:
            call.event(at + 2100, "own_voice", turn=4 * minute + 1, delay_ms=120.0, gain_db=-6.0, alike=0.9)
        call.type(at + 10_000, at + 18_000).text(at + 10_100, "echo", "Hello?").text(at + 10_700, "reply", "Yes?")
        call.agent(at + 10_800, at + 13_000).agent(at + 13_700, at + 16_400)
        call.say(at + 20_000, at + 22_000, at + 23_000).agent(at + 23_000, at + 25_600)
        call.barge_in(at + 25_000, at + 27_000, at + 33_000, over=at + 23_000).agent(at + 28_100, at + 31_000)
        call.wait(at + 34_000, at + 54_000).agent(at + 40_000, at + 42_000)
        call.late(at + 4000, 24, count=3 * (minute % 3))
        for second in range(60):
            call.event(at + 1000 * second, "second", **SECOND)
            call.event(at + 1000 * second, "media", **MEDIA)
            call.event(at + 1000 * second, "heard", position=48_000 * (60 * minute + second), ear=None, place=None)
    return call.hung_up(4000 + 60_000 * minutes)
