"""LiveKit access tokens, each for one room."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from livekit.api import AccessToken, VideoGrants

from harness.secret import Secret
from harness.stack.file_words import Right

TokenKind = Literal["agent", "standard", "sip", "egress"]
AGENT_TOKEN_TTL_S = 3600.0
LISTENER_TOKEN_TTL_S = 60.0
# The stack's own participants have identities of their own, and no reference agent takes one of them for the caller.
LISTENER = "beside-listener-"


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


def caller_token(
    keys: LiveKitKeys, room: str, identity: str, *, ttl_s: float = 600, without: Collection[Right] = ()
) -> Secret:
    """A token to join `room` only, publish and subscribe there, and exchange data.

    Args:
        keys: The key pair that signs it.
        room: The room.
        identity: The participant's identity in the room.
        ttl_s: Seconds for which it can be used to join. Negative for an expired one; LiveKit allows a minute's leeway.
        without: Permissions to leave out.
    """
    return _token(keys, room, identity, ttl_s, without=without)


def agent_token(
    keys: LiveKitKeys,
    room: str,
    identity: str,
    *,
    kind: TokenKind = "agent",
    attributes: Mapping[str, str] | None = None,
) -> Secret:
    """As `caller_token`, for one of the stack's own participants.

    Args:
        keys: The key pair that signs it.
        room: The room.
        identity: The participant's identity in the room.
        kind: The participant's kind; with `standard` the token names no kind.
        attributes: The participant's initial attributes.
    """
    return _token(keys, room, identity, AGENT_TOKEN_TTL_S, kind=kind, attributes=attributes)


def listener_token(keys: LiveKitKeys, room: str) -> Secret:
    """A token to listen to `room` only: hidden from all others there, without any right to publish.

    A hidden participant is left out of what the server tells the others, and a publisher does not learn that it is
    subscribed to. Its kind is AGENT, of which the server (v1.11) neither counts a hidden one among the room's
    participants nor keeps the room open for it once the caller has left; of kind EGRESS, the others would be told that
    they are recorded.
    """
    identity = f"{LISTENER}{secrets.token_hex(4)}"
    rights: tuple[Right, ...] = ("canPublish", "canPublishData")
    return _token(keys, room, identity, LISTENER_TOKEN_TTL_S, kind="agent", without=rights, hidden=True)


def _token(
    keys: LiveKitKeys,
    room: str,
    identity: str,
    ttl_s: float,
    *,
    kind: TokenKind = "standard",
    attributes: Mapping[str, str] | None = None,
    without: Collection[Right] = (),
    hidden: bool = False,
) -> Secret:
    grants = VideoGrants(
        room_join=True,
        room=room,
        can_publish="canPublish" not in without,
        can_subscribe="canSubscribe" not in without,
        can_publish_data="canPublishData" not in without,
        recorder=True if kind == "egress" else None,
        hidden=hidden or None,
    )
    token = AccessToken(keys.api_key, keys.api_secret.reveal()).with_identity(identity)
    token = token.with_ttl(timedelta(seconds=ttl_s)).with_grants(grants)
    if kind != "standard":
        token = token.with_kind(kind)
    if attributes:
        token = token.with_attributes(dict(attributes))
    return Secret(token.to_jwt())
