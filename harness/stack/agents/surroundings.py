"""What all agents of a process share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from harness.clock import Clock
from harness.stack.agents.ear import Hearing
from harness.stack.agents.frames import Frames
from harness.stack.agents.hold import RunningCalls
from harness.stack.agents.light_line import Coded
from harness.stack.agents.server import ServerApi
from harness.stack.agents.thought import Thinking
from harness.stack.agents.truth_log import TruthLog
from harness.stack.agents_file import AgentSpec
from harness.stack.tokens import LiveKitKeys
from harness.stack.tools.session import Log, SessionTools
from harness.transport.hub import TransportHub


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all agents of the process share.

    `tell` reports a room's state to the host: "set" (ready for the caller), "met" (the caller is there) or "cut" (cut
    the caller's signalling). `frames` keeps what is sent to callers.
    """

    keys: LiveKitKeys
    hub: TransportHub
    coded: Coded
    thinking: Callable[[AgentSpec, SessionTools | None], Thinking]
    tools: Callable[[AgentSpec, Log], SessionTools | None]
    hearing: Callable[[AgentSpec], Hearing]
    truth_log: TruthLog
    clock: Clock
    server: ServerApi
    tell: Callable[[str, Literal["set", "met", "cut"]], None]
    frames: Frames
    calls: RunningCalls = field(default_factory=RunningCalls)
