"""The id of a call, which also names its files: `0001-smoke`, of a worker `w2-0001-smoke`, of a burst `b20-0001-smoke`.

`calls.jsonl` stores the size of a call's burst only in this id, so both sides of the format are here.
"""

from __future__ import annotations

import re

_OF_BURST = re.compile(r"(?:w\d+-)?b(?P<size>\d+)-\d{4,}-")


def call_id(number: int, scenario: str, *, burst: int | None = None, worker: int | None = None) -> str:
    """Returns the id of a call.

    Args:
        number: The call's number, from 1, among those of its worker.
        scenario: The name of its scenario.
        burst: The size of its burst; None if it is in none.
        worker: Its worker's number; None if there is only one.
    """
    of_worker = "" if worker is None else f"w{worker}-"
    of_burst = "" if burst is None else f"b{burst}-"
    return f"{of_worker}{of_burst}{number:04d}-{scenario}"


def burst_size(call: str) -> int | None:
    """Returns the size of the burst of the call with this id; None if it was in none."""
    found = _OF_BURST.match(call)
    return None if found is None else int(found["size"])
