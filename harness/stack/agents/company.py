"""Other participants beside the agent: a note taker, hold music, a recorder."""

from __future__ import annotations

import asyncio
import contextlib

from livekit import rtc

from harness.clock import Clock
from harness.stack.agents.line import LEAVE_TIMEOUT_S, REPLY_TOPIC, Seat, frame_of, text_of
from harness.stack.agents.sdk_network import require_network
from harness.stack.agents.sdk_tracks import SteadySound
from harness.stack.shape import Beside
from harness.stack.tokens import LiveKitKeys, TokenKind

MUSIC_DBFS = -22.0
NOTE = "Noted."


class Company:
    """All of them; they join one after another and leave together.

    Args:
        keys: The LiveKit server and the key pair that signs the tokens.
        room: The room's name.
        beside: Which participants to add.
        clock: Time source, also used to sleep.
    """

    def __init__(self, keys: LiveKitKeys, room: str, beside: Beside, clock: Clock) -> None:
        self._keys = keys
        self._room = room
        self._beside = beside
        self._clock = clock
        self._rooms: list[rtc.Room] = []
        self._music: SteadySound | None = None
        self._musician: rtc.Room | None = None
        self._notes: set[asyncio.Task[None]] = set()

    async def join(self) -> None:
        """Returns once all have joined and the music is playing.

        Raises:
            rtc.ConnectError: The server cannot be reached or refuses the connection.
            StackError: This machine has no network that the SDK uses.
        """
        require_network()
        if self._beside.observer is not None:
            observer = await self._enter("beside-observer", "agent")
            if self._beside.observer.sends:
                observer.on("data_received", lambda packet: self._take_note(observer, packet))
        if self._beside.hold_music is not None:
            self._musician = await self._enter("beside-music", "standard")
            self._music = SteadySound(
                self._musician, self._clock, name="music", source="microphone", sound="music", dbfs=MUSIC_DBFS
            )
            await self._music.publish()
        if self._beside.recorder:
            await self._enter("beside-recorder", "egress")

    async def agent_came(self) -> None:
        """Handles the agent's arrival: the music stops, goes silent or keeps playing, as `beside` says."""
        if self._music is None or self._musician is None:
            return
        if self._beside.hold_music == "goes_silent":
            self._music.silent = True
        elif self._beside.hold_music == "leaves":
            music, self._music = self._music, None
            await music.close()
            await self._end(self._musician)

    async def leave(self) -> None:
        """Leaves the room with all of them. Never raises."""
        for note in self._notes:
            note.cancel()
        if self._music is not None:
            await self._music.close()
        for room in self._rooms:
            await self._end(room)

    async def _enter(self, identity: str, kind: TokenKind) -> rtc.Room:
        room = rtc.Room()
        self._rooms.append(room)
        await room.connect(self._keys.url, Seat(self._room, identity, kind).token(self._keys).reveal())
        return room

    async def _end(self, room: rtc.Room) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(room.disconnect(), LEAVE_TIMEOUT_S)

    def _take_note(self, room: rtc.Room, packet: rtc.DataPacket) -> None:
        if text_of(packet.topic or "", bytes(packet.data)) is None:
            return
        note = asyncio.create_task(self._send_note(room))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def _send_note(self, room: rtc.Room) -> None:
        payload = frame_of({"type": "agent_text", "text": NOTE})
        with contextlib.suppress(Exception):  # the room may already be closed
            await room.local_participant.publish_data(payload, reliable=True, topic=REPLY_TOPIC)
