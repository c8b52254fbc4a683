"""Serves the service on 127.0.0.1, in the event loop of the caller."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import uvicorn

from harness.process.ports import LOOPBACK
from harness.stack.service.answers import SESSION_PATH
from harness.stack.service.app import build_app
from harness.stack.service.state import Service

# Seconds that unfinished responses may continue when the service closes.
SHUTDOWN_S = 0.2
# Seconds that idle connections stay open: longer than clients keep theirs (aiohttp 15, requests and Node 5 to 60), so
# that the client closes them. One that the service closes may just be getting the next request, which then fails.
KEEP_ALIVE_S = 75
# Seconds until handlers are cancelled that go on without their connection.
CANCELS_AFTER_S = 3


class _Server(uvicorn.Server):
    """A server that leaves signals to the process that it is a part of."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


class SessionServer:
    """A running service, from `start` to `close`."""

    def __init__(self, server: uvicorn.Server, serving: asyncio.Task[None], service: Service, port: int) -> None:
        self._server = server
        self._serving = serving
        self._service = service
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}{SESSION_PATH}"

    @classmethod
    async def start(cls, service: Service, *, port: int = 0) -> SessionServer:
        """Serves on 127.0.0.1 at `port`, or at a free one if it is 0.

        Raises:
            OSError: The port is taken or not permitted.
        """
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((LOOPBACK, port))
            listening.listen(2048)
            listening.setblocking(False)
        except BaseException:
            listening.close()
            service.closed_port.close()
            raise
        config = uvicorn.Config(
            build_app(service),
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=CANCELS_AFTER_S,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        return cls(server, serving, service, int(listening.getsockname()[1]))

    async def close(self) -> None:
        """Aborts open responses and releases the port."""
        self._server.should_exit = True
        await asyncio.wait({self._serving}, timeout=SHUTDOWN_S)
        for connection in list(self._server.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await self._serving
        self._service.closed_port.close()
