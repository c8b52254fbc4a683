"""Serves the call page and the backend route beside it on 127.0.0.1: what `stack up --backend` adds to the stack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from harness.process.ports import LOOPBACK
from harness.secret import Secret
from harness.stack.backend import ROUTE, add_session_route
from harness.stack.build_page import BUILT, HOW_TO_BUILD

# Other names are refused, so that a site whose name is made to point to this machine cannot start calls.
_OUR_NAMES = (LOOPBACK, "localhost")
SHUTDOWN_S = 0.2

_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob: mediastream:",
        # Signalling goes to the stack's LiveKit server, or to a relay before it, on any port.
        f"connect-src 'self' ws://{LOOPBACK}:* http://{LOOPBACK}:*",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageServer:
    """A running server, from `start` to `close`.

    Attributes:
        url: The page's URL.
        route_url: The URL of the backend route.
    """

    def __init__(self, runner: web.AppRunner, port: int) -> None:
        self._runner = runner
        self.url = f"http://{LOOPBACK}:{port}/"
        self.route_url = f"http://{LOOPBACK}:{port}{ROUTE}"

    @classmethod
    async def start(cls, *, session_url: str, api_key: Secret, built: Path = BUILT) -> PageServer:
        """Serves at a free port of 127.0.0.1.

        Args:
            session_url: The complete URL of the session service.
            api_key: Its key.
            built: The folder of the built page. Where it is missing, the page's URL says how to build it.

        Raises:
            OSError: No port is available.
        """
        app = web.Application(middlewares=[_on_this_machine])
        add_session_route(app, session_url=session_url, api_key=api_key.reveal)
        _Files(built).add_to(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, 0).start()
        except BaseException:
            await runner.cleanup()
            raise
        return cls(runner, int(runner.addresses[0][1]))

    async def close(self) -> None:
        """Ends open requests and releases the port."""
        await self._runner.cleanup()


class _Files:
    """The built page, looked up at each request: it may be built while the stack runs."""

    def __init__(self, built: Path) -> None:
        self._built = built

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/", self._page)
        app.router.add_get(r"/assets/{name:[\w-][\w.-]*}", self._asset)
        app.router.add_get("/favicon.ico", _no_icon)

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        index = self._built / "index.html"
        if not index.is_file():
            text = f"The call page is not built. {HOW_TO_BUILD}\nThe backend route works without it: POST {ROUTE}\n"
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=text)
        return web.FileResponse(index, headers={"Cache-Control": "no-cache"})

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        asset = self._built / "assets" / request.match_info["name"]
        if not asset.is_file():
            raise web.HTTPNotFound
        # Their names hold a hash of their content.
        return web.FileResponse(asset, headers={"Cache-Control": "max-age=31536000, immutable"})


async def _no_icon(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=HTTPStatus.NO_CONTENT)


@web.middleware
async def _on_this_machine(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuses requests by other host names, and adds the security headers."""
    if urlsplit(f"//{request.host}").hostname not in _OUR_NAMES:
        text = f"Open the page at the address that `stack up` prints, on {LOOPBACK}."
        return web.Response(status=HTTPStatus.FORBIDDEN, text=text)
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(_HEADERS)
        raise
    response.headers.update(_HEADERS)
    return response
