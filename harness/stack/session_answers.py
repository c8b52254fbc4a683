"""The shapes in which the session service answers, as the contract words them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from aiohttp import web

SESSION_PATH = "/api/agents/agent-session/"


def new_room() -> str:
    """A room name that was never used."""
    return f"call-{secrets.token_hex(8)}"


def new_identity() -> str:
    """A caller's name in its room."""
    return f"caller-{secrets.token_hex(4)}"


def success(token: object, livekit_url: object, room: str) -> web.Response:
    """The contract's success."""
    data = {"token": token, "livekit_url": livekit_url, "room_name": room}
    return web.json_response({"success": True, "message": "Request successful", "data": data})


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A failure in the API's own shape."""
    return web.json_response({"success": False, "message": message}, status=status, headers=headers)
