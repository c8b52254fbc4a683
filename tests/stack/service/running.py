"""A service with a database, without a LiveKit server: what would be sent to agents is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from harness.secret import Secret
from harness.stack.agents_file import AgentSpec, SessionFault
from harness.stack.service.keys import RateLimit
from harness.stack.service.server import SessionServer
from harness.stack.service.state import Overrides, Service
from harness.stack.service.store import Store
from harness.stack.tokens import LiveKitKeys

KEY = Secret("sk_key-of-this-run-ABC123")
KEYS = LiveKitKeys("ws://127.0.0.1:7", "APItest", Secret("a-secret-of-more-than-thirty-two-characters"))
AGENTS = "/api/agents/"
SESSIONS = "/api/agents/agent-session/"


@dataclass
class Running:
    """The service's client, and the sessions that it created."""

    host: str
    http: aiohttp.ClientSession
    store: Store
    sent: list[tuple[str, Mapping[str, str], AgentSpec | None]] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any
    ) -> tuple[int, Any]:
        """A request; returns the status and the JSON body."""
        headers = {"x-api-key": KEY.reveal() if key is None else key, **more.pop("headers", {})}
        async with self.http.request(
            method, self.host + path, json=body, headers=headers, allow_redirects=False, **more
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def create(self, **fields: Any) -> str:
        """Creates an agent; returns its id."""
        status, body = await self.ask("POST", AGENTS, {"name": "A", "system_prompt": "We open at nine.", **fields})
        assert status == 201, body
        return str(body["data"]["id"])


@asynccontextmanager
async def running(
    store: Store, *, faults: Mapping[str, SessionFault | None] | None = None, per_s: float = 1000.0
) -> AsyncIterator[Running]:
    """A running service on the database."""
    service = Service(KEY, KEYS, faults or {}, dispatch=_ignored, store=store, limit=RateLimit(per_s))
    server = await SessionServer.start(service)
    async with aiohttp.ClientSession() as http:
        client = Running(f"http://127.0.0.1:{server.port}", http, store)

        async def dispatch(
            _room: str, agent: str, overrides: Mapping[str, str], *, spec: AgentSpec | None = None
        ) -> None:
            client.sent.append((agent, dict(overrides), spec))

        service.dispatch = dispatch
        yield client
    await server.close()


async def _ignored(_room: str, _agent: str, _overrides: Overrides, *, spec: AgentSpec | None = None) -> None:
    del spec
