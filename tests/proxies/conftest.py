from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from harness import proxies
from harness.stack.livekit_server import find_server, start_server
from harness.stack.tokens import LiveKitKeys
from tests.proxies.proxy import NAMES


@pytest.fixture(autouse=True)
def _no_proxies() -> Iterator[None]:
    """A process that was given none, and is left as it was."""
    before, given = dict(os.environ), proxies._given
    for name in NAMES:
        os.environ.pop(name, None)
    proxies._given = None
    yield
    proxies._given = given
    os.environ.clear()
    os.environ.update(before)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def livekit_keys() -> AsyncIterator[LiveKitKeys]:
    """A LiveKit server of these tests' own."""
    server = await start_server(await find_server(say=print))
    yield server.keys
    await server.stop()
