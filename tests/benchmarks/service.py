"""The session service alone, on one core: what the benches of the service ask.

The first line of its standard input is JSON: `data`, the folder of the database or null, `agents`, how many there are
to be, and `core`, the one it runs on. It answers with a line: `url`, `key` and `agent`, the last of them. It ends when
its input does. Rooms are not made and no agents sent: that is the work of other processes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.secret import Secret
from harness.stack.agents_file import AgentSpec
from harness.stack.service.allowed import Allowed
from harness.stack.service.keys import keep_key, new_key
from harness.stack.service.server import SessionServer
from harness.stack.service.state import Overrides, Service
from harness.stack.service.store import Store
from harness.stack.service.stored_agents import new_agent
from harness.stack.tokens import LiveKitKeys

KEYS = LiveKitKeys("ws://127.0.0.1:7", "APIbench", Secret("a-secret-of-more-than-thirty-two-characters"))
PROMPT = "You are the voice of a harbour office. We open at nine on weekdays. " * 20


async def _nowhere(_room: str, _agent: str, _overrides: Overrides, *, spec: AgentSpec | None = None) -> None:
    del spec


def _filled(store: Store, agents: int) -> tuple[str, str]:
    """Makes the agents and a key; returns the key and the last agent."""
    key, at = new_key(), datetime.now(UTC)

    fields = {"system_prompt": PROMPT, "greeting": "Hello.", "language": "en", "reference_audio_url": None}

    def work(database: Any) -> str:
        keep_key(database, key, label="bench", at=at)
        named = [{"name": f"Agent {number}", **fields} for number in range(agents)]
        return [new_agent(database, one, allowed=Allowed(), at=at) for one in named][-1]

    return key.reveal(), store.run_now(work)


async def serve() -> None:
    """Serves until standard input ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    settings = json.loads(await reader.readline())
    os.sched_setaffinity(0, {settings["core"]})
    store = Store.in_memory() if settings["data"] is None else Store.opened(Path(settings["data"]))
    key, agent = _filled(store, settings["agents"])
    server = await SessionServer.start(Service(None, KEYS, {}, _nowhere, store=store))
    sys.stdout.write(json.dumps({"url": server.url, "key": key, "agent": agent}) + "\n")
    sys.stdout.flush()
    await reader.read()
    await server.close()
    store.close()


if __name__ == "__main__":
    asyncio.run(serve())
