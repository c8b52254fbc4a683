"""The lines of one agent: which participants it has in its room, and on which transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.stack.agents.avatar_line import AvatarLine
from harness.stack.agents.light_line import LightAgentLine
from harness.stack.agents.line import AgentLine, Seat
from harness.stack.agents.surroundings import Surroundings
from harness.stack.agents_file import AgentSpec
from harness.transport.room_events import ON_BEHALF_OF

if TYPE_CHECKING:
    from harness.stack.agents.sdk_line import SdkAgentLine


@dataclass(frozen=True, slots=True)
class Lines:
    """Makes the lines of the agent with these settings in `room`."""

    spec: AgentSpec
    room: str
    around: Surroundings

    def main(self, name: str) -> AgentLine:
        """The line of the agent `name`, with its avatar if it has one."""
        shape = self.spec.shape
        identity = f"agent-{name}"
        if shape.avatar is None:
            return self._new(self._seat(identity))
        avatar = Seat(self.room, f"avatar-{name}", attributes={ON_BEHALF_OF: identity})
        agent = self._sdk(self._seat(identity), voice=False)
        return AvatarLine(agent, self._sdk(avatar), avatar_first=shape.avatar.first)

    def twin(self, name: str) -> AgentLine | None:
        """The line of its second participant; None if it joins once."""
        if "joins_twice" not in self.spec.faults:
            return None
        return self._new(self._seat(f"agent-{name}-again"))

    def _seat(self, identity: str) -> Seat:
        return Seat(self.room, identity, self.spec.shape.kind)

    def _new(self, seat: Seat) -> AgentLine:
        around = self.around
        if self.spec.line == "light":
            return LightAgentLine(around.keys, seat, around.hub, around.coded, self.spec.shape)
        return self._sdk(seat)

    def _sdk(self, seat: Seat, *, voice: bool = True) -> SdkAgentLine:
        # Imported only where an agent needs it, to keep the SDK's native runtime out of the process otherwise.
        from harness.stack.agents.sdk_line import SdkAgentLine

        return SdkAgentLine(self.around.keys, seat, self.around.clock, self.spec.shape, voice=voice)
