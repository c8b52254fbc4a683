"""The seam between an agent and its room: one track each way, text each way, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.secret import Secret
from harness.stack.agents.mouth import Mouth
from harness.stack.agents.utterance import Pcm
from harness.stack.tokens import LiveKitKeys, TokenKind, agent_token

USER_TEXT_TOPIC = "voice.user_text"
REPLY_TOPIC = "voice.reply"
HEARD_RATE_HZ = 16_000
LEAVE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Seat:
    """Where and as what a participant joins.

    Attributes:
        room: The room's name.
        identity: Its name there.
        kind: Of its token.
        attributes: Of the participant, from the start.
    """

    room: str
    identity: str
    kind: TokenKind = "agent"
    attributes: Mapping[str, str] = field(default_factory=dict)

    def token(self, keys: LiveKitKeys) -> Secret:
        """What it joins with."""
        return agent_token(keys, self.room, self.identity, kind=self.kind, attributes=self.attributes)


class Line(Protocol):
    """One participant in one room, of kind AGENT where its seat says nothing else.

    Attributes:
        caller_came: Set when a caller is in the room.
        over: Set when the caller has left or the room is gone.
        on_text: Called with each typed text, trimmed, and its arrival (ns).
        on_published: Called with the name of each track that it has published.
    """

    caller_came: asyncio.Event
    over: asyncio.Event
    on_text: Callable[[str, int], None]
    on_published: Callable[[str], None]

    async def join(self) -> None:
        """Connects and publishes the (silent) track.

        Raises:
            Exception: The server cannot be reached or refuses.
        """
        ...

    async def heard_by_caller(self) -> None:
        """Returns once the caller can take data and has subscribed to the track."""
        ...

    async def carry(self, mouth: Mouth) -> None:
        """Sends what the mouth says, by absolute deadlines, until cancelled."""
        ...

    def heard(self, frame_ms: int) -> AsyncGenerator[tuple[Pcm, int], None]:
        """The caller's audio: frames, `(n,)` int16 mono at 16 kHz, each with its arrival (ns).

        Where the line waits for whole frames they are of `frame_ms`.
        """
        ...

    async def jitter_buffer(self) -> dict[str, float | int]:
        """What the statistics tell of our jitter buffer, all since the caller was first heard; empty without one.

        `delay_s` summed over all `samples` that passed it, samples `inserted`, `removed` and `concealed` by it, and
        how many `packets` came, when the last of them did (`last_packet_ns`), and how old it was then (`age_ms`).
        """
        ...

    async def send(self, payload: dict[str, Any] | bytes) -> int:
        """Sends one frame on `voice.reply`, reliably and in order; gives the time at which it went (ns)."""
        ...

    async def republish(self, *, overlap: bool) -> None:
        """Moves the voice to a new track, which is there before the old one goes, or after.

        Returns once the caller has subscribed to the new one, or does not.
        """
        ...

    def mute(self, *, on: bool) -> None:
        """Mutes the voice's track, or takes that back."""
        ...

    async def leave(self) -> None:
        """Leaves the room; nothing of it is left. Raises nothing."""
        ...

    async def drop(self) -> None:
        """Disconnects at once, as a process that dies would."""
        ...


def text_of(topic: str, payload: bytes) -> str | None:
    """What a caller typed, trimmed; None where the packet is none of that."""
    if topic != USER_TEXT_TOPIC:
        return None
    try:
        message = json.loads(payload)
    except ValueError:
        return None
    text = message.get("text") if isinstance(message, dict) and message.get("type") == "user_text" else None
    return text.strip() or None if isinstance(text, str) else None


def frame_of(payload: dict[str, Any] | bytes) -> bytes:
    """A frame of `voice.reply`."""
    return payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
