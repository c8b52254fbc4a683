"""The evidence for all rules: requests with their answers, and one stay in a room. No I/O."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from harness.contract.encoded import encoded_in
from harness.secret import SHORTEST, Secret

Service = Literal["session", "backend"]
SESSION: Service = "session"
BACKEND: Service = "backend"
USER = "user_text"
SERVICES: tuple[Service, ...] = (SESSION, BACKEND)
# Of a key: without its `sk_`, say. The few characters by which people tell keys apart are no leak.
SHORTEST_PART = 16
# Requests whose answers are judged by a rule of their own, and by no rule of what answers look like.
_ASIDE = (".slash", ".cors", ".cors.post")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer.

    Attributes:
        sent: The request on one line. Keys are not in it.
        status: The answer's status; None if no answer came.
        headers: The answer's headers, as received.
        body: The answer's body, as far as it was read.
        problem: Why no complete answer came; empty if one did.
        reason: The words after the status.
    """

    sent: str
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    problem: str = ""
    reason: str = field(default="", repr=False)

    @property
    def came(self) -> str:
        """The answer on one line, not masked."""
        if self.status is None:
            return self.problem or "no answer"
        location = self.header("Location")
        moved = f" Location: {location}" if location else ""
        ended = f" ({self.problem})" if self.problem else ""
        return f"{self.status}{moved} {self.text}{ended}".strip()

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    @property
    def is_redirect(self) -> bool:
        """Whether the answer is a redirect."""
        return self.status is not None and 300 <= self.status < 400

    @property
    def is_2xx(self) -> bool:
        """Whether the status says success."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def content(self) -> Mapping[str, Any] | None:
        """The body's JSON object; None if it is none."""
        return json_object(self.body)

    @property
    def accepted(self) -> bool:
        """Whether the answer says that a session was created: 2xx, and not `success: false`."""
        return self.is_2xx and not (self.content is not None and self.content.get("success") is False)

    @property
    def data(self) -> Mapping[str, Any]:
        """The object `data` of the body; empty if there is none."""
        data = self.content.get("data") if self.content is not None else None
        return data if isinstance(data, Mapping) else {}

    def header(self, name: str) -> str:
        """The first header of that name; empty if there is none."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Granted:
    """The credentials in an answer, with the claims of the token (read without verifying it).

    Attributes:
        probe: The request that they answer.
        token: The access token.
        livekit_url: The URL to connect to.
        room_name: The room's name; None if the answer does not have it.
        claims: The token's claims; None if it is not a JWT.
    """

    probe: str
    token: Secret
    livekit_url: str
    room_name: str | None
    claims: Mapping[str, Any] | None

    @property
    def grants(self) -> Mapping[str, Any]:
        """The claim `video`; empty if there is none."""
        video = (self.claims or {}).get("video")
        return video if isinstance(video, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Frame:
    """A data packet from another participant on `voice.reply`, and whether it came after we had typed."""

    payload: bytes
    identity: str | None
    after_typing: bool

    @property
    def content(self) -> Mapping[str, Any] | None:
        """The JSON object; None if it is none."""
        return json_object(self.payload)

    @property
    def is_of_user(self) -> bool:
        """Whether it is what the user said."""
        return (self.content or {}).get("type") == USER

    @property
    def text(self) -> str:
        """The trimmed text of a well-formed frame; otherwise empty."""
        content = self.content or {}
        said = content.get("text") if isinstance(content.get("text"), str) else content.get("message")
        return said.strip() if isinstance(said, str) and isinstance(content.get("type"), str) else ""


@dataclass(frozen=True, slots=True)
class RoomSeen:
    """One stay in a room.

    Attributes:
        problem: Why the room could not be joined or used; empty if it could.
        greeting: The greeting that the session was created with; empty if it was the agent's own.
        joined: Whether the room was joined.
        agent: The identity of the agent; None if none came.
        others: The other participants' identities.
        audio_tracks: The number of audio tracks of the agent.
        spoke: Whether a voice was heard before anything was typed.
        typed: The text that was typed; None if it came to nothing.
        frames: What came on `voice.reply`.
        left_behind: Who of `others` was still in the room after we had left; None if this could not be checked.
        not_looked: Why it could not be checked.
    """

    problem: str = ""
    greeting: str = ""
    joined: bool = False
    agent: str | None = None
    others: tuple[str, ...] = ()
    audio_tracks: int = 0
    spoke: bool = False
    typed: str | None = None
    frames: tuple[Frame, ...] = ()
    left_behind: tuple[str, ...] | None = None
    not_looked: str = ""


@dataclass
class Evidence:
    """Everything that the rules judge.

    Attributes:
        agent: The agent of all sessions.
        now_s: The time of day in seconds since 1970, for the lifetime of tokens.
        urls: The URL of each service that is checked.
        exchanges: The requests with their answers, by the name of the request (`session.plain`).
        absent: Why a request was not made, by its name or by a name that begins it (`session`).
        keys: The keys that were sent, by what they are (`the API key`).
        prompt: The system prompt that was sent as an override; no answer may repeat it.
        room: The stay in a room; None if there was none.
        no_room: Why there was none.
    """

    agent: str
    now_s: float
    urls: Mapping[Service, str] = field(default_factory=dict)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Secret] = field(default_factory=dict)
    prompt: str = ""
    room: RoomSeen | None = None
    no_room: str = "no session could be created to join with"

    def why_absent(self, probe: str) -> str:
        """Why a request was not made."""
        found = max(
            (name for name in self.absent if probe == name or probe.startswith(f"{name}.")), key=len, default=""
        )
        return self.absent.get(found, "it was not requested")

    def of(self, service: Service) -> dict[str, Exchange]:
        """All requests to one service with their answers."""
        return {name: one for name, one in self.exchanges.items() if name.startswith(f"{service}.")}

    def plain(self, service: Service) -> list[Exchange]:
        """The answers to what the contract says how to ask: at the URL as written, and not for another site."""
        return [one for name, one in self.of(service).items() if not name.endswith(_ASIDE)]

    def granted(self, service: Service | None = None) -> list[Granted]:
        """The credentials of all sessions, or those of one service."""
        found = self.exchanges if service is None else self.of(service)
        return [one for name, exchange in found.items() if (one := credentials(name, exchange)) is not None]

    def unreached(self) -> list[Service]:
        """The services of which not one answer came."""
        return [
            service
            for service in self.urls
            if self.of(service) and all(one.status is None for one in self.of(service).values())
        ]

    def secrets(self) -> list[Secret]:
        """All that must be masked wherever it is shown: tokens, and keys in whatever form an answer has them."""
        forms = [Secret(form) for key in self.keys.values() for form in forms_of(key)]
        answers = [text for exchange in self.exchanges.values() for _, text in shown_in(exchange)]
        written = {form for text in answers for form, read in encoded_in(text) if self.key_in(read)}
        parts = {part for text in answers for key in self.keys.values() if (part := part_of(key, text))}
        return [*forms, *map(Secret, written | parts), *(granted.token for granted in self.granted())]

    def key_in(self, text: str) -> str:
        """Which key is in a text: all of it in some form, or a long part; empty if none."""
        for name, key in self.keys.items():
            if any(form in text for form in forms_of(key)):
                return name
        return next((f"a part of {name}" for name, key in self.keys.items() if part_of(key, text)), "")


def credentials(probe: str, exchange: Exchange) -> Granted | None:
    """The credentials in an answer; None if it is not a success with both token and URL."""
    if not exchange.accepted:
        return None
    token, url, room = (exchange.data.get(name) for name in ("token", "livekit_url", "room_name"))
    if not isinstance(token, str) or not token or not isinstance(url, str) or not url:
        return None
    return Granted(probe, Secret(token), url, room if isinstance(room, str) and room else None, claims_of(token))


def claims_of(token: str) -> Mapping[str, Any] | None:
    """The claims of a JWT, read without verifying it; None if the text is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        raw = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except (binascii.Error, ValueError):
        return None
    return json_object(raw)


def json_object(raw: bytes) -> Mapping[str, Any] | None:
    """The JSON object in `raw`; None if it is none."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def forms_of(key: Secret) -> Iterator[str]:
    """The key as written, percent-encoded, in base64 and backwards; nothing if it is as short as a word."""
    text = key.reveal()
    if len(text) < SHORTEST:
        return
    yield text
    if quote(text, safe="") != text:
        yield quote(text, safe="")
    yield base64.b64encode(text.encode()).decode().rstrip("=")
    yield text[::-1]


def part_of(key: Secret, text: str) -> str:
    """The first part of a key, of `SHORTEST_PART` characters or more, that is in a text; empty if none is."""
    whole = key.reveal()
    for start in range(len(whole) - SHORTEST_PART + 1):
        end = start + SHORTEST_PART
        if whole[start:end] in text:
            while end < len(whole) and whole[start : end + 1] in text:
                end += 1
            return whole[start:end]
    return ""


def shown_in(exchange: Exchange) -> Sequence[tuple[str, str]]:
    """The places of an answer in which a secret may hide, with their texts; the claims of its token are one of them."""
    places = [("the body", exchange.text), ("the words after the status", exchange.reason)]
    places += [(f"the header {name}", value) for name, value in exchange.headers]
    granted = credentials("", exchange)
    if granted is not None and granted.claims is not None:
        places.append(("the token's claims", json.dumps(granted.claims, ensure_ascii=False)))
    return places
