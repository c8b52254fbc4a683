"""What agents ask the LiveKit server outside of their rooms."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.stack.agents.caller import OURS
from harness.stack.tokens import LiveKitKeys

if TYPE_CHECKING:
    from livekit.api import LiveKitAPI

LOOK_EVERY_S = 0.05


class ServerApi:
    """LiveKit's server API; connects on first use."""

    def __init__(self, keys: LiveKitKeys) -> None:
        self._keys = keys
        self._api: LiveKitAPI | None = None

    async def until_caller_in(self, room: str) -> None:
        """Returns once a participant that is not one of the stack's own is in the room.

        Raises:
            Exception: The request failed.
        """
        from livekit.api import ListParticipantsRequest
        from livekit.protocol.models import ParticipantInfo

        while True:
            told = await self._connected().room.list_participants(ListParticipantsRequest(room=room))
            if any(
                one.state == ParticipantInfo.ACTIVE and not one.identity.startswith(OURS) for one in told.participants
            ):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def delete_room(self, room: str) -> None:
        """Deletes the room for everyone.

        Raises:
            Exception: The request failed, or there is no such room.
        """
        from livekit.api import DeleteRoomRequest

        await self._connected().room.delete_room(DeleteRoomRequest(room=room))

    async def close(self) -> None:
        """Closes the connection."""
        if self._api is not None:
            api, self._api = self._api, None
            await api.aclose()

    def _connected(self) -> LiveKitAPI:
        if self._api is None:
            from livekit.api import LiveKitAPI

            self._api = LiveKitAPI(self._keys.url, self._keys.api_key, self._keys.api_secret.reveal())
        return self._api
