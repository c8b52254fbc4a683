"""Cuts of callers' signalling, as the agents order them."""

from __future__ import annotations

import asyncio
import contextlib

from livekit.api import ListParticipantsRequest, LiveKitAPI, RoomParticipantIdentity

from harness.stack.agents.caller import OURS
from harness.stack.relay import Relays
from harness.stack.service import Service
from harness.stack.shape import Cut

SEEN_AFTER_S = 0.1
"""The server has noticed the cut."""


class Cuts:
    """Follows the agents' word: the signalling of a room's caller is cut, or the agent has left it.

    Args:
        livekit: The server's API.
        relays: What the signalling goes through.
        service: Knows the agents' shapes.
    """

    def __init__(self, livekit: LiveKitAPI, relays: Relays, service: Service) -> None:
        self._livekit = livekit
        self._relays = relays
        self._service = service
        self._removals: set[asyncio.Task[None]] = set()

    def cut(self, room: str) -> None:
        """Cuts it for as long as the shape of the room's agent says."""
        cut = self._service.cuts.get(room, Cut())
        self._relays.cut(room, cut.lasts_s)
        if cut.lasts_s is None:
            removal = asyncio.create_task(self._end_media(room))
            self._removals.add(removal)
            removal.add_done_callback(self._removals.discard)

    def over(self, room: str) -> None:
        """Nothing of an agent is left in that room."""
        self._service.over(room)
        self._relays.over(room)

    async def _end_media(self, room: str) -> None:
        """Has the server drop the caller, who cannot be told: as its user sees a server that was killed."""
        await asyncio.sleep(SEEN_AFTER_S)
        with contextlib.suppress(Exception):  # the room may be over
            told = await self._livekit.room.list_participants(ListParticipantsRequest(room=room))
            for one in told.participants:
                if not one.identity.startswith(OURS):
                    gone = RoomParticipantIdentity(room=room, identity=one.identity)
                    await self._livekit.room.remove_participant(gone)

    async def close(self) -> None:
        """Nothing of it is left."""
        for removal in self._removals:
            removal.cancel()
        await asyncio.gather(*self._removals, return_exceptions=True)
