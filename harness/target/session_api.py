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
        key: The API key; it goes into the header and nowhere else.
        key_variable: The variable that it is from, for whoever has to look at it; None where it is from none.
        rng: Chance for the waits after a 429.
        clock: The time.

    Raises:
        ConfigError: The URL cannot be posted to, or the key can stand in no header.
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
