"""The user's own backend route, called as a browser does: the same body, no key; failures are plain text."""

from __future__ import annotations

import random

from harness.clock import Clock
from harness.target.answer import Reader
from harness.target.client import SessionClient

# The contract's wording for a client.
WHEN_EMPTY = "Failed to create voice-agent session"
WHEN_INCOMPLETE = "Session response is missing token or livekit_url"


class BackendRoute(SessionClient):
    """Creates sessions through the user's site, which adds the key itself.

    Args:
        url: The complete URL of the route, posted to exactly as written.
        rng: Random source for the jitter of waits after a 429.
        clock: Time source.

    Raises:
        ConfigError: The URL cannot be posted to.
    """

    def __init__(self, url: str, *, rng: random.Random | None = None, clock: Clock | None = None) -> None:
        reader = Reader(url, None, when_empty=WHEN_EMPTY, when_incomplete=WHEN_INCOMPLETE)
        super().__init__(reader, rng=rng, clock=clock)
