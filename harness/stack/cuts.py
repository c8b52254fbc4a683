"""Cuts the callers' signalling when agents ask for it."""

from __future__ import annotations

import asyncio
import contextlib

from livekit.api import ListParticipantsRequest, LiveKitAPI, RoomParticipantIdentity

from harness.stack.agents.caller import OURS
from harness.stack.relay import Relays
from harness.stack.service.state import Service
from harness.stack.shape import Cut

SEEN_AFTER_S = 0.1  # seconds after which the server has noticed the cut


class Cuts:
    """Acts on the agents' messages: cuts a room's caller, or cleans up once the agent has left.

    Args:
        livekit: The server's API.
        relays: The relays that carry the signalling.
        service: Knows the agents' shapes.
    """

    def __init__(self, livekit: LiveKitAPI, relays: Relays, service: Service) -> None:
        self._livekit = livekit
        self._relays = relays
        self._service = service
        self._removals: set[asyncio.Task[None]] = set()

    def cut(self, room: str) -> None:
        """Cuts the caller's signalling for as long as the shape of the room's agent says."""
        cut = self._service.cuts.get(room, Cut())
        self._relays.cut(room, cut.lasts_s)
        if cut.lasts_s is None:
            removal = asyncio.create_task(self._end_media(room))
            self._removals.add(removal)
            removal.add_done_callback(self._removals.discard)

    def over(self, room: str) -> None:
        """Cleans up for a room that its agent has left."""
        self._service.over(room)
        self._relays.over(room)

    async def _end_media(self, room: str) -> None:
        """Has the server remove the caller, who cannot be notified and so sees what a killed server looks like."""
        await asyncio.sleep(SEEN_AFTER_S)
        with contextlib.suppress(Exception):  # the room may already be closed
            told = await self._livekit.room.list_participants(ListParticipantsRequest(room=room))
            for one in told.participants:
                if not one.identity.startswith(OURS):
                    gone = RoomParticipantIdentity(room=room, identity=one.identity)
                    await self._livekit.room.remove_participant(gone)

    async def close(self) -> None:
        """Cancels what is still pending."""
        for removal in self._removals:
            removal.cancel()
        await asyncio.gather(*self._removals, return_exceptions=True)
