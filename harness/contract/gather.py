"""Makes each request to the services once; the rules share the answers."""

from __future__ import annotations

import secrets
import string
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from harness.contract.evidence import BACKEND, SESSION, Evidence, Exchange, Service, credentials
from harness.contract.wire import JSON, Wire, as_json
from harness.secret import KEY_PREFIX, Secret
from harness.target.session import OVERRIDES

READ_ONLY = "--read-only creates no session"
EXAMPLE_VOICE = "https://example.com/voice.wav"
GREETING = "Hello, this is the greeting of a contract check."
FOREIGN_SITE = "https://another-site.example"
# What a key is that is nearly the right one, and the request with it.
_NEARLY = {"the key with a wrong end": "key.near", "the key in the other case": "key.case"}
# The requests that name a greeting, in the order in which their rooms are joined.
WITH_GREETING = ("session.override.greeting", "backend.overrides")
_BASE64 = f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}-_"
_FORM = "application/x-www-form-urlencoded"
_WRONG_TYPE = 42


@dataclass(frozen=True)
class Asked:
    """What is checked.

    Attributes:
        agent: The agent of all sessions.
        session_url: The session service; None to check none.
        key: Its API key.
        revoked_key: A key of the service that was revoked, if there is one.
        backend_url: The backend route; None to check none.
        voice_url: The audio for the override `reference_audio_url`; None to try an example that may not exist.
        read_only: Whether only requests are made that must be refused.
        agent_identity: The agent's identity in the room; None to detect the one that answers.
        timeouts: Time limits in seconds, by their names in `timeouts`.
    """

    agent: str
    session_url: str | None = None
    key: Secret | None = None
    revoked_key: Secret | None = None
    backend_url: str | None = None
    voice_url: str | None = None
    read_only: bool = False
    agent_identity: str | None = None
    timeouts: Mapping[str, float] = field(default_factory=dict)


def new_evidence(asked: Asked, now_s: float) -> Evidence:
    """Evidence without answers: what will be sent, and what cannot be."""
    urls: dict[Service, str] = {}
    absent: dict[str, str] = {}
    for service, url, option in (
        (SESSION, asked.session_url, "--target"),
        (BACKEND, asked.backend_url, "--backend"),
    ):
        if url is None:
            absent[service] = f"none is given; add {option}"
        else:
            urls[service] = url
    if asked.session_url is not None and asked.revoked_key is None:
        absent["session.key.revoked"] = "no revoked key is given; add --revoked-key-env"
    keys = {"the wrong key": Secret(f"sk_{secrets.token_urlsafe(24)}")}
    keys |= {"the API key": asked.key} | nearly(asked.key) if asked.key is not None else {}
    keys |= {"the revoked key": asked.revoked_key} if asked.revoked_key is not None else {}
    prompt = f"You are tested by a contract check, mark {secrets.token_hex(8)}."
    return Evidence(asked.agent, now_s, urls, absent=absent, keys=keys, prompt=prompt)


async def gather(asked: Asked, evidence: Evidence, wire: Wire) -> None:
    """Makes all requests; a service that does not answer the first gets no more.

    Raises:
        ConfigError: A proxy is not supported.
    """
    if asked.session_url is not None:
        await _Session(asked, asked.session_url, evidence, wire).gather()
    if asked.backend_url is not None:
        await _Backend(asked, asked.backend_url, evidence, wire).gather()


class _Requests(ABC):
    """The requests to one service."""

    service: Service

    def __init__(self, asked: Asked, url: str, evidence: Evidence, wire: Wire) -> None:
        self._asked = asked
        self._url = url
        self._evidence = evidence
        self._wire = wire
        self._plain: dict[str, Any] = {"agent": asked.agent}
        self._unknown: dict[str, Any] = {"agent": f"no-such-agent-{secrets.token_hex(4)}"}

    async def gather(self) -> None:
        """Makes all of them."""
        if not await self._first():
            self._evidence.absent[self.service] = "the service was not reached"
            return
        await self._refusals()
        if self._asked.read_only:
            self._evidence.absent |= {self.service: READ_ONLY}
            return
        await self._sessions()

    @abstractmethod
    async def _first(self) -> bool: ...

    @abstractmethod
    async def _refusals(self) -> None: ...

    @abstractmethod
    async def _sessions(self) -> None: ...

    def _keep(self, name: str, exchange: Exchange) -> Exchange:
        self._evidence.exchanges[f"{self.service}.{name}"] = exchange
        return exchange

    def _all_overrides(self, voice_url: str | None) -> dict[str, str]:
        voice = {} if voice_url is None else {"reference_audio_url": voice_url}
        return {"language": "en", "system_prompt": self._evidence.prompt, "greeting": GREETING} | voice


class _Session(_Requests):
    service = SESSION

    async def _first(self) -> bool:
        return (await self._post("key.missing", self._plain, key=None)).status is not None

    async def _refusals(self) -> None:
        keys = self._evidence.keys
        await self._post("key.wrong", self._plain, key=keys["the wrong key"])
        for name, key in keys.items():
            if name in _NEARLY:
                await self._post(_NEARLY[name], self._plain, key=key)
        if self._asked.revoked_key is not None:
            await self._post("key.revoked", self._plain, key=self._asked.revoked_key)
        await self._post("agent.missing", {}, key=self._asked.key)
        await self._post("agent.unknown", self._unknown, key=self._asked.key)
        # A list of it, for some languages take that for the text (JavaScript: `agents[["demo"]]`).
        await self._post("type.agent", {"agent": [self._asked.agent]}, key=self._asked.key)
        for name in OVERRIDES:
            await self._post(f"type.{name}", self._plain | {name: _WRONG_TYPE}, key=self._asked.key)
        await self._send("body.json", b'{"agent": ')
        await self._send("body.object", as_json([self._asked.agent]))
        await self._send("content_type", f"agent={quote(self._asked.agent, safe='')}".encode(), content_type=_FORM)
        await self._send("method", None, method="GET")
        # No session comes of it even where both endings are served.
        await self._send("slash", as_json(self._unknown), url=other_ending(self._url))
        self._keep("cors", await _preflight(self._wire, self._url, "content-type, x-api-key"))
        await self._send("cors.post", as_json(self._unknown), headers={"Origin": FOREIGN_SITE})

    async def _sessions(self) -> None:
        await self._post("plain", self._plain, key=self._asked.key)
        await self._post("again", self._plain, key=self._asked.key)
        for name, value in self._all_overrides(None).items():
            if name != "greeting":
                await self._post(f"override.{name}", self._plain | {name: value}, key=self._asked.key)
        voice_url = await self._voice()
        everything = self._plain | self._all_overrides(voice_url)
        exchange = await self._post("override.all", everything, key=self._asked.key)
        if voice_url is None and exchange.accepted:
            del self._evidence.exchanges["session.override.all"]
            self._evidence.absent["session.override.all"] = self._evidence.absent[
                "session.override.reference_audio_url"
            ]
        # The last one, for it is joined.
        await self._post("override.greeting", self._plain | {"greeting": GREETING}, key=self._asked.key)

    async def _voice(self) -> str | None:
        """Tries a reference voice; returns its URL, or None if the service refuses the example that we made up."""
        name, url = "override.reference_audio_url", self._asked.voice_url or EXAMPLE_VOICE
        exchange = await self._post(name, self._plain | {"reference_audio_url": url}, key=self._asked.key)
        made_up = self._asked.voice_url is None and exchange.status is not None and 400 <= exchange.status < 500
        if not made_up:
            return url
        del self._evidence.exchanges[f"session.{name}"]
        why = f"the service refuses {EXAMPLE_VOICE}, which has no audio; add --voice-url with a real one"
        self._evidence.absent[f"session.{name}"] = why
        return None

    async def _post(self, name: str, body: Mapping[str, Any], *, key: Secret | None) -> Exchange:
        return self._keep(name, await self._wire.send(self._url, as_json(body), key=key))

    async def _send(
        self,
        name: str,
        body: bytes | None,
        *,
        url: str | None = None,
        method: str = "POST",
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        exchange = await self._wire.send(
            url or self._url, body, method=method, content_type=content_type, key=self._asked.key, headers=headers
        )
        self._keep(name, exchange)


class _Backend(_Requests):
    service = BACKEND

    async def _first(self) -> bool:
        return (await self._post("failure.unknown_agent", as_json(self._unknown))).status is not None

    async def _refusals(self) -> None:
        await self._post("failure.missing_agent", b"{}")
        await self._post("failure.type", as_json({"agent": [self._asked.agent]}))
        await self._post("failure.json", b'{"agent": ')
        self._keep("method", await self._wire.send(self._url, method="GET", headers=self._as_browser()))
        other = other_ending(self._url)
        self._keep("slash", await self._wire.send(other, as_json(self._unknown), headers=self._as_browser()))
        self._keep("cors", await _preflight(self._wire, self._url, "content-type"))
        foreign = {"Origin": FOREIGN_SITE}
        self._keep("cors.post", await self._wire.send(self._url, as_json(self._unknown), headers=foreign))

    async def _sessions(self) -> None:
        await self._post("plain", as_json(self._plain))
        await self._post("again", as_json(self._plain))
        await self._post("overrides", as_json(self._plain | self._all_overrides(self._asked.voice_url)))

    def _as_browser(self) -> dict[str, str]:
        parts = urlsplit(self._url)
        return {"Origin": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"}

    async def _post(self, name: str, body: bytes) -> Exchange:
        return self._keep(name, await self._wire.send(self._url, body, headers=self._as_browser()))


def to_join(evidence: Evidence) -> str | None:
    """The request whose room is joined: one with a greeting of ours, else any, the session service's first."""
    order: Sequence[str] = (*WITH_GREETING, "session.plain", "backend.plain")
    for name in order:
        exchange = evidence.exchanges.get(name)
        if exchange is not None and credentials(name, exchange) is not None:
            return name
    return None


def nearly(key: Secret) -> dict[str, Secret]:
    """Keys that are nearly this one, by what they are: with another last character, and in the other case.

    Services that compare the beginning only, or in a database whose texts have no case, accept them. The highest bit of
    the last character in base64 differs: the lowest may mean nothing.
    """
    text = key.reveal()
    at = _BASE64.find(text[-1:])
    end = _BASE64[at ^ 32 if text and at >= 0 else 0]
    other_case = KEY_PREFIX + text.removeprefix(KEY_PREFIX).swapcase()
    made = dict(zip(_NEARLY, (Secret(text[:-1] + end), Secret(other_case)), strict=True))
    return {name: one for name, one in made.items() if one != key}


def other_ending(url: str) -> str:
    """The URL with a trailing slash if it had none, and without if it had one; its query stays."""
    path, mark, query = url.partition("?")
    return (path[:-1] if path.endswith("/") else f"{path}/") + mark + query


async def _preflight(wire: Wire, url: str, headers: str) -> Exchange:
    """What a browser asks before a page of another site may post."""
    asking = {
        "Origin": FOREIGN_SITE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": headers,
    }
    return await wire.send(url, method="OPTIONS", headers=asking)
