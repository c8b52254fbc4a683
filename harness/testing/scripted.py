"""Answers of a fake session service: good ones, refusals, and misbehaviour."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Manner = Literal["whole", "drip", "endless", "hang", "cut_short", "no_answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedAnswer:
    """One HTTP answer and how it is sent.

    Args:
        status: The status code.
        headers: Headers in addition to Content-Length and Connection; they replace the default Content-Type.
        body: The body: bytes or text as they are, anything else as JSON.
        delay_s: Seconds before the first byte.
        manner: `whole`; `drip` (a byte each `drip_s`); `endless` (the body repeated for ever, chunked); `hang`
            (nothing, the connection stays open); `cut_short` (half of the body); `no_answer` (closed at once).
        drip_s: Seconds between two bytes of a dripping body.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = b""
    delay_s: float = 0.0
    manner: Manner = "whole"
    drip_s: float = 0.05

    def content(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()

    def head(self) -> bytes:
        """Status line and headers, with the blank line after them."""
        headers = {"Content-Type": "application/json"} | dict(self.headers) | {"Connection": "close"}
        if self.manner == "endless":
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(self.content()))
        lines = [f"HTTP/1.1 {self.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def fake_token(room: str = "fake-room") -> str:
    """An unsigned token in the form of a JWT, with the claim `video.room`."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"video": {"room": room, "roomJoin": True}}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmVkLWJ5LW5vYm9keQ"])


def good_session(
    *, token: str | None = None, livekit_url: str = "ws://127.0.0.1:7880", room: str | None = "fake-room"
) -> ScriptedAnswer:
    """A success in the contract's format; `room=None` leaves `room_name` out."""
    data = {"token": token if token is not None else fake_token(room or "fake-room"), "livekit_url": livekit_url}
    if room is not None:
        data["room_name"] = room
    return ScriptedAnswer(body={"success": True, "message": "Request successful", "data": data})


def refusal(status: int, message: str = "refused by the script", *, retry_after: str | None = None) -> ScriptedAnswer:
    """A failure with a message in the service's format (`success: false`)."""
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    return ScriptedAnswer(status=status, headers=headers, body={"success": False, "message": message})


def redirect(location: str, status: int = 307) -> ScriptedAnswer:
    """A redirect to `location`."""
    return ScriptedAnswer(status=status, headers={"Location": location})


def dripping(*, drip_s: float = 0.05) -> ScriptedAnswer:
    """A good session, sent a byte at a time."""
    return ScriptedAnswer(body=good_session().body, manner="drip", drip_s=drip_s)


def endless(chunk: bytes = b" " * 4096) -> ScriptedAnswer:
    """A body that never ends."""
    return ScriptedAnswer(body=chunk, manner="endless")


def hanging() -> ScriptedAnswer:
    """A service that accepts the request and never answers."""
    return ScriptedAnswer(manner="hang")


def cut_short() -> ScriptedAnswer:
    """A good session, cut off half-way."""
    return ScriptedAnswer(body=good_session().body, manner="cut_short")
