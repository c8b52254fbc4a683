"""Requests to a session service, and the sessions it returns."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.secret import Secret

OVERRIDES = ("language", "system_prompt", "greeting", "reference_audio_url")


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """A request for one session.

    Args:
        agent: The Agent ID.
        overrides: Any of `OVERRIDES`; the agent's default applies to those left out.

    Raises:
        ValueError: There is no such override.
    """

    agent: str
    overrides: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = [name for name in self.overrides if name not in OVERRIDES]
        if unknown:
            raise ValueError(f"unknown override {unknown[0]!r}; use one of {', '.join(OVERRIDES)}")

    def body(self) -> bytes:
        """The JSON body; overrides that are left out have no key in it."""
        return json.dumps({"agent": self.agent, **self.overrides}, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Session:
    """Credentials for one room: its access token, the URL to connect to, and the room's name if known.

    `retries` is how often the service answered 429 before, `waited_ms` the total wait for that.
    """

    token: Secret
    livekit_url: str
    room: str | None
    retries: int = 0
    waited_ms: float = 0.0


def room_in_token(token: str) -> str | None:
    """The claim `video.room` of an access token, read without verifying it; None if there is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        room = claims["video"]["room"]
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return None
    return room if isinstance(room, str) and room else None
