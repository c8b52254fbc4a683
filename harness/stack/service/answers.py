"""The service's responses, in the contract's form, and their models for OpenAPI."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

AGENTS_PATH = "/api/agents/"
SESSION_PATH = f"{AGENTS_PATH}agent-session/"
SUCCESSFUL = "Request successful"


class RefusedError(Exception):
    """A request that is refused; the message is for the client."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


class Refusal(BaseModel):
    """What went wrong; with a wrong field it begins with `field:`."""

    success: Literal[False]
    message: str


class SessionData(BaseModel):
    """The credentials of one session."""

    token: str = Field(description="A LiveKit access token for this room, valid for ten minutes.")
    livekit_url: str
    room_name: str


class SessionAnswer(BaseModel):
    """A new session."""

    success: Literal[True]
    message: str
    data: SessionData


def new_room() -> str:
    """A new, unique room name."""
    return f"call-{secrets.token_hex(8)}"


def new_identity() -> str:
    """A new identity for a caller."""
    return f"caller-{secrets.token_hex(4)}"


def sentence(words: str) -> str:
    """Words of an error as a sentence."""
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '?', '!')) else '.'}"


def success(data: Mapping[str, Any] | None, status: int = 200) -> JSONResponse:
    """A success response in the contract's form."""
    return JSONResponse({"success": True, "message": SUCCESSFUL, "data": data}, status)


def session(token: str, livekit_url: str, room: str) -> JSONResponse:
    """The response with a session's credentials."""
    return success({"token": token, "livekit_url": livekit_url, "room_name": room})


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error response in the API's own form."""
    return JSONResponse({"success": False, "message": message}, status, headers)
