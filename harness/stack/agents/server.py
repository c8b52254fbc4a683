"""What agents ask of the server itself, past their rooms."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.stack.agents.caller import OURS
from harness.stack.tokens import LiveKitKeys

if TYPE_CHECKING:
    from livekit.api import LiveKitAPI

LOOK_EVERY_S = 0.05


class ServerApi:
    """LiveKit's server API, connected to when it is first needed."""

    def __init__(self, keys: LiveKitKeys) -> None:
        self._keys = keys
        self._api: LiveKitAPI | None = None

    async def until_caller_in(self, room: str) -> None:
        """Returns once someone is in the room who is none of the stack's own.

        Raises:
            Exception: The server cannot be asked.
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
        """Ends the room for all.

        Raises:
            Exception: The server cannot be asked, or there is no such room.
        """
        from livekit.api import DeleteRoomRequest

        await self._connected().room.delete_room(DeleteRoomRequest(room=room))

    async def close(self) -> None:
        """Nothing of it is left."""
        if self._api is not None:
            api, self._api = self._api, None
            await api.aclose()

    def _connected(self) -> LiveKitAPI:
        if self._api is None:
            from livekit.api import LiveKitAPI

            self._api = LiveKitAPI(self._keys.url, self._keys.api_key, self._keys.api_secret.reveal())
        return self._api
