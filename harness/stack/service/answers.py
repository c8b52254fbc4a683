"""The session service's responses, in the contract's format."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from aiohttp import web

SESSION_PATH = "/api/agents/agent-session/"


def new_room() -> str:
    """A new, unique room name."""
    return f"call-{secrets.token_hex(8)}"


def new_identity() -> str:
    """A new identity for a caller."""
    return f"caller-{secrets.token_hex(4)}"


def success(token: object, livekit_url: object, room: str) -> web.Response:
    """A success response in the contract's format."""
    data = {"token": token, "livekit_url": livekit_url, "room_name": room}
    return web.json_response({"success": True, "message": "Request successful", "data": data})


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """An error response in the API's own format."""
    return web.json_response({"success": False, "message": message}, status=status, headers=headers)
