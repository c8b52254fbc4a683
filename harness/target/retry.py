"""How long to wait after a 429: as the service asks, else with exponential backoff."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRIES = 3
FIRST_WAIT_S = 0.5


def asked_wait_s(retry_after: str, *, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for (a number, or an HTTP date); None if it asks for nothing."""
    text = retry_after.strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text, re.ASCII):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())


def backoff_s(retry: int, rng: random.Random) -> float:
    """Seconds before retry number `retry` (from 0): 0.5 s, doubled each time, with a jitter of ± 50 %."""
    return FIRST_WAIT_S * 2.0**retry * rng.uniform(0.5, 1.5)
