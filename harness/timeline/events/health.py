"""What can distort a measurement: the load of the machine, late frames, and the reception of tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.timeline.events.base import LEFT_OUT, UNKNOWN_TRACK, Event


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
