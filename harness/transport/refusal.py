"""Why a server refused a join or ended our stay, in words: what happened, and what can be done about it.

A server reports it in two ways: as an HTTP response instead of a WebSocket, and as a reason for a room's end (LiveKit's
`DisconnectReason`). Both engines take their messages from here.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from harness.errors import JoinFailure
from harness.secret import Secret, masked

MOST_BODY_BYTES = 4096
_MOST_SAID = 200  # characters of a server's own message

REFUSED_HINT = "check that the token has not expired, and that it is for this server and room"
URL_HINT = "check the livekit_url that the session service returns"
LIMIT_HINT = "the server is at a limit: make fewer concurrent calls, use a lower rate, or raise its limit"
_SERVER_HINT = "check the LiveKit server's log"


class Ending(NamedTuple):
    """Why a stay in a room ended.

    Attributes:
        what: What happened, with the server's own name for it.
        hint: What can be done about it.
        by_service: Whether it was ended on purpose: the room was closed, or we were removed.
    """

    what: str
    hint: str
    by_service: bool = False


_ENDINGS = {
    "server_shutdown": Ending("the LiveKit server is shutting down", "call again when it is back"),
    "room_deleted": Ending("the room was deleted", "find out what deletes the room during the call", by_service=True),
    "room_closed": Ending("the room was closed", "find out what closes the room during the call", by_service=True),
    "participant_removed": Ending(
        "we were removed from the room",
        "find out what removes callers: the session service, or a limit on the call",
        by_service=True,
    ),
    "state_mismatch": Ending("the server no longer knows this participant", _SERVER_HINT),
    "join_failure": Ending("the server could not complete the join", _SERVER_HINT),
    "migration": Ending("the server is moving the room to another server", "call again when it has moved"),
    "signal_close": Ending("the signalling connection was closed", "check the network to the LiveKit server"),
    "connection_timeout": Ending("the connection timed out", "check the network to the LiveKit server"),
    "media_failure": Ending(
        "the media connection failed", "check that the server's media ports are open to this machine"
    ),
    "agent_error": Ending("the agent reported an error", "check the agent's log"),
}


def ending(reason: str, identity: str | None = None) -> Ending:
    """The message for a `DisconnectReason`.

    Args:
        reason: LiveKit's name for it, in either case.
        identity: Our identity in the room, if known.
    """
    name = reason.lower()
    if name == "duplicate_identity":
        ours = f" `{masked(identity)}`" if identity else ""
        return Ending(
            f"another participant joined with the same identity{ours} ({name})",
            "check that the session service gives each caller its own identity",
        )
    known = _ENDINGS.get(name)
    if known is not None:
        return known._replace(what=f"{known.what} ({name})")
    if name in ("", "unknown_reason"):
        return Ending("the server ended the connection without a reason", _SERVER_HINT)
    return Ending(f"the server ended the connection ({name})", _SERVER_HINT)


def refused_by_reason(reason: str, identity: str | None = None) -> JoinFailure:
    """The failure for a join that the server ended for this reason."""
    why, hint, _ = ending(reason, identity)
    elsewhere = reason.lower() in ("server_shutdown", "signal_close", "migration")
    return JoinFailure("room.unreachable" if elsewhere else "room.refused", why, hint=hint)


def refused_by_status(status: int, body: bytes, token: Secret, *, retry_after: str = "") -> JoinFailure:
    """The failure for a join that got an HTTP response instead of a WebSocket.

    Args:
        status: The response's status.
        body: The part of its body that was received.
        token: Masked in the server's message.
        retry_after: The header of that name.
    """
    said = first_line(body.decode(errors="replace"), token)
    why = f"the server answered {status}" + (f": {said}" if said else "")
    match status:
        case 401 | 403 | 404:
            return JoinFailure("room.refused", why, hint=REFUSED_HINT)
        case 429 | 503:
            after = first_line(retry_after, token)
            why += f" (Retry-After: {after})" if after else ""
            return JoinFailure("room.unreachable", why, hint=LIMIT_HINT)
        case 407:
            return JoinFailure("room.unreachable", why, hint="add the proxy's user and password to its URL")
        case _ if status >= 500:
            return JoinFailure("room.unreachable", why, hint=_SERVER_HINT)
        case _:
            why += " instead of opening a WebSocket" * (not said)
            return JoinFailure("room.unreachable", why, hint=URL_HINT)


def unreachable(why: str, *, hint: str = URL_HINT) -> JoinFailure:
    """The failure for a join that found no LiveKit server."""
    return JoinFailure("room.unreachable", why, hint=hint)


def first_line(text: str, token: Secret | None = None) -> str:
    """The first non-blank line, shortened, without control characters, keys and tokens."""
    for line in text.splitlines():
        # Invisible characters go first: one inside a token would hide it from the masks.
        seen = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in line)
        shown = " ".join(seen.split())
        if shown:
            shown = masked(token.scrub(shown) if token is not None else shown)
            return shown if len(shown) <= _MOST_SAID else shown[: _MOST_SAID - 1] + "…"
    return ""
