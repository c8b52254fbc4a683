"""Baseline files: the calls that later runs are compared with, in a form that can be kept in Git.

A baseline holds no texts, only values by call, metric and turn. It is JSON with one line for each call and sorted keys,
so that a diff shows which calls were replaced.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from harness.errors import ConfigError, Place
from harness.formats import Recorded, why_unread
from harness.record.call_samples import CallSamples
from harness.record.testbed import Testbed

FOLDER = Path("reports/baselines")
SUFFIX = ".json"
ANEW = "record the baseline again: voice-harness baseline save RUN"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_AT_TOP = ("scenarios", "accepted", "calls")  # written with a line for each entry
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class ScenarioIdentity(Recorded):
    """Identifies a scenario by hashes (the first 16 hex digits of SHA-256).

    Attributes:
        script: Of what the caller does: its turns and timeouts. Calls of other scripts are not compared.
        expected: Of what is expected. If that differs, failed calls and expectations are not compared.
    """

    script: Sha256
    expected: Sha256


class ScenarioOfBaseline(ScenarioIdentity):
    """A scenario, and how many calls of it the baseline has."""

    calls: Annotated[int, Field(ge=1)]


class Accepted(Recorded):
    """Why a baseline was replaced.

    Attributes:
        at: When, UTC.
        by: Who accepted it.
        reason: Why the change is intended.
        run: The run that became the baseline.
        instead_of: The run that was the baseline before.
        regressions: The regressions from the old to the new baseline, as sentences.
    """

    at: str
    by: str
    reason: str
    run: str
    instead_of: str
    regressions: list[str] = Field(default_factory=list)


class Baseline(Recorded):
    """A complete baseline file.

    Attributes:
        version: The format version.
        run: The run that it was made from.
        started: When that run started, UTC.
        saved: When the baseline was saved, UTC.
        target: What was called.
        agent: The agent.
        testbed: What it was measured with.
        scenarios: The scenarios by name.
        accepted: The changes that were accepted, oldest first.
        calls: The calls, by id.
    """

    version: Literal[1] = 1
    run: str
    started: str
    saved: str
    target: str
    agent: str = ""
    testbed: Testbed
    scenarios: dict[str, ScenarioOfBaseline]
    accepted: list[Accepted] = Field(default_factory=list)
    calls: list[CallSamples]

    @model_validator(mode="after")
    def _is_complete(self) -> Baseline:
        """Checks that no call was lost or added by hand, as by a merge."""
        ids = [call.call for call in self.calls]
        if len(set(ids)) < len(ids):
            raise ValueError("a call is in it twice")
        counts = dict.fromkeys(self.scenarios, 0)
        for call in self.calls:
            if call.scenario not in counts:
                raise ValueError(f"call {call.call} is of a scenario that it does not list")
            counts[call.scenario] += 1
        for name, scenario in self.scenarios.items():
            if counts[name] != scenario.calls:
                raise ValueError(f"it has {counts[name]} of the {scenario.calls} calls of {name}")
        return self

    def to_text(self) -> str:
        """Returns the file's text: JSON with sorted keys, and one line for each scenario, acceptance and call."""
        content = self.model_dump(mode="json", exclude_none=True)
        parts = []
        for key in sorted(content, key=lambda key: (key in _AT_TOP, _AT_TOP.index(key) if key in _AT_TOP else 0, key)):
            value = content[key]
            if key in _AT_TOP and value:
                lines = (
                    [f"{_line(name)}: {_line(entry)}" for name, entry in sorted(value.items())]
                    if isinstance(value, dict)
                    else [_line(entry) for entry in value]
                )
                opened, closed = "{}" if isinstance(value, dict) else "[]"
                parts.append(f"{_line(key)}: {opened}\n" + ",\n".join(lines) + f"\n{closed}")
            else:
                parts.append(f"{_line(key)}: {_line(value)}")
        return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def read_baseline(path: Path) -> Baseline:
    """Reads a baseline file.

    Raises:
        ConfigError: It does not exist, or is not as this version or an older one wrote it.
    """
    try:
        return Baseline.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("there is no such baseline", where=Place(path), hint=_known()) from None
    except ValidationError as problem:
        why = problem.errors()[0]
        what = str(why["msg"]).removeprefix("Value error, ") if not why["loc"] and why["type"] == "value_error" else ""
        what = what or why_unread(Baseline, problem)
        raise ConfigError(
            f"this baseline cannot be read: {what}", where=Place(path), hint=f"restore it, or {ANEW}"
        ) from None
    except (OSError, ValueError) as problem:
        raise ConfigError(f"the baseline cannot be read: {problem}", where=Place(path)) from None


def path_of_baseline(name: str) -> Path:
    """Returns the path of a baseline by its name under `reports/baselines/`, or by the path of its file.

    Raises:
        ConfigError: It is neither a valid name nor a path of a `.json` file.
    """
    if "/" in name or "\\" in name or name.endswith(SUFFIX):
        return Path(name)
    if _NAME.fullmatch(name) is None:
        raise ConfigError(f"{name!r} is no valid name of a baseline", hint="use letters, digits, '.', '_' and '-'")
    return FOLDER / f"{name}{SUFFIX}"


def saved_baselines(folder: Path = FOLDER) -> list[Path]:
    """Returns the baseline files in a folder, by name."""
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def _known() -> str:
    names = [path.stem for path in saved_baselines()]
    return f"use one of {', '.join(names)}" if names else "voice-harness baseline save RUN makes one"


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Writes a baseline file atomically; creates its folder.

    Raises:
        ConfigError: It cannot be written.
    """
    temporary = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(baseline.to_text(), encoding="utf-8")
        temporary.replace(path)
    except OSError as problem:
        raise ConfigError(f"the baseline cannot be written: {problem.strerror}", where=Place(path)) from None
    finally:
        temporary.unlink(missing_ok=True)
