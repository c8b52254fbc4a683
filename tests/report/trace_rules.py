"""The rules of Chrome's Trace Event Format that Perfetto holds to, as a check of a document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

NEEDED = {
    "X": {"name", "cat", "pid", "tid", "ts", "dur", "args"},
    "i": {"name", "cat", "pid", "tid", "ts", "s", "args"},
    "C": {"name", "pid", "tid", "ts", "args"},
    "s": {"name", "cat", "id", "pid", "tid", "ts"},
    "f": {"name", "cat", "id", "pid", "tid", "ts", "bp"},
    "M": {"name", "pid", "tid", "ts", "args"},
}


def broken_rules(document: dict[str, Any]) -> list[str]:
    """What the trace breaks; empty if Perfetto shows all of it as it is."""
    events = document["traceEvents"]
    broken = [problem for event in events for problem in _fields(event)]
    return broken or [*_nesting(events), *_flows(events), *_threads(events)]


def _fields(event: dict[str, Any]) -> Iterator[str]:
    needed = NEEDED.get(event.get("ph", ""))
    if needed is None:
        yield f"unknown phase: {event}"
        return
    if missing := needed - event.keys():
        yield f"{event['ph']} lacks {sorted(missing)}: {event}"
    for key in ("ts", "dur", "pid", "tid"):
        if key in event and (type(event[key]) is not int or event[key] < 0):
            yield f"{key} is no whole number from 0 on: {event}"
    if event["ph"] == "C" and not all(isinstance(value, int | float) for value in event["args"].values()):
        yield f"a counter needs numbers: {event}"
    if event["ph"] == "i" and event.get("s") not in ("t", "p", "g"):
        yield f"an instant has a scope: {event}"


def _slices(events: list[dict[str, Any]]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    found = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            found[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    return found


def _nesting(events: list[dict[str, Any]]) -> Iterator[str]:
    for thread, slices in _slices(events).items():
        open_ends: list[int] = []
        for start, end in sorted(slices, key=lambda one: (one[0], -one[1])):
            while open_ends and open_ends[-1] <= start:
                open_ends.pop()
            if open_ends and end > open_ends[-1]:
                yield f"slices of thread {thread} overlap at {start}"
            open_ends.append(end)


def _flows(events: list[dict[str, Any]]) -> Iterator[str]:
    slices = _slices(events)
    ends: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for event in events:
        if event["ph"] in "sf":
            ends[event["id"]][event["ph"]] = event
            if not any(start <= event["ts"] <= end for start, end in slices[event["pid"], event["tid"]]):
                yield f"an arrow that begins or ends in no slice: {event}"
    for pair in ends.values():
        if set(pair) != {"s", "f"} or pair["s"]["ts"] > pair["f"]["ts"] or pair["s"]["cat"] != pair["f"]["cat"]:
            yield f"an arrow needs two ends in order: {pair}"


def _threads(events: list[dict[str, Any]]) -> Iterator[str]:
    named = {event["tid"] for event in events if event["ph"] == "M" and event["name"] == "thread_name"}
    used = {event["tid"] for event in events if event["ph"] in "Xi"}
    if used - named:
        yield f"threads without a name: {used - named}"
