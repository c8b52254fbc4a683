"""The routes of the stack's own page, beside its files: `/stack/live` (WebSocket) and `/stack/listen`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from harness.process.lines import message_in
from harness.secret import Secret
from harness.stack.service.store import Store
from harness.stack.tokens import LiveKitKeys, listener_token
from harness.stack.web.access import is_from_our_page
from harness.stack.web.live_calls import LiveCalls
from harness.stack.web.options import is_loopback
from harness.stack.web.runs import Runs
from harness.stack.web.viewer import HEARTBEAT_S, MOST_BYTES_WANTED, Viewer

LIVE_PATH = "/stack/live"
LISTEN_PATH = "/stack/listen"
MOST_VIEWERS = 20
ELSEWHERE = (
    "Listening in works in a browser on the stack's own machine: its LiveKit server can be reached from there only."
)


@dataclass
class StackPage:
    """What all open pages share.

    Attributes:
        calls: The live calls.
        store: The database with the agents.
        keys: The key pair that signs listeners' tokens.
        runs: The runs to show, if a folder was named.
        secrets: What no page may get, whoever said it.
        has_call_page: The stack serves the call page as well.
    """

    calls: LiveCalls
    store: Store
    keys: LiveKitKeys
    runs: Runs | None = None
    secrets: Sequence[Secret] = ()
    has_call_page: bool = False
    _viewers: set[Viewer] = field(default_factory=set)

    def add_to(self, app: web.Application) -> None:
        """Adds the routes."""
        self.calls.on_frame = self._nudge
        app.router.add_get(LIVE_PATH, self._live)
        app.router.add_post(LISTEN_PATH, self._listen)
        app.on_shutdown.append(self._close)

    def _nudge(self, _room: str) -> None:
        for viewer in self._viewers:
            viewer.nudged.set()

    async def _close(self, _app: web.Application) -> None:
        for viewer in list(self._viewers):
            await viewer.close()

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if not is_from_our_page(request):
            raise web.HTTPForbidden(text="Only this server's own page may follow the stack.")
        if len(self._viewers) >= MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_VIEWERS} pages are open already; close one of them.")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MOST_BYTES_WANTED)
        await socket.prepare(request)
        viewer = Viewer(socket, self)
        self._viewers.add(viewer)
        try:
            await viewer.run()
        finally:
            self._viewers.discard(viewer)
        return socket

    async def _listen(self, request: web.Request) -> web.Response:
        """Answers with what a hidden listener needs to join the room of a call."""
        if not is_from_our_page(request) or request.content_type != "application/json":
            raise web.HTTPForbidden(text="Only this server's own page may listen to calls.")
        if not is_loopback(request.remote):
            raise web.HTTPConflict(text=ELSEWHERE)
        wanted = message_in(await request.content.read(MOST_BYTES_WANTED)) or {}
        call = self.calls.find(str(wanted.get("room")))
        if call is None or call.state == "over":
            raise web.HTTPNotFound(text="The call is over.")
        token = listener_token(self.keys, call.room)
        answer = {"token": token.reveal(), "livekit_url": self.keys.url}
        return web.json_response(answer, status=HTTPStatus.OK, headers={"Cache-Control": "no-store"})
