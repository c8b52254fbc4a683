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

REFUSED_HINT = "the token may be expired or made for another server or room"
URL_HINT = "check the livekit_url that the session service gives"
LIMIT_HINT = "the server is at a limit: fewer calls at once, a lower rate, or a higher limit there"
_SERVER_HINT = "look at the LiveKit server's log"


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
    "server_shutdown": Ending("the LiveKit server shuts down", "call again when it is back"),
    "room_deleted": Ending("the room was deleted", "who deletes the room while the call runs?", by_service=True),
    "room_closed": Ending("the room was closed", "who closes the room while the call runs?", by_service=True),
    "participant_removed": Ending(
        "we were removed from the room",
        "who removes callers: the session service, or a limit on a call?",
        by_service=True,
    ),
    "state_mismatch": Ending("the server no longer knows of our stay in the room", _SERVER_HINT),
    "join_failure": Ending("the server could not let us in", _SERVER_HINT),
    "migration": Ending("the server moves the room to another one", "call again when it has moved"),
    "signal_close": Ending("the signalling connection was closed", "is the network to the LiveKit server stable?"),
    "connection_timeout": Ending("the connection timed out", "is the network to the LiveKit server stable?"),
    "media_failure": Ending("media could not be carried", "are the server's media ports open to this machine?"),
    "agent_error": Ending("the agent reported an error", "look at the agent's log"),
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
            "does the session service hand every caller the same identity?",
        )
    known = _ENDINGS.get(name)
    if known is not None:
        return known._replace(what=f"{known.what} ({name})")
    if name in ("", "unknown_reason"):
        return Ending("the server ended the connection and gave no reason", _SERVER_HINT)
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
            return JoinFailure("room.unreachable", why, hint="give the proxy its user and password in its URL")
        case _ if status >= 500:
            return JoinFailure("room.unreachable", why, hint=_SERVER_HINT)
        case _:
            return JoinFailure("room.unreachable", why + ", no WebSocket" * (not said), hint=URL_HINT)


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
