"""The interface between an agent and its room: one audio track and text in each direction, cleaned up completely."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from harness.secret import Secret
from harness.stack.agents.mouth import Mouth
from harness.stack.agents.trimmed_speech import Pcm
from harness.stack.tokens import LiveKitKeys, TokenKind, agent_token

USER_TEXT_TOPIC = "voice.user_text"
REPLY_TOPIC = "voice.reply"
TOOL_TOPIC = "voice.tool_call"
HEARD_RATE_HZ = 16_000
LEAVE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Seat:
    """The room and identity that a participant joins with.

    Attributes:
        room: The room's name.
        identity: The participant's identity.
        kind: The participant's kind, set in its token.
        attributes: The participant's initial attributes.
    """

    room: str
    identity: str
    kind: TokenKind = "agent"
    attributes: Mapping[str, str] = field(default_factory=dict)

    def token(self, keys: LiveKitKeys) -> Secret:
        """The access token to join with."""
        return agent_token(keys, self.room, self.identity, kind=self.kind, attributes=self.attributes)


class AgentLine(Protocol):
    """One participant in one room, of kind AGENT unless its seat says otherwise.

    Attributes:
        caller_came: Set once a caller is in the room.
        over: Set once the caller has left or the room is gone.
        on_text: Called with each typed text, stripped, and its arrival time (ns).
        on_published: Called with the name of each track after it was published.
    """

    caller_came: asyncio.Event
    over: asyncio.Event
    on_text: Callable[[str, int], None]
    on_published: Callable[[str], None]

    async def join(self) -> None:
        """Connects and publishes the (silent) track.

        Raises:
            Exception: The server cannot be reached or refuses the connection.
        """
        ...

    async def heard_by_caller(self) -> None:
        """Returns once the caller can receive data and has subscribed to the track."""
        ...

    async def carry(self, mouth: Mouth) -> None:
        """Sends the mouth's audio by absolute deadlines until cancelled."""
        ...

    def heard(self, frame_ms: int) -> AsyncGenerator[tuple[Pcm, int], None]:
        """The caller's audio: frames, `(n,)` int16 mono at 16 kHz, each with its arrival time (ns).

        A line that collects whole frames yields frames of `frame_ms`.
        """
        ...

    async def jitter_buffer(self) -> dict[str, float | int]:
        """Statistics of our jitter buffer, cumulative since the caller was first heard; empty if there is none.

        `delay_s` is the sum over all `samples` that passed through it; `inserted`, `removed` and `concealed` are in
        samples; `packets` were received, the last one at `last_packet_ns`, which was `age_ms` ago.
        """
        ...

    async def send(self, payload: dict[str, Any] | bytes, *, topic: str = REPLY_TOPIC) -> int:
        """Sends one frame on a topic, reliably and in order; returns the time at which it was sent (ns)."""
        ...

    async def leave(self) -> None:
        """Leaves the room and releases everything. Never raises."""
        ...

    async def drop(self) -> None:
        """Disconnects at once, like a process that dies."""
        ...


@runtime_checkable
class ChangingLine(AgentLine, Protocol):
    """A line that can change the track of its voice."""

    async def republish(self, *, overlap: bool) -> None:
        """Moves the voice to a new track, published before the old one is unpublished (`overlap`) or after.

        Returns once the caller has subscribed to the new track, or after a timeout.
        """
        ...

    def mute(self, *, on: bool) -> None:
        """Mutes or unmutes the voice's track."""
        ...


def text_of(topic: str, payload: bytes) -> str | None:
    """The stripped text that a caller typed; None if the packet is not a `voice.user_text` message."""
    if topic != USER_TEXT_TOPIC:
        return None
    try:
        message = json.loads(payload)
    except ValueError:
        return None
    text = message.get("text") if isinstance(message, dict) and message.get("type") == "user_text" else None
    return text.strip() or None if isinstance(text, str) else None


def frame_of(payload: dict[str, Any] | bytes) -> bytes:
    """Encodes a frame."""
    return payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
