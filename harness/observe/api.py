"""The HTTP API of a Prometheus server: two requests, bounded in time and size, and their answers, checked.

Failures are returned, not raised, so that no traceback leads to the token. See
https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError
from yarl import URL

from harness.clock import NS_PER_S, Clock
from harness.errors import ConfigError
from harness.proxies import Proxy, proxy_for
from harness.secret import HiddenText
from harness.target.observe import Observing
from harness.target.shown import shown_text, shown_url
from harness.target.transport import why_unreachable

TIMEOUT_S = 5.0  # of one request
MOST_BYTES = 8_000_000  # of an answer: 250 series of 1,000 points
# Servers with the same API may show data late on purpose (VictoriaMetrics: 30 s), and date their answers then. Those
# that do not know the parameter ignore it.
_NOT_LATE = {"latency_offset": "1ms"}
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer, in words."""

    words: str


class _Scalar(BaseModel):
    resultType: Literal["scalar"]  # noqa: N815 - Prometheus' name
    result: tuple[float, str]


class _ScalarAnswer(BaseModel):
    status: Literal["success"]
    data: _Scalar


class RangeSeries(BaseModel):
    """A series: its labels, and its values as texts by time (seconds since 1970, by the server's clock)."""

    metric: dict[str, str]
    values: list[tuple[float, str]] | None = None


class _Matrix(BaseModel):
    resultType: Literal["matrix"]  # noqa: N815 - Prometheus' name
    result: list[RangeSeries]


class _RangeAnswer(BaseModel):
    status: Literal["success"]
    data: _Matrix


class _Refusal(BaseModel):
    """Prometheus' own account of an error."""

    error: str


_M = TypeVar("_M", bound=BaseModel)


class PrometheusApi:
    """One server; an async context manager.

    Args:
        observing: Its URL and token.
        clock: Time source.
        budget_s: How long all requests together may take.
    """

    def __init__(self, observing: Observing, clock: Clock, *, budget_s: float) -> None:
        self._base = observing.prometheus
        self._token = observing.token
        self._clock = clock
        self._until_ns = clock.now_ns() + round(budget_s * NS_PER_S)
        self._http: aiohttp.ClientSession

    @property
    def shown(self) -> str:
        """The server's URL."""
        return shown_url(self._base, secrets=(self._token,))

    async def __aenter__(self) -> Self:
        """Opens the HTTP client."""
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        await self._http.close()

    async def time_s(self) -> float | Trouble:
        """The server's time, in seconds since 1970."""
        answer = await self._get("query", {"query": "time()"}, _ScalarAnswer)
        if isinstance(answer, Trouble):
            return answer
        try:
            return float(answer.data.result[1])
        except ValueError:
            return self._not_prometheus()

    async def range(self, query: str, *, from_s: float, until_s: float, step_s: float) -> list[RangeSeries] | Trouble:
        """The values of a query at `from_s` and each `step_s` after, in seconds by the server's clock."""
        span = {"start": f"{from_s:.3f}", "end": f"{until_s:.3f}", "step": f"{step_s:.3f}"}
        answer = await self._get("query_range", {"query": query, **span}, _RangeAnswer)
        return answer if isinstance(answer, Trouble) else answer.data.result

    async def _get(self, route: str, parameters: Mapping[str, str], model: type[_M]) -> _M | Trouble:
        left_s = (self._until_ns - self._clock.now_ns()) / NS_PER_S
        if left_s <= 0:
            return Trouble("it was not asked: the queries before it took too long")
        timeout_s = min(TIMEOUT_S, left_s)
        url = URL(f"{self._base}/api/v1/{route}", encoded=True)
        query = {**parameters, "timeout": f"{timeout_s:.3f}", **_NOT_LATE}
        answer = await self._exchange(url.with_query(query), timeout_s)
        if isinstance(answer, Trouble):
            return answer
        status, body = answer
        if status != 200:
            return self._refused(status, body)
        try:
            return model.model_validate_json(body)
        except ValidationError:
            return self._not_prometheus()

    async def _exchange(self, url: URL, timeout_s: float) -> tuple[int, bytes] | Trouble:
        proxy: Proxy | None = None
        try:
            proxy = proxy_for(self._base)
            async with asyncio.timeout(timeout_s):
                return await self._read(url, proxy)
        except TimeoutError:
            return Trouble(f"{self.shown} did not answer within {timeout_s:.1f} s")
        except ConfigError as problem:
            return Trouble(f"{problem.where}: {problem.what}")
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            return Trouble(f"{self.shown} cannot be reached: {why_unreachable(problem, proxy)[0]}")

    async def _read(self, url: URL, proxy: Proxy | None) -> tuple[int, bytes] | Trouble:
        authorization = None if proxy is None else proxy.authorization()
        to_proxy = {} if authorization is None else {"Proxy-Authorization": HiddenText(authorization)}
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._token is not None:
            headers["Authorization"] = HiddenText(f"Bearer {self._token.reveal()}")
        is_secure = url.scheme == "https"
        async with self._http.get(
            url,
            headers=headers | ({} if is_secure else to_proxy),
            proxy=None if proxy is None else proxy.url,
            proxy_headers=to_proxy if is_secure else None,
            allow_redirects=False,
        ) as response:
            body = bytearray()
            while not response.content.at_eof():
                body += await response.content.readany()
                if len(body) > MOST_BYTES:
                    response.close()
                    return Trouble(f"the answer is over {MOST_BYTES // 1_000_000} MB: aggregate, as with sum by (…)")
            return response.status, bytes(body)

    def _refused(self, status: int, body: bytes) -> Trouble:
        if 300 <= status < 400:
            return Trouble(f"{self.shown} redirects ({status}), which is not followed: set the URL that it leads to")
        if status in (401, 403):
            return Trouble(f"{self.shown} refused the request ({status}): check token_env")
        try:
            said = _Refusal.model_validate_json(body).error
        except ValidationError:
            return Trouble(f"{self.shown} answered {status}, and not as Prometheus does")
        return Trouble(f"Prometheus answered {status}: {self.cleaned(said, _LONGEST_ERROR)}")

    def _not_prometheus(self) -> Trouble:
        return Trouble(f"{self.shown} does not answer as Prometheus does")

    def cleaned(self, text: str, limit: int) -> str:
        """A text of the server: short, on one line, without keys and control characters."""
        return shown_text(text, limit=limit, secrets=(self._token,))
