"""Requests sessions from a service: the common part of the session API and the user's backend route."""

from __future__ import annotations

import random
from dataclasses import replace
from types import TracebackType
from typing import Self

from asyncio_throttle.throttler import Throttler

from harness.clock import NS_PER_S, Clock, SystemClock, ms, s_to_ns
from harness.errors import ConfigError, SessionFailure
from harness.target.answer import Reader
from harness.target.endpoint import check_endpoint
from harness.target.retry import MAX_RETRIES, asked_wait_s, backoff_s
from harness.target.session import Session, SessionRequest
from harness.target.shown import shown_url
from harness.target.transport import Answer, Transport


class SessionClient:
    """Creates sessions at one service; an async context manager, or call `close()` when done.

    Args:
        reader: Reads the service's responses; holds its URL and key.
        rng: Random source for the jitter of waits after a 429, so that many callers do not retry at once.
        clock: Time source.

    Raises:
        ConfigError: The URL cannot be posted to, or its proxy is not supported.
    """

    def __init__(self, reader: Reader, *, rng: random.Random | None = None, clock: Clock | None = None) -> None:
        try:
            check_endpoint(reader.url)
        except ValueError as problem:
            raise ConfigError(str(problem), where=shown_url(reader.url)) from None
        self._reader = reader
        self._rng = rng or random.Random()  # noqa: S311 - jitter needs no cryptography
        self._clock = clock or SystemClock()
        self._transport = Transport(reader.url, key=reader.key)
        self._throttler: Throttler | None = None

    def limit(self, per_min: float) -> None:
        """Limits `admit` to this many sessions per minute, evenly spaced."""
        self._throttler = Throttler(rate_limit=1, period=60 / per_min)

    async def admit(self) -> None:
        """Waits until the rate limit, if there is one, permits another request."""
        if self._throttler is not None:
            async with self._throttler:
                pass

    async def create(self, request: SessionRequest, *, timeout_s: float) -> Session:
        """Creates a session. `timeout_s` covers everything: connection, body, and the waits and retries after a 429.

        Raises:
            SessionFailure: It failed; `kind` says why.
        """
        deadline_ns = self._clock.now_ns() + s_to_ns(timeout_s)
        outcome = await self._ask(request, deadline_ns)
        if isinstance(outcome, SessionFailure):
            raise outcome
        return outcome

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, request: SessionRequest, deadline_ns: int) -> Session | SessionFailure:
        body = request.body()
        tries, waited_ns = 0, 0
        while True:
            left_s = (deadline_ns - self._clock.now_ns()) / NS_PER_S
            answer = await self._transport.post(body, timeout_s=left_s)
            tries += 1
            if isinstance(answer, SessionFailure):
                return answer
            if answer.status != 429 or tries > MAX_RETRIES:
                session = self._reader.read(answer, agent=request.agent, tries=tries)
                if isinstance(session, SessionFailure):
                    return session
                return replace(session, retries=tries - 1, waited_ms=ms(waited_ns))
            again_ns = self._clock.now_ns() + s_to_ns(self._wait_s(answer, tries - 1))
            if again_ns >= deadline_ns:
                return self._reader.read(answer, agent=request.agent, tries=tries, waited_out=False)
            waited_ns += again_ns - self._clock.now_ns()
            await self._clock.sleep_until_ns(again_ns)

    def _wait_s(self, answer: Answer, retry: int) -> float:
        asked_s = asked_wait_s(answer.retry_after, now=self._clock.utc())
        return asked_s if asked_s is not None else backoff_s(retry, self._rng)
