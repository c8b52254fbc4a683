"""LiveKit access tokens, each for one room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from livekit.api import AccessToken, VideoGrants

from harness.secret import Secret

AGENT_TOKEN_TTL_S = 3600.0


@dataclass(frozen=True, slots=True)
class LiveKitKeys:
    """A LiveKit server's address and the key pair that signs tokens for it.

    Attributes:
        url: Where clients connect, `ws://` or `wss://`.
        api_key: Names the pair; no secret.
        api_secret: Signs the tokens, 32 characters or more.
    """

    url: str
    api_key: str
    api_secret: Secret


def caller_token(keys: LiveKitKeys, room: str, identity: str, *, ttl_s: float = 600) -> Secret:
    """A token to join `room`, and no other, to publish and subscribe there, and to exchange data.

    Args:
        keys: What signs it.
        room: The one room.
        identity: The participant's name in the room.
        ttl_s: How long it can be used to join. Negative makes one that has run out; LiveKit allows a minute's leeway.
    """
    return _token(keys, room, identity, ttl_s, kind="standard")


def agent_token(keys: LiveKitKeys, room: str, identity: str) -> Secret:
    """As `caller_token`, for a participant of kind AGENT."""
    return _token(keys, room, identity, AGENT_TOKEN_TTL_S, kind="agent")


def _token(keys: LiveKitKeys, room: str, identity: str, ttl_s: float, *, kind: Literal["standard", "agent"]) -> Secret:
    grants = VideoGrants(room_join=True, room=room, can_publish=True, can_subscribe=True, can_publish_data=True)
    token = AccessToken(keys.api_key, keys.api_secret.reveal())
    return Secret(
        token.with_identity(identity).with_kind(kind).with_ttl(timedelta(seconds=ttl_s)).with_grants(grants).to_jwt()
    )
