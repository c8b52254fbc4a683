"""Builds a run's settings, which are written to `run.json`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from harness import __version__
from harness.caller.prepare import Prepared
from harness.record.settings import RunSettings
from harness.run.pacing import Pace
from harness.run.request import Request
from harness.scenario.load import LoadedScenario
from harness.scenario.prompt import Prompt
from harness.secret import masked, without_secrets
from harness.target.shown import shown_url

_PACKAGES = (
    *("livekit", "livekit-api", "livekit-protocol", "aiortc", "aioice", "pylibsrtp", "opuslib-next-bundled", "aiohttp"),
    *("numpy", "soundfile", "pydantic", "jiwer", "whisper-normalizer"),
)


@dataclass(frozen=True)
class Planned:
    """The planned calls of a run, and the fields of run.json that only its command has.

    Attributes:
        pace: When calls start.
        own: Fields of `RunSettings` that only this command sets.
    """

    pace: Pace
    own: Mapping[str, Any] = field(default_factory=dict)


def run_settings(
    request: Request, scenarios: Sequence[Prepared], planned: Planned, *, run: str, started: datetime
) -> RunSettings:
    """Returns the content of run.json; the target's key is masked wherever it appears."""
    pace = planned.pace
    settings = {
        "version": 1,
        "run": run,
        "started": started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "command": [masked(word) for word in request.command],
        "target": request.target.describe(),
        "agent": ", ".join(dict.fromkeys(prepared.agent for prepared in scenarios)),
        "engine": request.engine,
        "seed": request.seed,
        "calls": pace.slots,
        "repeat": pace.repeat,
        "rate_per_min": pace.rate_per_min,
        "total": pace.total,
        "record": request.record,
        "thresholds": [
            {"metric": str(threshold.ref), "limit": str(threshold.limit), "where": str(threshold.where)}
            | ({} if threshold.abort_after_s is None else {"abort_after_s": threshold.abort_after_s})
            for threshold in request.thresholds
        ],
        "scenarios": {prepared.loaded.name: _scenario(prepared) for prepared in scenarios},
        "harness_version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "memory_gb": _memory_gb()},
        **({"strict": True} if request.strict else {}),
        **planned.own,
    }
    if request.against is not None:
        settings["baseline"] = request.against.settings().model_dump()
    return RunSettings.model_validate(without_secrets(settings, (request.target.api_key,)))


def _scenario(prepared: Prepared) -> dict[str, Any]:
    loaded = prepared.loaded
    overrides = dict(loaded.overrides)
    model = prepared.loaded.recorded()
    for session in (overrides, model.get("session", {})):
        if "reference_audio_url" in session:  # its query is often a signature that grants access to the file
            session["reference_audio_url"] = shown_url(session["reference_audio_url"])
    return {
        "path": str(loaded.path),
        "agent": prepared.agent,
        "tags": loaded.model.tags,
        "overrides": overrides,
        "prompt": None if loaded.prompt is None else _prompt(loaded.prompt),
        "model": model,
        "places": dict(_places(loaded)),
    }


def _prompt(prompt: Prompt) -> dict[str, Any]:
    """Returns what identifies the prompt, to compare runs by it."""
    file = None if prompt.file is None else str(prompt.file)
    return {"file": file, "first_words": prompt.first_words, "sha256": prompt.sha256}


def _places(loaded: LoadedScenario) -> Iterator[tuple[str, str]]:
    """Yields the dotted key of each expectation and where it is written."""

    def walk(node: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
        if isinstance(node, Mapping):
            for key, value in node.items():
                yield ".".join(map(str, (*keys, key))), str(loaded.place(*keys, key))
                yield from walk(value, (*keys, key))

    if "pass" in loaded.raw:
        yield "pass", str(loaded.place("pass"))
    greeting = loaded.raw.get("greeting")
    yield from walk(greeting, ("greeting",))
    for index, step in enumerate(loaded.raw["turns"]):
        if isinstance(step, Mapping):
            yield from walk(step.get("expect"), ("turns", index, "expect"))


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    if sys.platform == "win32":
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
