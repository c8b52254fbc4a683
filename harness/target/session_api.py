"""The session API: a POST with the key in `x-api-key`, server to server."""

from __future__ import annotations

import random

from harness.clock import Clock
from harness.secret import Secret
from harness.target.answer import Reader
from harness.target.client import SessionClient
from harness.target.keys import check_key


class SessionApi(SessionClient):
    """Creates sessions at the session API.

    Args:
        url: The complete endpoint, posted to exactly as written.
        key: The API key; used in the header and nowhere else.
        key_variable: The variable that it came from, for error messages; None if it came from none.
        rng: Random source for the jitter of waits after a 429.
        clock: Time source.

    Raises:
        ConfigError: The URL cannot be posted to, or the key is not valid in a header.
    """

    def __init__(
        self,
        url: str,
        key: Secret,
        *,
        key_variable: str | None = None,
        rng: random.Random | None = None,
        clock: Clock | None = None,
    ) -> None:
        check_key(key, where="the API key")
        super().__init__(Reader(url, key, key_variable=key_variable), rng=rng, clock=clock)
