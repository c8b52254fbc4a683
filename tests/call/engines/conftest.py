from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from harness.stack.livekit_server import find_server, start_server
from harness.stack.tokens import LiveKitKeys


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def livekit_keys() -> AsyncIterator[LiveKitKeys]:
    """A LiveKit server of these tests' own."""
    server = await start_server(await find_server(say=print))
    yield server.keys
    await server.stop()
